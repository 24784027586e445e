"""Kernels that find the values of wanted keys in JSON text without building objects.

Each takes raw bytes and gives *spans*: start, end and kind of a value. So the type of a value is known exactly, nested
values keep their exact text, a bad line costs only itself, and no key is lost because it was first seen late. (Polars'
own JSON reader gives up a whole file for one bad line, and writes nested text back without escaping backslashes.)

The grammar is RFC 8259, but control characters inside strings are accepted, and ``NaN`` and ``Infinity`` are read as
null. Of two members with one name the last counts, as in every usual parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from extractscan.logs.names import NameTable

MAX_DEPTH: Final = 512
"""Values nested deeper than this are refused."""

# What a value is.
ABSENT: Final = 0
STRING: Final = 1
NUMBER: Final = 2
TRUE: Final = 3
FALSE: Final = 4
OBJECT: Final = 5
ARRAY: Final = 6
PLAIN: Final = 7  # a CSV field without quotes: taken as it is
QUOTED: Final = 8  # a CSV field in quotes: doubled quotes stand for one

# What became of a row.
GOOD: Final = 0
BLANK: Final = 1
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

_PARTS: Final = 8
_PARALLEL_ROWS: Final = 1_000

_FNV_OFFSET: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)


def name_hash(folded: str) -> int:
    """FNV-1a of a folded name, as ``_key_hash`` computes it from raw bytes. Chosen for speed; keys come from the log's
    writer, not from its users.
    """
    h = 0xCBF29CE484222325
    for byte in folded.encode("utf-8", "surrogatepass"):
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


class KeyTable:
    """The wanted keys as arrays for the kernel: an open-addressing table of name hashes.

    ``slots`` are the output columns. A name may feed several slots; each has a rank, the lowest wins within a row.
    """

    def __init__(
        self, names: dict[str, tuple[tuple[str, int], ...]], slots: tuple[str, ...], keep_blank: frozenset[str]
    ) -> None:
        size = 16
        while size < 4 * len(names):
            size *= 2
        self.slots = slots
        self.hashes = np.zeros(size, np.uint64)
        self.first = np.zeros(size, np.int32)
        self.count = np.zeros(size, np.int32)
        position = {slot: i for i, slot in enumerate(slots)}
        feeds: list[tuple[int, int]] = []
        for name, targets in names.items():
            wanted = [(position[slot], rank) for slot, rank in targets if slot in position]
            h = name_hash(name)
            at = h & (size - 1)
            while self.count[at]:
                at = (at + 1) & (size - 1)
            if wanted:
                self.hashes[at], self.first[at], self.count[at] = h, len(feeds), len(wanted)
                feeds.extend(wanted)
        self.feed_slot = np.array([slot for slot, _ in feeds], np.int32)
        self.feed_rank = np.array([rank for _, rank in feeds], np.uint8)
        self.keep_blank = np.array([slot in keep_blank for slot in slots], np.bool_)


def key_table(table: NameTable, slots: tuple[str, ...], keep_blank: frozenset[str]) -> KeyTable:
    """The kernel's form of a table of names."""
    return KeyTable(table.by_name, slots, keep_blank)


class Spans:
    """Values found: arrays of shape (slots, rows), offsets into ``buf``; ``status`` of shape (rows,)."""

    def __init__(self, buf: NDArray[np.uint8], slots: tuple[str, ...], rows: int) -> None:
        shape = (len(slots), rows)
        self.buf = buf
        self.slots = slots
        self.start = np.zeros(shape, np.int32)
        self.end = np.zeros(shape, np.int32)
        self.kind = np.zeros(shape, np.uint8)
        self.rank = np.full(shape, 255, np.uint8)
        self.status = np.zeros(rows, np.int8)


def project(
    buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any], keys: KeyTable, pool: Executor | None = None
) -> Spans:
    """Find the wanted members of each object ``buf[starts[i]:ends[i]]``; with a ``pool``, in parallel."""
    rows = len(starts)
    spans = Spans(buf, keys.slots, rows)

    def some(part: tuple[int, int]) -> None:
        _project(
            buf, starts, ends, *part, keys.hashes, keys.first, keys.count, keys.feed_slot, keys.feed_rank,
            keys.keep_blank, spans.start, spans.end, spans.kind, spans.rank, spans.status,
        )  # fmt: skip

    if pool is None or rows < _PARALLEL_ROWS:
        some((0, rows))
    else:
        edges = [rows * k // _PARTS for k in range(_PARTS + 1)]
        list(pool.map(some, zip(edges[:-1], edges[1:], strict=True)))
    return spans


@njit(cache=True, nogil=True, inline="always")
def _space(buf: Any, i: int, end: int) -> int:
    while i < end and (buf[i] == 32 or buf[i] == 10 or buf[i] == 13 or buf[i] == 9):
        i += 1
    return i


@njit(cache=True, nogil=True)
def _hex4(buf: Any, i: int) -> int:
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


@njit(cache=True, nogil=True)
def _string(buf: Any, i: int, end: int) -> int:
    """Index after the closing quote of a string whose first character is at ``i``; negative on error."""
    while i < end:
        c = buf[i]
        if c == 34:
            return i + 1
        if c != 92:
            i += 1
            continue
        if i + 1 >= end:
            return EARLY
        e = buf[i + 1]
        if e == 117:
            if i + 6 > end:
                return EARLY
            if _hex4(buf, i + 2) < 0:
                return INVALID
            i += 6
        elif e == 34 or e == 92 or e == 47 or e == 98 or e == 102 or e == 110 or e == 114 or e == 116:
            i += 2
        else:
            return INVALID
    return EARLY


@njit(cache=True, nogil=True)
def _word(buf: Any, i: int, end: int, word: bytes) -> int:
    """Index after ``word`` if it stands at ``i``; negative if not."""
    for k in range(len(word)):
        if i + k >= end:
            return EARLY
        if buf[i + k] != word[k]:
            return INVALID
    return i + len(word)


@njit(cache=True, nogil=True)
def _digits(buf: Any, i: int, end: int) -> int:
    while i < end and 48 <= buf[i] <= 57:
        i += 1
    return i


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _scalar(buf: Any, i: int, end: int) -> int:
    """Index after the scalar at ``i``; negative on error."""
    c = buf[i]
    if c == 34:
        return _string(buf, i + 1, end)
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


@njit(cache=True, nogil=True)
def _key(buf: Any, i: int, end: int) -> int:
    """Index after the colon of the member name that should stand at ``i``; negative on error."""
    i = _space(buf, i, end)
    if i >= end:
        return EARLY
    if buf[i] != 34:
        return INVALID
    i = _string(buf, i + 1, end)
    if i < 0:
        return i
    i = _space(buf, i, end)
    if i >= end:
        return EARLY
    return i + 1 if buf[i] == 58 else INVALID


@njit(cache=True, nogil=True)
def _value(buf: Any, i: int, end: int, stack: Any) -> int:
    """Index after the value at ``i`` (no white space before it); negative on error. ``stack`` is scratch space."""
    depth = 0
    while True:
        i = _space(buf, i, end)
        if i >= end:
            return EARLY
        c = buf[i]
        opened = False
        if c == 123 or c == 91:
            if depth >= len(stack):
                return DEEP
            stack[depth] = c
            depth += 1
            i = _space(buf, i + 1, end)
            if i >= end:
                return EARLY
            opened = buf[i] != c + 2  # the closing bracket is two further on in ASCII
            if not opened:
                depth -= 1
                i += 1
            elif c == 123:
                i = _key(buf, i, end)
                if i < 0:
                    return i
        else:
            i = _scalar(buf, i, end)
            if i < 0:
                return i
        while not opened:
            if depth == 0:
                return i
            i = _space(buf, i, end)
            if i >= end:
                return EARLY
            c, inside = buf[i], stack[depth - 1]
            if c == 44:
                i += 1
                if inside == 123:
                    i = _key(buf, i, end)
                    if i < 0:
                        return i
                opened = True
            elif c == inside + 2:
                depth -= 1
                i += 1
            else:
                return INVALID


@njit(cache=True, nogil=True)
def _key_hash(buf: Any, i: int, end: int) -> np.uint64:
    """Hash of the folded form of the raw name ``buf[i:end]``."""
    h = _FNV_OFFSET
    for k in range(i, end):
        c = buf[k]
        if 65 <= c <= 90:
            c += 32
        if 97 <= c <= 122 or 48 <= c <= 57 or c >= 128:
            h = (h ^ np.uint64(c)) * _FNV_PRIME
    return h


@njit(cache=True, nogil=True)
def _kind(c: int) -> int:
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


@njit(cache=True, nogil=True)
def _project(
    buf: Any, starts: Any, ends: Any, first_row: int, last_row: int, hashes: Any, first: Any, count: Any, feed_slot: Any, feed_rank: Any,
    keep_blank: Any, out_start: Any, out_end: Any, out_kind: Any, out_rank: Any, status: Any,
) -> None:  # fmt: skip
    stack = np.empty(MAX_DEPTH - 1, np.uint8)
    mask = len(hashes) - 1
    for row in range(first_row, last_row):
        end = ends[row]
        i = _space(buf, starts[row], end)
        if i >= end:
            status[row] = BLANK
            continue
        if buf[i] != 123:
            i = _value(buf, i, end, stack)
            if i >= 0:
                i = NOT_OBJECT if _space(buf, i, end) == end else INVALID
            status[row] = i
            continue
        i = _space(buf, i + 1, end)
        if i < end and buf[i] == 125:
            i += 1
        else:
            while True:
                i = _space(buf, i, end)
                name = i + 1
                i = _key(buf, i, end)
                if i < 0:
                    break
                close = i - 2
                while buf[close] != 34:
                    close -= 1
                h = _key_hash(buf, name, close)
                i = _space(buf, i, end)
                begin = i
                i = _value(buf, i, end, stack)
                if i < 0:
                    break
                at = np.int64(h & np.uint64(mask))
                while count[at] and hashes[at] != h:
                    at = (at + 1) & mask
                if count[at]:
                    kind = _kind(buf[begin])
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
                i = _space(buf, i, end)
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
            i = GOOD if _space(buf, i, end) == end else INVALID
        status[row] = i


def elements(
    buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Take each array ``buf[starts[i]:ends[i]]`` apart.

    Returns the number of elements of each (-1: not a valid array), and of all elements in order start, end and kind
    (a string's span is without its quotes).
    """
    counts = np.zeros(len(starts), np.int32)
    total = _count_elements(buf, starts, ends, counts)
    start, end, kind = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.uint8)
    _fill_elements(buf, starts, counts, ends, start, end, kind)
    return counts, start, end, kind


@njit(cache=True, nogil=True)
def _count_elements(buf: Any, starts: Any, ends: Any, counts: Any) -> int:
    stack = np.empty(MAX_DEPTH - 1, np.uint8)
    total = 0
    for row in range(len(starts)):
        end = ends[row]
        i = _space(buf, starts[row], end)
        if i >= end or buf[i] != 91:
            counts[row] = -1
            continue
        n = 0
        i = _space(buf, i + 1, end)
        if i < end and buf[i] == 93:
            i += 1
        else:
            while True:
                i = _space(buf, i, end)
                if i >= end:
                    i = EARLY
                    break
                i = _value(buf, i, end, stack)
                if i < 0:
                    break
                n += 1
                i = _space(buf, i, end)
                if i >= end or (buf[i] != 44 and buf[i] != 93):
                    i = INVALID
                    break
                i += 1
                if buf[i - 1] == 93:
                    break
        if i < 0 or _space(buf, i, end) != end:
            counts[row] = -1
        else:
            counts[row] = n
            total += n
    return total


@njit(cache=True, nogil=True)
def _fill_elements(buf: Any, starts: Any, counts: Any, ends: Any, out_start: Any, out_end: Any, out_kind: Any) -> None:
    stack = np.empty(MAX_DEPTH - 1, np.uint8)
    at = 0
    for row in range(len(starts)):
        end = ends[row]
        i = _space(buf, starts[row], end) + 1
        for _ in range(counts[row]):
            i = _space(buf, i, end)
            begin = i
            i = _value(buf, i, end, stack)
            kind = _kind(buf[begin])
            out_kind[at] = kind
            out_start[at] = begin + 1 if kind == STRING else begin
            out_end[at] = i - 1 if kind == STRING else i
            at += 1
            i = _space(buf, i, end) + 1


def values(
    buf: NDArray[np.uint8], at: int, limit: int, *, last: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Split concatenated JSON values, or the elements of an array over them, beginning at ``buf[at]``.

    Commas, white space and square brackets between values are passed over. Only brackets and quotes are looked at: each
    value is for ``project`` to judge. Returns starts and ends of at most ``limit`` whole values, and the index of the first
    byte not used: the end, or where a value begins that is not whole.
    """
    start, end = np.empty(limit, np.int64), np.empty(limit, np.int64)
    n, at = _values(buf, at, last, start, end)
    return start[:n], end[:n], at


@njit(cache=True, nogil=True)
def _extent(buf: Any, i: int) -> int:
    """Index after the object or bare word at ``i``, the buffer's length + 1 if it is not whole."""
    size = len(buf)
    if buf[i] != 123 and buf[i] != 34:
        while i < size and buf[i] != 44 and buf[i] != 93 and buf[i] > 32:
            i += 1
        return i
    depth = 0
    while i < size:
        c = buf[i]
        if c == 34:
            i += 1
            while i < size and buf[i] != 34:
                i += 2 if buf[i] == 92 else 1
        elif c == 123 or c == 91:
            depth += 1
        elif c == 125 or c == 93:
            depth -= 1
        i += 1
        if depth <= 0 and i <= size:
            return i
    return size + 1


@njit(cache=True, nogil=True)
def _values(buf: Any, at: int, last: bool, start: Any, end: Any) -> tuple[int, int]:
    n, size = 0, len(buf)
    while n < len(start):
        at = _space(buf, at, size)
        if at >= size:
            break
        if buf[at] == 44 or buf[at] == 91 or buf[at] == 93:
            at += 1
            continue
        i = _extent(buf, at)
        if i > size or (i == size and not last and buf[at] != 123):
            break
        start[n] = at
        end[n] = i
        n += 1
        at = i
    return n, at
