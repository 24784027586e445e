"""Whether accounts follow one another, as those of an operator who moves on when one is banned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DISPERSION: Final = 4.0
"""Overdispersion of overlapping pairs among accounts."""


def succession_bits(first_us: NDArray[np.int64], last_us: NDArray[np.int64]) -> float:
    """Log2 likelihood ratio of a relay (one account after another) against accounts active at independent times.

    The statistic is the number of pairs of activity intervals that overlap in time. For independent intervals of these lengths
    placed at random in the group's span T, a pair of lengths a and b overlaps with probability near min(1, (a + b) / T). The
    count is taken as Poisson with that mean, with overdispersion ``DISPERSION`` since each account is in many pairs.
    """
    k = first_us.size
    if k < 3:
        return 0.0
    span = float(last_us.max() - first_us.min())
    if span <= 0.0:
        return 0.0
    # Both counts over all pairs come from sorted values: k is the size of a campaign, and may be tens of thousands.
    pairs = k * (k - 1) / 2.0
    lengths = np.sort((last_us - first_us).astype(np.float64) / span)
    place = np.arange(k)
    fitting = np.minimum(np.searchsorted(lengths, 1.0 - lengths, side="right"), place)  # shorter, and a + b <= 1
    sums = np.r_[0.0, np.cumsum(lengths)]
    expected = min(1.0, float((fitting * lengths + sums[fitting] + (place - fitting)).sum()) / pairs)
    apart = int(np.searchsorted(np.sort(last_us), first_us, side="left").sum())
    seen = pairs - apart
    expected *= pairs
    if seen >= expected:
        return 0.0
    bits = expected - seen
    if seen > 0.0:
        bits += seen * np.log(seen / expected)
    return float(bits / DISPERSION / np.log(2.0))
