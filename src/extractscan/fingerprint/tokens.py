"""Prompts to tokens: what counts as a word, in scripts with and without word breaks.

Rule ``TOKEN_RULE`` (a change of the rule changes the number, since fingerprints of two rules do not compare):

* text is NFKC-normalised and lower-cased (by the kernel where it is plain, by Polars elsewhere), invalid
  UTF-8 having been replaced by the reader;
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
import polars as pl
import pyarrow as pa

from extractscan.jit import inline, kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKEN_RULE: Final = 1


@inline
def _class(c: np.uint32) -> int:
    """Class of a code point: 0 space, 1 break, 2 word, 3 digit, 4 a script without word breaks.

    Ranges rather than a table: a table of Unicode's size costs more start-up than it saves.
    """
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
def _decode(data: NDArray[np.uint8], p: int, b: np.uint32) -> tuple[np.uint32, int]:
    """Code point beyond ASCII at ``p``, whose first byte is ``b``, and the position after it."""
    low = np.uint32(0x3F)
    if b < 0xE0:
        return ((b & np.uint32(0x1F)) << np.uint32(6)) | (np.uint32(data[p + 1]) & low), p + 2
    if b < 0xF0:
        return (
            ((b & np.uint32(0x0F)) << np.uint32(12))
            | ((np.uint32(data[p + 1]) & low) << np.uint32(6))
            | (np.uint32(data[p + 2]) & low)
        ), p + 3
    return (
        ((b & np.uint32(0x07)) << np.uint32(18))
        | ((np.uint32(data[p + 1]) & low) << np.uint32(12))
        | ((np.uint32(data[p + 2]) & low) << np.uint32(6))
        | (np.uint32(data[p + 3]) & low)
    ), p + 4


@inline
def _is_plain(c: int) -> bool:
    """Whether ``_fold`` does to this code point, wherever it stands, what NFKC and lower case do.

    Letters and signs that stand alone: nothing that decomposes, combines with a neighbour or has a special lower case. What is not
    in these ranges goes the long way; a test holds every one of them against the Unicode database.
    """
    if c < 0x80:
        return True
    if c < 0x0250:
        if c < 0xC0:
            return (
                c == 0xA0
                or c == 0xA1
                or c == 0xA3
                or c == 0xA7
                or c == 0xAB
                or c == 0xAE
                or c == 0xB0
                or c == 0xB1
                or c == 0xB7
                or c == 0xBB
                or c == 0xBF
            )
        if c < 0x0180:
            return not (
                c == 0x0130 or c == 0x0132 or c == 0x0133 or c == 0x013F or c == 0x0140 or c == 0x0149 or c == 0x017F
            )
        return c == 0x01A0 or c == 0x01A1 or c == 0x01AF or c == 0x01B0 or 0x0218 <= c <= 0x021B
    if c < 0x0400:  # Greek, but for the capital sigma, whose lower case depends on its place
        if c == 0x0386 or 0x0388 <= c <= 0x038A or c == 0x038C or c == 0x0390:
            return True
        return 0x0391 <= c <= 0x03A1 or 0x03A4 <= c <= 0x03A9 or 0x03AC <= c <= 0x03AF or 0x03B1 <= c <= 0x03CE
    if 0x0901 <= c <= 0x0928 or 0x092A <= c <= 0x0930 or 0x0935 <= c <= 0x0939 or 0x093E <= c <= 0x094C:
        return True
    if c == 0x0932 or c == 0x0933:
        return True
    if 0x0E01 <= c <= 0x0E37:
        return c != 0x0E33
    if 0x0E40 <= c <= 0x0E47 or c == 0x0E4C or 0x0E50 <= c <= 0x0E59:
        return True
    if 0x0964 <= c <= 0x096F or 0x1EA0 <= c <= 0x1EF9:
        return True
    if 0x0410 <= c <= 0x044F or c == 0x0401 or c == 0x0451 or 0x05D0 <= c <= 0x05EA:
        return True
    if 0x0621 <= c <= 0x063A or 0x0641 <= c <= 0x064A or 0x0660 <= c <= 0x0669 or c == 0x060C or c == 0x061F:
        return True
    if c == 0x061B or c == 0x0640:
        return True
    if 0x2010 <= c <= 0x2015:
        return c != 0x2011
    if 0x2018 <= c <= 0x2022 or c == 0x200B or c == 0x200F or c == 0x20AC or 0x2190 <= c <= 0x2193 or c == 0x25CF:
        return True
    if 0x3000 <= c <= 0x3002 or c == 0x3005 or 0x3008 <= c <= 0x3011 or 0x3041 <= c <= 0x3096 or 0x30A1 <= c <= 0x30FC:
        return True
    return bool(0x4E00 <= c <= 0x9FFF or 0xAC00 <= c <= 0xD7A3 or 0xFF01 <= c <= 0xFF5E or 0x1F300 <= c <= 0x1F64F)


@inline
def _mark(c: int) -> int:
    """Canonical combining class of a mark that composes with nothing, Thai, Devanagari or Arabic; 0 for all else.

    Normalisation leaves such marks as they are, but for putting those that follow one another in the order of their classes.
    """
    if 0x064B <= c <= 0x0652:
        return c - 0x064B + 27
    if c == 0x094D:
        return 9
    if c == 0x0E38 or c == 0x0E39:
        return 103
    return 107 if 0x0E48 <= c <= 0x0E4B else 0


@inline
def _fold(c: np.uint32) -> np.uint32:
    """NFKC and lower case of a plain code point beyond ASCII; others (normalised before) stay as they are."""
    if c < 0xC0:
        return np.uint32(32) if c == 0xA0 else c
    if c < 0x0180:
        if c < 0xDF:
            return c + np.uint32(32) if c != 0xD7 else c
        if c < 0x0100:
            return c
        if c < 0x0138 or (c >= 0x014A and c < 0x0178):
            return c | np.uint32(1) if c != 0x0130 else c
        if c >= 0x0139 and c < 0x0149:
            return c + (c & np.uint32(1))
        if c == 0x0178:
            return np.uint32(0xFF)
        return c + (c & np.uint32(1)) if c >= 0x0179 and c < 0x017F else c
    if c < 0x0250:
        if c == 0x01A0 or c == 0x01AF or c == 0x0218 or c == 0x021A:
            return c + np.uint32(1)
        return c
    if c < 0x0400:
        if c < 0x0391:
            if c == 0x0386:
                return np.uint32(0x03AC)
            if c == 0x038C:
                return np.uint32(0x03CC)
            return c + np.uint32(37) if c >= 0x0388 and c <= 0x038A else c
        return c + np.uint32(32) if c <= 0x03A9 else c
    if c < 0x0600:
        if c >= 0x0410 and c < 0x0430:
            return c + np.uint32(32)
        return np.uint32(0x0451) if c == 0x0401 else c
    if c >= 0x1EA0 and c <= 0x1EF9:
        return c | np.uint32(1)
    if c == 0x3000:
        return np.uint32(32)
    if c >= 0xFF01 and c <= 0xFF5E:
        c -= np.uint32(0xFEE0)
        return c + np.uint32(32) if c >= 65 and c <= 90 else c
    return c


@kernel
def _needs_unicode(data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.bool_]) -> None:
    """Set ``out`` for each text that normalisation may change beyond ``_fold``: a code point is not plain, or marks are out of order."""
    for i in range(offsets.size - 1):
        p = offsets[i]
        end = offsets[i + 1]
        found = False
        last = 0
        while p < end and not found:
            b = np.uint32(data[p])
            if b < 0x80:
                last = 0
                p += 1
                continue
            c, p = _decode(data, p, b)
            if _is_plain(c):  # type: ignore[arg-type]
                last = 0
                continue
            mark = _mark(c)  # type: ignore[arg-type]
            found = mark == 0 or mark < last
            last = mark
        out[i] = found


@inline
def _mix32(h: np.uint32) -> np.uint32:
    """MurmurHash3's 32-bit finaliser."""
    h ^= h >> np.uint32(16)
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h ^= h >> np.uint32(13)
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return h ^ (h >> np.uint32(16))


_ASCII_FOLDED: Final = np.array([c + 32 if 65 <= c <= 90 else c for c in range(128)], np.uint32)
_ASCII_KIND: Final = np.array(
    [
        2 if chr(c).isalpha() or c == 95 else 3 if chr(c).isdigit() else 0 if c == 32 or 9 <= c <= 13 else 1
        for c in range(128)
    ],
    np.int64,
)
"""Case and class of ASCII, by table: nearly all text is there."""


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
                c = _ASCII_FOLDED[b]
                kind = _ASCII_KIND[b]
                p += 1
            else:
                c, p = _decode(data, p, b)
                c = _fold(c)
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
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())  # large_string, not string_view
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64, count=len(array) + 1, offset=array.offset * 8)
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return data, offsets


def normalised(texts: pl.Series, jobs: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes and offsets of a string column, of which NFKC and lower case are done but for what the kernel does itself.

    Most text is plain (see ``_is_plain``), and Unicode tables are slow; only what is not plain goes through Polars.
    """
    texts = texts.fill_null("")
    data, offsets = utf8_buffers(texts)
    odd = np.zeros(offsets.size - 1, np.bool_)
    share(
        lambda start, stop: _needs_unicode(data, offsets[start : stop + 1], odd[start:stop]),
        pieces(np.diff(offsets) + 1, 8 * jobs),
        jobs,
    )
    places = pl.Series(np.flatnonzero(odd))
    if not places.len():
        return data, offsets
    odd_texts = texts.gather(places)
    parts = share(
        lambda start, stop: odd_texts[start:stop].str.normalize("NFKC").str.to_lowercase(),
        pieces(odd_texts.str.len_bytes().to_numpy().astype(np.int64) + 1, 4 * jobs),
        jobs,
    )
    changed = pl.concat(parts)
    return utf8_buffers(texts.clone().scatter(places, changed))  # the clone: scatter writes in place


def tokenise(texts: pl.Series, *, jobs: int = 1) -> Tokens:
    """Tokens and hashes of a string column (raw, not yet normalised); a null counts as the empty text."""
    data, offsets = normalised(texts, jobs)
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
