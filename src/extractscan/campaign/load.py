"""Whether accounts are loaded as evenly as shards of one campaign, or as unevenly as customers who happen to use the same thing.

How much they send is never evidence: the centre of the loads is free under both hypotheses.
"""

from __future__ import annotations

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
FAR: Final = 8.0
"""Centres above which no small count is looked for: loads are held within ``LOAD_REACH`` of their median."""
SMALL: Final = 40
"""Requests up to which a load is weighed as a count: above, its ln is normal enough."""
CENTRES: Final = np.linspace(-3.0, 20.0, 231)
"""Where the centre of ln(requests) is looked for: what is seen may be the tail of what is below the floor, and 485 million requests are
more than one account sends."""


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
    steps = np.linspace(-4.0, 4.0, 81)
    weights = np.exp(-0.5 * steps * steps)
    near = CENTRES <= FAR
    ln_mean = (CENTRES[near, None] + spread * steps)[:, None, :]
    n = np.arange(SMALL + 1.0)[:, None]
    logs = n * ln_mean - np.exp(ln_mean) - gammaln(n + 1.0) + np.log(weights / weights.sum())
    table = np.full((CENTRES.size, SMALL + 1), -np.inf)
    table[near] = logsumexp(logs, axis=2)
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
    # Sums and no products of matrices, whose order of additions is the library's.
    total = (table[:, requests[small]] * times[small]).sum(axis=1) + (large * times[~small]).sum(axis=1)
    # What is seen at all is the part above the floor: near it, any distribution looks even.
    seen = np.log1p(-np.minimum(np.exp(table[:, :floor]).sum(axis=1), 1.0 - 1e-12))
    return _peak(total - times.sum() * seen)


def _peak(values: NDArray[np.float64]) -> float:
    """Height of the parabola through the greatest value and those beside it: the peak lies between the centres."""
    at = int(np.argmax(values))
    if not 0 < at < values.size - 1:
        return float(values[at])
    left, top, right = values[at - 1 : at + 2].tolist()
    bend = left - 2.0 * top + right
    return float(top - (right - left) ** 2 / (8.0 * bend)) if np.isfinite(bend) and bend < 0.0 else float(top)


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
    # A few tables serve all groups: a twentieth of a standard deviation is less than is known of it.
    uneven = _log_likelihood(distinct, times, round(customers * 20.0) / 20.0, lowest)
    ratio = (even - uneven) * (k - 1) / k
    return float(np.logaddexp(np.log(1.0 - UNEVEN) + ratio, np.log(UNEVEN)) / np.log(2.0))
