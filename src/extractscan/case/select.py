"""Which requests of a case are asked for: by account, model, campaign and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from extractscan.case import layout
from extractscan.errors import UsageError
from extractscan.report.document import timestamp
from extractscan.report.neutralise import json_text, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from extractscan.case.read import Case

NAMED: Final = 8
"""Names that an error message lists."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to keep: accounts and models by name (any where empty), one campaign, and ``since <= time < until`` (UTC)."""

    accounts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    campaign: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return it as the documents of the listings have it."""
        return {
            "accounts": [json_text(a) for a in self.accounts],
            "models": [json_text(m) for m in self.models],
            "campaign": None if self.campaign is None else json_text(self.campaign),
            "since": None if self.since is None else timestamp(self.since),
            "until": None if self.until is None else timestamp(self.until),
        }


def selected(case: Case, selection: Selection) -> pl.DataFrame:
    """Return the requests: ``account``, ``time_us``, ``prompt``, ``cluster``, ``model`` (code) and ``campaign_id``.

    ``cluster`` is null for a request without a prompt, ``campaign_id`` for one of no campaign's streams. In the order of time.
    Raises ``UsageError`` for a name that the case does not have.
    """
    frame = case.scan(layout.REQUESTS).select("account", "time_us", "prompt", "stream", "model")
    if selection.accounts:
        frame = frame.filter(pl.col("account").is_in(_accounts(case, selection.accounts)))
    if selection.models:
        frame = frame.filter(pl.col("model").is_in(_models(case, selection.models)))
    if selection.since is not None:
        frame = frame.filter(pl.col("time_us") >= _microseconds(selection.since))
    if selection.until is not None:
        frame = frame.filter(pl.col("time_us") < _microseconds(selection.until))
    clusters = case.scan(layout.PROMPTS).select(pl.int_range(pl.len()).alias("prompt"), "cluster")
    members = case.scan(layout.STREAMS).select("stream", "campaign_id")
    frame = frame.join(clusters, on="prompt", how="left", maintain_order="left")
    frame = frame.join(members, on="stream", how="left", maintain_order="left").drop("stream")
    if selection.campaign is not None:
        known = [c["campaign_id"] for c in case.campaigns()]
        if selection.campaign not in known:
            raise UsageError(f"{case.name} has no campaign {terminal(selection.campaign, limit=60)}{_some(known)}")
        frame = frame.filter(pl.col("campaign_id") == selection.campaign)
    return case.collect(frame)


def model_names(case: Case) -> dict[int, str]:
    """Return the names of models by code."""
    names = case.table(layout.NAMES).filter(pl.col("column") == "model")
    return dict(names.select("code", "value").iter_rows())


def account_names(case: Case) -> list[str]:
    """Return the ids of accounts by number."""
    ids: list[str] = case.table(layout.SENDERS, ["account_id"])["account_id"].to_list()
    return ids


def _accounts(case: Case, ids: Sequence[str]) -> list[int]:
    number = {name: i for i, name in enumerate(account_names(case))}
    for each in ids:
        if each not in number:
            raise UsageError(f"{case.name} has no account {terminal(each, limit=100)}")
    return [number[each] for each in ids]


def _models(case: Case, models: Sequence[str]) -> list[int]:
    code = {name: i for i, name in model_names(case).items()}
    for each in models:
        if each not in code:
            raise UsageError(f"{case.name} has no model {terminal(each, limit=60)}{_some(sorted(code))}")
    return [code[each] for each in models]


def _some(names: Sequence[str]) -> str:
    if not names:
        return "; it has none"
    shown = ", ".join(terminal(name, limit=60) for name in names[:NAMED])
    return f"; it has {shown}" + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
