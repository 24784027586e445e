"""P-values from a clean period, and false discovery rates that follow from them.

A finding's bits are compared with the bits that the same stages gave to accounts, or groups of accounts, of a period that
is held to be benign. That is a conformal p-value (Vovk, Gammerman and Shafer 2005; as a test for outliers Bates, Candes,
Lei, Romano and Sesia 2023): it needs no model of the score, only that an innocent one of the log and those of the
baseline could have changed places. The smallest one that a baseline of n can give is 1 / (n + 1).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECIMALS: Final = 6
"""Bits are compared after rounding, as ranks are: what differs by less is a tie, and ties count against significance."""


def conformal_p(scores: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    """P-value of each score: how likely one from the baseline is at least as high.

    ``scores`` (m) and ``baseline`` (n) are bits, higher is worse; the result is ``(1 + #{baseline >= score}) / (n + 1)``. It is at most
    t with probability at most t, for any t, if the score and the baseline's are exchangeable.
    """
    ordered = np.sort(np.round(baseline, DECIMALS))
    above = ordered.size - np.searchsorted(ordered, np.round(scores, DECIMALS), side="left")
    return np.asarray((1.0 + above) / (1.0 + ordered.size))


def highest(scores: NDArray[np.float64], cluster: NDArray[np.int64]) -> NDArray[np.float64]:
    """Highest score of each cluster, in the order of the clusters' numbers."""
    numbers, member = np.unique(cluster, return_inverse=True)
    out = np.full(numbers.size, -np.inf)
    np.maximum.at(out, member, scores)
    return out


def inherited_q(
    p: NDArray[np.float64], tested_p: NDArray[np.float64], tested_q: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Q-values of ``p`` that were not tested themselves: that of the least tested p-value at or over each, 1 where there is none.

    A member passes a rate only if p-values as large as its own do, so that what passes is within clusters that pass.
    """
    order = np.argsort(tested_p, kind="stable")
    place = np.searchsorted(tested_p[order], p, side="left")
    return np.asarray(np.append(tested_q[order], 1.0)[place])


def harmonic(tests: int) -> float:
    """1 + 1/2 + ... + 1/tests: what Benjamini-Yekutieli pays for any dependence."""
    return float(np.sum(1.0 / np.arange(1, tests + 1)))


def _adjusted(p: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    order = np.argsort(p, kind="stable")
    scaled = p[order] * (factor * p.size) / np.arange(1, p.size + 1)
    q = np.empty(p.size)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Q-values: the least false discovery rate at which each of the tests ``p`` is rejected.

    Benjamini and Hochberg 1995; valid for independent tests and for conformal p-values that share one baseline (Bates et al. 2023).
    Non-decreasing in p, at most 1.
    """
    return _adjusted(p, 1.0)


def benjamini_yekutieli(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Q-values that hold under any dependence between the tests ``p`` (Benjamini and Yekutieli 2001)."""
    return _adjusted(p, harmonic(p.size))


def fewest(tests: int, baseline: int, rate: float, factor: float = 1.0) -> int:
    """How many of ``tests`` must exceed all of ``baseline`` before the first passes ``rate``.

    With k tests at the smallest p-value, 1 / (n + 1), the q-value is tests * factor / ((n + 1) k); ``factor`` is ``harmonic(tests)`` for
    Benjamini-Yekutieli. More than ``tests``: nothing can pass, the baseline is too small.
    """
    return max(1, ceil(tests * factor / ((baseline + 1) * rate) - 1e-9))
