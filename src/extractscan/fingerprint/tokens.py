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

from extractscan.fingerprint.codepoints import ASCII_FOLDED, ASCII_KIND, decode, fold, kind_of
from extractscan.fingerprint.normalising import normalised
from extractscan.jit import inline, kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

TOKEN_RULE: Final = 1


@inline
def mix32(h: np.uint32) -> np.uint32:
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
                c = ASCII_FOLDED[b]
                kind = ASCII_KIND[b]
                p += 1
            else:
                c, p = decode(data, p, b)
                c = fold(c)
                kind = kind_of(c)
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
                tokens[at] = mix32(word) & np.uint32(0xFFFFFFFE)
                at += 1
                inside = False
                digits = False
                word = np.uint32(0x811C9DC5)
            if kind == 4:
                tokens[at] = mix32(np.uint32((word ^ c) * np.uint32(0x01000193))) | np.uint32(1)
                at += 1
        if inside:
            tokens[at] = mix32(word) & np.uint32(0xFFFFFFFE)
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
