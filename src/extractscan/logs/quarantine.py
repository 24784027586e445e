"""What could not be read: counted in full, kept in part, and held against what the user allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from extractscan.errors import InputError, UsageError
from extractscan.logs.result import Quarantined

QUARANTINE_KEPT: Final = 10_000
"""How many entries of a run are kept; the rest are only counted."""

SHOWN: Final = 3
"""How many reasons an error message holds."""

WARN_SHARE: Final = 0.01
"""Above this share of bad rows the user is told, whatever is allowed."""


@dataclass(slots=True)
class Quarantine:
    """The bad rows of a run, in file order."""

    entries: list[Quarantined] = field(default_factory=list)
    count: int = 0

    def add(self, file: str, line: int | None, reason: str) -> None:
        """Put one row, or with ``line`` None a whole file or the rest of it, aside."""
        self.count += 1
        if len(self.entries) < QUARANTINE_KEPT:
            self.entries.append(Quarantined(file, line, reason))

    def order(self, first: int) -> None:
        """Bring the entries from ``first`` on, those of one file, into the order of lines, whatever was read at one time."""
        part = self.entries[first:]
        if len(part) > 1:
            self.entries[first:] = sorted(part, key=lambda q: (math.inf if q.line is None else q.line, q.reason))

    @property
    def room(self) -> int:
        """How many more entries will be kept."""
        return QUARANTINE_KEPT - len(self.entries)

    def first(self) -> str:
        """The first few entries on one line."""
        shown = [
            f"{q.file}: {q.reason}" if q.line is None else f"{q.file}:{q.line}: {q.reason}"
            for q in self.entries[:SHOWN]
        ]
        more = self.count - len(shown)
        return "; ".join(shown) + (f"; and {more:,} more" if more > 0 else "")


def parse_max_bad_rows(text: str) -> float | int:
    """Read ``--max-bad-rows``: ``100`` is a count, ``0.05`` or ``5%`` a share. Raises UsageError."""
    try:
        if text.endswith("%"):
            value: float | int = float(text[:-1]) / 100
        else:
            value = int(text) if text.isdigit() else float(text)
    except ValueError:
        value = -1
    if not (value >= 0 and (isinstance(value, int) or value < 1)):
        raise UsageError(f"--max-bad-rows takes a count (100) or a share (0.05 or 5%), not {text!r}")
    return value


def enforce(quarantine: Quarantine, rows_read: int, max_bad_rows: float | None) -> None:
    """Raise InputError if more rows are bad than allowed: an int is a count, a float under 1 a share of all rows."""
    if max_bad_rows is None or not quarantine.count:
        return
    if isinstance(max_bad_rows, int) or max_bad_rows >= 1:
        over, allowed = quarantine.count > max_bad_rows, f"{int(max_bad_rows):,}"
    else:
        over, allowed = quarantine.count > max_bad_rows * rows_read, f"{max_bad_rows * 100:g} %"
    if over:
        raise InputError(
            f"{quarantine.count:,} of {rows_read:,} rows cannot be read, more than the {allowed} that "
            f"--max-bad-rows allows: {quarantine.first()}",
        )
