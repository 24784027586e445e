"""Verified near-duplicate pairs: prompts that share a band and whose Jaccard similarity was then measured.

Bands are sorted, not kept in dictionaries. A run of equal keys is compared pair by pair while it is short. A long run (a
hot band: a shared template) is never compared quadratically: each member is compared with the run's first member and
with its neighbours in the order of the next band, and the run is counted as capped. A pair is measured once, in
the first band that it shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.cluster.similarity import jaccard
from extractscan.fingerprint.minhash import KEPT_SHINGLES, SHINGLE
from extractscan.jit import kernel
from extractscan.threads import in_turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.minhash import Shingles

MAX_RUN: Final = 32
"""Longest run that is compared pair by pair: at most 496 comparisons."""
WINDOW: Final = 16
"""Neighbours on one side that a member of a hot run is compared with."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Verified pairs ``left[k] < right[k]`` (int64 positions) with ``similarity`` (float64), most similar first.

    ``capped`` counts the runs that were too long for all pairs, ``capped_prompts`` the members of the longest of them.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float64]
    capped: int
    capped_prompts: int


@kernel
def _pairs_of_band(
    band: int,
    order: NDArray[np.int64],
    band_keys: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.int64],
    threshold: float,
    kept: int,
    max_run: int,
    window: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int, int]:
    """Pairs at or over the threshold in one band, ``order`` being the positions sorted as ``_by_band`` does."""
    left = np.empty(1024, np.int64)
    right = np.empty(1024, np.int64)
    similarity = np.empty(1024)
    found = 0
    keys = band_keys[band]
    capped = 0
    largest = 0
    n = order.size
    start = 0
    while start < n:
        stop = start + 1
        key = keys[order[start]]
        while stop < n and keys[order[stop]] == key:
            stop += 1
        size = stop - start
        if size == 1:
            start = stop
            continue
        run = order[start:stop]
        reach = size
        if size > max_run:
            capped += 1
            largest = max(largest, size)
            reach = window
        for x in range(size - 1):
            # In a hot run the first member is compared with all: the star that keeps exact templates together.
            last = size if x == 0 else min(size, x + 1 + reach)
            for y in range(x + 1, last):
                i = min(run[x], run[y])
                j = max(run[x], run[y])
                small = min(counts[i], counts[j])
                large = max(counts[i], counts[j])
                if small < threshold * large:
                    continue
                seen = False
                for earlier in range(band):
                    if band_keys[earlier, i] == band_keys[earlier, j]:
                        seen = True
                        break
                if seen and size <= max_run:
                    continue
                value = jaccard(offsets, values, counts, i, j, kept, threshold)
                if value >= threshold:
                    if found == left.size:
                        left = np.append(left, left)
                        right = np.append(right, right)
                        similarity = np.append(similarity, similarity)
                    left[found] = i
                    right[found] = j
                    similarity[found] = value
                    found += 1
        start = stop
    return left[:found].copy(), right[:found].copy(), similarity[:found].copy(), capped, largest


def _packed(band_keys: NDArray[np.uint32], band: int, eligible: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Key (upper half) and position (lower half) of every text in one band, sorted."""
    packed: NDArray[np.uint64] = band_keys[band, eligible].astype(np.uint64)
    packed <<= np.uint64(32)
    packed |= eligible.astype(np.uint64)
    packed.sort()
    return packed


def _by_band(band_keys: NDArray[np.uint32], band: int, eligible: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions sorted by a band's key; in a hot run, by the next band, so that those that agree there too become neighbours.

    Key and position are packed into one 64-bit number: sorting numbers is several times as fast as sorting positions by a key, and
    equal keys come out in the order of positions.
    """
    packed = _packed(band_keys, band, eligible)
    keys = packed >> np.uint64(32)
    order: NDArray[np.int64] = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if keys.size else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, keys.size])
    following = band_keys[(band + 1) % band_keys.shape[0]]
    for start, size in zip(starts[sizes > MAX_RUN].tolist(), sizes[sizes > MAX_RUN].tolist(), strict=True):
        run = order[start : start + size]
        order[start : start + size] = run[np.argsort(following[run], kind="stable")]
    return order


def meeting(offsets: NDArray[np.int64], band_keys: NDArray[np.uint32], *, jobs: int = 1) -> NDArray[np.int64]:
    """Texts that share a band with another, in order (int64): only these can be near-duplicates of anything."""
    eligible = np.flatnonzero(np.diff(offsets) >= SHINGLE)
    met = np.zeros(offsets.size - 1, bool)

    def band(k: int) -> None:
        packed = _packed(band_keys, k, eligible)
        keys = packed >> np.uint64(32)
        same = keys[1:] == keys[:-1]
        # Threads write the same value, whoever comes first.
        met[(packed[1:][same] & np.uint64(0xFFFFFFFF)).astype(np.int64)] = True
        met[(packed[:-1][same] & np.uint64(0xFFFFFFFF)).astype(np.int64)] = True

    for _ in in_turn(band, range(band_keys.shape[0]), jobs):
        pass
    return np.flatnonzero(met)


def verified_pairs(shingles: Shingles, threshold: float, *, jobs: int = 1) -> Pairs:
    """Find pairs with Jaccard similarity at or over ``threshold`` among texts that have shingles."""
    eligible = np.flatnonzero(shingles.counts > 0)

    def band(k: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int, int]:
        order = _by_band(shingles.band_keys, k, eligible)
        return _pairs_of_band(
            k,
            order,
            shingles.band_keys,
            shingles.offsets,
            shingles.values,
            shingles.counts,
            threshold,
            KEPT_SHINGLES,
            MAX_RUN,
            WINDOW,
        )

    left, right, similarity = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    capped = largest = 0
    for found in in_turn(band, range(shingles.band_keys.shape[0]), jobs):
        # Pairs of hot runs come up again in band after band: what is known is dropped at once.
        left, right, similarity = _once(
            np.concatenate([left, found[0]]), np.concatenate([right, found[1]]), np.concatenate([similarity, found[2]])
        )
        capped, largest = capped + found[3], max(largest, found[4])
    order = np.lexsort((right, left, -similarity))
    return Pairs(left[order], right[order], similarity[order], capped, largest)


def _once(
    left: NDArray[np.int64], right: NDArray[np.int64], similarity: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Each pair once; it has the same similarity wherever it was found."""
    _, first = np.unique((left << 32) | right, return_index=True)
    return left[first], right[first], similarity[first]
