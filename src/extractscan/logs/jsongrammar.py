"""The grammar of JSON text as kernels that skip what they read: strings, numbers, values of any depth.

It is RFC 8259, but control characters inside strings are accepted, and ``NaN`` and ``Infinity`` are read as null. Each kernel takes
raw bytes, where to begin and where the text ends, and returns the index after what it read, or why it could not (negative:
``INVALID``, ``EARLY``, ``DEEP``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import inline, leaf
from extractscan.logs.blocks import WIDTH, below, escapes, lowest, same
from extractscan.logs.spans import ABSENT, ARRAY, FALSE, NUMBER, OBJECT, STRING, TRUE

if TYPE_CHECKING:
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
