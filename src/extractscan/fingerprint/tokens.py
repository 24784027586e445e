"""Prompts to tokens: what counts as a word, in scripts with and without word breaks.

Rule ``TOKEN_RULE`` (a change of the rule changes the number, since fingerprints of two rules do not compare):

* text is NFKC-normalised and lower-cased (Polars does both), invalid UTF-8 having been replaced by the reader;
* a token is a maximal run of letters, marks, digits and underscores; punctuation, symbols and space end it;
* a run of digits counts as one ``0``, so that numbered items of one template stay one template;
* in scripts without word breaks (Chinese, Japanese kana, Thai, Lao, Burmese, Khmer) every character is a token.

Tokens are 32-bit hashes (FNV-1a over the code points, finished with MurmurHash3's mixer), whose lowest bit says that the token is
a character of a script without word breaks, since it takes about two of those to say what one word does. No text is left. With a
vocabulary of a million words some hundred pairs collide, which is noise beside what any statistic here rests on.

Beside its tokens every text gets a 64-bit hash over its normalised code points with digits and punctuation kept and
white space folded. Two prompts are *exact duplicates* when these agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from extractscan.jit import inline, kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

TOKEN_RULE: Final = 1

_SPACE: Final = 0
_BREAK: Final = 1
_WORD: Final = 2
_DIGIT: Final = 3
_UNBROKEN: Final = 4


@inline
def _class(c: np.uint32) -> int:
    """Class of a code point. Ranges rather than a table: a table of Unicode's size costs more start-up than it saves."""
    if c < 0x80:
        if 97 <= c <= 122 or 65 <= c <= 90 or c == 95:
            return 2
        if 48 <= c <= 57:
            return 3
        if c == 32 or 9 <= c <= 13:
            return 0
        return 1
    if c < 0x0370:
        if c < 0xC0:
            if c == 0xA0 or c == 0x85:
                return 0
            return 2 if c == 0xAA or c == 0xB5 or c == 0xBA else 1
        return 1 if c == 0xD7 or c == 0xF7 else 2
    if 0x2000 <= c <= 0x2BFF:
        if c <= 0x200A or c == 0x2028 or c == 0x2029 or c == 0x202F or c == 0x205F:
            return 0
        if c == 0x200C or c == 0x200D:
            return 2
        return 2 if c >= 0x2C60 or 0x2070 <= c <= 0x209C or 0x2100 <= c <= 0x218F else 1
    if 0x0E00 <= c <= 0x0EFF or 0x1000 <= c <= 0x109F or 0x1780 <= c <= 0x17FF:
        if 0x0E50 <= c <= 0x0E59 or 0x0ED0 <= c <= 0x0ED9:
            return 3
        return 4
    if 0x3000 <= c <= 0x30FF:
        if c == 0x3000:
            return 0
        if c < 0x3005 or 0x3008 <= c <= 0x3020 or c == 0x3030 or c == 0x303D or c == 0x30FB:
            return 1
        return 4
    if 0x3400 <= c <= 0x9FFF or 0xF900 <= c <= 0xFAFF or 0x20000 <= c <= 0x3FFFF:
        return 4
    if (
        c == 0x060C
        or c == 0x061B
        or c == 0x061F
        or 0x066A <= c <= 0x066D
        or c == 0x06D4
        or c == 0x0964
        or c == 0x0965
        or 0xFE10 <= c <= 0xFE6F
        or c == 0xFEFF
        or c == 0xFFFD
        or 0x1F000 <= c <= 0x1FAFF
    ):
        return 1
    if 0x0660 <= c <= 0x0669 or 0x06F0 <= c <= 0x06F9 or 0x0966 <= c <= 0x096F:
        return 3
    return 2


@inline
def _mix32(h: np.uint32) -> np.uint32:
    """MurmurHash3's 32-bit finaliser."""
    h ^= h >> np.uint32(16)
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h ^= h >> np.uint32(13)
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return h ^ (h >> np.uint32(16))


@kernel
def _tokenise(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    ends: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    chars: NDArray[np.int64],
) -> int:
    """Tokenise all texts of a UTF-8 buffer; returns the number of tokens written.

    ``tokens`` must hold a token for every two bytes and one more for each text.
    """
    at = 0
    for i in range(offsets.size - 1):
        p = offsets[i]
        end = offsets[i + 1]
        whole = np.uint64(0xCBF29CE484222325)
        word = np.uint32(0x811C9DC5)
        inside = False
        digits = False
        space = False
        count = 0
        while p < end:
            b = np.uint32(data[p])
            if b < 0x80:
                c = b + np.uint32(32) if 65 <= b <= 90 else b
                p += 1
            elif b < 0xE0:
                c = ((b & np.uint32(0x1F)) << np.uint32(6)) | (np.uint32(data[p + 1]) & np.uint32(0x3F))
                p += 2
            elif b < 0xF0:
                c = (
                    ((b & np.uint32(0x0F)) << np.uint32(12))
                    | ((np.uint32(data[p + 1]) & np.uint32(0x3F)) << np.uint32(6))
                    | (np.uint32(data[p + 2]) & np.uint32(0x3F))
                )
                p += 3
            else:
                c = (
                    ((b & np.uint32(0x07)) << np.uint32(18))
                    | ((np.uint32(data[p + 1]) & np.uint32(0x3F)) << np.uint32(12))
                    | ((np.uint32(data[p + 2]) & np.uint32(0x3F)) << np.uint32(6))
                    | (np.uint32(data[p + 3]) & np.uint32(0x3F))
                )
                p += 4
            kind = _class(c)
            if kind == 0:
                space = True
            else:
                if space and count > 0:
                    whole = np.uint64((whole ^ np.uint64(32)) * np.uint64(0x100000001B3))
                space = False
                count += 1
                whole = np.uint64((whole ^ np.uint64(c)) * np.uint64(0x100000001B3))
            if kind == 2 or kind == 3:
                if kind == 3:
                    if digits:
                        continue
                    digits = True
                    c = np.uint32(48)
                else:
                    digits = False
                inside = True
                word = np.uint32((word ^ c) * np.uint32(0x01000193))
                continue
            if inside:
                tokens[at] = _mix32(word) & np.uint32(0xFFFFFFFE)
                at += 1
                inside = False
                digits = False
                word = np.uint32(0x811C9DC5)
            if kind == 4:
                tokens[at] = _mix32(np.uint32((word ^ c) * np.uint32(0x01000193))) | np.uint32(1)
                at += 1
        if inside:
            tokens[at] = _mix32(word) & np.uint32(0xFFFFFFFE)
            at += 1
        whole ^= whole >> np.uint64(33)
        whole = np.uint64(whole * np.uint64(0xFF51AFD7ED558CCD))
        whole ^= whole >> np.uint64(33)
        whole = np.uint64(whole * np.uint64(0xC4CEB9FE1A85EC53))
        hashes[i] = whole ^ (whole >> np.uint64(33))
        chars[i] = count
        ends[i + 1] = at
    return at


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token sequences of ``n`` texts.

    ``values`` (uint32) of text ``i`` are ``values[offsets[i]:offsets[i + 1]]``, in order; ``hashes`` (uint64, n) identify
    the normalised text; ``chars`` (int64, n) count its characters, white space apart.
    """

    offsets: NDArray[np.int64]
    values: NDArray[np.uint32]
    hashes: NDArray[np.uint64]
    chars: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of texts."""
        return self.hashes.size


def utf8_buffers(texts: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes and offsets (n + 1) of a string column without nulls."""
    array = texts.rechunk().to_arrow().cast(pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64, count=len(array) + 1, offset=array.offset * 8)
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return data, offsets


def normalise(texts: pl.Series) -> pl.Series:
    """NFKC and lower case for texts beyond ASCII; the kernel lowers ASCII, where NFKC changes nothing."""
    texts = texts.fill_null("")
    places = (texts.str.len_bytes() != texts.str.len_chars()).arg_true()
    if not places.len():
        return texts
    changed = texts.gather(places).str.normalize("NFKC").str.to_lowercase()
    return texts.clone().scatter(places, changed)  # the clone: scatter writes in place


def tokenise(texts: pl.Series, *, jobs: int = 1) -> Tokens:
    """Tokens and hashes of a string column (raw, not yet normalised); a null counts as the empty text."""
    data, offsets = utf8_buffers(normalise(texts))
    n = offsets.size - 1
    hashes = np.empty(n, np.uint64)
    chars = np.empty(n, np.int64)

    def part(start: int, stop: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        size = int(offsets[stop] - offsets[start])
        values = np.empty(size // 2 + (stop - start) + 1, np.uint32)
        ends = np.zeros(stop - start + 1, np.int64)
        used = _tokenise(data, offsets[start : stop + 1], values, ends, hashes[start:stop], chars[start:stop])
        return values[:used], np.diff(ends)

    parts = share(part, pieces(np.diff(offsets) + 1, 8 * jobs), jobs)
    sizes = np.concatenate([p[1] for p in parts]) if parts else np.zeros(0, np.int64)
    values = np.concatenate([p[0] for p in parts]) if parts else np.zeros(0, np.uint32)
    return Tokens(np.r_[np.int64(0), np.cumsum(sizes)], values, hashes, chars)
