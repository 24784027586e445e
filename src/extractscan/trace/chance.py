"""What an account would hold of a data set by chance.

The null hypothesis is empirical: how much the log's accounts meet the set when they have nothing to do with it. Who writes on
the same matters, or by the same template, comes near to items often, and now and then so near that it counts as a match;
how often, the near misses tell. An account's *exposure* is therefore the number of its distinct texts that nearly met an
item and met none, and what one of its volume has of these on average. The weight of items that it meets is negative
binomial with mean ``rate * exposure`` and variance ``mean + dispersion * mean**2``. Both are estimated on the accounts that
look innocent, found by forward search (Hadi and Simonoff 1993, J. Am. Stat. Assoc. 88:1264): begin with the half that met
the set least for their exposure, fit, take in whoever the fit does not exclude, and so on until nobody changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_DISPERSION: Final = 1.0
"""Rates of innocent accounts are taken to differ at least as widely as an exponential variable, whose standard deviation is its mean:
a log where nobody met the set says little about how uneven such meetings are."""
EXCLUDED: Final = 1e-3
"""Tail probability at which an account is left out of the fit: few logs have an innocent account beyond it, and leaving out
innocents makes the null too narrow, which costs precision."""
ROUNDS: Final = 50
FEWEST_ITEMS: Final = 3.0
"""Weight of items that a source must hold, whatever the p-value: two prompts in common are a coincidence that no log is large
enough to rule out."""


@dataclass(frozen=True, slots=True)
class Chance:
    """The null hypothesis as fitted on ``innocents`` accounts.

    ``rate`` is items (weighted) for each unit of exposure, ``plain_rate`` the same unweighted; ``dispersion`` and ``plain_dispersion``
    are 1/k of the negative binomial.
    """

    rate: float
    dispersion: float
    plain_rate: float
    plain_dispersion: float
    innocents: int


def tail(x: NDArray[np.float64], mean: NDArray[np.float64], dispersion: float) -> NDArray[np.float64]:
    """P(X >= x) of a negative binomial with this mean; for x between whole numbers by the incomplete beta function."""
    k = 1.0 / dispersion
    mean = np.maximum(mean, 1e-300)
    value = special.betainc(np.maximum(x, 1e-12), k, mean / (mean + k))
    return np.where(x <= 0, 1.0, value)


def quantile(probability: float, mean: float, dispersion: float) -> int:
    """Least whole x with P(X <= x) >= probability."""
    k = 1.0 / dispersion
    p = k / (k + mean)
    high = 1
    while special.betainc(k, high + 1.0, p) < probability:
        high *= 2
    low = -1
    while high - low > 1:
        middle = (high + low) // 2
        if special.betainc(k, middle + 1.0, p) >= probability:
            high = middle
        else:
            low = middle
    return high


def _moments(x: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[float, float]:
    """Rate, with one item more than was seen, and dispersion by the method of moments."""
    rate = float((x.sum() + 1.0) / max(n.sum(), 1e-9))
    mean = rate * n
    excess = float(((x - mean) ** 2 - mean).sum() / max((mean**2).sum(), 1e-300))
    return rate, max(LEAST_DISPERSION, excess)


def _search(x: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[float, float, NDArray[np.bool_]]:
    order = np.lexsort((-n, x / n))
    kept = np.zeros(x.size, np.bool_)
    kept[order[: (x.size + 1) // 2]] = True
    rate, dispersion = _moments(x[kept], n[kept])
    for _ in range(ROUNDS):
        now = tail(x, rate * n, dispersion) >= EXCLUDED
        if not now.any() or (now == kept).all():
            break
        kept = now
        rate, dispersion = _moments(x[kept], n[kept])
    return rate, dispersion, kept


def exposure(near: NDArray[np.int64], volume: NDArray[np.int64]) -> NDArray[np.float64]:
    """Exposure of each account: its near misses, and as many as its ``volume`` of distinct prompts has on average.

    0 where an account has no prompt. One near miss more than was seen is shared out, so that nobody's is 0 otherwise.
    """
    return np.asarray(near + volume * ((near.sum() + 1.0) / max(int(volume.sum()), 1)))


def fit(weight: NDArray[np.float64], count: NDArray[np.float64], exposed: NDArray[np.float64]) -> Chance:
    """Fit the null on the accounts that look innocent.

    ``weight``, ``count`` and ``exposed`` are a place an account: weighted items, items, and exposure; accounts without any prompt say
    nothing.
    """
    spoke = exposed > 0
    x, c, n = weight[spoke], count[spoke], exposed[spoke]
    if not n.size:
        return Chance(0.0, LEAST_DISPERSION, 0.0, LEAST_DISPERSION, 0)
    rate, dispersion, kept = _search(x, n)
    plain_rate, plain_dispersion = _moments(c[kept], n[kept])
    return Chance(rate, dispersion, plain_rate, plain_dispersion, int(kept.sum()))
