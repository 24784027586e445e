"""Bytes eight at a time: words of 64 bits, and where in one a byte stands."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from extractscan.jit import inline

ONES: Final = np.uint64(0x0101010101010101)
HIGH: Final = np.uint64(0x8080808080808080)
"""Every byte 1, and every byte with only its highest bit set."""


@inline
def eight(buf: Any, i: int) -> Any:
    """The eight bytes from ``i`` on as one word, the first lowest. The compiler makes it a single load."""
    at = np.uint64(i)  # an unsigned index needs no check for being negative
    word = np.uint64(0)
    for k in range(8):
        word |= np.uint64(buf[at + np.uint64(k)]) << np.uint64(8 * k)
    return word


@inline
def holds(word: Any, eights: Any) -> Any:
    """A word whose lowest bit set is the highest of the first byte in which two words are the same; 0 if they nowhere are.

    A byte of the difference is zero if taking one from it carries. Only bits above the first may be set in error.
    """
    same = word ^ eights
    return (same - ONES) & ~same & HIGH


@inline
def first_of(found: Any) -> Any:
    """Which byte, 0 to 7, the lowest bit set lies in, if it is the highest of its byte."""
    # All bits under it: the low bit of each byte up to its own.
    below = (found & (~found + np.uint64(1))) - np.uint64(1)
    return np.int64(((below & ONES) * ONES) >> np.uint64(56)) - 1
