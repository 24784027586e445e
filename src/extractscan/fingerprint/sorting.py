"""Sorting inside kernels.

numba's own ``sort`` and ``unique`` are compiled anew into every kernel that calls them, some seconds each at first run. These are a
screenful, compile in a fraction of a second, and beat them on the short arrays (the words of a prompt) that matter here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.fingerprint.jit import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def sort(values: NDArray[np.uint32]) -> None:
    """Sort in place, ascending: by insertion while short, by heap above, so never quadratic in the length of an input."""
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
    for phase in range(2):
        start = n // 2 - 1 if phase == 0 else n - 1
        for k in range(start, -1 if phase == 0 else 0, -1):
            root = k
            end = n
            if phase == 1:
                values[0], values[k] = values[k], values[0]
                root = 0
                end = k
            x = values[root]
            while True:
                child = 2 * root + 1
                if child >= end:
                    break
                if child + 1 < end and values[child + 1] > values[child]:
                    child += 1
                if values[child] <= x:
                    break
                values[root] = values[child]
                root = child
            values[root] = x


@kernel
def distinct(source: NDArray[np.uint32], out: NDArray[np.uint32]) -> int:
    """Write the distinct values of ``source``, sorted, to the front of ``out`` (as long as ``source``); return how many there are."""
    n = source.size
    for i in range(n):
        out[i] = source[i]
    sort(out[:n])
    count = 0
    for i in range(n):
        if i == 0 or out[i] != out[i - 1]:
            out[count] = out[i]
            count += 1
    return count


@kernel
def find(values: NDArray[np.uint32], x: np.uint32) -> bool:
    """Whether sorted ``values`` hold ``x``."""
    low = 0
    high = values.size
    while low < high:
        middle = (low + high) // 2
        if values[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low < values.size and values[low] == x
