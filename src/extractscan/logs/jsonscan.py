"""Kernels that find the values of wanted keys in JSON text without building objects.

Each takes raw bytes and gives *spans*: start, end and kind of a value. So the type of a value is known exactly, nested
values keep their exact text, a bad line costs only itself, and no key is lost because it was first seen late. (Polars'
own JSON reader gives up a whole file for one bad line, and writes nested text back without escaping backslashes.)

The grammar is RFC 8259, but control characters inside strings are accepted, and ``NaN`` and ``Infinity`` are read as
null. Of two members with one name the last counts, as in every usual parser.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import inline, leaf
from extractscan.logs.blocks import WIDTH, alike, below, escapes, lowest, same
from extractscan.logs.spans import (
    ABSENT,
    ARRAY,
    BLANK,
    FALSE,
    FNV_OFFSET,
    FNV_PRIME,
    GOOD,
    NUMBER,
    OBJECT,
    STRING,
    TRUE,
    KeyTable,
    Spans,
    offsets,
    readable,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

MAX_DEPTH: Final = 512
"""Values nested deeper than this are refused."""

# What became of a row.
INVALID: Final = -1
EARLY: Final = -2
DEEP: Final = -3
NOT_OBJECT: Final = -4

REASONS: Final = {
    INVALID: "not valid JSON",
    EARLY: "the JSON ends too early",
    DEEP: f"nested more than {MAX_DEPTH} deep",
    NOT_OBJECT: "not a JSON object",
}

_MEMBERS: Final = 64
"""Members that an object is thought to have, a power of two."""

_PARTS: Final = 8
_PARALLEL_ROWS: Final = 1_000

_OFFSET: Final = np.uint64(FNV_OFFSET)
_PRIME: Final = np.uint64(FNV_PRIME)


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


def scratch() -> NDArray[np.uint8]:
    """Scratch space for ``skip_value``."""
    return np.empty(MAX_DEPTH - 1, np.uint8)


@inline
def skip_space(buf: Any, i: int, end: int) -> int:
    """Index of the first byte at or after ``i`` that is not white space."""
    while i < end and (buf[i] == 32 or buf[i] == 10 or buf[i] == 13 or buf[i] == 9):
        i += 1
    return i


@leaf
def hex4(buf: Any, i: int) -> int:
    """Value of four hexadecimal digits, -1 if they are not."""
    value = 0
    for k in range(i, i + 4):
        c = buf[k]
        if 48 <= c <= 57:
            d = c - 48
        elif 65 <= c <= 70:
            d = c - 55
        elif 97 <= c <= 102:
            d = c - 87
        else:
            return -1
        value = value * 16 + d
    return value


@leaf
def _escape(buf: Any, i: int, end: int) -> int:
    """Index after the escape whose backslash is at ``i``; negative on error."""
    if i + 1 >= end:
        return EARLY
    e = buf[i + 1]
    if e == 117:
        if i + 6 > end:
            return EARLY
        return i + 6 if hex4(buf, i + 2) >= 0 else INVALID
    if e == 34 or e == 92 or e == 47 or e == 98 or e == 102 or e == 110 or e == 114 or e == 116:
        return i + 2
    return INVALID


@leaf
def skip_string(buf: Any, i: int, end: int) -> int:
    """Index after the closing quote of a string whose first character is at ``i``; negative on error."""
    while i + WIDTH <= len(buf):
        quotes, slashes = same(buf, i, 34), same(buf, i, 92)
        if end - i < WIDTH:
            quotes &= below(end - i)
            slashes &= below(end - i)
        size: Any = WIDTH
        if slashes:
            beginning, escaped = escapes(slashes)
            usual = quotes | slashes | same(buf, i, 110)
            quotes &= ~escaped
            if quotes:
                escaped &= (quotes & (~quotes + np.uint64(1))) - np.uint64(1)
            odd = escaped & ~usual
            while odd:
                after = _escape(buf, i + lowest(odd) - 1, end)
                if after < 0:
                    return after
                odd &= odd - np.uint64(1)
            size -= np.int64(beginning >> np.uint64(WIDTH - 1))  # what the last byte escapes is in the next block
        if quotes:
            i += lowest(quotes) + 1
            return i
        i += size
        if i >= end:
            return EARLY
    while i < end and buf[i] != 34:
        if buf[i] == 92:
            i = _escape(buf, i, end)
            if i < 0:
                return i
        else:
            i += 1
    return i + 1 if i < end else EARLY


@leaf
def _word(buf: Any, i: int, end: int, word: bytes) -> int:
    """Index after ``word`` if it stands at ``i``; negative if not."""
    for k in range(len(word)):
        if i + k >= end:
            return EARLY
        if buf[i + k] != word[k]:
            return INVALID
    return i + len(word)


@leaf
def _digits(buf: Any, i: int, end: int) -> int:
    while i < end and 48 <= buf[i] <= 57:
        i += 1
    return i


@leaf
def _number(buf: Any, i: int, end: int) -> int:
    if buf[i] == 45:
        i += 1
        if i < end and buf[i] == 73:
            return _word(buf, i, end, b"Infinity")
    first = i
    i = _digits(buf, i, end)
    if i == first:
        return EARLY if i >= end else INVALID
    if buf[first] == 48 and i > first + 1:
        return INVALID
    if i < end and buf[i] == 46:
        j = _digits(buf, i + 1, end)
        if j == i + 1:
            return EARLY if j >= end else INVALID
        i = j
    if i < end and (buf[i] == 101 or buf[i] == 69):
        i += 1
        if i < end and (buf[i] == 43 or buf[i] == 45):
            i += 1
        j = _digits(buf, i, end)
        if j == i:
            return EARLY if j >= end else INVALID
        i = j
    return i


@leaf
def _scalar(buf: Any, i: int, end: int) -> int:
    """Index after the scalar at ``i``; negative on error."""
    c = buf[i]
    if c == 34:
        return skip_string(buf, i + 1, end)
    if c == 45 or 48 <= c <= 57:
        return _number(buf, i, end)
    if c == 116:
        return _word(buf, i, end, b"true")
    if c == 102:
        return _word(buf, i, end, b"false")
    if c == 110:
        return _word(buf, i, end, b"null")
    if c == 78:
        return _word(buf, i, end, b"NaN")
    if c == 73:
        return _word(buf, i, end, b"Infinity")
    return INVALID


@leaf
def skip_key(buf: Any, i: int, end: int) -> int:
    """Index after the colon of the member name that should stand at ``i``; negative on error."""
    i = skip_space(buf, i, end)
    if i >= end:
        return EARLY
    if buf[i] != 34:
        return INVALID
    i = skip_string(buf, i + 1, end)
    if i < 0:
        return i
    i = skip_space(buf, i, end)
    if i >= end:
        return EARLY
    return i + 1 if buf[i] == 58 else INVALID


@leaf
def skip_value(buf: Any, i: int, end: int, stack: Any) -> int:
    """Index after the value at ``i`` (no white space before it); negative on error. ``stack`` is scratch space."""
    depth = 0
    while True:
        i = skip_space(buf, i, end)
        if i >= end:
            return EARLY
        c = buf[i]
        opened = False
        if c == 123 or c == 91:
            if depth >= len(stack):
                return DEEP
            stack[depth] = c
            depth += 1
            i = skip_space(buf, i + 1, end)
            if i >= end:
                return EARLY
            opened = buf[i] != c + 2  # the closing bracket is two further on in ASCII
            if not opened:
                depth -= 1
                i += 1
            elif c == 123:
                i = skip_key(buf, i, end)
                if i < 0:
                    return i
        else:
            i = _scalar(buf, i, end)
            if i < 0:
                return i
        while not opened:
            if depth == 0:
                return i
            i = skip_space(buf, i, end)
            if i >= end:
                return EARLY
            c, inside = buf[i], stack[depth - 1]
            if c == 44:
                i += 1
                if inside == 123:
                    i = skip_key(buf, i, end)
                    if i < 0:
                        return i
                opened = True
            elif c == inside + 2:
                depth -= 1
                i += 1
            else:
                return INVALID


@leaf
def key_hash(buf: Any, i: int, end: int) -> np.uint64:
    """Hash of the folded form of the raw name ``buf[i:end]``."""
    h = _OFFSET
    for k in range(i, end):
        c = buf[k]
        if 65 <= c <= 90:
            c += 32
        if 97 <= c <= 122 or 48 <= c <= 57 or c >= 128:
            h = (h ^ np.uint64(c)) * _PRIME
    return h


@inline
def seen_before(buf: Any, i: int, end: int, seen: Any, slot: int, node: int) -> bool:
    """Whether at ``i`` stands what ``seen`` holds in ``slot`` for ``node``: a name, its colon, and white space if some followed.

    Records of one log have the same names in the same order, mostly; what was read once needs no reading again. ``seen`` has
    rows for where that was, its size (0: nothing), the node, and what was found.
    """
    size = seen[1, slot]
    there = False
    if (
        size > 0 and seen[2, slot] == node and i + size < end
        and i + WIDTH <= len(buf) and seen[0, slot] + WIDTH <= len(buf)
    ):  # fmt: skip
        there = (~alike(buf, i, seen[0, slot]) & below(size)) == np.uint64(0)
    return there


@leaf
def kind_of(c: int) -> int:
    """Kind of a value by its first character; ABSENT for null, NaN and Infinity."""
    if c == 34:
        return STRING
    if c == 123:
        return OBJECT
    if c == 91:
        return ARRAY
    if c == 116:
        return TRUE
    if c == 102:
        return FALSE
    if c == 45 or 48 <= c <= 57:
        return NUMBER
    return ABSENT


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
                    i = skip_key(buf, i, end)
                    if i < 0:
                        break
                    close = i - 2
                    while buf[close] != 34:
                        close -= 1
                    h = key_hash(buf, name + 1, close)
                    begin = skip_space(buf, i, end)
                    at = np.int64(h & np.uint64(mask))
                    while count[at] and hashes[at] != h:
                        at = (at + 1) & mask
                    if begin - name < WIDTH:
                        seen[0, slot_of], seen[1, slot_of], seen[3, slot_of] = name, begin - name, at
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
