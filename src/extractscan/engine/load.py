"""Logs to fingerprints, as scoring reads them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from extractscan.fingerprint.requests import Merger, fingerprint
from extractscan.logs.read import LogReader, read_logs
from extractscan.memory import BATCH_ROWS, LEAST_ROWS, Memory, needed
from extractscan.threads import in_turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.logs.choose import FormatOptions
    from extractscan.logs.result import ReadSummary, RequestBatch
    from extractscan.progress import Observer


def united(batches: Iterable[RequestBatch], least: int = LEAST_ROWS) -> Iterator[pl.DataFrame]:
    """Unite small batches up to ``least`` rows, so that ten thousand files of one call each do not cost ten thousand fingerprintings."""
    held: list[pl.DataFrame] = []
    rows = 0
    for batch in batches:
        held.append(batch.frame)
        rows += batch.frame.height
        if rows >= least:
            yield pl.concat(held)
            held, rows = [], 0
    if held:
        yield pl.concat(held)


@dataclass(frozen=True, slots=True)
class LogSource:
    """Which logs are read, and how: ``read_logs`` says what each field means."""

    inputs: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    max_bad_rows: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    formats: FormatOptions | None = None

    def open(self, observer: Observer, *, complete: bool = True, batch_rows: int = BATCH_ROWS) -> LogReader:
        """Begin to read. Raises ``InputError`` and ``UsageError`` as ``read_logs`` does."""
        return read_logs(
            self.inputs,
            since=self.since,
            until=self.until,
            max_bad_rows=self.max_bad_rows,
            observer=observer,
            columns=self.columns,
            formats=self.formats,
            complete=complete,
            batch_rows=batch_rows,
        )


def load(
    source: LogSource, *, observer: Observer, jobs: int = 1, memory: Memory | None = None
) -> tuple[Fingerprints, ReadSummary]:
    """Read and fingerprint logs, in ``memory`` if it says how much that is.

    Raises ``InputError`` when nothing can be read or too much cannot.
    """
    memory = memory or Memory()
    reader = source.open(observer, batch_rows=memory.batch_rows(jobs))
    with contextlib.closing(Merger(memory)) as merger:
        for batch in in_turn(fingerprint, united(reader.batches()), jobs):
            merger.add(batch)
        prints = merger.finish()
    # Few of its columns are walked through at a time.
    prints = replace(prints, requests=memory.table(prints.requests))
    need = needed(prints.requests.height, len(prints.prompts))
    if memory.limit is not None and need > memory.limit:
        observer.warn(f"this log wants about {need / (1 << 30):.1f} GiB of memory, more than it may take")
    return prints, reader.summary
