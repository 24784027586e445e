"""Kernels that take JSON apart into the spans of its parts: an array into elements, a file into its top-level values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.jsongrammar import EARLY, INVALID, kind_of, scratch, skip_space, skip_value
from extractscan.logs.spans import STRING, offsets, readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROOM: Final = 4
"""Elements that an array is thought to have; more only take longer."""


def elements(
    buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Take each array ``buf[starts[i]:ends[i]]`` apart.

    Returns the number of elements of each (-1: not a valid array), and of all elements in order start, end and kind
    (a string's span is without its quotes).
    """
    counts = np.zeros(len(starts), np.int32)
    buf, starts, ends = readable(buf), offsets(starts), offsets(ends)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]] = []
    stack, row, room = scratch(), 0, _ROOM * len(starts) + _ROOM
    while row < len(starts) or not parts:
        start, end, kind = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint8)
        row, found = _elements(buf, starts, ends, row, stack, counts, start, end, kind)
        parts.append((start[:found], end[:found], kind[:found]))
        room *= 2  # in the end the longest array has room
    if len(parts) == 1:
        return counts, *parts[0]
    start, end, kind = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return counts, start, end, kind


def owners(counts: NDArray[Any]) -> NDArray[np.int64]:
    """For ``counts`` of elements: the position of the array that each element lies in."""
    return np.repeat(np.arange(len(counts)), np.maximum(counts, 0))


@leaf
def _elements(
    buf: Any, starts: Any, ends: Any, row: int, stack: Any, counts: Any, out_start: Any, out_end: Any, out_kind: Any
) -> tuple[int, int]:
    """Take the arrays from ``row`` on apart, until there is no more room. Returns the row to go on with, and the elements."""
    at = 0
    while row < len(starts):
        end = ends[row]
        n = 0
        i = skip_space(buf, starts[row], end)
        if i >= end or buf[i] != 91:
            i = INVALID
        else:
            i = skip_space(buf, i + 1, end)
            if i < end and buf[i] == 93:
                i += 1
            else:
                while True:
                    i = skip_space(buf, i, end)
                    if i >= end:
                        i = EARLY
                        break
                    if at + n == len(out_start):
                        return row, at
                    begin = i
                    i = skip_value(buf, i, end, stack)
                    if i < 0:
                        break
                    kind = kind_of(buf[begin])
                    quotes = 1 if kind == STRING else 0
                    out_kind[at + n] = kind
                    out_start[at + n] = begin + quotes
                    out_end[at + n] = i - quotes
                    n += 1
                    i = skip_space(buf, i, end)
                    if i >= end or (buf[i] != 44 and buf[i] != 93):
                        i = INVALID
                        break
                    i += 1
                    if buf[i - 1] == 93:
                        break
        if i < 0 or skip_space(buf, i, end) != end:
            counts[row] = -1  # what was written is written over
        else:
            counts[row] = n
            at += n
        row += 1
    return row, at


def values(
    buf: NDArray[np.uint8], at: int, limit: int, *, last: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Split concatenated JSON values, or the elements of an array over them, beginning at ``buf[at]``.

    Commas, white space and square brackets between values are passed over. Only brackets and quotes are looked at: each
    value is for ``project`` to judge. Returns starts and ends of at most ``limit`` whole values, and the index of the first
    byte not used: the end, or where a value begins that is not whole.
    """
    start, end = np.empty(limit, np.int64), np.empty(limit, np.int64)
    n, at = _values(readable(buf), at, last, start, end)
    return start[:n], end[:n], at


@leaf
def _extent(buf: Any, i: int) -> int:
    """Index after the object or bare word at ``i``, the buffer's length + 1 if it is not whole."""
    size = len(buf)
    if buf[i] != 123 and buf[i] != 34:
        i += 1  # whatever it is: it must not be met again
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


@leaf
def _values(buf: Any, at: int, last: bool, start: Any, end: Any) -> tuple[int, int]:
    n, size = 0, len(buf)
    while n < len(start):
        at = skip_space(buf, at, size)
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
