"""A tracing as JSON, JSON lines and CSV, for programs."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from extractscan._version import __version__
from extractscan.case.redact import redact
from extractscan.report import case_text
from extractscan.report.document import timestamp
from extractscan.trace.findings import SCHEMA_VERSION

if TYPE_CHECKING:
    from datetime import datetime

    from extractscan.trace.findings import AccountTrace, CampaignTrace, Channel, Day, Example, Share, Tracing


def redacted(found: Tracing) -> Tracing:
    """Take e-mail addresses, keys and card numbers out of the texts that are shown."""

    def clean(example: Example) -> Example:
        return example if example.text is None else replace(example, text=redact(example.text))

    accounts = tuple(replace(a, examples=tuple(clean(e) for e in a.examples)) for a in found.accounts)
    return replace(found, accounts=accounts)


def _time(time: datetime | None) -> str | None:
    return None if time is None else timestamp(time)


def _number(value: float) -> float:
    """Nine significant digits: no output hangs on the last bits of a sum."""
    return float(f"{value:.9g}")


def _share(share: Share) -> dict[str, float]:
    return {"value": _number(share.value), "low": _number(share.low), "high": _number(share.high)}


def _days(days: tuple[Day, ...]) -> list[dict[str, Any]]:
    return [{"day": d.day, "items": d.items} for d in days]


def account_document(account: AccountTrace) -> dict[str, Any]:
    """Return one account as a document of schema ``traced``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "rank": account.rank,
        "account_id": account.account_id,
        "source": account.source,
        "asked": account.asked,
        "campaign_id": account.campaign_id,
        "way": account.way,
        "items": account.items,
        "met": asdict(account.met),
        "only_here": account.only_here,
        "weight": _number(account.weight),
        "expected": _number(account.expected),
        "p_value": _number(account.p_value),
        "q_value": _number(account.q_value),
        "share": _share(account.share),
        "own_share": _number(account.own_share),
        "requests": account.requests,
        "first_seen": _time(account.first_seen),
        "last_seen": _time(account.last_seen),
        "days": _days(account.days),
        "examples": [
            {
                "row": e.row,
                "way": e.way,
                "prompt": None if e.prompt is None else _number(e.prompt),
                "response": None if e.response is None else _number(e.response),
                "time": _time(e.time),
                "text": e.text,
            }
            for e in account.examples
        ],
        "observed": list(account.observed),
        "inferred": list(account.inferred),
    }


def _campaign(campaign: CampaignTrace) -> dict[str, Any]:
    return {
        "rank": campaign.rank,
        "campaign_id": campaign.campaign_id,
        "source": campaign.source,
        "members": campaign.members,
        "holders": campaign.holders,
        "sources": campaign.sources,
        "items": campaign.items,
        "weight": _number(campaign.weight),
        "expected": _number(campaign.expected),
        "p_value": _number(campaign.p_value),
        "q_value": _number(campaign.q_value),
        "share": _share(campaign.share),
        "first_seen": _time(campaign.first_seen),
        "last_seen": _time(campaign.last_seen),
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "assessed": channel.assessed,
        "reason": channel.reason,
        "items_with_text": channel.with_text,
        "items_found": channel.found,
    }


def document(found: Tracing, top: int | None = None) -> dict[str, Any]:
    """Return the document of schema ``trace``; every key is always there. ``top`` limits the accounts."""
    return {
        "schema_version": SCHEMA_VERSION,
        "version": __version__,
        "data_set": {
            "files": [
                {
                    "path": f.path,
                    "format": f.format,
                    "shape": f.shape,
                    "sha256": f.sha256,
                    "rows": f.rows,
                    "bad": f.bad,
                    "problem": f.problem,
                }
                for f in found.files
            ],
            "rows": found.rows,
            "items": found.items,
        },
        "log": {
            "requests": found.requests,
            "accounts": found.accounts_in_log,
            "campaigns": found.campaigns_in_log,
            "first_seen": _time(found.log_first),
            "last_seen": _time(found.log_last),
        },
        "settings": {"compare": found.compare, "threshold": found.threshold, "alpha": found.alpha},
        "prompts": _channel(found.prompts),
        "responses": _channel(found.responses)
        | {"items_compared": found.compared, "items_answered_alike": found.answered},
        "chance": [
            {"way": n.way, "rate": _number(n.rate), "dispersion": _number(n.dispersion), "accounts_fitted": n.fitted}
            for n in found.nulls
        ],
        "accounts_tested": found.tested,
        "explained": {"items": found.explained_items, "share": _share(found.explained), "items_met": found.met_items},
        "days": _days(found.days),
        "accounts": [account_document(a) for a in found.accounts[:top]],
        "campaigns": [_campaign(c) for c in found.campaigns],
        "cover": [
            {"account_id": p.account_id, "items": p.items, "cumulative_share": _number(p.cumulative)}
            for p in found.cover
        ],
        "caveats": list(found.caveats),
    }


def to_json(found: Tracing, top: int | None = None) -> str:
    """Write one JSON object, an account, a campaign and a pick a line."""
    return case_text.to_json(document(found, top))


def to_jsonl(found: Tracing, top: int | None = None) -> str:
    """Write one account a line."""
    return case_text.to_json_lines([account_document(a) for a in found.accounts[:top]])


FIELDS: Final = (
    "rank", "account_id", "source", "asked", "campaign_id", "way", "items", "pair", "response", "prompt", "unclear",
    "otherwise", "elsewhere", "only_here", "weight", "expected", "p_value", "q_value", "share", "share_low", "share_high",
    "own_share", "requests", "first_seen", "last_seen",
)  # fmt: skip
"""Columns of the CSV."""


def to_csv(found: Tracing, top: int | None = None) -> str:
    """Write a header and a row an account."""
    return case_text.to_csv([_flat(account_document(a)) for a in found.accounts[:top]], FIELDS)


def _flat(account: dict[str, Any]) -> dict[str, Any]:
    """An account's document with the counts of ``met`` and the bounds of its share as fields of their own."""
    share = account["share"]
    return {
        **account,
        **account["met"],
        "share": share["value"],
        "share_low": share["low"],
        "share_high": share["high"],
    }
