"""Texts that have a band key in common with another.

Most texts share none. So a table of bits tells first which keys may come twice: one bit a key hashes to for having been seen, one for
having been seen again. Only texts whose key was are sorted, by key, and those left alone are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.minhash import SHINGLE
from extractscan.fingerprint.sorting import sort_by_upper
from extractscan.jit import kernel, leaf
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPARSE: Final = 8
"""Bits a text: one in nine that share no key is sorted all the same."""
POSITION: Final = np.uint64(0xFFFFFFFF)
"""The half of what ``runs`` writes that is a text's position."""
FEW: Final = 1 << 16
"""Texts, each counted once for every band that a thread looks at, up to which a thread is not worth its start."""


@leaf
def _twice(
    keys: NDArray[np.uint32],
    eligible: NDArray[np.int64],
    seen: NDArray[np.uint64],
    again: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> int:
    """Write key (upper half) and position of the texts whose key may come twice; returns how many. ``out`` has room for all and one."""
    seen[:] = np.uint64(0)
    again[:] = np.uint64(0)
    mask = np.uint64(seen.size - 1)
    for m in range(np.uint64(eligible.size)):
        key = np.uint64(keys[np.uint64(eligible[m])])
        word = (key >> np.uint64(6)) & mask
        bit = np.uint64(1) << (key & np.uint64(63))
        again[word] |= seen[word] & bit
        seen[word] |= bit
    found = np.uint64(0)
    for m in range(np.uint64(eligible.size)):
        i = np.uint64(eligible[m])
        key = np.uint64(keys[i])
        out[found] = (key << np.uint64(32)) | i
        found += (again[(key >> np.uint64(6)) & mask] >> (key & np.uint64(63))) & np.uint64(1)
    return np.int64(found)  # type: ignore[return-value]


@kernel
def runs(
    keys: NDArray[np.uint32],
    eligible: NDArray[np.int64],
    seen: NDArray[np.uint64],
    again: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> int:
    """Write key (upper half) and position of the texts that have their key in common with another, sorted; returns how many.

    The other arrays are scratch space as ``scratch`` gives it.
    """
    found = _twice(keys, eligible, seen, again, out)
    sort_by_upper(out[:found])
    kept = 0
    before = np.uint64(0xFFFFFFFFFFFFFFFF)
    for m in range(found):
        x = out[m]
        key = x >> np.uint64(32)
        if key == before or (m + 1 < found and out[m + 1] >> np.uint64(32) == key):
            out[kept] = x
            kept += 1
        before = key
    return kept


def scratch(texts: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
    """Scratch space for ``runs`` over so many texts."""
    words = 16
    while 64 * words < SPARSE * texts:
        words *= 2
    return np.empty(words, np.uint64), np.empty(words, np.uint64), np.empty(texts + 1, np.uint64)


@kernel
def _mark(
    band_keys: NDArray[np.uint32],
    eligible: NDArray[np.int64],
    seen: NDArray[np.uint64],
    again: NDArray[np.uint64],
    space: NDArray[np.uint64],
    met: NDArray[np.bool_],
) -> None:
    """Set ``met`` for each text that shares one of the bands with another."""
    for band in range(band_keys.shape[0]):
        for x in space[: runs(band_keys[band], eligible, seen, again, space)]:
            met[x & POSITION] = True


def meeting(offsets: NDArray[np.int64], band_keys: NDArray[np.uint32], *, jobs: int = 1) -> NDArray[np.int64]:
    """Texts that share a band with another, in order (int64): only these can be near-duplicates of anything."""
    eligible = np.flatnonzero(np.diff(offsets) >= SHINGLE)
    met = np.zeros(offsets.size - 1, np.bool_)
    bands = band_keys.shape[0]
    shares = jobs if eligible.size * bands > FEW * jobs else 1

    def part(first: int, last: int) -> None:
        # Threads write the same value, whoever comes first.
        _mark(band_keys[first:last], eligible, *scratch(eligible.size), met)

    share(part, pieces(np.ones(bands, np.int64), shares), jobs)
    return np.flatnonzero(met)
