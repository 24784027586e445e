"""Sorting inside kernels.

numba's own ``sort`` and ``unique`` are compiled anew into every kernel that calls them, some seconds each at first run. These are a
screenful, compile in a fraction of a second, and beat them on the arrays of words that matter here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def sort(values: NDArray[np.uint32]) -> None:
    """Sort in place, ascending: by insertion while short, by radix (four passes of eight bits) above; linear in what is long."""
    n = values.size
    if n <= 48:
        for i in range(1, n):
            x = values[i]
            j = i - 1
            while j >= 0 and values[j] > x:
                values[j + 1] = values[j]
                j -= 1
            values[j + 1] = x
        return
    other = np.empty(n, np.uint32)
    counts = np.zeros((4, 256), np.int64)
    for i in range(n):
        x = values[i]
        counts[0, x & np.uint32(255)] += 1
        counts[1, (x >> np.uint32(8)) & np.uint32(255)] += 1
        counts[2, (x >> np.uint32(16)) & np.uint32(255)] += 1
        counts[3, x >> np.uint32(24)] += 1
    for k in range(4):
        shift = np.uint32(8 * k)
        at = 0
        for digit in range(256):
            size = counts[k, digit]
            counts[k, digit] = at
            at += size
        # An even number of passes: the last one writes to ``values`` again.
        if k % 2 == 0:
            for i in range(n):
                digit = (values[i] >> shift) & np.uint32(255)
                other[counts[k, digit]] = values[i]
                counts[k, digit] += 1
        else:
            for i in range(n):
                digit = (other[i] >> shift) & np.uint32(255)
                values[counts[k, digit]] = other[i]
                counts[k, digit] += 1


@kernel
def sort_by_upper(values: NDArray[np.uint64]) -> None:
    """Sort in place by the upper halves, ascending; what has the same one stays in its order."""
    n = values.size
    if n <= 32:
        for i in range(1, n):
            x = values[i]
            key = x >> np.uint64(32)
            j = i - 1
            while j >= 0 and values[j] >> np.uint64(32) > key:
                values[j + 1] = values[j]
                j -= 1
            values[j + 1] = x
        return
    other = np.empty(n, np.uint64)
    places = np.zeros((4, 256), np.uint64)
    for i in range(np.uint64(n)):
        x = values[i]
        for k in range(np.uint64(4)):
            places[k, (x >> (np.uint64(32) + np.uint64(8) * k)) & np.uint64(255)] += np.uint64(1)
    for k in range(np.uint64(4)):
        shift = np.uint64(32) + np.uint64(8) * k
        at = np.uint64(0)
        for digit in range(np.uint64(256)):
            size = places[k, digit]
            places[k, digit] = at
            at += size
        for i in range(np.uint64(n)):
            digit = (values[i] >> shift) & np.uint64(255)
            other[places[k, digit]] = values[i]
            places[k, digit] += np.uint64(1)
        values, other = other, values  # after four passes, each is what it was


@kernel
def place(values: NDArray[np.uint32], x: np.uint32) -> int:
    """Position of ``x`` in sorted ``values``, -1 where it is not."""
    low = 0
    high = values.size
    while low < high:
        middle = (low + high) // 2
        if values[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low if low < values.size and values[low] == x else -1
