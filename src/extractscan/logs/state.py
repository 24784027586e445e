"""What a reader knows of one file, and what has come of it so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from extractscan.logs.detect import Recognised
    from extractscan.logs.envelope import Plan
    from extractscan.logs.quarantine import Quarantine
    from extractscan.logs.sniff import Sniffed


@dataclass(frozen=True, slots=True)
class Known:
    """A file that was looked at: what it is, which format its records are in, and the plan to read them by."""

    seen: Sniffed
    found: Recognised
    plan: Plan | None

    @property
    def label(self) -> str:
        """The format for people."""
        return self.seen.label if self.plan is None else f"{self.found.name} {self.seen.label}"


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was passed over: why, what its bytes are, and what its records look most like."""

    path: str
    reason: str
    seen: Sniffed
    found: Recognised


@dataclass(slots=True)
class FileState:
    """What has come of one file so far; the readers' Report. ``cut``: its last record did not end in a line break."""

    name: str
    quarantine: Quarantine
    rows_kept: int = 0
    rows_outside: int = 0
    rows_bad: int = 0
    told: int = 0
    texts_repaired: int = 0
    cut: bool = False
    clashes: Counter[str] = field(default_factory=Counter)
    slots: set[str] = field(default_factory=set)

    @property
    def rows_read(self) -> int:
        """Rows of the file, whatever came of them."""
        return self.rows_kept + self.rows_outside + self.rows_bad

    def bad(self, line: int | None, reason: str) -> None:
        """One bad row, or with ``line`` None the file or the rest of it."""
        self.quarantine.add(self.name, line, reason)
        self.rows_bad += 1

    def bad_rows(
        self, rows: NDArray[np.int64], line: Callable[[NDArray[np.int64]], NDArray[np.int64]], reasons: list[str]
    ) -> None:
        """Many bad rows of one batch, by their positions."""
        shown = min(len(rows), self.quarantine.room)
        for at, reason in zip(line(rows[:shown]), reasons, strict=False):
            self.quarantine.add(self.name, int(at), reason)
        self.quarantine.count += len(rows) - shown
        self.rows_bad += len(rows)

    def repaired(self, values: int) -> None:
        """So many texts held bytes that are not UTF-8."""
        self.texts_repaired += values
