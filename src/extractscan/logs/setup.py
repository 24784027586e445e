"""How the files of a run are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


def utc(moment: datetime | None) -> datetime | None:
    """A time without a zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What ``read_logs`` says of its parameters; ``columns`` are the user's own."""

    since: datetime | None
    until: datetime | None
    max_bad_rows: float | None
    batch_rows: int
    columns: dict[str, str]
    complete: bool
