"""The near-duplicate clusters of a case, ranked; by a pattern or by likeness to a text, if asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from extractscan.case import layout
from extractscan.case.nearness import containment, looseness, prompts_of
from extractscan.case.select import account_names, selected
from extractscan.case.text import texts
from extractscan.errors import UsageError
from extractscan.report.document import from_microseconds, timestamp
from extractscan.report.neutralise import json_text, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from extractscan.case.read import Case
    from extractscan.case.select import Selection
    from extractscan.progress import Observer

SCHEMA_VERSION: Final = "1.0"


def like(case: Case, text: str, least: float) -> pl.DataFrame:
    """Return the clusters with a prompt that holds at least so much of a text's shingles: ``cluster``, and its best ``likeness``."""
    prompts = case.table(layout.PROMPTS, ["tokens", "cluster"])
    if not prompts.height:
        return pl.DataFrame(schema={"cluster": pl.Int64, "likeness": pl.Float64})
    held = prompts.select("cluster", pl.Series("likeness", containment(text, prompts["tokens"])))
    return held.filter(pl.col("likeness") >= least).group_by("cluster").agg(pl.col("likeness").max()).sort("cluster")


def matching(case: Case, pattern: str, logs: Sequence[str], observer: Observer) -> NDArray[np.int64]:
    """Return the clusters that hold a prompt which a regular expression (of Rust's ``regex``: no backtracking) matches.

    Raises ``UsageError`` for a pattern that is none, and ``InputError`` as ``text.find_logs`` does.
    """
    try:
        pl.Series(["x"]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        raise UsageError(f"--grep: {terminal(pattern, limit=100)} is no regular expression") from None
    prompts = case.table(layout.PROMPTS, ["hash", "cluster"])
    found = [batch.filter(pl.col("text").str.contains(pattern))["hash"] for batch in texts(case, logs, observer, None)]
    hashes = np.unique(np.concatenate([f.to_numpy() for f in found])) if found else np.empty(0, np.uint64)
    hit = np.isin(prompts["hash"].to_numpy(), hashes)
    return np.unique(prompts["cluster"].to_numpy()[hit])


def clusters(
    case: Case,
    selection: Selection,
    *,
    top: int = 20,
    by: str = "requests",
    only: NDArray[np.int64] | None = None,
    likeness: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """Return the document of schema ``clusters``: those with a request in the selection, most ``by`` first.

    ``by`` is requests, accounts or prompts. ``only`` (labels) is what ``matching`` found, ``likeness`` what ``like`` found; the likest
    go first then.
    """
    requests = selected(case, selection).filter(pl.col("cluster").is_not_null())
    if only is not None:
        requests = requests.filter(pl.col("cluster").is_in(only))
    flagged = _flagged(case)
    table = requests.group_by("cluster").agg(
        pl.len().alias("requests"),
        pl.col("account").n_unique().alias("accounts"),
        pl.col("account").filter(pl.col("account").is_in(flagged)).n_unique().alias("flagged_accounts"),
        pl.col("prompt").n_unique().alias("prompts"),
        pl.col("time_us").min().alias("first"),
        pl.col("time_us").max().alias("last"),
        pl.col("campaign_id").drop_nulls().unique().sort().alias("campaigns"),
    )
    order = [by, "requests", "accounts", "cluster"]
    if likeness is None:
        table = table.with_columns(pl.lit(None, pl.Float64).alias("likeness"))
    else:
        table = table.join(likeness, on="cluster", how="inner")
        order = ["likeness", *order]
    table = table.sort(order, descending=[name != "cluster" for name in order])
    chosen = table.head(top)
    members = prompts_of(case, chosen["cluster"].to_list())
    rows = []
    for rank, row in enumerate(chosen.iter_rows(named=True), 1):
        loose = looseness(members.filter(pl.col("cluster") == row["cluster"]))
        rows.append(
            {
                "rank": rank,
                "cluster": loose["cluster"],
                "requests": row["requests"],
                "accounts": row["accounts"],
                "flagged_accounts": row["flagged_accounts"],
                "prompts": row["prompts"],
                "campaigns": row["campaigns"],
                "first_seen": timestamp(from_microseconds(row["first"])),
                "last_seen": timestamp(from_microseconds(row["last"])),
                "least_similarity": loose["least_similarity"],
                "least_similar_pair": loose["least_similar_pair"],
                "likeness": None if row["likeness"] is None else round(row["likeness"], 6),
            }
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "case": json_text(str(case.folder)),
        "selection": selection.document(),
        "by": by,
        "found": table.height,
        "clusters": rows,
    }


def _flagged(case: Case) -> list[int]:
    """Numbers of the accounts with a finding."""
    number = {name: i for i, name in enumerate(account_names(case))}
    found = case.table(layout.ACCOUNTS, ["account_id", "severity"]).filter(pl.col("severity") != "none")
    return [number[name] for name in found["account_id"].to_list()]
