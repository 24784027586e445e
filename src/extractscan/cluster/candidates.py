"""Verified near-duplicate pairs: prompts that share a band and whose Jaccard similarity was then measured.

Bands are sorted (see ``bands``), not kept in dictionaries. A run of equal keys is compared pair by pair while it is short. A long run (a
hot band: a shared template) is never compared quadratically: each member is compared with the run's first member and
with its neighbours in the order of the next band, and the run is counted as capped. A pair is measured once, in
the first band that it shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.cluster.bands import FEW, POSITION, runs, scratch
from extractscan.cluster.similarity import jaccard
from extractscan.fingerprint.minhash import KEPT_SHINGLES
from extractscan.fingerprint.sorting import sort_by_upper
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
    eligible: NDArray[np.int64],
    seen: NDArray[np.uint64],
    again: NDArray[np.uint64],
    space: NDArray[np.uint64],
    band_keys: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.int64],
    threshold: float,
    kept: int,
    max_run: int,
    window: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int, int]:
    """Pairs at or over the threshold in one band among the ``eligible``; scratch space is as ``scratch`` gives it."""
    left = np.empty(1024, np.int64)
    right = np.empty(1024, np.int64)
    similarity = np.empty(1024)
    found = 0
    following = band_keys[(band + 1) % band_keys.shape[0]]
    capped = 0
    largest = 0
    n = runs(band_keys[band], eligible, seen, again, space)
    start = 0
    while start < n:
        stop = start + 1
        key = space[start] >> np.uint64(32)
        while stop < n and space[stop] >> np.uint64(32) == key:
            stop += 1
        size = stop - start
        run = space[start:stop]
        for x in range(size):
            run[x] = run[x] & POSITION
        reach = size
        if size > max_run:
            capped += 1
            largest = max(largest, size)
            reach = window
            # Those that agree in the next band too become neighbours.
            for x in range(size):
                run[x] = run[x] | np.uint64(following[run[x]]) << np.uint64(32)
            sort_by_upper(run)
            for x in range(size):
                run[x] = run[x] & POSITION
        for x in range(size - 1):
            # In a hot run the first member is compared with all: the star that keeps exact templates together.
            last = size if x == 0 else min(size, x + 1 + reach)
            for y in range(x + 1, last):
                i = int(min(run[x], run[y]))
                j = int(max(run[x], run[y]))
                small = min(counts[i], counts[j])
                large = max(counts[i], counts[j])
                if small < threshold * large:
                    continue
                met = False
                for earlier in range(band):
                    if band_keys[earlier, i] == band_keys[earlier, j]:
                        met = True
                        break
                if met and size <= max_run:
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


def verified_pairs(shingles: Shingles, threshold: float, *, jobs: int = 1) -> Pairs:
    """Find pairs with Jaccard similarity at or over ``threshold`` among texts that have shingles."""
    eligible = np.flatnonzero(shingles.counts > 0)
    jobs = jobs if eligible.size > FEW else 1
    spaces: list[tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]] = []

    def band(k: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int, int]:
        space = spaces.pop() if spaces else scratch(eligible.size)
        found = _pairs_of_band(
            k,
            eligible,
            *space,
            shingles.band_keys,
            shingles.offsets,
            shingles.values,
            shingles.counts,
            threshold,
            KEPT_SHINGLES,
            MAX_RUN,
            WINDOW,
        )
        spaces.append(space)
        return found

    known: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    capped = largest = 0
    for left, right, similarity, hot, size in in_turn(band, range(shingles.band_keys.shape[0]), jobs):
        known.append((left, right, similarity))
        if hot:  # pairs of hot runs come up again in band after band: what is known is dropped at once
            known = [_once(*map(np.concatenate, zip(*known, strict=True)))]
        capped, largest = capped + hot, max(largest, size)
    left, right, similarity = map(np.concatenate, zip(*known, strict=True))
    order = np.lexsort((right, left, -similarity))
    return Pairs(left[order], right[order], similarity[order], capped, largest)


def _once(
    left: NDArray[np.int64], right: NDArray[np.int64], similarity: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Each pair once; it has the same similarity wherever it was found."""
    _, first = np.unique((left << 32) | right, return_index=True)
    return left[first], right[first], similarity[first]
