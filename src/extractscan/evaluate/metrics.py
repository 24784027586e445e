"""Measures of a ranking against labels, as pure functions of arrays.

Accounts with equal scores are one *tie group* and are never told apart by their place in a file, so every measure is
independent of order. Where a measure has to cut through a tie it does so against the detector: benign accounts first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """``hits`` of ``total`` accounts; ``rate`` with its 95 % interval ``low`` to ``high``, None when total is 0."""

    hits: int
    total: int
    rate: float | None
    low: float | None
    high: float | None


def wilson(rate: float, total: int) -> tuple[float, float]:
    """Low and high end of the 95 % score interval of a share (Wilson, E. B. 1927, J. Am. Stat. Assoc. 22:209-212).

    ``rate`` in [0, 1] is the share of ``total`` (1 or more) cases. For the mean of as many values in [0, 1] the interval is wide enough:
    it takes every value for 0 or 1, which is as much as values with that mean can vary.
    """
    square = Z_95 * Z_95
    centre = (rate + square / (2 * total)) / (1 + square / total)
    half = Z_95 / (1 + square / total) * sqrt(rate * (1 - rate) / total + square / (4 * total * total))
    return (0.0 if rate <= 0.0 else max(centre - half, 0.0)), (1.0 if rate >= 1.0 else min(centre + half, 1.0))


def proportion(hits: int, total: int) -> Proportion:
    """Give a proportion its Wilson score interval, which stays honest for small counts: 0 of 12 is 0 to 24 %."""
    if total == 0:
        return Proportion(hits, total, None, None, None)
    rate = hits / total
    return Proportion(hits, total, rate, *wilson(rate, total))


@dataclass(frozen=True, slots=True)
class TieGroups:
    """Distinct scores from worst (highest) down, and how many attackers and benign accounts have each.

    ``score`` float64, ``attackers`` and ``benign`` int64, all of one length.
    """

    score: NDArray[np.float64]
    attackers: NDArray[np.int64]
    benign: NDArray[np.int64]


def tie_groups(score: NDArray[np.float64], attack: NDArray[np.bool_]) -> TieGroups:
    """Group accounts by score. ``score`` (higher is worse, finite) and ``attack`` have one value an account."""
    distinct, group = np.unique(-score, return_inverse=True)
    every = np.bincount(group, minlength=len(distinct))
    attackers = np.bincount(group[attack], minlength=len(distinct))
    return TieGroups(score=-distinct, attackers=attackers, benign=every - attackers)


def average_precision(groups: TieGroups) -> float | None:
    """Sum precision over the steps of recall, one step a tie group; None without attackers.

    This is scikit-learn's ``average_precision_score``: a tie group counts with the precision of its end, so that a
    ranking without information gets the base rate and no order within the tie is favoured.
    """
    found = np.cumsum(groups.attackers)
    if not len(found) or found[-1] == 0:
        return None
    precision = found / (found + np.cumsum(groups.benign))
    return float(np.sum(groups.attackers * precision) / found[-1])


def roc_auc(groups: TieGroups) -> float | None:
    """Chance that an attacker outranks a benign account, a tie counting half; None unless there are both.

    Counted in whole numbers and divided once, so exact for up to 10^9 accounts of each kind.
    """
    attackers, benign = int(groups.attackers.sum()), int(groups.benign.sum())
    if attackers == 0 or benign == 0:
        return None
    below = benign - np.cumsum(groups.benign)
    twice = int(np.sum(groups.attackers * (2 * below + groups.benign)))
    return twice / (2 * attackers * benign)


def threshold_for(groups: TieGroups, allowed: int) -> float:
    """Score that at most ``allowed`` benign accounts exceed, as low as it may be; minus infinity when all may.

    It is the score of benign account ``allowed`` + 1, and only what lies strictly *above* is flagged: an attacker tied
    with that account counts as missed.
    """
    first_over = int(np.searchsorted(np.cumsum(groups.benign), allowed, side="right"))
    return float(groups.score[first_over]) if first_over < len(groups.score) else float("-inf")


def precision_at(groups: TieGroups, k: int) -> Proportion:
    """Share of attackers among the ``k`` worst accounts (all, when there are fewer); benign first in a cut tie."""
    end = np.cumsum(groups.attackers + groups.benign)
    total = min(k, int(end[-1]) if len(end) else 0)
    whole = int(np.searchsorted(end, total, side="right"))
    hits = int(groups.attackers[:whole].sum())
    if whole < len(end):
        room = total - (int(end[whole - 1]) if whole else 0)
        hits += max(0, room - int(groups.benign[whole]))
    return proportion(hits, total)


@dataclass(frozen=True, slots=True)
class PairScore:
    """Pairs of accounts: put together by the detector, truly together, and both; precision and recall of the first.

    A rate is None when its denominator is 0. No interval is given: pairs of one campaign are not independent.
    """

    predicted: int
    true: int
    both: int
    precision: float | None
    recall: float | None


def pair_score(predicted: NDArray[np.int64], true: NDArray[np.int64]) -> PairScore:
    """Score groups of accounts by their pairs.

    ``predicted`` and ``true`` hold one group number an account, counted up from 0; below 0 an account is alone. Counted
    from the sizes of groups and of their intersections, in n log n.
    """
    in_both = (predicted >= 0) & (true >= 0)
    joint = predicted[in_both] * (true.max(initial=0) + 1) + true[in_both]
    put_together = _pairs(predicted[predicted >= 0])
    belong = _pairs(true[true >= 0])
    both = _pairs(joint)
    return PairScore(
        predicted=put_together,
        true=belong,
        both=both,
        precision=both / put_together if put_together else None,
        recall=both / belong if belong else None,
    )


def _pairs(groups: NDArray[np.int64]) -> int:
    """Count the unordered pairs of equal numbers."""
    sizes = np.unique(groups, return_counts=True)[1]
    return int(np.sum(sizes * (sizes - 1) // 2))
