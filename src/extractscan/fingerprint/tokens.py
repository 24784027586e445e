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

from extractscan.fingerprint.normalising import WORTH, OddTexts, normal_forms, odd_texts, utf8_buffers
from extractscan.fingerprint.steps import plane, steps
from extractscan.fingerprint.tokenising import interleave, read_texts
from extractscan.threads import portions, share

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

TOKEN_RULE: Final = 1


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


@dataclass(frozen=True, slots=True)
class _Read:
    """What texts have, one by one: tokens, hash and characters."""

    sizes: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    chars: NDArray[np.int64]

    @staticmethod
    def room(n: int) -> _Read:
        return _Read(np.empty(n, np.int64), np.empty(n, np.uint64), np.empty(n, np.int64))

    def part(self, start: int, stop: int) -> _Read:
        return _Read(self.sizes[start:stop], self.hashes[start:stop], self.chars[start:stop])

    def put(self, places: NDArray[np.int64], other: _Read) -> None:
        self.sizes[places], self.hashes[places], self.chars[places] = other.sizes, other.hashes, other.chars

    def fill(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], *, normal: bool) -> NDArray[np.uint32]:
        """Read the texts of a buffer; returns their tokens."""
        values = np.empty((int(offsets[-1] - offsets[0])) // 2 + offsets.size, np.uint32)
        used = read_texts(data, offsets, normal, steps(), plane(), values, self.sizes, self.hashes, self.chars)
        return values[:used]


def _ranges(texts: pl.Series, jobs: int) -> list[tuple[int, int]]:
    if jobs <= 1:
        return [(0, texts.len())]  # a column of strings is slow to ask for their sizes
    return portions(texts.str.len_bytes().to_numpy().astype(np.int64) + 1, jobs, WORTH)


def _stretched(values: NDArray[np.uint32], size: int) -> NDArray[np.uint32]:
    """Room for ``size`` tokens: where ``values`` begin, if there is as much behind them."""
    room = values.base
    return room[:size] if isinstance(room, np.ndarray) and room.size >= size else np.empty(size, np.uint32)


def tokenise(texts: pl.Series, *, jobs: int = 1) -> Tokens:
    """Tokens and hashes of a string column (raw, not yet normalised); a null counts as the empty text."""
    if texts.null_count():
        texts = texts.fill_null("")
    read = _Read.room(texts.len())
    ranges = _ranges(texts, jobs)

    def plainly(start: int, stop: int) -> tuple[NDArray[np.uint32], OddTexts]:
        data, offsets = utf8_buffers(texts.slice(start, stop - start))
        values = read.part(start, stop).fill(data, offsets, normal=False)
        return values, odd_texts(data, offsets, np.flatnonzero(read.sizes[start:stop] < 0))

    parts = share(plainly, ranges, jobs)
    forms = normal_forms([odd for _, odd in parts], jobs)

    def normally(k: int, _end: int) -> NDArray[np.uint32]:
        odd = parts[k][1]
        if not odd.texts.size:
            return np.empty(0, np.uint32)
        late = _Read.room(odd.texts.size)
        values = late.fill(*odd.spliced(forms[k]), normal=True)
        read.put(ranges[k][0] + odd.texts, late)
        return values

    each = [(k, k + 1) for k in range(len(parts))]
    late = share(normally, each, jobs)
    offsets = np.r_[np.int64(0), np.cumsum(read.sizes)]
    if len(parts) == 1 and not late[0].size:
        return Tokens(offsets, parts[0][0], read.hashes, read.chars)
    out = _stretched(parts[0][0], int(offsets[-1])) if len(parts) == 1 else np.empty(int(offsets[-1]), np.uint32)

    def together(k: int, _end: int) -> None:
        start, stop = ranges[k]
        values, odd = parts[k]
        interleave(read.sizes[start:stop], odd.texts, values, late[k], out[offsets[start] : offsets[stop]])

    share(together, each, jobs)
    return Tokens(offsets, out, read.hashes, read.chars)
