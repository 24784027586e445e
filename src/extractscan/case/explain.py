"""Why an account scores as it does: one document, all of it from the case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from extractscan.case import layout
from extractscan.case.links import MEANS, linked
from extractscan.case.nearness import looseness, prompts_of
from extractscan.case.settling import settled_by
from extractscan.case.waterfall import waterfall
from extractscan.coverage.rarefaction import rarefaction_curve
from extractscan.errors import UsageError
from extractscan.report.atlas import atlas
from extractscan.report.document import from_microseconds, number, timestamp
from extractscan.report.neutralise import json_text, terminal

if TYPE_CHECKING:
    from extractscan.case.read import Case

SCHEMA_VERSION: Final = "1.0"
CURVE_POINTS: Final = 32
LINKED: Final = 10


def find_account(case: Case, account_id: str | None, rank: int | None) -> dict[str, Any]:
    """Return the account of an id, or of a rank for ids that nobody can type. Raises ``UsageError`` if there is none."""
    if account_id is not None:
        found = case.accounts([account_id])
        if found:
            return found[0]
        ids = case.table(layout.SENDERS, ["account_id"])["account_id"]
        near = ids.filter(ids.str.contains(account_id, literal=True)).head(4).to_list()
        hint = f"; those that contain it: {', '.join(terminal(i, limit=60) for i in near[:3])}" if near else ""
        hint += " and more" if len(near) > 3 else ""
        raise UsageError(f"{case.name} has no account {terminal(account_id, limit=100)}{hint}")
    for account in case.accounts(rank=rank):
        return account
    raise UsageError(f"{case.name} has no account of rank {rank}")


def explain(case: Case, account: dict[str, Any], *, top: int = 5) -> dict[str, Any]:
    """Return the document of schema ``explain`` for an account as ``find_account`` gave it, with ``top`` clusters and no prompts.

    Raises ``InputError`` for a case that is not as it was written.
    """
    senders = case.table(layout.SENDERS)
    name = dict(zip(senders["account"].to_list(), senders["account_id"].to_list(), strict=True))
    me = int(senders.filter(pl.col("account_id") == account["account_id"])["account"][0])
    streams = case.table(layout.STREAMS)
    cluster = case.table(layout.PROMPTS, ["hash", "cluster"])
    requests = case.table(layout.REQUESTS, ["account", "time_us", "prompt", *MEANS])
    label = cluster["cluster"].to_numpy()
    prompt = requests["prompt"].to_numpy()
    requests = requests.with_columns(
        pl.Series("cluster", np.where(prompt >= 0, label[prompt], -1) if label.size else prompt).replace(-1, None)
    )
    own = requests.filter(pl.col("account") == me)
    evidence, gates = account["evidence"], account["gates"]
    campaigns = {c["campaign_id"]: c for c in case.campaigns()}
    campaign = campaigns.get(account["campaign_id"])
    return {
        "schema_version": SCHEMA_VERSION,
        "case": json_text(str(case.folder)),
        "account": account,
        "accounts": senders.height,
        "bits_percentile": _bits_percentile(case, account["bits"]),
        "waterfall": [step.document() for step in waterfall(evidence, gates)],
        "signals": _signals(case, evidence),
        "streams": _streams(case, streams, me),
        "frames": _frames(streams, me),
        "curve": _curve(own),
        "rhythm": _rhythm(own),
        "clusters": _clusters(case, requests, me, top),
        "campaign": None if campaign is None else _campaign(campaign),
        "linked": [
            {
                "account_id": name[other["account"]],
                "strength": other["strength"],
                "same_campaign": campaign is not None and name[other["account"]] in campaign["accounts"],
                "ties": other["ties"],
            }
            for other in linked(requests, streams, me, senders.height)[:LINKED]
        ],
        "innocent_explanation": account["innocent_explanation"],
        "settled_by": settled_by(evidence, gates),
        "atlas": atlas(found=account["severity"] != "none", campaign=campaign is not None),
    }


def _bits_percentile(case: Case, bits: float) -> float:
    """Share of accounts with fewer bits, in per cent."""
    every = case.table(layout.ACCOUNTS, ["bits"])["bits"]
    return round(100.0 * float((every < bits).mean() or 0.0), 3)  # type: ignore[arg-type]


def _signals(case: Case, evidence: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each signal with the share (per cent) of the population that has fewer bits of it: streams, or groups for what a group has.

    A stream or group that lacks a signal has zero bits of it; those where it could not be assessed are left out.
    """
    every = case.table(layout.EVIDENCE, ["scope", "signal", "bits", "assessed"])
    of_groups = set(every.filter(pl.col("scope") == "group")["signal"].unique().to_list())
    size = {
        "group": case.table(layout.GROUPS, ["number"]).height,
        "stream": case.table(layout.STREAMS, ["stream"]).height,
    }
    out = []
    for entry in evidence:
        scope = "group" if entry["signal"] in of_groups else "stream"
        rows = every.filter((pl.col("scope") == scope) & (pl.col("signal") == entry["signal"]))
        known = rows.filter(pl.col("assessed"))["bits"]
        compared = size[scope] - (rows.height - known.len())
        bits = (entry["bits"] or 0.0) - 1e-9
        lower = int((known < bits).sum()) + (compared - known.len() if bits > 0 else 0)
        out.append(
            {
                **entry,
                "percentile": round(100.0 * lower / compared, 3) if entry["assessed"] and compared > 0 else None,
                "compared_with": "groups" if scope == "group" else "streams",
                "compared": compared,
            }
        )
    return out


def _streams(case: Case, streams: pl.DataFrame, me: int) -> list[dict[str, Any]]:
    own = streams.filter(pl.col("account") == me).sort(["decided", "bits", "stream"], descending=[True, True, False])
    numbers = own["stream"].to_list()
    holders = _holders(streams)
    here = (pl.col("scope") == "stream") & pl.col("number").is_in(numbers)
    evidence = case.collect(case.scan(layout.EVIDENCE).filter(here))
    gates = case.collect(case.scan(layout.GATES).filter(here))
    out = []
    for row in own.iter_rows(named=True):
        mine = pl.col("number") == row["stream"]
        framed = row["family"] >= 0
        out.append(
            {
                "stream": row["stream"],
                "kind": row["kind"],
                "decided": row["decided"],
                "bits": row["bits"],
                "agreeing_families": row["agreeing"],
                "campaign_id": row["campaign_id"],
                "requests": row["requests"],
                "prompts": row["prompts"],
                "payloads": row["payloads"],
                "frame": row["family"] if framed else None,
                "frame_words": row["frame_words"] if framed else None,
                "frame_accounts": holders.get(row["family"]) if framed else None,
                "first_seen": timestamp(from_microseconds(row["first_us"])),
                "last_seen": timestamp(from_microseconds(row["last_us"])),
                "signals": [
                    {"signal": s, "bits": number(b)}
                    for s, b in evidence.filter(mine).sort(["bits", "signal"], descending=[True, False])
                    .select("signal", "bits").iter_rows() if abs(b) >= 0.05
                ],
                "gates": [{"gate": g, "factor": number(f)} for g, f in gates.filter(mine).select("gate", "factor").iter_rows()],
            }
        )  # fmt: skip
    return out


def _holders(streams: pl.DataFrame) -> dict[int, int]:
    """Accounts of each frame family."""
    framed = streams.filter(pl.col("family") >= 0).group_by("family").agg(pl.col("account").n_unique())
    return dict(framed.iter_rows())


def _frames(streams: pl.DataFrame, me: int) -> list[dict[str, Any]]:
    holders = _holders(streams)
    own = streams.filter(pl.col("account") == me)
    total = int(own["requests"].sum())
    return [
        {
            "frame": family,
            "words": words,
            "accounts": holders[family],
            "requests": sent,
            "share": round(sent / max(total, 1), 6),
        }
        for family, words, sent in own.filter(pl.col("family") >= 0)
        .sort(["requests", "family"], descending=[True, False])
        .select("family", "frame_words", "requests")
        .iter_rows()
    ]


def _curve(own: pl.DataFrame) -> list[dict[str, Any]]:
    """Expected distinct clusters among so many of the account's requests."""
    counts = own.filter(pl.col("cluster").is_not_null()).group_by("cluster").len()["len"].sort()
    total = int(counts.sum())
    if not total:
        return []
    points = np.unique(np.round(np.linspace(1, total, CURVE_POINTS)).astype(np.int64))
    expected = rarefaction_curve(counts.to_numpy().astype(np.int64), points)
    return [{"requests": m, "clusters": number(s)} for m, s in zip(points.tolist(), expected.tolist(), strict=True)]


def _rhythm(own: pl.DataFrame) -> dict[str, list[int]]:
    """Requests by hour of the day (UTC) and by day of the week (Monday first)."""
    hour = own["time_us"].to_numpy() // 3_600_000_000
    return {
        "hours": np.bincount(hour % 24, minlength=24).tolist(),
        "weekdays": np.bincount((hour // 24 + 3) % 7, minlength=7).tolist(),  # 1970 began on a Thursday
    }


def _clusters(case: Case, requests: pl.DataFrame, me: int, top: int) -> list[dict[str, Any]]:
    """The account's most used clusters, with the least similar pair that was still merged in each."""
    placed = requests.filter(pl.col("cluster").is_not_null())
    chosen = (
        placed.filter(pl.col("account") == me)
        .group_by("cluster")
        .agg(pl.len().alias("requests"), pl.col("prompt").n_unique().alias("prompts"))
        .sort(["requests", "prompts", "cluster"], descending=[True, True, False])
        .head(top)
    )
    labels = chosen["cluster"].to_list()
    whole = placed.filter(pl.col("cluster").is_in(labels)).group_by("cluster").agg(
        pl.len().alias("all"), pl.col("account").n_unique().alias("accounts")
    )  # fmt: skip
    of_all = {c: (a, n) for c, a, n in whole.iter_rows()}
    members = prompts_of(case, labels)
    out = []
    for label, sent, prompts in chosen.iter_rows():
        part = members.filter(pl.col("cluster") == label)
        loose = looseness(part)
        out.append(
            {
                "cluster": loose["cluster"],
                "requests": sent,
                "prompts": prompts,
                "all_requests": of_all[label][0],
                "all_prompts": part.height,
                "accounts": of_all[label][1],
                "least_similarity": loose["least_similarity"],
                "least_similar_pair": loose["least_similar_pair"],
            }
        )
    return out


def _campaign(campaign: dict[str, Any]) -> dict[str, Any]:
    kept = ("campaign_id", "rank", "score", "bits", "severity", "requests", "ties", "innocent_explanation")
    return {**{key: campaign[key] for key in kept}, "accounts": len(campaign["accounts"])}
