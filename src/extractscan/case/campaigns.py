"""The campaigns of a case, with what they sent in a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from extractscan.case.select import model_names, selected
from extractscan.case.settling import settled_by
from extractscan.report.atlas import atlas
from extractscan.report.neutralise import json_text

if TYPE_CHECKING:
    from extractscan.case.read import Case
    from extractscan.case.select import Selection

SCHEMA_VERSION: Final = "1.0"


def campaigns(case: Case, selection: Selection, top: int | None = None) -> dict[str, Any]:
    """Return the document of schema ``campaigns``: by rank, those that have a request in the selection.

    Each is as in schema ``report``, with its requests in the selection by model and day, and what would settle it.
    """
    requests = selected(case, selection).filter(pl.col("campaign_id").is_not_null())
    names = model_names(case)
    sent = dict(requests.group_by("campaign_id").len().iter_rows())
    by_model = _counts(requests, pl.col("model"))
    by_day = _counts(requests, pl.col("time_us") // 86_400_000_000)
    rows = []
    for campaign in case.campaigns():
        key = campaign["campaign_id"]
        if key not in sent:
            continue
        days = by_day[key]
        first, last = min(days), max(days)
        ordered = sorted(by_model[key].items(), key=lambda m: (-m[1], m[0] is None, m[0] or 0))
        rows.append(
            {
                **campaign,
                "selected_requests": sent[key],
                "models": [{"model": None if m is None else names[m], "requests": n} for m, n in ordered],
                "days": [days.get(day, 0) for day in range(first, last + 1)],
                "settled_by": settled_by(campaign["evidence"], campaign["gates"]),
                "atlas": atlas(found=campaign["severity"] != "none", campaign=True),
            }
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "case": json_text(str(case.folder)),
        "selection": selection.document(),
        "found": len(rows),
        "campaigns": rows[:top],
    }


def _counts(requests: pl.DataFrame, by: pl.Expr) -> dict[str, dict[Any, int]]:
    """Requests of each campaign by some key."""
    out: dict[str, dict[Any, int]] = {}
    counted = requests.group_by("campaign_id", by.alias("key")).len()
    for campaign, key, number in counted.iter_rows():
        out.setdefault(campaign, {})[key] = number
    return out
