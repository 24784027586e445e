"""Numbers as a line of small bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS: Final = "▁▂▃▄▅▆▇█"
LETTERS: Final = ".:-=+*#@"
_NOTHING: Final = " "


def sparkline(values: Sequence[float], *, unicode: bool, most: float | None = None) -> str:
    """Return a character a value: a blank for zero, else one of eight heights up to ``most`` (the greatest value)."""
    marks = BLOCKS if unicode else LETTERS
    top = max(values, default=0.0) if most is None else most
    if top <= 0:
        return _NOTHING * len(values)
    return "".join(_NOTHING if v <= 0 else marks[min(int(v / top * len(marks)), len(marks) - 1)] for v in values)


def bar(share: float, width: int, *, unicode: bool) -> str:
    """Return a bar of ``share`` (0 to 1) of so many cells; at least one where the share is not zero."""
    cells = round(max(0.0, min(share, 1.0)) * width)
    return ("█" if unicode else "#") * max(cells, 1 if share > 0 else 0)


def thinned(values: Sequence[float], width: int) -> list[float]:
    """Return at most ``width`` values: sums over runs of equal length."""
    step = -(-len(values) // max(width, 1)) or 1
    return [sum(values[i : i + step]) for i in range(0, len(values), step)]
