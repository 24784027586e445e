"""How a group of accounts hangs together: load, partition, succession. Each is a likelihood ratio in bits.

All three compare *one operator who shares out work* with *independent customers who happen to use the same thing*. None uses
volume, names of places or any word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import gammaln, logsumexp

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARD_SPREAD: Final = 0.35
"""Standard deviation of ln(requests) among shards of one campaign: a queue or a scheduler hands out like amounts."""
CUSTOMER_SPREAD: Final = 1.0
"""The same among independent customers. Usage of one product is heavy-tailed; published log-normal fits of requests per
client lie between 1 and 2, and the low end is the cautious choice."""
UNEVEN: Final = 0.5
"""Operators who hand out amounts as unevenly as customers ask. Reported campaigns tell nothing of it, so it is even odds; uneven
loads are therefore never more than one bit against a group."""
COMPARABLE: Final = 10
"""Comparable senders from which their spread can be measured."""
COMPARABLE_FACTOR: Final = 4.0
LOAD_REACH: Final = 1.2
"""Farthest that one account may lie from the group's median (in ln) in the sum: one outlier must not decide."""
SMALL: Final = 40
"""Requests up to which a load is weighed as a count: above, its ln is normal enough."""
CENTRES: Final = np.linspace(-3.0, 12.0, 151)
"""Where the centre of ln(requests) is looked for: what is seen may be the tail of what is below the floor."""
SUCCESSION_DISPERSION: Final = 4.0
"""Overdispersion of overlapping pairs among accounts."""
SHARED_WITH: Final = 3
"""Common payloads that make an outside stream count as drawing on the same source."""


def customer_spread(requests: NDArray[np.int64], near: float) -> float:
    """How ln(requests) of comparable senders outside a group spreads: standard deviation, in [``SHARD_SPREAD``, ``CUSTOMER_SPREAD``].

    Comparable are those within a factor of ``COMPARABLE_FACTOR`` of the group's median ``near``: a group is found among senders of
    its own size, and where these are alike anyhow, its evenness says nothing.
    """
    logs = np.log(np.maximum(requests, 1).astype(np.float64))
    logs = np.sort(logs[np.abs(logs - np.log(max(near, 1.0))) <= np.log(COMPARABLE_FACTOR)])
    if logs.size < COMPARABLE:
        return CUSTOMER_SPREAD
    return float(np.clip(logs.std(), SHARD_SPREAD, CUSTOMER_SPREAD))


@lru_cache(maxsize=64)
def _counts(spread: float) -> NDArray[np.float64]:
    """Log probabilities of 0 to ``SMALL`` requests at each of ``CENTRES``: Poisson counts whose ln mean is normal (centres, counts)."""
    steps = np.linspace(-4.0, 4.0, 161)
    weights = np.exp(-0.5 * steps * steps)
    ln_mean = (CENTRES[:, None] + spread * steps)[:, None, :]
    n = np.arange(SMALL + 1.0)[:, None]
    logs = n * ln_mean - np.exp(ln_mean) - gammaln(n + 1.0) + np.log(weights / weights.sum())
    table: NDArray[np.float64] = logsumexp(logs, axis=2)
    return table


def _log_likelihood(requests: NDArray[np.int64], times: NDArray[np.int64], spread: float, floor: int) -> float:
    """Greatest log likelihood over ``CENTRES`` of loads, ``requests`` (distinct) each seen ``times`` times, none under ``floor`` seen.

    Large counts are taken as normal in ln, with the variance 1/n of Poisson noise. Constants that all spreads share are left out.
    """
    table = _counts(spread)
    small = requests <= SMALL
    logs = np.log(requests[~small].astype(np.float64))
    variance = spread * spread + np.exp(-logs)
    away = logs - CENTRES[:, None]
    # The Poisson part of a small count is left whole; of a large one its normal stands for it, on the same scale.
    large = -0.5 * np.log(2.0 * np.pi * variance) - 0.5 * away * away / variance - logs
    total = table[:, requests[small]] @ times[small] + large @ times[~small]
    # What is seen at all is the part above the floor: near it, any distribution looks even.
    seen = np.log1p(-np.minimum(np.exp(table[:, :floor]).sum(axis=1), 1.0 - 1e-12))
    return float((total - times.sum() * seen).max())


def load_bits(requests: NDArray[np.int64], customers: float = CUSTOMER_SPREAD, floor: int = 1) -> float:
    """Log2 likelihood ratio of an operator's loads against customers'; at least ``log2(UNEVEN)``.

    Requests are Poisson counts whose means are log-normal (Aitchison, J. and Ho, C. H. 1989, Biometrika 76:643-653) with standard
    deviation ``SHARD_SPREAD`` or ``customers``, about the centre that is likeliest under each, and cut off where an account with
    fewer than ``floor`` requests could not have been found: the tail of customers' loads just above the floor is as even as an operator's,
    and so are loads of one to three. The ratio is shrunk by (k - 1) / k since the centre is estimated from the same k accounts.
    """
    k = requests.size
    if k < 2:
        return 0.0
    logs = np.log(np.maximum(requests, 1).astype(np.float64))
    middle = float(np.median(logs))
    reached = np.rint(np.exp(np.clip(logs, middle - LOAD_REACH, middle + LOAD_REACH))).astype(np.int64)
    reached = np.maximum(reached, 1)
    distinct, times = np.unique(reached, return_counts=True)
    lowest = min(floor, int(reached.min()))
    even = _log_likelihood(distinct, times, SHARD_SPREAD, lowest)
    uneven = _log_likelihood(distinct, times, round(customers, 2), lowest)
    ratio = (even - uneven) * (k - 1) / k
    return float(np.logaddexp(np.log(1.0 - UNEVEN) + ratio, np.log(UNEVEN)) / np.log(2.0))


@dataclass(frozen=True, slots=True)
class Overlap:
    """Payloads in common inside a group and with outside streams that draw on the same source.

    ``inside`` counts pairs of payloads of different members that coincide, of ``pairs`` there are; ``expected`` is that count if
    members drew independently, two of them at the geometric mean of the rates at which each meets the ``outsiders``, which is the
    rate of all where it is the same for all; ``met`` (int64, members) counts the
    coincidences of each member. ``public`` is the share of the members' payloads that two or more accounts outside send as well,
    ``common`` the mean share of the other members who send a member's payload.
    """

    inside: int
    pairs: float
    expected: float
    outsiders: int
    met: NDArray[np.int64]
    public: float
    common: float


def succession_bits(first_us: NDArray[np.int64], last_us: NDArray[np.int64]) -> float:
    """Log2 likelihood ratio of a relay (one account after another) against accounts active at independent times.

    The statistic is the number of pairs of activity intervals that overlap in time. For independent intervals of these lengths
    placed at random in the group's span T, a pair of lengths a and b overlaps with probability near min(1, (a + b) / T). The
    count is taken as Poisson with that mean, with overdispersion ``SUCCESSION_DISPERSION`` since each account is in many pairs.
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
    return float(bits / SUCCESSION_DISPERSION / np.log(2.0))
