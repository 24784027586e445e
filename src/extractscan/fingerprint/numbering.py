"""Numbering equal values: what sorting does too, in one pass and without moving anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def _number(
    values: NDArray[np.uint64],
    table: NDArray[np.int32],
    firsts: NDArray[np.int32],
    numbers: NDArray[np.int32],
) -> int:
    """Number values in the order of their first appearance, by open addressing in ``table`` (a power of two of slots, all -1)."""
    mask = np.uint64(table.size - 1)
    known = 0
    for i in range(values.size):
        x = values[i]
        h = np.uint64(x * np.uint64(0x9E3779B97F4A7C15))
        slot = np.int64((h ^ (h >> np.uint64(32))) & mask)
        while table[slot] >= 0 and values[firsts[table[slot]]] != x:
            slot = np.int64(np.uint64(slot + 1) & mask)
        if table[slot] < 0:
            table[slot] = known
            firsts[known] = i
            known += 1
        numbers[i] = table[slot]
    return known


def numbered(values: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number n values (uint64, under 2**31 of them) in the order of their first appearance.

    Returns the position of the first of each number, and the number of each value; both int32.
    """
    slots = 16
    while slots < 2 * values.size:
        slots *= 2
    firsts, numbers = np.empty(values.size, np.int32), np.empty(values.size, np.int32)
    known = _number(values, np.full(slots, -1, np.int32), firsts, numbers)
    return firsts[:known].copy(), numbers
