"""Kernel that finds the fields of CSV records, and the records that are broken.

RFC 4180 with any of four delimiters. A quote counts only as the first character of a field; inside a bare field it is
a plain character. A record with too few or too many fields is bad as a whole. Where quotes are broken (text after a
closing quote, or no closing quote) the record's true end is unknown: its first line is bad, and reading goes on with
the next line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.spans import PLAIN, QUOTED, Spans, readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.logs.names import NameTable


FIELDS: Final = -5
QUOTES: Final = -6

REASONS: Final = {
    FIELDS: "the record has more or fewer fields than the header",
    QUOTES: "quotes are broken",
}

_RESCANS: Final = 16
"""How many times the buffer's length may be read again after broken quotes. Then a quoted field may no longer hold a
line break until the next buffer, so that hostile quotes cannot make the work quadratic."""


class Fields:
    """What each column of a header feeds, as arrays for the kernel."""

    def __init__(self, header: list[str], table: NameTable, slots: tuple[str, ...], keep_blank: frozenset[str]) -> None:
        position = {slot: i for i, slot in enumerate(slots)}
        self.slots = slots
        self.width = len(header)
        self.first = np.zeros(len(header) + 1, np.int32)
        feeds: list[tuple[int, int]] = []
        for i, name in enumerate(header):
            feeds.extend((position[slot], rank) for slot, rank in table.feeds(name) if slot in position)
            self.first[i + 1] = len(feeds)
        self.feed_slot = np.array([slot for slot, _ in feeds], np.int32)
        self.feed_rank = np.array([rank for _, rank in feeds], np.uint8)
        self.keep_blank = np.array([slot in keep_blank for slot in slots], np.bool_)


def records(
    buf: NDArray[np.uint8], at: int, fields: Fields, delimiter: str, limit: int, *, longest: int, last: bool
) -> tuple[Spans, NDArray[np.int64], int]:
    """Find at most ``limit`` records from ``buf[at]`` on.

    Returns the spans (``status`` FIELDS or QUOTES for a bad record), where each record begins, and the index of the first
    byte that was not used: the whole buffer, or the begin of a record that is not yet whole, unless this is the ``last``
    buffer of the file or the record is over ``longest`` bytes already.
    """
    spans = Spans(buf, fields.slots, limit)
    begin = np.empty(limit, np.int64)
    n, at = _records(
        readable(buf), at, last, longest, ord(delimiter), fields.width, fields.first, fields.feed_slot, fields.feed_rank,
        fields.keep_blank, spans.start, spans.end, spans.kind, spans.rank, spans.status, begin,
    )  # fmt: skip
    for name in ("start", "end", "kind", "rank"):
        setattr(spans, name, getattr(spans, name)[:, :n])
    spans.status = spans.status[:n]
    return spans, begin[:n], at


@leaf
def _line_end(buf: Any, i: int) -> int:
    while i < len(buf) and buf[i] != 10:
        i += 1
    return i


@leaf
def _closing(buf: Any, i: int, stop: int) -> int:
    """Index of the quote that closes a field whose text begins at ``i``, or -1 if there is none before ``stop``."""
    while i < stop:
        if buf[i] == 34:
            if i + 1 < stop and buf[i + 1] == 34:
                i += 1
            else:
                return i
        i += 1
    return -1


@leaf
def _records(
    buf: Any, at: int, last: bool, longest: int, delimiter: int, width: int, first: Any, feed_slot: Any, feed_rank: Any,
    keep_blank: Any, out_start: Any, out_end: Any, out_kind: Any, out_rank: Any, status: Any, begin: Any,
) -> tuple[int, int]:  # fmt: skip
    n, size = 0, len(buf)
    budget = _RESCANS * size
    while n < len(begin):
        if at >= size:
            break
        if buf[at] == 10 or (buf[at] == 13 and at + 1 < size and buf[at + 1] == 10):
            at += 1 if buf[at] == 10 else 2
            continue
        i, field, outcome, whole = at, 0, 0, True
        while True:
            kind, next_i = PLAIN, i
            a, b = i, i
            if i < size and buf[i] == 34:
                kind, a = QUOTED, i + 1
                stop = size if budget >= 0 else _line_end(buf, a)
                b = _closing(buf, a, stop)
                if b < 0 and not last and stop == size and size - at <= longest:
                    whole = False
                    break
                if b >= 0:
                    next_i = b + 1
                    if next_i < size and buf[next_i] == 13:
                        if next_i + 1 == size and not last:
                            whole = False
                            break
                        if next_i + 1 == size or buf[next_i + 1] == 10:
                            next_i += 1
                if b < 0 or (next_i < size and buf[next_i] != delimiter and buf[next_i] != 10):
                    outcome = QUOTES
                    budget -= (size if b < 0 else b) - at
                    break
            else:
                while next_i < size and buf[next_i] != delimiter and buf[next_i] != 10:
                    next_i += 1
                b = next_i
                if b > a and buf[b - 1] == 13 and (b == size or buf[b] == 10):
                    b -= 1
            if next_i >= size and not last:
                whole = False
                break
            if field < width and (kind == QUOTED or b > a):
                for f in range(first[field], first[field + 1]):
                    slot = feed_slot[f]
                    if feed_rank[f] >= out_rank[slot, n] or (a == b and not keep_blank[slot]):
                        continue
                    out_start[slot, n] = a
                    out_end[slot, n] = b
                    out_kind[slot, n] = kind
                    out_rank[slot, n] = feed_rank[f]
            field += 1
            i = next_i + 1
            if next_i >= size or buf[next_i] == 10:
                break
        if not whole:
            break
        begin[n] = at
        if outcome == QUOTES:
            status[n] = QUOTES
            at = _line_end(buf, at) + 1
        else:
            status[n] = 0 if field == width else FIELDS
            at = min(i, size)
        n += 1
    return n, at
