"""Word frequencies of units in two halves, and inner products of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.jit import kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALONE: Final = 1 << 20
"""Word frequencies to look at below which threads cost more than they save: a millisecond's work."""


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Weighted word frequencies of both halves of n units in CSR form over the union of each unit's buckets.

    ``ends`` (int64, n + 1) are row bounds, ``columns`` (int32) buckets below ``dimensions``, ascending in a row, ``first`` and ``second``
    (float64) the frequencies; ``own`` (float64, n) is the product of a unit's halves, 0 for one that does not resemble itself.
    """

    ends: NDArray[np.int64]
    columns: NDArray[np.int32]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    own: NDArray[np.float64]
    dimensions: int

    @property
    def size(self) -> int:
        """Number of units."""
        return self.own.size


def weighted(
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Frequencies:
    """Multiply the frequencies, in place, by the weight of each bucket (float64, one a bucket)."""
    own = np.zeros(ends.size - 1)
    _weigh(ends, columns, first, second, weight, own)
    return Frequencies(ends, columns, first, second, own, weight.size)


@kernel
def _weigh(
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    weight: NDArray[np.float64],
    own: NDArray[np.float64],
) -> None:
    for s in range(own.size):
        for j in range(ends[s], ends[s + 1]):
            first[j] *= weight[columns[j]]
            second[j] *= weight[columns[j]]
            own[s] += first[j] * second[j]


@kernel
def _rows(
    start: int,
    stop: int,
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    own: NDArray[np.float64],
    dimensions: int,
    out: NDArray[np.float64],
) -> None:
    """Write the similarities of units ``start`` to ``stop`` with all later ones, on both sides of the diagonal."""
    n = own.size
    # Both halves of a bucket lie side by side: they are always read together.
    spread = np.zeros((dimensions, 2))
    for s in range(start, stop):
        if own[s] > 0.0:
            for j in range(ends[s], ends[s + 1]):
                spread[columns[j], 0] = first[j]
                spread[columns[j], 1] = second[j]
            for t in range(s + 1, n):
                if own[t] > 0.0:
                    total = 0.0
                    for j in range(ends[t], ends[t + 1]):
                        total += spread[columns[j], 0] * second[j] + spread[columns[j], 1] * first[j]
                    out[s, t] = total / 2.0 / np.sqrt(own[s] * own[t])
                    out[t, s] = out[s, t]
            for j in range(ends[s], ends[s + 1]):
                spread[columns[j], 0] = 0.0
                spread[columns[j], 1] = 0.0


@kernel
def _gather(
    members: NDArray[np.int64],
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    own: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> None:
    """Add the members' frequencies to ``spread`` (dimensions, 2), each scaled so that its halves' product is 1."""
    for s in members:
        if own[s] > 0.0:
            root = np.sqrt(own[s])
            for j in range(ends[s], ends[s + 1]):
                spread[columns[j], 0] += first[j] / root
                spread[columns[j], 1] += second[j] / root


@kernel
def _scatter(
    one: int,
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> None:
    for j in range(ends[one], ends[one + 1]):
        spread[columns[j], 0] = first[j]
        spread[columns[j], 1] = second[j]


@kernel
def _against(
    start: int,
    stop: int,
    spread: NDArray[np.float64],
    square: float,
    units: NDArray[np.int64],
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    own: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Similarity of ``units[start:stop]`` with what was spread out, whose own product is ``square``."""
    for k in range(start, stop):
        t = units[k]
        if own[t] > 0.0:
            total = 0.0
            for j in range(ends[t], ends[t + 1]):
                total += spread[columns[j], 0] * second[j] + spread[columns[j], 1] * first[j]
            out[k] = total / 2.0 / np.sqrt(square * own[t])


def all_pairs(f: Frequencies, jobs: int) -> NDArray[np.float64]:
    """Similarity of all pairs: float64 (n, n), symmetric, diagonal 0, and 0 for a unit that does not even resemble itself."""
    out = np.zeros((f.size, f.size))

    def part(start: int, stop: int) -> None:
        _rows(start, stop, f.ends, f.columns, f.first, f.second, f.own, f.dimensions, out)

    # A row's work is all that comes after it.
    rest = np.int64(f.columns.size) - f.ends[1:]
    ranges = pieces(rest + 1, 8 * jobs)
    share(part, ranges, jobs if int(rest.sum()) > ALONE else 1)
    return out


def _compare(
    f: Frequencies, spread: NDArray[np.float64], square: float, units: NDArray[np.int64], jobs: int
) -> NDArray[np.float64]:
    out = np.zeros(units.size)

    def part(start: int, stop: int) -> None:
        _against(start, stop, spread, square, units, f.ends, f.columns, f.first, f.second, f.own, out)

    work = f.ends[units + 1] - f.ends[units] + 1
    if int(work.sum()) <= ALONE:
        part(0, units.size)
    else:
        share(part, pieces(work, 4 * jobs), jobs)
    return out


def with_one(f: Frequencies, one: int, units: NDArray[np.int64], jobs: int) -> NDArray[np.float64]:
    """Similarity of ``units`` with unit ``one`` (float64, as many; 0 for itself), bit by bit as ``all_pairs`` has it."""
    if f.own[one] <= 0.0:
        return np.zeros(units.size)
    spread = np.zeros((f.dimensions, 2))
    _scatter(one, f.ends, f.columns, f.first, f.second, spread)
    out = _compare(f, spread, float(f.own[one]), units, jobs)
    out[units == one] = 0.0
    return out


def with_all(f: Frequencies, members: NDArray[np.int64], units: NDArray[np.int64], jobs: int) -> NDArray[np.float64]:
    """Sum of each unit's similarities with ``members``; for one of these, itself counts as 1.

    The product is linear: one comparison with the sum of the members stands for one with each.
    """
    spread = np.zeros((f.dimensions, 2))
    _gather(members, f.ends, f.columns, f.first, f.second, f.own, spread)
    return _compare(f, spread, 1.0, units, jobs)
