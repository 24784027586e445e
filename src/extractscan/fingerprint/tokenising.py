"""Kernels that read each text once, and leave its tokens and what tells it from others. See ``tokens`` for what these are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.codepoints import ALONE, BREAK, DIGIT, SPACE, WORD, decode
from extractscan.fingerprint.steps import (
    ASCII,
    CHAR,
    KIND,
    MARK,
    OFFSET32,
    OFFSET64,
    PLAIN,
    PRIME32,
    PRIME64,
    ROW,
    UNPRIME64,
    entry_of,
)
from extractscan.jit import inline, kernel, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

ODD: Final = 0xFFFFFFFFFFFFFFFF
"""In place of a count: the text must be normalised first."""


@inline
def mix32(h: np.uint32) -> np.uint32:
    """MurmurHash3's 32-bit finaliser."""
    h ^= h >> np.uint32(16)
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h ^= h >> np.uint32(13)
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return h ^ (h >> np.uint32(16))


@inline
def _step(word: np.uint64, c: np.uint64, table: NDArray[np.uint64], row: np.uint64) -> np.uint64:
    """A word's hash after a character, by the factor and the extra of the row."""
    return np.uint64((word ^ c ^ table[row + np.uint64(1)]) * table[row])


@leaf
def _is_ascii(data: NDArray[np.uint8], p: int, end: int) -> bool:
    """Whether all bytes are below 128: no early end, so that the processor looks at many at once."""
    every = np.uint8(0)
    for i in range(np.uint64(p), np.uint64(end)):
        every |= data[i]
    return bool(every < 128)


@leaf
def _ascii_text(
    data: NDArray[np.uint8], p: int, end: int, table: NDArray[np.uint64], out: NDArray[np.uint32]
) -> tuple[np.uint64, np.uint64]:
    """Write the tokens of a text of ASCII, unmixed, into ``out``; returns the text's hash, unmixed, and its count (see ``steps``)."""
    whole = np.uint64(OFFSET64)
    word = np.uint64(0)
    count = np.uint64(0)
    before = np.uint64(0)  # white space at the beginning follows white space, and does not count
    for i in range(np.uint64(p), np.uint64(end)):
        entry = table[np.uint64(ASCII) + np.uint64(data[i])]
        now = entry >> np.uint64(16)
        row = before + now
        if row == 0:  # white space after white space
            continue
        before = now << np.uint64(2)
        # It is a token if the line after says so, and is overwritten otherwise.
        out[count & np.uint64(0xFFFFFFFF)] = word
        count += table[row + np.uint64(2)]
        whole = np.uint64((whole ^ (entry & np.uint64(0xFF))) * np.uint64(PRIME64))
        word = _step(word, (entry >> np.uint64(8)) & np.uint64(0xFF), table, row)
    return _ended(whole, word, count, before, out)


@inline
def _ended(
    whole: np.uint64, word: np.uint64, count: np.uint64, before: np.uint64, out: NDArray[np.uint32]
) -> tuple[np.uint64, np.uint64]:
    """Hash and count at the end of a text whose last class is ``before``: a word ends, white space did not count."""
    out[count & np.uint64(0xFFFFFFFF)] = word
    if before >= np.uint64(4 * ROW * WORD):
        count += np.uint64(1)
    elif before == np.uint64(4 * ROW * SPACE) and count > np.uint64(0):
        whole = (whole * np.uint64(UNPRIME64)) ^ np.uint64(32)
    return whole, count


@leaf
def _any_text(
    data: NDArray[np.uint8],
    p: int,
    end: int,
    table: NDArray[np.uint64],
    entries: NDArray[np.uint32],
    out: NDArray[np.uint32],
    alone: NDArray[np.uint8],
    normal: bool,
) -> tuple[np.uint64, np.uint64]:
    """As ``_ascii_text``, of any text; ``alone`` says of each token whether it is a character of a script without word breaks.

    Unless the text is known to be ``normal``, the count is ``ODD`` where normalisation may change it beyond ``fold``: a code point
    is not plain, or marks are out of order.
    """
    whole = np.uint64(OFFSET64)
    word = np.uint64(0)
    count = np.uint64(0)
    before = np.uint64(0)
    marked = p
    mark = np.uint32(0)
    while p < end:
        b = np.uint32(data[np.uint64(p)])
        kind = np.uint32(0)
        if b < 0x80:
            p += 1
            entry = table[np.uint64(ASCII) + np.uint64(b)]
            char = entry & np.uint64(0xFF)
            in_word = (entry >> np.uint64(8)) & np.uint64(0xFF)
            now = entry >> np.uint64(16)
        else:
            start = p
            c, p = decode(data, p, b)
            found = entries[c] if c < 0x10000 else entry_of(c)
            if not found & np.uint32(1 << PLAIN) and not normal:
                last = mark if marked == start else np.uint32(0)
                mark = found >> np.uint32(MARK)
                marked = p
                if mark == 0 or mark < last:
                    return whole, np.uint64(ODD)
            char = np.uint64(found & np.uint32(CHAR))
            kind = (found >> np.uint32(KIND)) & np.uint32(7)
            in_word = np.uint64(48) if kind == DIGIT else char
            now = np.uint64(ROW) * np.uint64(BREAK if kind == ALONE else kind)
        row = before + now
        if row == 0:
            continue
        before = now << np.uint64(2)
        out[count & np.uint64(0xFFFFFFFF)] = word
        alone[count & np.uint64(0xFFFFFFFF)] = 0
        count += table[row + np.uint64(2)]
        whole = np.uint64((whole ^ char) * np.uint64(PRIME64))
        word = _step(word, in_word, table, row)
        if kind == ALONE:
            out[count & np.uint64(0xFFFFFFFF)] = (np.uint64(OFFSET32) ^ char) * np.uint64(PRIME32)
            alone[count & np.uint64(0xFFFFFFFF)] = 1
            count += np.uint64(1)
    alone[count & np.uint64(0xFFFFFFFF)] = 0
    return _ended(whole, word, count, before, out)


@kernel
def read_texts(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    normal: bool,
    table: NDArray[np.uint64],
    entries: NDArray[np.uint32],
    tokens: NDArray[np.uint32],
    sizes: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    chars: NDArray[np.int64],
) -> int:
    """Tokenise all texts of a UTF-8 buffer; returns the number of tokens written.

    ``tokens`` must hold a token for every two bytes and one more for each text. Unless texts are known to be ``normal``, the size of those
    that must be normalised first is -1.
    """
    longest = 0
    for i in range(offsets.size - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    alone = np.empty(longest // 2 + 2, np.uint8)
    at = np.int64(0)
    for i in range(offsets.size - 1):
        out = tokens[at:]
        if _is_ascii(data, offsets[i], offsets[i + 1]):
            whole, count = _ascii_text(data, offsets[i], offsets[i + 1], table, out)
            size = np.int64(count & np.uint64(0xFFFFFFFF))
            for j in range(size):
                out[j] = mix32(out[j]) & np.uint32(0xFFFFFFFE)
        else:
            whole, count = _any_text(data, offsets[i], offsets[i + 1], table, entries, out, alone, normal)
            if count == np.uint64(ODD):
                sizes[i] = -1
                continue
            size = np.int64(count & np.uint64(0xFFFFFFFF))
            for j in range(size):
                out[j] = (mix32(out[j]) & np.uint32(0xFFFFFFFE)) | np.uint32(alone[j])
        at += size
        whole ^= whole >> np.uint64(33)
        whole = np.uint64(whole * np.uint64(0xFF51AFD7ED558CCD))
        whole ^= whole >> np.uint64(33)
        whole = np.uint64(whole * np.uint64(0xC4CEB9FE1A85EC53))
        hashes[i] = whole ^ (whole >> np.uint64(33))
        chars[i] = np.int64(count >> np.uint64(32))
        sizes[i] = size
    return int(at)


@kernel
def interleave(
    sizes: NDArray[np.int64],
    odd: NDArray[np.int64],
    values: NDArray[np.uint32],
    odd_values: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """Write tokens of all texts in their order, of which ``odd_values`` has those of the texts ``odd`` and ``values`` the others.

    ``out`` may begin where ``values`` does: the last are written first.
    """
    end = out.size
    at = values.size
    odd_at = odd_values.size
    i = sizes.size
    for k in range(odd.size - 1, -2, -1):
        first = odd[k] + 1 if k >= 0 else 0
        while i > first:
            i -= 1
            for _ in range(sizes[i]):
                end -= 1
                at -= 1
                out[np.uint64(end)] = values[np.uint64(at)]
        if k >= 0:
            i -= 1
            for _ in range(sizes[i]):
                end -= 1
                odd_at -= 1
                out[np.uint64(end)] = odd_values[np.uint64(odd_at)]
