"""NFKC and lower case, of the few words that need Unicode's tables for it: kernels do the rest while they look at the text anyhow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.fingerprint.codepoints import decode
from extractscan.fingerprint.steps import MARK, PLAIN, entry_of, plane
from extractscan.jit import inline, kernel, leaf
from extractscan.threads import portions, share

if TYPE_CHECKING:
    from numpy.typing import NDArray


WORTH: Final = 1 << 19
"""Bytes of text that are worth a thread's start."""


@leaf
def _next_odd(data: NDArray[np.uint8], p: int, end: int, entries: NDArray[np.uint32]) -> int:
    """Position after the next code point that normalisation may change beyond ``fold``: not plain, or a mark out of order; -1 if none."""
    last = np.uint32(0)
    while p < end:
        b = np.uint32(data[np.uint64(p)])
        if b < 0x80:
            last = np.uint32(0)
            p += 1
            continue
        c, p = decode(data, p, b)
        entry = entries[c] if c < 0x10000 else entry_of(c)
        mark = entry >> np.uint32(MARK)
        if not entry & np.uint32(1 << PLAIN) and (mark == 0 or mark < last):
            return p
        last = mark
    return -1


@inline
def _is_space(b: np.uint8) -> bool:
    return bool(b == 32 or 9 <= b <= 13)


@kernel
def _odd_words(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    texts: NDArray[np.int64],
    entries: NDArray[np.uint32],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> int:
    """Find the words of ``texts`` that are odd; returns how many. What lies between white space of ASCII is a word."""
    found = 0
    for i in texts:
        start = offsets[i]
        end = offsets[i + 1]
        p = _next_odd(data, start, end, entries)
        while p >= 0:
            begin = p - 1
            while begin > start and not _is_space(data[np.uint64(begin - 1)]):
                begin -= 1
            while p < end and not _is_space(data[np.uint64(p)]):
                p += 1
            begins[found] = begin
            ends[found] = p
            found += 1
            start = p
            p = _next_odd(data, p, end, entries)
    return found


@leaf
def _copy(source: NDArray[np.uint8], p: int, end: int, out: NDArray[np.uint8], at: int) -> int:
    """Copy bytes ``p`` to ``end`` of ``source`` to ``at``; returns the position after them."""
    for i in range(np.uint64(end - p)):
        out[np.uint64(at) + i] = source[np.uint64(p) + i]
    return at + end - p


def utf8_buffers(texts: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes and offsets (n + 1) of a string column without nulls."""
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())  # large_string, not string_view
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64, count=len(array) + 1, offset=array.offset * 8)
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return data, offsets


@kernel
def _gather(
    data: NDArray[np.uint8], begins: NDArray[np.int64], ends: NDArray[np.int64], out: NDArray[np.uint8]
) -> None:
    """Put pieces of ``data`` one after the other."""
    at = 0
    for i in range(begins.size):
        at = _copy(data, begins[i], ends[i], out, at)


@kernel
def _splice(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    texts: NDArray[np.int64],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
    words: NDArray[np.uint8],
    word_offsets: NDArray[np.int64],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int64],
) -> None:
    """Write ``texts`` with ``words`` in the places of what lay between ``begins`` and ``ends``."""
    at = 0
    k = 0
    for m in range(texts.size):
        p = offsets[texts[m]]
        end = offsets[texts[m] + 1]
        while k < begins.size and p <= begins[k] < end:
            at = _copy(data, p, begins[k], out, at)
            at = _copy(words, word_offsets[k], word_offsets[k + 1], out, at)
            p = ends[k]
            k += 1
        at = _copy(data, p, end, out, at)
        out_offsets[m + 1] = at


def _strings(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pl.Series:
    array = pa.LargeStringArray.from_buffers(offsets.size - 1, pa.py_buffer(offsets), pa.py_buffer(data))
    return pl.Series(array)


@dataclass(frozen=True, slots=True)
class OddTexts:
    """Texts of a buffer that are not plain, and the words that make them so.

    ``texts`` (int64) are their positions in ``offsets``; words lie at ``begins`` to ``ends`` (int64) in ``data``. What lies between
    white space of ASCII is a word: that neither composes with what stands beside it nor lets the case of a letter depend on what lies
    beyond, so that a word has the normal form and the lower case that it has in its text.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    texts: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def words(self) -> pl.Series:
        """The words, each as often as it comes."""
        lengths = np.r_[np.int64(0), np.cumsum(self.ends - self.begins)]
        out = np.empty(int(lengths[-1]), np.uint8)
        _gather(self.data, self.begins, self.ends, out)
        return _strings(out, lengths)

    def spliced(self, forms: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Bytes and offsets of the texts with ``forms`` in place of the words."""
        words, word_offsets = utf8_buffers(forms)
        size = int((self.offsets[self.texts + 1] - self.offsets[self.texts]).sum())
        size += int(word_offsets[-1] - word_offsets[0] - (self.ends - self.begins).sum())
        out = np.empty(size, np.uint8)
        out_offsets = np.zeros(self.texts.size + 1, np.int64)
        _splice(self.data, self.offsets, self.texts, self.begins, self.ends, words, word_offsets, out, out_offsets)
        return out, out_offsets


def odd_texts(data: NDArray[np.uint8], offsets: NDArray[np.int64], texts: NDArray[np.int64]) -> OddTexts:
    """Find the words of ``texts`` that must be normalised."""
    size = int((offsets[texts + 1] - offsets[texts]).sum())
    most = (size + texts.size) // 3 + 1  # an odd word has two bytes at least, and white space or an end behind it
    begins, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    found = _odd_words(data, offsets, texts, plane(), begins, ends) if texts.size else 0
    return OddTexts(data, offsets, texts, begins[:found], ends[:found])


def normal_forms(odd: list[OddTexts], jobs: int = 1) -> list[pl.Series]:
    """NFKC and lower case of all their words. Unicode's tables are slow, and so is a call of Polars: hence only words, and all at once."""
    counts = np.array([each.begins.size for each in odd])
    ends = np.cumsum(counts)
    if not counts.any():
        return [pl.Series(dtype=pl.String)] * len(odd)
    form = pl.first().str.normalize("NFKC").str.to_lowercase()
    words = pl.concat([each.words() for each in odd if each.begins.size]).to_frame()
    sizes = np.concatenate([each.ends - each.begins for each in odd])
    ranges = portions(sizes, jobs, WORTH)
    forms = pl.concat(share(lambda start, stop: words[start:stop].select(form).to_series(), ranges, jobs))
    return [forms[end - count : end] for end, count in zip(ends.tolist(), counts.tolist(), strict=True)]
