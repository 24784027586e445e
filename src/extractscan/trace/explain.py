"""From holdings to findings: whom chance does not explain, how much of the set each explains, and when it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.trace import chance
from extractscan.trace.chance import FEWEST_ITEMS, Chance
from extractscan.trace.containment import THRESHOLD
from extractscan.trace.cover import greedy_cover
from extractscan.trace.findings import (
    AccountTrace,
    CampaignTrace,
    Channel,
    Day,
    Example,
    Pick,
    Share,
    Tracing,
)
from extractscan.trace.holdings import find_holdings
from extractscan.verdict.calibrate import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.progress import Observer
    from extractscan.trace.holdings import Holdings
    from extractscan.trace.suspect import Suspect

ALPHA: Final = 0.01
"""False discovery rate at which an account counts as a source: of a hundred named, one is expected to be named wrongly."""
EXAMPLES: Final = 3
EPOCH: Final = datetime.fromtimestamp(0, UTC)
US_PER_DAY: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Scores:
    """Of each tested unit (account or campaign): weight, count, what chance gives, p and q."""

    weight: NDArray[np.float64]
    count: NDArray[np.int64]
    only: NDArray[np.int64]
    expected: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]
    source: NDArray[np.bool_]


def trace(
    prints: Fingerprints,
    suspect: Suspect,
    campaigns: Mapping[str, Sequence[int]],
    *,
    observer: Observer,
    threshold: float = THRESHOLD,
    alpha: float = ALPHA,
    jobs: int = 1,
) -> Tracing:
    """Trace a data set in a log. ``campaigns`` maps an id to the positions of its members in ``prints.accounts``.

    Deterministic: the same log, set and campaigns give the same findings on any number of threads.
    """
    observer.stage("matching the data set")
    holdings = find_holdings(prints, suspect, threshold=threshold, jobs=jobs)
    observer.stage("chance and cover")
    held = holdings.counted
    accounts = prints.accounts.len()
    account = held["account"].to_numpy()
    item = held["item"].to_numpy()
    operator = _operators(prints, campaigns)
    holders = np.bincount(_pairs(operator[account], item)[1], minlength=len(suspect))
    one = 1.0 / np.maximum(holders[item], 1)
    alone = holders[item] == 1
    weight = np.bincount(account, one, minlength=accounts).astype(np.float64)
    # One prompt that holds many items is one occasion, not many.
    weight = np.minimum(weight, holdings.texts.astype(np.float64))
    count = np.bincount(account, minlength=accounts)
    exposed = chance.exposure(holdings.near, holdings.volume)
    null = chance.fit(weight, count.astype(np.float64), exposed)
    only = np.bincount(account[alone], minlength=accounts)
    scores = _judge(weight, count, only, exposed, null, alpha)
    names = list(campaigns)
    together = _campaign_scores(campaigns, account, item, holders, exposed, null, alpha)
    found = _accounts(prints, suspect, holdings, held, scores, null, exposed, _membership(campaigns))
    traced = _campaigns(names, campaigns, held, together, scores, null, exposed, len(suspect))
    sources = np.union1d(np.flatnonzero(scores.source), _members_of_sources(campaigns, together)).astype(np.int64)
    explaining = np.isin(account, sources)
    explained = np.unique(item[explaining]).size
    beyond = null.plain_rate * float(exposed[sources].sum())
    order = sources[np.lexsort((sources, -np.round(scores.weight[sources], 9)))]
    return Tracing(
        files=suspect.files,
        rows=suspect.rows,
        items=len(suspect),
        requests=prints.requests.height,
        accounts_in_log=accounts,
        campaigns_in_log=len(campaigns),
        log_first=_moment(prints.requests["time_us"].min()),
        log_last=_moment(prints.requests["time_us"].max()),
        threshold=threshold,
        alpha=alpha,
        prompts=_channel("prompt", "prompts", prints, suspect.prompt, holdings),
        responses=_channel("response", "responses", prints, suspect.response, holdings),
        compared=holdings.compared,
        answered=holdings.answered,
        decisive=holdings.decisive,
        chance=null,
        tested=int((holdings.volume > 0).sum()),
        explained=_share(explained, beyond, null, len(suspect)),
        explained_items=explained,
        met_items=held["item"].n_unique(),
        accounts=found,
        campaigns=traced,
        cover=_cover(prints, account, item, order, len(suspect)),
        days=_days(held.filter(pl.Series(explaining))),
        caveats=_caveats(suspect, holdings, null),
    )


def _moment(microseconds: object) -> datetime | None:
    return EPOCH + timedelta(microseconds=int(microseconds)) if isinstance(microseconds, int) else None


def _pairs(left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct pairs."""
    table = pl.DataFrame({"a": left, "b": right}).unique().sort("a", "b")
    return table["a"].to_numpy(), table["b"].to_numpy()


def _operators(prints: Fingerprints, campaigns: Mapping[str, Sequence[int]]) -> NDArray[np.int64]:
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


def _membership(campaigns: Mapping[str, Sequence[int]]) -> dict[int, str]:
    return {account: name for name, members in campaigns.items() for account in members}


def _judge(
    weight: NDArray[np.float64],
    count: NDArray[np.int64],
    only: NDArray[np.int64],
    exposed: NDArray[np.float64],
    null: Chance,
    alpha: float,
) -> _Scores:
    expected = (null.rate * exposed).astype(np.float64)
    p = np.where(exposed > 0, chance.tail(weight, expected, null.dispersion), 1.0)
    q = np.ones(p.size)
    tested = exposed > 0
    if tested.any():
        q[tested] = benjamini_hochberg(p[tested])
    return _Scores(weight, count, only, expected, p, q, (q <= alpha) & (weight >= FEWEST_ITEMS - 1e-9))


def _campaign_scores(
    campaigns: Mapping[str, Sequence[int]],
    account: NDArray[np.int64],
    item: NDArray[np.int64],
    holders: NDArray[np.int64],
    exposed: NDArray[np.float64],
    null: Chance,
    alpha: float,
) -> _Scores:
    number = np.full(exposed.size, -1, np.int64)
    for i, members in enumerate(campaigns.values()):
        number[list(members)] = i
    inside = number[account] >= 0
    of, what = _pairs(number[account[inside]], item[inside])
    n = len(campaigns)
    weight = np.bincount(of, 1.0 / holders[what], minlength=n).astype(np.float64)
    sizes = np.bincount(number[number >= 0], exposed[number >= 0], minlength=n).astype(np.float64)
    only = np.bincount(of[holders[what] == 1], minlength=n)
    return _judge(weight, np.bincount(of, minlength=n), only, sizes, null, alpha)


def _members_of_sources(campaigns: Mapping[str, Sequence[int]], scores: _Scores) -> list[int]:
    return [a for i, members in enumerate(campaigns.values()) if scores.source[i] for a in members]


def _share(items: int, mean: float, null: Chance, of: int) -> Share:
    least = max(items - chance.quantile(0.975, mean, null.plain_dispersion), 0) if items else 0
    return Share(items / of, least / of, items / of)


def _days(held: pl.DataFrame) -> tuple[Day, ...]:
    """Items by the day on which any of these accounts first took them."""
    first = held.group_by("item").agg(pl.col("first_us").min())
    return tuple(Day(d.isoformat(), n) for d, n in _by_day(first).iter_rows())


def _by_day(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    day = pl.from_epoch(pl.col("first_us"), time_unit="us").dt.date()
    return rows.group_by(*by, day.alias("day")).len().sort(*by, "day")


def _days_of(held: pl.DataFrame) -> dict[int, list[Day]]:
    """The days of each account."""
    out: dict[int, list[Day]] = {}
    for account, day, items in _by_day(held, "account").iter_rows():
        out.setdefault(account, []).append(Day(day.isoformat(), items))
    return out


def _examples_of(held: pl.DataFrame, suspect: Suspect) -> dict[int, list[Example]]:
    """The items of each account that met most surely."""
    best = (
        held.with_columns(sure=pl.max_horizontal("prompt", "response"))
        .sort("account", "sure", "item", descending=[False, True, False])
        .group_by("account", maintain_order=True)
        .head(EXAMPLES)
    )
    out: dict[int, list[Example]] = {}
    for row in best.iter_rows(named=True):
        text = None if suspect.texts is None else suspect.texts[row["item"]]
        time = EPOCH + timedelta(microseconds=row["first_us"])
        example = Example(int(suspect.row[row["item"]]), row["prompt"], row["response"], time, text)
        out.setdefault(row["account"], []).append(example)
    return out


def _accounts(
    prints: Fingerprints,
    suspect: Suspect,
    holdings: Holdings,
    held: pl.DataFrame,
    scores: _Scores,
    null: Chance,
    exposed: NDArray[np.float64],
    campaign_of: Mapping[int, str],
) -> tuple[AccountTrace, ...]:
    whole = holdings.table.group_by("account").agg(
        pl.col("prompt").is_not_null().sum().alias("by_prompt"),
        pl.col("response").is_not_null().sum().alias("by_response"),
        pl.col("otherwise").sum().alias("otherwise"),
        pl.col("requests").sum(),
        pl.col("first_us").min(),
        pl.col("last_us").max(),
    )
    names = prints.accounts.to_list()
    rows = sorted(
        whole.iter_rows(named=True),
        key=lambda r: (
            not scores.source[r["account"]],
            -round(float(scores.weight[r["account"]]), 9),
            names[r["account"]],
        ),
    )
    days, examples = _days_of(held), _examples_of(held, suspect)
    out = []
    for rank, row in enumerate(rows, 1):
        a = row["account"]
        items = int(scores.count[a])
        volume = int(holdings.volume[a])
        out.append(
            AccountTrace(
                rank=rank,
                account_id=names[a],
                source=bool(scores.source[a]),
                campaign_id=campaign_of.get(a),
                items=items,
                by_prompt=row["by_prompt"],
                by_response=row["by_response"],
                answered_otherwise=row["otherwise"],
                only_here=int(scores.only[a]),
                weight=float(scores.weight[a]),
                expected=float(scores.expected[a]),
                p_value=float(scores.p[a]),
                q_value=float(scores.q[a]),
                share=_share(items, null.plain_rate * float(exposed[a]), null, len(suspect)),
                own_share=min(items / volume, 1.0) if volume else 0.0,
                requests=row["requests"],
                first_seen=EPOCH + timedelta(microseconds=row["first_us"]),
                last_seen=EPOCH + timedelta(microseconds=row["last_us"]),
                days=tuple(days.get(a, ())),
                examples=tuple(examples.get(a, ())),
            )
        )
    return tuple(out)


def _campaigns(
    names: list[str],
    campaigns: Mapping[str, Sequence[int]],
    held: pl.DataFrame,
    scores: _Scores,
    of_accounts: _Scores,
    null: Chance,
    exposed: NDArray[np.float64],
    items: int,
) -> tuple[CampaignTrace, ...]:
    order = sorted(
        (i for i in range(len(names)) if scores.count[i]),
        key=lambda i: (not scores.source[i], -round(float(scores.weight[i]), 9), names[i]),
    )
    out = []
    for rank, i in enumerate(order, 1):
        members = list(campaigns[names[i]])
        part = held.filter(pl.col("account").is_in(members))
        out.append(
            CampaignTrace(
                rank=rank,
                campaign_id=names[i],
                source=bool(scores.source[i]),
                members=len(members),
                holders=part["account"].n_unique(),
                sources=int(of_accounts.source[members].sum()),
                items=int(scores.count[i]),
                weight=float(scores.weight[i]),
                expected=float(scores.expected[i]),
                p_value=float(scores.p[i]),
                q_value=float(scores.q[i]),
                share=_share(int(scores.count[i]), null.plain_rate * float(exposed[members].sum()), null, items),
                first_seen=EPOCH + timedelta(microseconds=int(part["first_us"].min())),  # type: ignore[arg-type]
                last_seen=EPOCH + timedelta(microseconds=int(part["last_us"].max())),  # type: ignore[arg-type]
            )
        )
    return tuple(out)


def _cover(
    prints: Fingerprints, account: NDArray[np.int64], item: NDArray[np.int64], order: NDArray[np.int64], items: int
) -> tuple[Pick, ...]:
    done = 0
    picks = []
    for chosen, gain in greedy_cover(account, item, order):
        done += gain
        picks.append(Pick(prints.accounts[chosen], gain, done / items))
    return tuple(picks)


def _channel(column: str, noun: str, prints: Fingerprints, of_item: NDArray[np.int64], holdings: Holdings) -> Channel:
    with_text = int((of_item >= 0).sum())
    reason = None
    if column not in prints.present:
        reason = f"the log has no {noun}"
    elif not with_text:
        reason = f"the data set has no {noun}"
    found = holdings.table.filter(pl.col(column).is_not_null())["item"].n_unique()
    return Channel(reason is None, reason, with_text, found)


def _caveats(suspect: Suspect, holdings: Holdings, null: Chance) -> tuple[str, ...]:
    out = ["Holding an item shows that the account sent it, not that the data set was made from its requests."]
    if not holdings.responses_assessed:
        out.append(
            "Only prompts were compared: whoever sends the same public prompts holds them too. Rarity over accounts is all that "
            "tells a harvester from them."
        )
    elif not holdings.decisive and holdings.compared:
        out.append(
            "Hardly any answer of the data set is one that this log gave: its answers were written elsewhere, or reworded. Accounts are "
            "judged by their prompts."
        )
    elif holdings.decisive:
        out.append("Items that an account asked and was answered otherwise do not count as held by it.")
    if null.innocents < 30:
        out.append(f"Chance was measured on {null.innocents} accounts only; p-values are rough.")
    if len(suspect) < 100:
        out.append("The data set is small: few items can tell accounts apart.")
    return tuple(out)
