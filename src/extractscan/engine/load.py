"""Logs to fingerprints, as scoring reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from extractscan.fingerprint.requests import Fingerprints, fingerprint, merge
from extractscan.logs.read import read_logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from extractscan.logs.choose import FormatOptions
    from extractscan.logs.result import ReadSummary, RequestBatch
    from extractscan.progress import Observer

ROWS: Final = 50_000
"""Rows that are fingerprinted together at the least."""


def _united(batches: Iterable[RequestBatch]) -> Iterator[pl.DataFrame]:
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


def load(
    inputs: Sequence[str],
    *,
    observer: Observer,
    since: datetime | None = None,
    until: datetime | None = None,
    max_bad_rows: float | None = None,
    columns: Mapping[str, str] | None = None,
    formats: FormatOptions | None = None,
    jobs: int = 1,
) -> tuple[Fingerprints, ReadSummary]:
    """Read and fingerprint logs. Raises ``InputError`` when nothing can be read or too much cannot."""
    reader = read_logs(
        inputs,
        since=since,
        until=until,
        max_bad_rows=max_bad_rows,
        observer=observer,
        columns=columns or {},
        formats=formats,
    )
    prints = merge([fingerprint(frame, jobs=jobs) for frame in _united(reader.batches())])
    return prints, reader.summary
