"""Kernels that find the values of wanted keys in JSON text without building objects.

Each takes raw bytes and gives *spans*: start, end and kind of a value. So the type of a value is known exactly, nested
values keep their exact text, a bad line costs only itself, and no key is lost because it was first seen late. (Polars'
own JSON reader gives up a whole file for one bad line, and writes nested text back without escaping backslashes.)

Of two members with one name the last counts, as in every usual parser.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.jsongrammar import (
    EARLY,
    INVALID,
    NOT_OBJECT,
    kind_of,
    scratch,
    skip_space,
    skip_string,
    skip_value,
)
from extractscan.logs.jsonnames import read_name, remember, seen_before
from extractscan.logs.spans import ABSENT, BLANK, GOOD, NUMBER, STRING, KeyTable, Spans, offsets, readable

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

_MEMBERS: Final = 64
"""Members that an object is thought to have, a power of two."""

_PARTS: Final = 8
_PARALLEL_ROWS: Final = 1_000


def project(
    buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any], keys: KeyTable, pool: Executor | None = None
) -> Spans:
    """Find the wanted members of each object ``buf[starts[i]:ends[i]]``; with a ``pool``, in parallel."""
    rows = len(starts)
    buf, starts, ends = readable(buf), offsets(starts), offsets(ends)
    spans = Spans(buf, keys.slots, rows)

    def some(part: tuple[int, int]) -> None:
        _project(
            buf, starts, ends, *part, scratch(), np.zeros((4, _MEMBERS), np.int64), keys.hashes, keys.first, keys.count,
            keys.feed_slot, keys.feed_rank, keys.keep_blank, spans.start, spans.end, spans.kind, spans.rank, spans.status,
        )  # fmt: skip

    if pool is None or rows < _PARALLEL_ROWS:
        some((0, rows))
    else:
        edges = [rows * k // _PARTS for k in range(_PARTS + 1)]
        list(pool.map(some, pairwise(edges)))
    return spans


@leaf
def _project(
    buf: Any, starts: Any, ends: Any, first_row: int, last_row: int, stack: Any, seen: Any, hashes: Any, first: Any,
    count: Any, feed_slot: Any, feed_rank: Any, keep_blank: Any, out_start: Any, out_end: Any, out_kind: Any, out_rank: Any, status: Any,
) -> None:  # fmt: skip
    mask = len(hashes) - 1
    for row in range(first_row, last_row):
        end = ends[row]
        i = skip_space(buf, starts[row], end)
        if i >= end:
            status[row] = BLANK
            continue
        if buf[i] != 123:
            i = skip_value(buf, i, end, stack)
            if i >= 0:
                i = NOT_OBJECT if skip_space(buf, i, end) == end else INVALID
            status[row] = i
            continue
        i = skip_space(buf, i + 1, end)
        if i < end and buf[i] == 125:
            i += 1
        else:
            member = 0
            while True:
                i = skip_space(buf, i, end)
                slot_of = member & (_MEMBERS - 1)
                member += 1
                if seen_before(buf, i, end, seen, slot_of, 0):
                    begin = skip_space(buf, i + seen[1, slot_of], end)
                    at = seen[3, slot_of]
                else:
                    name = i
                    i, h = read_name(buf, i, end)
                    if i < 0:
                        break
                    begin = skip_space(buf, i, end)
                    at = np.int64(h & np.uint64(mask))
                    while count[at] and hashes[at] != h:
                        at = (at + 1) & mask
                    remember(seen, slot_of, name, begin, 0, at)
                i = (
                    skip_string(buf, begin + 1, end)
                    if begin < end and buf[begin] == 34
                    else skip_value(buf, begin, end, stack)
                )
                if i < 0:
                    break
                if count[at]:
                    kind = kind_of(buf[begin])
                    if kind == NUMBER and buf[i - 1] == 121:  # -Infinity
                        kind = ABSENT
                    a, b = begin, i
                    if kind == STRING:
                        a, b = begin + 1, i - 1
                    for f in range(first[at], first[at] + count[at]):
                        slot = feed_slot[f]
                        if kind == ABSENT or feed_rank[f] > out_rank[slot, row] or (a == b and not keep_blank[slot]):
                            continue
                        out_start[slot, row] = a
                        out_end[slot, row] = b
                        out_kind[slot, row] = kind
                        out_rank[slot, row] = feed_rank[f]
                i = skip_space(buf, i, end)
                if i >= end:
                    i = EARLY
                    break
                if buf[i] == 44:
                    i += 1
                elif buf[i] == 125:
                    i += 1
                    break
                else:
                    i = INVALID
                    break
        if i >= 0:
            i = GOOD if skip_space(buf, i, end) == end else INVALID
        status[row] = i
