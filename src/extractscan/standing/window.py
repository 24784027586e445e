"""The sliding window: the last so many whole days, or hours, of UTC up to the newest requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNITS: Final = {"h": 3_600_000_000, "d": 86_400_000_000, "w": 7 * 86_400_000_000}
_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])\Z")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

SHARE: Final = 0.001
ENOUGH: Final = 10
"""The window ends with the latest day in or before which, within its length, lies a thousandth of all requests that are kept and ten
at least (or all, if there are fewer): a single request of a clock that is wrong by years must not push out what is true. A
night of a case that keeps three years has as much."""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: ``text`` as it was given, ``length`` and ``unit`` in microseconds (a day or an hour)."""

    text: str
    length: int
    unit: int


def parse_span(text: str, option: str) -> Span:
    """Read ``30d``, ``72h`` or ``4w``. Raises ``UsageError``."""
    match = _SPAN.match(text)
    if match is None:
        raise UsageError(f"{option} takes a number of days, hours or weeks, as in 30d, 72h or 4w, not {text!r}")
    unit = _UNITS[match[2]]
    return Span(text, int(match[1]) * unit, min(unit, _UNITS["d"]))


def window_end(times: NDArray[np.int64], span: Span) -> int:
    """Return where a window over these times (microseconds since 1970, not empty) ends, itself outside: the end of a unit."""
    units, counts = np.unique(times // span.unit, return_counts=True)
    before = np.concatenate([[0], np.cumsum(counts)])
    within = before[1:] - before[np.searchsorted(units, units - span.length // span.unit + 1)]
    enough = min(max(SHARE * times.size, ENOUGH), times.size)
    reached = np.flatnonzero(within >= enough)
    last = units[reached[-1]] if reached.size else units[int(np.argmax(within))]
    return int(last + 1) * span.unit


def moment(microseconds: int) -> datetime:
    """Return the UTC time so many microseconds after 1970, the nearest that Python has."""
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if microseconds < 0 else datetime.max.replace(tzinfo=UTC)
