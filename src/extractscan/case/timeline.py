"""Requests over time: of campaigns, accounts or models, in hours, days or weeks (UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from extractscan.case.select import account_names, model_names, selected
from extractscan.errors import UsageError
from extractscan.report.document import from_microseconds, timestamp
from extractscan.report.neutralise import json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractscan.case.read import Case
    from extractscan.case.select import Selection

SCHEMA_VERSION: Final = "1.0"
HOUR: Final = 3_600_000_000
SPANS: Final = {"hour": HOUR, "day": 24 * HOUR, "week": 7 * 24 * HOUR}
"""Microseconds of each."""
ORIGIN: Final = {"hour": 0, "day": 0, "week": -3 * 24 * HOUR}
"""Weeks begin on Mondays; 1970 began on a Thursday."""
FINEST: Final = 120
"""Buckets up to which the finer span is chosen when none is asked for."""
MOST: Final = 20_000
"""Buckets of a timeline; more are refused."""


def timeline(
    case: Case, selection: Selection, *, by: str = "campaign", every: str | None = None, top: int = 20
) -> dict[str, Any]:
    """Return the document of schema ``timeline``: a row for each campaign, account or model (``by``; or ``all``), busiest first.

    Raises ``UsageError`` for a span in hours of years.
    """
    requests = selected(case, selection)
    times = requests["time_us"].to_numpy()
    every = every or _span(times)
    size, origin = SPANS[every], ORIGIN[every]
    bucket = (times - origin) // size
    first = int(bucket.min()) if bucket.size else 0
    buckets = int(bucket.max()) - first + 1 if bucket.size else 0
    if buckets > MOST:
        raise UsageError(
            f"a timeline of {buckets:,} {every}s is too long; choose a longer --every, or --since and --until"
        )
    keyed = requests.select(_key(by).alias("key"), "account", "time_us", pl.Series("bucket", bucket - first))
    table = (
        keyed.group_by("key")
        .agg(
            pl.len().alias("requests"),
            pl.col("account").n_unique().alias("accounts"),
            pl.col("time_us").min().alias("first"),
            pl.col("time_us").max().alias("last"),
        )
        .sort(["requests", "key"], descending=[True, False], nulls_last=True)
    )
    name = _namer(case, by)
    rows = []
    for rank, row in enumerate(table.head(top).iter_rows(named=True), 1):
        mine = keyed.filter(pl.col("key").eq_missing(row["key"]))["bucket"].to_numpy()
        counts = np.bincount(mine, minlength=buckets)
        rows.append(
            {
                "rank": rank,
                "key": name(row["key"]),
                "requests": row["requests"],
                "accounts": row["accounts"],
                "first_seen": timestamp(from_microseconds(row["first"])),
                "last_seen": timestamp(from_microseconds(row["last"])),
                "peak": int(counts.max()),
                "peak_start": timestamp(from_microseconds(origin + (first + int(counts.argmax())) * size)),
                "counts": counts.tolist(),
            }
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "case": json_text(str(case.folder)),
        "selection": selection.document(),
        "by": by,
        "every": every,
        "start": timestamp(from_microseconds(origin + first * size)) if buckets else None,
        "buckets": buckets,
        "found": table.height,
        "rows": rows,
    }


def long_rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each key and bucket with a request: ``start``, ``key``, ``requests``; for tables of other programs."""
    if document["start"] is None:
        return []
    start = datetime.fromisoformat(document["start"])
    step = timedelta(microseconds=SPANS[document["every"]])
    return [
        {"start": timestamp(start + step * number), "key": row["key"], "requests": count}
        for row in document["rows"]
        for number, count in enumerate(row["counts"])
        if count
    ]


def _span(times: np.ndarray[Any, np.dtype[np.int64]]) -> str:
    reach = int(times.max() - times.min()) if times.size else 0
    return next((name for name, size in SPANS.items() if reach <= FINEST * size), "week")


def _key(by: str) -> pl.Expr:
    keys = {
        "campaign": pl.col("campaign_id"),
        "account": pl.col("account"),
        "model": pl.col("model"),
        "all": pl.lit("all"),
    }
    return keys[by]


def _namer(case: Case, by: str) -> Callable[[Any], str | None]:
    """How a key is called; None stays None: no campaign, or no model."""
    if by == "account":
        accounts = account_names(case)
        return lambda key: accounts[key]
    if by == "model":
        models = model_names(case)
        return lambda key: None if key is None else models[key]
    return lambda key: key
