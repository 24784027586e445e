"""Logs to fingerprints, as scoring reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from extractscan.fingerprint.requests import Fingerprints, fingerprint, merge
from extractscan.logs.read import LogReader, read_logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from extractscan.logs.choose import FormatOptions
    from extractscan.logs.result import ReadSummary, RequestBatch
    from extractscan.progress import Observer

ROWS: Final = 50_000
"""Rows that are fingerprinted together at the least."""


def united(batches: Iterable[RequestBatch]) -> Iterator[pl.DataFrame]:
    """Unite small batches, so that ten thousand files of one call each do not cost ten thousand fingerprintings."""
    held: list[pl.DataFrame] = []
    rows = 0
    for batch in batches:
        held.append(batch.frame)
        rows += batch.frame.height
        if rows >= ROWS:
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

    def open(self, observer: Observer, *, complete: bool = True) -> LogReader:
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
        )


def load(source: LogSource, *, observer: Observer, jobs: int = 1) -> tuple[Fingerprints, ReadSummary]:
    """Read and fingerprint logs. Raises ``InputError`` when nothing can be read or too much cannot."""
    reader = source.open(observer)
    prints = merge([fingerprint(frame, jobs=jobs) for frame in united(reader.batches())])
    return prints, reader.summary
