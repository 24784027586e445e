"""Which pairs of many units may be alike, without comparing each pair word by word.

Each half of a unit becomes ``HEAD`` + ``TAIL`` numbers: the buckets that carry most weight among all units stand for themselves,
the others are added up with random signs (a count sketch: Charikar, Chen and Farach-Colton 2002; its inner products are those
of the originals plus an error of mean 0). The rows are rounded to integers so small that float32 holds every sum of their
products exactly. A matrix product of them is therefore the same on every machine, in whatever order the sums are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.jit import kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.campaign.frequencies import Frequencies

HEAD: Final = 512
"""Buckets that are not sketched: a few words carry half of the weight, and two of these in one cell would drown the rest."""
TAIL: Final = 512
"""Cells that all other buckets are added up in. Both together set the time of a comparison; with half of each the error is about
that of twice as many cells without a head."""
RADIUS: Final = 4000.0
"""Length of a row before rounding. Rounding adds at most sqrt(HEAD + TAIL) / sqrt(2) = 23 to it, and by Cauchy and Schwarz no partial
sum of a product exceeds 4023 squared, which is below 2 to the 24th: float32 is exact up to there."""
STANDARD_ERRORS: Final = 5.0
"""How far below the threshold an estimate may lie: a normal error is larger once in three million times."""
WORK: Final = 1 << 32
"""Word frequencies to look at, at most, for counting links: a quarter of a minute on two cores."""
STEPS: Final = 50
"""Steps in which ``STANDARD_ERRORS`` are narrowed, when more would have to be looked at than that."""
TILE: Final = 1024
"""Rows and columns of a block of the product; a multiple of 8, so that no byte of the map belongs to two blocks."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs that may be alike, and how many units each one is like.

    ``bits`` (uint8, n by ceil(n / 8)) is the symmetric map of pairs, as ``numpy.packbits`` writes it, no unit paired with itself;
    ``links`` (int64, n) counts the units whose similarity reaches the threshold. Pairs whose estimate lies within ``settled``
    standard errors of the threshold were compared in full, the others counted by their estimate.
    """

    bits: NDArray[np.uint8]
    links: NDArray[np.int64]
    settled: float


@kernel
def _shares(
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    dimensions: int,
) -> NDArray[np.int64]:
    """Sum over units of each bucket's share of the unit's weight, in parts of 2 to the 30th: integers know no order."""
    out = np.zeros(dimensions, np.int64)
    for s in range(ends.size - 1):
        total = 0.0
        for j in range(ends[s], ends[s + 1]):
            total += first[j] * first[j] + second[j] * second[j]
        if total > 0.0:
            for j in range(ends[s], ends[s + 1]):
                out[columns[j]] += np.int64((first[j] * first[j] + second[j] * second[j]) / total * 1073741824.0)
    return out


@kernel
def _sketch(
    start: int,
    stop: int,
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    own: NDArray[np.float64],
    cell: NDArray[np.int64],
    sign: NDArray[np.float64],
    head: int,
    radius: float,
    rows: NDArray[np.float32],
    measures: NDArray[np.float64],
) -> None:
    """Write the rounded rows of units ``start`` to ``stop``, first halves then second, and what their errors follow from.

    ``measures`` (n, 5): the factor that undoes the rounding, the squared lengths of both tails, the product of the tails, the
    squared length of the row; all for halves that are scaled to a product of 1. Zeros for a unit that does not resemble itself.
    """
    width = rows.shape[1] // 2
    sums = np.empty(2 * width)
    for s in range(start, stop):
        if own[s] > 0.0:
            sums[:] = 0.0
            one = 0.0
            two = 0.0
            both = 0.0
            for j in range(ends[s], ends[s + 1]):
                c = cell[columns[j]]
                sums[c] += sign[columns[j]] * first[j]
                sums[width + c] += sign[columns[j]] * second[j]
                if c >= head:
                    one += first[j] * first[j]
                    two += second[j] * second[j]
                    both += first[j] * second[j]
            square = 0.0
            for value in sums:
                square += value * value
            if square > 0.0:
                scale = radius / np.sqrt(square)
                for c in range(2 * width):
                    rows[s, c] = np.float32(np.rint(sums[c] * scale))
                measures[s, 0] = 1.0 / (scale * np.sqrt(own[s]))
            measures[s, 1] = one / own[s]
            measures[s, 2] = two / own[s]
            measures[s, 3] = both / own[s]
            measures[s, 4] = square / own[s]


@kernel
def _judge(
    start: int,
    stop: int,
    top: int,
    left: int,
    products: NDArray[np.float32],
    measures: NDArray[np.float64],
    ends: NDArray[np.int64],
    threshold: float,
    cells: int,
    radius: float,
    farthest: float,
    steps: int,
    codes: NDArray[np.uint8],
    near: NDArray[np.uint8],
    work: NDArray[np.int64],
) -> None:
    """Write what the estimates of rows ``start`` to ``stop`` of a block say: 1 may be alike, 2 probably is.

    ``near`` gets, above the diagonal, how far an estimate is from the threshold, in steps of ``farthest`` standard errors from 1; 0 for
    what is farther off. ``work`` (rows of the block, steps) gets by these steps the word frequencies that a full comparison looks at.

    The halves are x and y in one unit and u and v in the other, tails only. The estimate is that of (<x, v> + <y, u>) / 2, and the
    error of a count sketch is made of products in one cell of different buckets, so that its variance is at most

        (|x|^2 |v|^2 + |y|^2 |u|^2 + 2 <x, y> <u, v> + <x, v>^2 + <y, u>^2 + 2 <x, u> <y, v>) / (4 cells).

    The first three terms are known. In samples of one corpus the products across units are about sqrt(<x, y> <u, v>), and in others they
    are less, whence the bound below. Rounding moves each number by a twelfth of a unit squared, and adds the last term.
    """
    for i in range(start, stop):
        s = top + i
        for j in range(products.shape[1]):
            t = left + j
            code = 0
            step = 0
            if s != t and measures[s, 4] > 0.0 and measures[t, 4] > 0.0:
                short = threshold - np.float64(products[i, j]) * 0.5 * (measures[s, 0] * measures[t, 0])
                across = measures[s, 1] * measures[t, 2] + measures[s, 2] * measures[t, 1]
                tails = (across + 6.0 * (measures[s, 3] * measures[t, 3])) / (4.0 * cells)
                variance = tails + measures[s, 4] * measures[t, 4] / (24.0 * radius * radius)
                close = short * short <= farthest * farthest * variance
                if short <= 0.0:
                    code = 2
                elif close:
                    code = 1
                if close and s < t:
                    step = min(steps, 1 + int(np.sqrt(short * short / variance) / farthest * steps))
                    work[i, step - 1] += min(ends[s + 1] - ends[s], ends[t + 1] - ends[t])
            codes[i, j] = code
            near[i, j] = step


@kernel
def _settle(
    start: int,
    stop: int,
    longer: NDArray[np.int64],
    shorter: NDArray[np.int64],
    ends: NDArray[np.int64],
    columns: NDArray[np.int32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    own: NDArray[np.float64],
    dimensions: int,
    threshold: float,
    alike: NDArray[np.bool_],
) -> None:
    """Compare pairs ``start`` to ``stop`` in full; equal ones of ``longer``, which has the more words, stand together."""
    spread = np.zeros((dimensions, 2))
    filled = -1
    for k in range(start, stop):
        s = longer[k]
        t = shorter[k]
        if s != filled:
            if filled >= 0:
                for j in range(ends[filled], ends[filled + 1]):
                    spread[columns[j], 0] = 0.0
                    spread[columns[j], 1] = 0.0
            for j in range(ends[s], ends[s + 1]):
                spread[columns[j], 0] = first[j]
                spread[columns[j], 1] = second[j]
            filled = s
        total = 0.0
        for j in range(ends[t], ends[t + 1]):
            total += spread[columns[j], 0] * second[j] + spread[columns[j], 1] * first[j]
        alike[k] = total / 2.0 / np.sqrt(own[s] * own[t]) >= threshold


@kernel
def _correct(
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    guessed: NDArray[np.bool_],
    alike: NDArray[np.bool_],
    bits: NDArray[np.uint8],
    links: NDArray[np.int64],
) -> None:
    """Put what was found in place of what was ``guessed`` of some pairs."""
    for k in range(one.size):
        for s, t in ((one[k], other[k]), (other[k], one[k])):
            bit = np.uint8(128 >> (t & 7))
            if alike[k]:
                bits[s, t >> 3] |= bit
            else:
                bits[s, t >> 3] &= ~bit
            links[s] += np.int64(alike[k]) - np.int64(guessed[k])


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits (the finaliser of SplitMix64: Steele, Lea and Flood 2014)."""
    mixed = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _cells(f: Frequencies) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cell and sign of every bucket."""
    weight = _shares(f.ends, f.columns, f.first, f.second, f.dimensions)
    mixed = _mixed(np.arange(f.dimensions, dtype=np.uint64))
    cell = HEAD + (mixed % np.uint64(TAIL)).astype(np.int64)
    sign = np.where(mixed >> np.uint64(63), 1.0, -1.0)
    heaviest = np.argsort(-weight, kind="stable")[:HEAD]
    cell[heaviest] = np.arange(heaviest.size)
    return cell, sign


def sketch(f: Frequencies, jobs: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Sketch all units: integer rows, float32 (n, 2 (HEAD + TAIL)), and measures, float64 (n, 5); see ``_sketch``."""
    rows = np.zeros((f.size, 2 * (HEAD + TAIL)), np.float32)
    measures = np.zeros((f.size, 5))
    cell, sign = _cells(f)

    def part(start: int, stop: int) -> None:
        _sketch(
            start, stop, f.ends, f.columns, f.first, f.second, f.own, cell, sign, HEAD, RADIUS, rows, measures
        )  # fmt: skip

    share(part, pieces(np.diff(f.ends) + 1, 4 * jobs), jobs)
    return rows, measures


@dataclass(frozen=True, slots=True)
class _Near:
    """Pairs of one block that are near the threshold: positions in the block, how near (from 1), and whether each was counted as alike."""

    top: int
    left: int
    places: NDArray[np.int32]
    steps: NDArray[np.uint8]
    guessed: NDArray[np.bool_]

    def within(self, reach: int) -> _Near:
        """Those that are within ``reach`` steps."""
        kept = self.steps <= reach
        return _Near(self.top, self.left, self.places[kept], self.steps[kept], self.guessed[kept])


def candidates(f: Frequencies, threshold: float, jobs: int, most: int = WORK) -> Candidates:
    """Find the pairs whose similarity may reach ``threshold``; needs n squared bits, 8 KiB a unit, and 6 bytes for each pair near it.

    ``most`` bounds the word frequencies that are looked at.
    """
    n = f.size
    rows, measures = sketch(f, jobs)
    bits = np.zeros((n, -(-n // 8)), np.uint8)
    links = np.zeros(n, np.int64)
    work = np.zeros(STEPS, np.int64)
    reach = STEPS
    waiting: list[_Near] = []
    for top in range(0, n, TILE):
        # The halves change places on one side: the product is that across the halves.
        turned = np.roll(rows[top : top + TILE], HEAD + TAIL, axis=1)
        for left in range(top, n, TILE):
            products = turned @ rows[left : left + TILE].T
            codes, near, wanted = _block(f, products, measures, top, left, threshold, jobs)
            alike, linked = codes > 0, codes > 1
            bits[top : top + TILE, left // 8 : (left + TILE) // 8] = np.packbits(alike, axis=1)
            links[top : top + TILE] += np.count_nonzero(linked, axis=1)
            if left > top:
                bits[left : left + TILE, top // 8 : (top + TILE) // 8] = np.packbits(alike.T, axis=1)
                links[left : left + TILE] += np.count_nonzero(linked, axis=0)
            work += wanted
            # What is farther off than there is time for is let go at once: there may be a hundred million of such pairs.
            fits = int(np.searchsorted(np.cumsum(work), most, side="right"))
            if fits < reach:
                reach = fits
                waiting = [pairs.within(reach) for pairs in waiting]
            places = np.flatnonzero((near > 0) & (near <= reach))
            waiting.append(_Near(top, left, places.astype(np.int32), near.ravel()[places], linked.ravel()[places]))
    for pairs in waiting:
        _compare(f, pairs, threshold, bits, links, jobs)
    return Candidates(bits, links, STANDARD_ERRORS * reach / STEPS)


def _block(
    f: Frequencies,
    products: NDArray[np.float32],
    measures: NDArray[np.float64],
    top: int,
    left: int,
    threshold: float,
    jobs: int,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Judge one block of pairs; returns the codes, how near each is, and the work by steps (int64, ``STEPS``): see ``_judge``."""
    codes, near = np.empty(products.shape, np.uint8), np.empty(products.shape, np.uint8)
    work = np.zeros((products.shape[0], STEPS), np.int64)
    errors = STANDARD_ERRORS

    def part(start: int, stop: int) -> None:
        _judge(
            start, stop, top, left, products, measures, f.ends, threshold, TAIL, RADIUS, errors, STEPS, codes, near, work
        )  # fmt: skip

    share(part, pieces(np.ones(products.shape[0], np.int64), 2 * jobs), jobs)
    return codes, near, work.sum(axis=0)


def _compare(
    f: Frequencies, near: _Near, threshold: float, bits: NDArray[np.uint8], links: NDArray[np.int64], jobs: int
) -> None:
    """Compare pairs of a block in full, and correct the map and the links by what is found."""
    row, column = np.divmod(near.places.astype(np.int64), min(TILE, f.size - near.left))
    one, other = near.top + row, near.left + column
    words = np.diff(f.ends)
    # Only words of both count: it is enough to walk through the fewer. The sum is the same to the bit, what is left out being zeros.
    swap = words[one] < words[other]
    longer, shorter = np.where(swap, other, one), np.where(swap, one, other)
    order = np.argsort(longer, kind="stable")
    longer, shorter = longer[order], shorter[order]
    found = np.zeros(order.size, bool)

    def part(start: int, stop: int) -> None:
        _settle(
            start, stop, longer, shorter, f.ends, f.columns, f.first, f.second, f.own, f.dimensions, threshold, found
        )  # fmt: skip

    share(part, pieces(words[shorter] + 1, 2 * jobs), jobs)
    alike = np.empty(order.size, bool)
    alike[order] = found
    _correct(one, other, near.guessed, alike, bits, links)
