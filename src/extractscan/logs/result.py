"""What reading leaves behind beside the requests themselves: files, counts and the quarantine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One row or one whole file that could not be read.

    ``line`` counts from 1 in text formats (for Parquet and Arrow it is the row); None names the whole file.
    ``reason`` is one plain sentence without text from the log.
    """

    file: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class FileSummary:
    """One input: what it was and what came of it. Counts are rows; ``size`` is bytes on disk.

    ``runner_up`` is the format that its records fit next best: empty for a plain table, ``none`` if there is no other.
    """

    path: str
    format: str
    sha256: str
    size: int
    rows_read: int
    rows_kept: int
    rows_quarantined: int
    runner_up: str = ""


@dataclass(slots=True)
class ReadSummary:
    """All inputs of one run, filled in while batches are drawn and complete after the last one.

    ``rows_outside_window`` were dropped by ``--since``/``--until``. ``present`` maps each canonical column to the
    number of kept rows in which it is not null. ``quarantine`` holds the first ``QUARANTINE_KEPT`` entries of a run;
    ``rows_quarantined`` counts them all.
    """

    files: list[FileSummary] = field(default_factory=list)
    quarantine: list[Quarantined] = field(default_factory=list)
    rows_read: int = 0
    rows_kept: int = 0
    rows_quarantined: int = 0
    rows_outside_window: int = 0
    present: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestBatch:
    """Some canonical requests of one file: ``frame`` has every column of ``CANONICAL``, in its order and types."""

    path: str
    frame: pl.DataFrame
