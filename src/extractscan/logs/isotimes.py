"""Times in the usual form of ISO 8601, read by a kernel: what is written in another way is left to ``times``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.jit import inline, leaf
from extractscan.logs.schema import TIMESTAMP
from extractscan.logs.spans import offsets, readable
from extractscan.logs.textspans import raw

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NONE: Final = np.iinfo(np.int64).min
_SECOND: Final = 1_000_000


def usual(values: pl.Series) -> pl.Series:
    """Texts like ``2026-03-02T00:00:58.680507+01:00`` to times; null for any other text.

    A blank may stand for the T; a zone is ``Z`` or hours and minutes, and may be missing (UTC); a fraction has one to nine digits, of
    which those beyond the microsecond are dropped. Years are 1970 to 2199.
    """
    out = np.empty(len(values), np.int64)
    buf, start, end = raw(values)
    _read(readable(buf), offsets(start), offsets(end), out)
    unread = out == _NONE
    array = pa.array(out, mask=unread) if unread.any() else pa.array(out)
    return pl.Series(values.name, array).cast(TIMESTAMP)


@inline
def _two(buf: Any, i: int) -> int:
    """Value of two digits, over 99 if they are not."""
    high: Any = np.int64(buf[i]) - 48
    low: Any = np.int64(buf[i + 1]) - 48
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else 1000


@inline
def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 on: years are taken to begin in March, so that the odd day comes last."""
    y = year - 1 if month <= 2 else year
    in_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return 365 * y + y // 4 - y // 100 + y // 400 + in_year - 719468


@inline
def _last_day(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@leaf
def _one(buf: Any, i: int, end: int) -> int:
    """Microseconds of the time ``buf[i:end]``, ``_NONE`` if it is in another form."""
    if end - i < 19 or end - i > 35:
        return _NONE
    if (
        buf[i + 4] != 45 or buf[i + 7] != 45 or buf[i + 13] != 58 or buf[i + 16] != 58
        or (buf[i + 10] != 84 and buf[i + 10] != 32)
    ):  # fmt: skip
        return _NONE
    century, rest = _two(buf, i), _two(buf, i + 2)
    month, day = _two(buf, i + 5), _two(buf, i + 8)
    hour, minute, second = _two(buf, i + 11), _two(buf, i + 14), _two(buf, i + 17)
    year = century * 100 + rest
    if rest > 99 or year < 1970 or year > 2199 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return _NONE
    if not 1 <= day <= _last_day(year, month):
        return _NONE
    micros = (((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * _SECOND
    i += 19
    if i < end and buf[i] == 46:
        i += 1
        first, unit = i, 100_000
        while i < end and 48 <= buf[i] <= 57:
            digit: Any = np.int64(buf[i]) - 48
            micros += digit * unit
            unit //= 10
            i += 1
        if i == first or i - first > 9:
            return _NONE
    if i == end or (buf[i] == 90 and i + 1 == end):
        return micros
    if end - i != 6 or (buf[i] != 43 and buf[i] != 45) or buf[i + 3] != 58:
        return _NONE
    hours, minutes = _two(buf, i + 1), _two(buf, i + 4)
    if hours > 14 or minutes > 59:
        return _NONE
    ahead = (hours * 60 + minutes) * 60 * _SECOND
    return micros + ahead if buf[i] == 45 else micros - ahead


@leaf
def _read(buf: Any, start: NDArray[np.int64], end: NDArray[np.int64], out: Any) -> None:
    for row in range(len(start)):
        out[row] = _one(buf, start[row], end[row])
