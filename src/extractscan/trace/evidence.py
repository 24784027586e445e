"""Whether chance explains what an account, or a campaign, holds.

An item that ``h`` operators hold counts ``1 / h**2``: each of them is one of ``h`` that it may have been taken from, and the more hold it,
the likelier it is that it is public and was taken from none of them. Accounts of one campaign, or else of one organisation, are one
operator. What everybody sends therefore weighs next to nothing.

The ways to hold an item differ in how often chance gives them, so each is tested by itself against its own null hypothesis (see
``chance``). The least of the p-values, times the ways that were tested (Bonferroni), is the account's; over accounts the false
discovery rate is controlled (Benjamini-Yekutieli, since accounts that hold the same items are not independent).
"""

from __future__ import annotations

from dataclasses import dataclass
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
    sent more of the set's prompts than chance gives all the same.
    """

    ways: tuple[str, ...]
    nulls: tuple[Chance, ...]
    exposed: tuple[NDArray[np.float64], ...]
    accounts: Scores
    campaigns: Scores
    only: NDArray[np.int64]
    asked: NDArray[np.bool_]

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
        null, exposed = _null(by, of, holdings, operator)
        one = _tested(*_weights(rows, by, holdings.texts[way], operator), exposed, null)
        ways.append(way)
        nulls.append(null)
        exposures.append(exposed)
        found.append(one)
        together.append(_campaigns(rows, by, operator, number, len(campaigns), exposed, null))
    asked = _asked(met, holdings, operator, tested, alpha)
    scores = _scores(found, operator.size, tested, alpha)
    held = _holders(holdings.held, holdings.held, operator)
    return Evidence(
        tuple(ways),
        tuple(nulls),
        tuple(exposures),
        scores,
        _scores(together, len(campaigns), np.ones(len(campaigns), np.bool_), alpha),
        np.bincount(held.filter(pl.col("holders") == 1)["account"].to_numpy(), minlength=operator.size),
        asked & ~scores.source,
    )


@dataclass(frozen=True, slots=True)
class _Tested:
    """One way: weight, count, expectation and p-value of each unit."""

    weight: NDArray[np.float64]
    count: NDArray[np.int64]
    expected: NDArray[np.float64]
    p: NDArray[np.float64]


def _holders(rows: pl.DataFrame, by: pl.DataFrame, operator: NDArray[np.int64]) -> pl.DataFrame:
    """Add ``holders``: how many operators have the item in ``by``, which has all of ``rows``."""
    counts = (
        by.select("item", pl.Series("operator", operator[by["account"].to_numpy()]))
        .group_by("item")
        .agg(pl.col("operator").n_unique().cast(pl.Int64).alias("holders"))
    )
    return rows.join(counts, on="item", maintain_order="left")


def _weights(
    rows: pl.DataFrame, by: pl.DataFrame, texts: NDArray[np.int64], operator: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weight and number of the items of each account. One text that holds many items is one occasion, not many."""
    held = _holders(rows, by, operator)
    account = held["account"].to_numpy()
    weight = np.bincount(account, 1.0 / held["holders"].to_numpy() ** 2, minlength=operator.size).astype(np.float64)
    return np.minimum(weight, texts.astype(np.float64)), np.bincount(account, minlength=operator.size)


def _null(
    rows: pl.DataFrame, way: str, holdings: Holdings, operator: NDArray[np.int64]
) -> tuple[Chance, NDArray[np.float64]]:
    """Fit what chance gives of ``rows``; returns the exposure of each account, too."""
    weight, count = _weights(rows, rows, holdings.texts[way], operator)
    exposed = chance.exposure(holdings.near[way], holdings.volume)
    return chance.fit(weight, count.astype(np.float64), exposed), exposed


def _tested(
    weight: NDArray[np.float64], count: NDArray[np.int64], exposed: NDArray[np.float64], null: Chance
) -> _Tested:
    expected = (null.rate * exposed).astype(np.float64)
    p = np.where((exposed > 0) & (weight >= FEWEST_ITEMS - 1e-9), chance.tail(weight, expected, null.dispersion), 1.0)
    return _Tested(weight, count, expected, p)


def _campaigns(
    rows: pl.DataFrame,
    by: pl.DataFrame,
    operator: NDArray[np.int64],
    number: NDArray[np.int64],
    campaigns: int,
    exposed: NDArray[np.float64],
    null: Chance,
) -> _Tested:
    held = _holders(rows, by, operator).with_columns(pl.Series("campaign", number[rows["account"].to_numpy()]))
    held = held.filter(pl.col("campaign") >= 0).unique(["campaign", "item"]).sort("campaign", "item")
    of = held["campaign"].to_numpy()
    weight = np.bincount(of, 1.0 / held["holders"].to_numpy() ** 2, minlength=campaigns).astype(np.float64)
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
    null, exposed = _null(met, ASKED, holdings, operator)
    one = _tested(*_weights(met, met, holdings.texts[ASKED], operator), exposed, null)
    return _scores([one], operator.size, tested, alpha).source
