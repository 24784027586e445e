"""From holdings to findings: whom chance does not explain, how much of the set each explains, and when it was taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.report.document import from_microseconds
from extractscan.trace import reasons
from extractscan.trace.containment import THRESHOLD
from extractscan.trace.cover import greedy_cover
from extractscan.trace.evidence import NONE, operators, weigh
from extractscan.trace.findings import (
    AccountTrace,
    CampaignTrace,
    Channel,
    Day,
    Example,
    Met,
    Null,
    Pick,
    Share,
    Tracing,
)
from extractscan.trace.holdings import HELD, WAYS, find_holdings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.progress import Observer
    from extractscan.trace.evidence import Evidence
    from extractscan.trace.holdings import Holdings
    from extractscan.trace.suspect import Suspect

ALPHA: Final = 0.01
"""False discovery rate at which an account counts as a source: of a hundred named, one is expected to be named wrongly."""
EXAMPLES: Final = 3


def trace(
    prints: Fingerprints,
    suspect: Suspect,
    campaigns: Mapping[str, Sequence[int]],
    *,
    observer: Observer,
    compare: str = "both",
    threshold: float = THRESHOLD,
    alpha: float = ALPHA,
    jobs: int = 1,
) -> Tracing:
    """Trace a data set in a log. ``campaigns`` maps an id to the positions of its members in ``prints.accounts``.

    ``compare`` is ``both``, ``prompts`` or ``responses``. Deterministic: the same log, set and campaigns give the same findings on any
    number of threads.
    """
    observer.stage("matching the data set")
    holdings = find_holdings(
        prints,
        suspect,
        prompts=compare != "responses",
        responses=compare != "prompts",
        threshold=threshold,
        jobs=jobs,
    )
    observer.stage("chance and cover")
    evidence = weigh(holdings, operators(prints, campaigns), campaigns, alpha)
    held = holdings.held
    sources = _sources(campaigns, evidence)
    explaining = held.filter(pl.col("account").is_in(sources))
    explained = explaining["item"].n_unique()
    order = sources[np.lexsort((sources, -np.round(evidence.accounts.weight[sources], 9)))]
    asked = int(evidence.asked.sum())
    fitted = min((null.innocents for null in evidence.nulls), default=int((holdings.volume > 0).sum()))
    return Tracing(
        files=suspect.files,
        rows=suspect.rows,
        items=len(suspect),
        requests=prints.requests.height,
        accounts_in_log=prints.accounts.len(),
        campaigns_in_log=len(campaigns),
        log_first=_moment(prints.requests["time_us"].min()),
        log_last=_moment(prints.requests["time_us"].max()),
        compare=compare,
        threshold=threshold,
        alpha=alpha,
        prompts=_channel("prompt", compare, prints, suspect.prompt, holdings),
        responses=_channel("response", compare, prints, suspect.response, holdings),
        compared=holdings.compared,
        answered=holdings.answered,
        nulls=tuple(
            Null(way, n.rate, n.dispersion, n.innocents) for way, n in zip(evidence.ways, evidence.nulls, strict=True)
        ),
        tested=int((holdings.volume > 0).sum()),
        explained=_share(holdings.table, sources, evidence, len(suspect)),
        explained_items=explained,
        met_items=holdings.table["item"].n_unique(),
        accounts=_accounts(prints, suspect, holdings, evidence, campaigns),
        campaigns=_campaigns(campaigns, holdings, evidence, len(suspect)),
        cover=_cover(prints, held, order, len(suspect)),
        days=_days(explaining),
        caveats=reasons.caveats(len(suspect), holdings, fitted, asked),
    )


def _moment(microseconds: object) -> datetime | None:
    return from_microseconds(microseconds) if isinstance(microseconds, int) else None


def _sources(campaigns: Mapping[str, Sequence[int]], evidence: Evidence) -> NDArray[np.int64]:
    """Accounts that are sources, and the members of campaigns that are."""
    members = [a for i, each in enumerate(campaigns.values()) if evidence.campaigns.source[i] for a in each]
    return np.union1d(np.flatnonzero(evidence.accounts.source), members).astype(np.int64)


def _share(table: pl.DataFrame, members: Sequence[int] | NDArray[np.int64], evidence: Evidence, of: int) -> Share:
    """Share of the data set that these accounts hold together; ``table`` is that of ``Holdings``."""
    own = table.filter(pl.col("account").is_in(list(members)))
    best = own.group_by("item").agg(pl.col("way").min())
    counts = dict(best.group_by("way").len().iter_rows())
    held = sum(counts.get(way, 0) for way in HELD)
    return Share(held / of, evidence.least(counts, members) / of, (held + counts.get("unclear", 0)) / of)


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
        .sort("account", "way", "sure", "item", descending=[False, False, True, False])
        .group_by("account", maintain_order=True)
        .head(EXAMPLES)
    )
    out: dict[int, list[Example]] = {}
    for row in best.iter_rows(named=True):
        text = None if suspect.texts is None else suspect.texts[row["item"]]
        time = from_microseconds(row["first_us"])
        example = Example(int(suspect.row[row["item"]]), row["way"], row["prompt"], row["response"], time, text)
        out.setdefault(row["account"], []).append(example)
    return out


def _accounts(
    prints: Fingerprints,
    suspect: Suspect,
    holdings: Holdings,
    evidence: Evidence,
    campaigns: Mapping[str, Sequence[int]],
) -> tuple[AccountTrace, ...]:
    whole = holdings.table.group_by("account").agg(
        *((pl.col("way") == way).sum().alias(way) for way in WAYS),
        pl.col("requests").sum(),
        pl.col("first_us").min(),
        pl.col("last_us").max(),
    )
    names = prints.accounts.to_list()
    campaign_of = {account: name for name, members in campaigns.items() for account in members}
    scores, asked = evidence.accounts, evidence.asked
    rows = sorted(
        whole.iter_rows(named=True),
        key=lambda r: (
            not scores.source[r["account"]],
            not asked[r["account"]],
            -round(float(scores.weight[r["account"]]), 9),
            names[r["account"]],
        ),
    )
    held = holdings.held
    days, examples = _days_of(held), _examples_of(held, suspect)
    out = []
    for rank, row in enumerate(rows, 1):
        a = row["account"]
        counts = {way: row[way] for way in WAYS}
        met = Met(**counts)
        items = met.pair + met.response + met.prompt
        volume = int(holdings.volume[a])
        found = AccountTrace(
            rank=rank,
            account_id=names[a],
            source=bool(scores.source[a]),
            asked=bool(asked[a]),
            campaign_id=campaign_of.get(a),
            way=None if scores.way[a] == NONE else evidence.ways[scores.way[a]],
            items=items,
            met=met,
            only_here=int(evidence.only[a]),
            weight=float(scores.weight[a]),
            expected=float(scores.expected[a]),
            p_value=float(scores.p[a]),
            q_value=float(scores.q[a]),
            share=Share(
                items / len(suspect), evidence.least(counts, [a]) / len(suspect), (items + met.unclear) / len(suspect)
            ),
            own_share=min(items / volume, 1.0) if volume else 0.0,
            requests=row["requests"],
            first_seen=from_microseconds(row["first_us"]),
            last_seen=from_microseconds(row["last_us"]),
            days=tuple(days.get(a, ())),
            examples=tuple(examples.get(a, ())),
        )
        out.append(replace(found, observed=reasons.observed(found), inferred=reasons.inferred(found)))
    return tuple(out)


def _campaigns(
    campaigns: Mapping[str, Sequence[int]], holdings: Holdings, evidence: Evidence, items: int
) -> tuple[CampaignTrace, ...]:
    names, scores, held = list(campaigns), evidence.campaigns, holdings.held
    parts = [held.filter(pl.col("account").is_in(list(members))) for members in campaigns.values()]
    order = sorted(
        (i for i, part in enumerate(parts) if part.height),
        key=lambda i: (not scores.source[i], -round(float(scores.weight[i]), 9), names[i]),
    )
    out = []
    for rank, i in enumerate(order, 1):
        members, part = list(campaigns[names[i]]), parts[i]
        together = part["item"].n_unique()
        out.append(
            CampaignTrace(
                rank=rank,
                campaign_id=names[i],
                source=bool(scores.source[i]),
                members=len(members),
                holders=part["account"].n_unique(),
                sources=int(evidence.accounts.source[members].sum()),
                items=together,
                weight=float(scores.weight[i]),
                expected=float(scores.expected[i]),
                p_value=float(scores.p[i]),
                q_value=float(scores.q[i]),
                share=_share(holdings.table, members, evidence, items),
                first_seen=from_microseconds(int(part["first_us"].min())),  # type: ignore[arg-type]
                last_seen=from_microseconds(int(part["last_us"].max())),  # type: ignore[arg-type]
            )
        )
    return tuple(out)


def _cover(prints: Fingerprints, held: pl.DataFrame, order: NDArray[np.int64], items: int) -> tuple[Pick, ...]:
    done = 0
    picks = []
    for chosen, gain in greedy_cover(held["account"].to_numpy(), held["item"].to_numpy(), order):
        done += gain
        picks.append(Pick(prints.accounts[chosen], gain, done / items))
    return tuple(picks)


def _channel(
    column: str, compare: str, prints: Fingerprints, of_item: NDArray[np.int64], holdings: Holdings
) -> Channel:
    noun = f"{column}s"
    with_text = int((of_item >= 0).sum())
    reason = None
    if compare not in ("both", noun):
        reason = "left out by --compare"
    elif column not in prints.present:
        reason = f"the log has no {noun}"
    elif not with_text:
        reason = f"the data set has no {noun}"
    found = holdings.table.filter(pl.col(column).is_not_null())["item"].n_unique()
    return Channel(reason is None, reason, with_text, found)
