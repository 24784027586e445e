"""Whether chance explains what an account, or a campaign, holds.

Accounts of one campaign, or else of one organisation, are one operator. An item is evidence by how few operators hold it:

* First those are found that are *needed*: whom chance does not explain even by the items that nobody else holds.
* An item that a needed operator holds is explained, and says nothing of operators that are not needed: they send the same collection.
* Else an item that ``h`` operators hold counts ``1 / h**2``: each is one of ``h`` that it may have been taken from, and the more hold it,
  the likelier it is that it is public and was taken from none of them. What everybody sends weighs next to nothing.

By prompts alone, whoever sends a few public prompts that nobody else of the log happens to send cannot be told from a small source. An
account whose weight is under a ``MINOR``-th of what a typical source has, and under ``FEW``, is therefore not named for its prompts, unless
it belongs to a campaign that is a source.

The ways to hold an item differ in how often chance gives them, so each is tested by itself against its own null hypothesis (see
``chance``). The least of the p-values, times the ways that were tested (Bonferroni), is the account's; over accounts the false
discovery rate is controlled (Benjamini-Yekutieli, since accounts that hold the same items are not independent).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.trace import chance
from extractscan.trace.chance import FEWEST_ITEMS, Chance
from extractscan.trace.holdings import ASKED, HELD
from extractscan.verdict.calibrate import benjamini_yekutieli

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.trace.holdings import Holdings

NONE: Final = -1
MINOR: Final = 4.0
"""The loads of one campaign's accounts differ by a standard deviation of 0.3 to 0.8 in their logarithm: one in twenty-five lies under a
quarter of the typical at the most."""
FEW: Final = 20.0
"""Weight from which an account is named for its prompts whatever others have: nobody sends so many that nobody else sends by the way."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Of each unit, account or campaign: what decides.

    ``way`` (int64) is the place in ``Evidence.ways`` of the strongest, -1 where nothing is held; ``weight``, ``count`` and ``expected`` are
    the weight and number of items held that way and the weight that chance gives; ``p`` and ``q`` are of all ways. ``source`` says that
    chance does not explain it.
    """

    way: NDArray[np.int64]
    weight: NDArray[np.float64]
    count: NDArray[np.int64]
    expected: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]
    source: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The judgement. ``nulls`` and ``exposed`` (float64, a place an account) belong to ``ways``, those of ``HELD`` that were tested.

    ``only`` counts the items of each account that no other operator holds. ``asked`` says of accounts that are no source whether they
    sent more of the set's prompts than chance gives all the same, ``minor`` whether it is their prompts that chance does not explain, but
    that they explain little beside the sources.
    """

    ways: tuple[str, ...]
    nulls: tuple[Chance, ...]
    exposed: tuple[NDArray[np.float64], ...]
    accounts: Scores
    campaigns: Scores
    only: NDArray[np.int64]
    asked: NDArray[np.bool_]
    minor: NDArray[np.bool_]

    def least(self, counts: Mapping[str, int], members: Sequence[int] | NDArray[np.int64]) -> int:
        """Of ``counts`` items that these accounts hold in each way, those left when the most that chance may give (97.5 %) is taken off."""
        left = 0
        for way, null, exposed in zip(self.ways, self.nulls, self.exposed, strict=True):
            if counts.get(way):
                most = chance.quantile(0.975, null.plain_rate * float(exposed[members].sum()), null.plain_dispersion)
                left += max(counts[way] - most, 0)
        return left


def operators(prints: Fingerprints, campaigns: Mapping[str, Sequence[int]]) -> NDArray[np.int64]:
    """Number of each account's operator: accounts of one campaign, or else of one organisation, are one."""
    accounts = prints.accounts.len()
    orgs = (
        prints.requests.select(pl.col("account").cast(pl.Int64), "org_id")
        .drop_nulls()
        .group_by("account")
        .agg(pl.col("org_id").min())
    )
    operator = np.arange(accounts)
    operator[orgs["account"].to_numpy()] = accounts + orgs["org_id"].to_numpy().astype(np.int64)
    for members in campaigns.values():
        operator[list(members)] = min(members)
    return operator


def weigh(
    holdings: Holdings, operator: NDArray[np.int64], campaigns: Mapping[str, Sequence[int]], alpha: float
) -> Evidence:
    """Judge each account, and each of ``campaigns`` as one account."""
    number = np.full(operator.size, NONE, np.int64)
    for i, members in enumerate(campaigns.values()):
        number[list(members)] = i
    tested = holdings.volume > 0
    ways: list[str] = []
    nulls: list[Chance] = []
    exposures: list[NDArray[np.float64]] = []
    found: list[_Tested] = []
    together: list[_Tested] = []
    met = holdings.table.filter(pl.col("prompt").is_not_null())
    for way in HELD:
        rows = holdings.table.filter(pl.col("way") == way)
        if not rows.height:
            continue
        # How many send a prompt, and how often chance gives one, does not hang on what was answered.
        by, of = (met, ASKED) if way == "prompt" else (rows, way)
        worth, null, exposed = _null(by, of, holdings, operator, alpha)
        held = rows.join(worth, on=["account", "item"], maintain_order="left")
        ways.append(way)
        nulls.append(null)
        exposures.append(exposed)
        found.append(_tested(*_weights(held, holdings.texts[way]), exposed, null))
        together.append(_campaigns(held, number, len(campaigns), exposed, null))
    asked = _asked(met, holdings, operator, tested, alpha)
    scores = _scores(found, operator.size, tested, alpha)
    campaign = _scores(together, len(campaigns), np.ones(len(campaigns), np.bool_), alpha)
    member = (number >= 0) & np.append(campaign.source, False)[number]
    minor = scores.source & ~member & (scores.weight < min(_typical(scores.weight[scores.source]) / MINOR, FEW))
    minor &= np.array([*(way == "prompt" for way in ways), False])[scores.way]
    scores = replace(scores, source=scores.source & ~minor)
    alone = _holders(holdings.held, operator).filter(pl.col("holders") == 1)["account"]
    return Evidence(
        tuple(ways),
        tuple(nulls),
        tuple(exposures),
        scores,
        campaign,
        np.bincount(alone.to_numpy(), minlength=operator.size),
        asked & ~scores.source & ~minor,
        minor,
    )


def _typical(weights: NDArray[np.float64]) -> float:
    """Weight of the account at which half of all weight is reached, from the heaviest on (as N50 of assemblies); 0 of none."""
    if not weights.size:
        return 0.0
    ordered = np.sort(weights)[::-1]
    return float(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2.0)])


@dataclass(frozen=True, slots=True)
class _Tested:
    """One way: weight, count, expectation and p-value of each unit."""

    weight: NDArray[np.float64]
    count: NDArray[np.int64]
    expected: NDArray[np.float64]
    p: NDArray[np.float64]


def _holders(rows: pl.DataFrame, operator: NDArray[np.int64]) -> pl.DataFrame:
    """Add ``operator``, and ``holders``: how many operators have the item."""
    return rows.with_columns(pl.Series("operator", operator[rows["account"].to_numpy()])).with_columns(
        pl.col("operator").n_unique().over("item").cast(pl.Int64).alias("holders")
    )


def _weights(held: pl.DataFrame, texts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weight and number of the items of each account. One text that holds many items is one occasion, not many."""
    account = held["account"].to_numpy()
    weight = np.bincount(account, held["worth"].to_numpy(), minlength=texts.size).astype(np.float64)
    return np.minimum(weight, texts.astype(np.float64)), np.bincount(account, minlength=texts.size)


def _null(
    rows: pl.DataFrame, way: str, holdings: Holdings, operator: NDArray[np.int64], alpha: float
) -> tuple[pl.DataFrame, Chance, NDArray[np.float64]]:
    """Say what each of ``rows`` is worth, and fit what chance gives of that; returns the exposure of each account, too."""
    texts, exposed = holdings.texts[way], chance.exposure(holdings.near[way], holdings.volume)
    held = _holders(rows, operator).select("account", "item", "operator", "holders")
    alone = held.with_columns(worth=(pl.col("holders") == 1).cast(pl.Float64))
    weight, count = _weights(alone, texts)
    first = _tested(weight, count, exposed, chance.fit(weight, count.astype(np.float64), exposed))
    needed = np.unique(operator[_scores([first], operator.size, holdings.volume > 0, alpha).source])
    of_needed = pl.col("operator").is_in(needed)
    shared = pl.col("operator").filter(of_needed).n_unique().over("item")
    worth = pl.when((shared == 0) | of_needed).then(1.0 / pl.col("holders") ** 2).otherwise(0.0)
    held = held.with_columns(worth=worth)
    weight, count = _weights(held, texts)
    return held.select("account", "item", "worth"), chance.fit(weight, count.astype(np.float64), exposed), exposed


def _tested(
    weight: NDArray[np.float64], count: NDArray[np.int64], exposed: NDArray[np.float64], null: Chance
) -> _Tested:
    expected = (null.rate * exposed).astype(np.float64)
    p = np.where((exposed > 0) & (weight >= FEWEST_ITEMS - 1e-9), chance.tail(weight, expected, null.dispersion), 1.0)
    return _Tested(weight, count, expected, p)


def _campaigns(
    held: pl.DataFrame, number: NDArray[np.int64], campaigns: int, exposed: NDArray[np.float64], null: Chance
) -> _Tested:
    held = held.with_columns(pl.Series("campaign", number[held["account"].to_numpy()]))
    held = held.filter(pl.col("campaign") >= 0).unique(["campaign", "item"]).sort("campaign", "item")
    of = held["campaign"].to_numpy()
    weight = np.bincount(of, held["worth"].to_numpy(), minlength=campaigns).astype(np.float64)
    inside = number >= 0
    sizes = np.bincount(number[inside], exposed[inside], minlength=campaigns).astype(np.float64)
    return _tested(weight, np.bincount(of, minlength=campaigns), sizes, null)


def _scores(found: Sequence[_Tested], units: int, tested: NDArray[np.bool_], alpha: float) -> Scores:
    if not found:
        none, ones = np.zeros(units), np.ones(units)
        return Scores(
            np.full(units, NONE, np.int64), none, none.astype(np.int64), none, ones, ones, np.zeros(units, np.bool_)
        )
    p = np.stack([one.p for one in found])
    weight = np.stack([one.weight for one in found])
    count = np.stack([one.count for one in found])
    # The strongest way is that of the least p-value; where none is tested, that of the greatest weight.
    best = np.lexsort((-weight, p), axis=0)[0]
    at = np.arange(units)
    least = np.where(tested, np.minimum(p[best, at] * len(found), 1.0), 1.0)
    q = np.ones(units)
    if tested.any():
        q[tested] = benjamini_yekutieli(least[tested])
    return Scores(
        np.where(count[best, at] > 0, best, NONE),
        weight[best, at],
        count[best, at],
        np.stack([one.expected for one in found])[best, at],
        least,
        q,
        q <= alpha,
    )


def _asked(
    met: pl.DataFrame, holdings: Holdings, operator: NDArray[np.int64], tested: NDArray[np.bool_], alpha: float
) -> NDArray[np.bool_]:
    """Whether accounts sent more of the set's prompts than chance gives, whatever was answered."""
    if not met.height:
        return np.zeros(operator.size, np.bool_)
    worth, null, exposed = _null(met, ASKED, holdings, operator, alpha)
    one = _tested(*_weights(worth, holdings.texts[ASKED]), exposed, null)
    return _scores([one], operator.size, tested, alpha).source
