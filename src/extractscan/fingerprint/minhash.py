"""MinHash signatures and band keys over shingles, bit-identical with datasketch 2's ``affine32`` scheme.

datasketch pre-mixes a 32-bit item hash ``h`` once with MurmurHash3's finaliser and takes, for permutation ``k``, the least
``a_k * h + b_k mod 2**32`` with odd ``a_k``; ``a`` and ``b`` come from ``numpy.random.RandomState(seed)``. The kernels here
do the same over a whole column, each four of a buffer of mixed hashes with all permutations, which LLVM
vectorises. A signature can therefore be handed to any datasketch index, and datasketch is the oracle of the tests.

Shingles are runs of three tokens (in scripts without word breaks: three characters). A text too short for one shingle
has none and is matched exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.sorting import sort
from extractscan.fingerprint.tokenising import mix32
from extractscan.jit import inline, kernel, leaf
from extractscan.memory import Memory
from extractscan.threads import portions, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUM_PERM: Final = 128
SEED: Final = 1
SHINGLE: Final = 3
BANDS: Final = 21
ROWS: Final = 6
"""21 bands of 6 rows: a pair at Jaccard 0.8 shares a band with probability 0.998, at 0.7 with 0.93, at 0.5 with 0.28
(Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4); false candidates are dropped by verification."""
WORTH: Final = 1 << 16
"""Tokens that are worth a thread's start."""
STRIDE: Final = 4
"""Hashes that are taken at a time."""
KEPT_SHINGLES: Final = 512
"""Shingle hashes kept for a text: its smallest. Up to so many, Jaccard is exact; above, it is the bottom-k estimate
(Broder 1997) with standard error under 1/sqrt(512) = 0.045."""


@cache
def permutations(num_perm: int = NUM_PERM, seed: int = SEED) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the parameters ``a`` (odd) and ``b`` of each permutation, uint32 of length ``num_perm``, as datasketch draws them."""
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return a, b


@inline
def _shingle(x: np.uint32, y: np.uint32, z: np.uint32) -> np.uint32:
    """Hash of three tokens in their order."""
    h = np.uint32(x * np.uint32(0x9E3779B1))
    h = np.uint32((h ^ (h >> np.uint32(15))) + y)
    h = np.uint32(h * np.uint32(0x85EBCA77))
    h = np.uint32((h ^ (h >> np.uint32(13))) + z)
    h = np.uint32(h * np.uint32(0xC2B2AE3D))
    return h ^ (h >> np.uint32(16))


@leaf
def _signature(
    mixed: NDArray[np.uint32], size: int, a: NDArray[np.uint32], b: NDArray[np.uint32], out: NDArray[np.uint32]
) -> None:
    """Write the signature of the first ``size`` of some mixed hashes, which have ``STRIDE`` places more.

    Four hashes are taken at a time, each with all permutations: over texts of a usual length twice as fast as one permutation
    after another. The last one fills up the last four, since a minimum does not ask how often it was seen. (Unsigned numbers as indices
    spare the check for negative ones.)
    """
    out[:] = np.uint32(0xFFFFFFFF)
    if size <= 0:
        return
    for j in range(size, size + STRIDE):
        mixed[j] = mixed[size - 1]
    for j in range(0, size, STRIDE):
        at = np.uint64(j)
        p = mixed[at]
        q = mixed[at + np.uint64(1)]
        u = mixed[at + np.uint64(2)]
        v = mixed[at + np.uint64(3)]
        for k in range(np.uint64(a.size)):
            x = min(np.uint32(a[k] * p + b[k]), np.uint32(a[k] * q + b[k]))
            y = min(np.uint32(a[k] * u + b[k]), np.uint32(a[k] * v + b[k]))
            out[k] = min(out[k], min(x, y))  # noqa: PLW3301 - three at once are not vectorised


@kernel
def signatures(
    offsets: NDArray[np.int64], hashes: NDArray[np.uint32], a: NDArray[np.uint32], b: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Return signatures (n, num_perm) of n sets of 32-bit item hashes in CSR form; an empty set is all ones, as in datasketch."""
    n = offsets.size - 1
    longest = 0
    for i in range(n):
        longest = max(longest, offsets[i + 1] - offsets[i])
    mixed = np.empty(longest + STRIDE, np.uint32)
    out = np.empty((n, a.size), np.uint32)
    for i in range(n):
        start = offsets[i]
        size = offsets[i + 1] - start
        for j in range(size):
            mixed[j] = mix32(hashes[start + j])
        _signature(mixed, size, a, b, out[i])
    return out


@kernel
def _band_keys(
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    bands: int,
    rows: int,
    out: NDArray[np.uint32],
    column: int,
) -> None:
    """Write a key for each band (rows of ``out``) of each text (columns, from ``column`` on).

    Those of texts without a shingle stay as they are.

    A minimum does not ask how often it was seen, so nothing is sorted. There are more permutations than bands need: 128 fill the
    processor's vectors, and 126 leave a rest that takes as long as all else.
    """
    n = offsets.size - 1
    longest = 0
    for i in range(n):
        longest = max(longest, offsets[i + 1] - offsets[i])
    mixed = np.empty(longest + STRIDE, np.uint32)
    signature = np.empty(a.size, np.uint32)
    for i in range(n):
        start = np.uint64(offsets[i])
        size = offsets[i + 1] - offsets[i] - 2
        if size <= 0:
            continue
        for j in range(np.uint64(size)):
            at = start + j
            mixed[j] = mix32(_shingle(tokens[at], tokens[at + np.uint64(1)], tokens[at + np.uint64(2)]))
        _signature(mixed, size, a, b, signature)
        at = np.uint64(0)
        for k in range(bands):
            key = np.uint64(0x9E3779B97F4A7C15) * np.uint64(k + 1)
            for _ in range(rows):
                key = np.uint64((key ^ np.uint64(signature[at])) * np.uint64(0xFF51AFD7ED558CCD))
                key ^= key >> np.uint64(32)
                at += np.uint64(1)
            out[k, column + i] = np.uint32(key >> np.uint64(32))


@kernel
def _shingle_sets(
    texts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    kept: int,
    shingles: NDArray[np.uint32],
    ends: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> int:
    """Write the distinct sorted shingles (the ``kept`` smallest) of ``texts``; return how many were written."""
    longest = 0
    for i in texts:
        longest = max(longest, offsets[i + 1] - offsets[i])
    buffer = np.empty(longest, np.uint32)
    at = 0
    for m in range(texts.size):
        start = offsets[texts[m]]
        size = offsets[texts[m] + 1] - start - 2
        distinct = 0
        if size > 0:
            for j in range(size):
                buffer[j] = _shingle(tokens[start + j], tokens[start + j + 1], tokens[start + j + 2])
            part = buffer[:size]
            sort(part)
            for j in range(size):
                if j == 0 or part[j] != part[j - 1]:
                    part[distinct] = part[j]
                    distinct += 1
            for j in range(min(distinct, kept)):
                shingles[at] = part[j]
                at += 1
        counts[m] = distinct
        ends[m + 1] = at
    return at


@dataclass(frozen=True, slots=True)
class Shingles:
    """Shingle sets of n texts and their band keys.

    ``values`` (uint32) of text ``i`` are ``values[offsets[i]:offsets[i + 1]]``: its smallest shingle hashes, sorted, at most
    ``KEPT_SHINGLES``. ``counts`` (int64, n) is the size of the whole set; 0 for a text too short for a shingle, whose band
    keys mean nothing. ``band_keys`` is uint32 (BANDS, n): two
    different bands share a key once in 2**32, which costs a comparison and no more.
    """

    offsets: NDArray[np.int64]
    values: NDArray[np.uint32]
    counts: NDArray[np.int64]
    band_keys: NDArray[np.uint32]


def band_keys(
    offsets: NDArray[np.int64], tokens: NDArray[np.uint32], *, jobs: int = 1, memory: Memory | None = None
) -> NDArray[np.uint32]:
    """Keys of the bands of token sequences in CSR form, uint32 (BANDS, n); 0 for a text too short for a shingle."""
    a, b = permutations()
    out: NDArray[np.uint32] = (memory or Memory()).zeros((BANDS, offsets.size - 1), np.uint32)

    def part(start: int, stop: int) -> None:
        # The whole of ``out``: a part of its columns is another type of array, and another kernel.
        _band_keys(offsets[start : stop + 1], tokens, a, b, BANDS, ROWS, out, start)

    share(part, portions(np.diff(offsets) + 1, jobs, WORTH), jobs)
    return out


def shingle_sets(
    texts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    keys: NDArray[np.uint32],
    *,
    jobs: int = 1,
    memory: Memory | None = None,
) -> Shingles:
    """Shingle sets of ``texts`` (positions in the CSR form), whose band keys ``keys`` (BANDS, texts) are known."""
    sizes = np.clip(offsets[texts + 1] - offsets[texts] - (SHINGLE - 1), 0, KEPT_SHINGLES)
    counts = np.zeros(texts.size, np.int64)

    places = np.r_[np.int64(0), np.cumsum(sizes)]
    values: NDArray[np.uint32] = (memory or Memory()).zeros((int(places[-1]),), np.uint32)

    def part(start: int, stop: int) -> tuple[int, NDArray[np.int64]]:
        ends = np.zeros(stop - start + 1, np.int64)
        room = values[places[start] : places[stop]]
        _shingle_sets(texts[start:stop], offsets, tokens, KEPT_SHINGLES, room, ends, counts[start:stop])
        return int(places[start]), ends

    at = 0
    kept = [np.zeros(1, np.int64)]
    # A text has as many shingles as there is room for, or fewer: each part moves down to where the one before it ends.
    for place, ends in share(part, portions(sizes + 1, jobs, WORTH), jobs):
        size = int(ends[-1])
        values[at : at + size] = values[place : place + size]
        kept.append(at + ends[1:])
        at += size
    return Shingles(np.concatenate(kept), values[:at], counts, keys)


def shingle(offsets: NDArray[np.int64], tokens: NDArray[np.uint32], *, jobs: int = 1) -> Shingles:
    """Shingle sets and band keys of token sequences in CSR form."""
    texts = np.arange(offsets.size - 1, dtype=np.int64)
    return shingle_sets(texts, offsets, tokens, band_keys(offsets, tokens, jobs=jobs), jobs=jobs)
