"""A tracing as JSON, JSON lines and CSV for programs, and as a table for people."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from extractscan._version import __version__
from extractscan.report import phrases
from extractscan.report.neutralise import csv_cell, json_line
from extractscan.report.page import GAP, Column, Page
from extractscan.trace.findings import SCHEMA_VERSION

if TYPE_CHECKING:
    from datetime import datetime

    from extractscan.report.interface import RenderOptions
    from extractscan.trace.findings import AccountTrace, CampaignTrace, Channel, Day, Share, Tracing

LISTED: Final = 20
"""Accounts that the table lists unless told otherwise."""
TEXT_SHOWN: Final = 300
"""Cells of an item's text that the table shows, where it was asked for."""


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


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
        "campaign_id": account.campaign_id,
        "items": account.items,
        "by_prompt": account.by_prompt,
        "by_response": account.by_response,
        "answered_otherwise": account.answered_otherwise,
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
                "prompt": None if e.prompt is None else _number(e.prompt),
                "response": None if e.response is None else _number(e.response),
                "time": _time(e.time),
                "text": e.text,
            }
            for e in account.examples
        ],
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
                {"path": f.path, "format": f.format, "shape": f.shape, "sha256": f.sha256, "rows": f.rows, "bad": f.bad}
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
        "settings": {"threshold": found.threshold, "alpha": found.alpha},
        "prompts": _channel(found.prompts),
        "responses": _channel(found.responses)
        | {"items_compared": found.compared, "items_answered_alike": found.answered, "decisive": found.decisive},
        "chance": {
            "rate": _number(found.chance.rate),
            "dispersion": _number(found.chance.dispersion),
            "accounts_fitted": found.chance.innocents,
            "accounts_tested": found.tested,
        },
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
    parts = []
    for key, value in document(found, top).items():
        if isinstance(value, list):
            lines = ",\n".join(json_line(entry) for entry in value)
            parts.append(f"{json_line(key)}:[" + (f"\n{lines}" if lines else "") + "]")
        else:
            parts.append(f"{json_line(key)}:{json_line(value)}")
    return "{" + ",\n".join(parts) + "}\n"


def to_jsonl(found: Tracing, top: int | None = None) -> str:
    """Write one account a line."""
    return "".join(json_line(account_document(a)) + "\n" for a in found.accounts[:top])


FIELDS: Final = (
    "rank", "account_id", "source", "campaign_id", "items", "by_prompt", "by_response", "answered_otherwise", "only_here",
    "weight", "expected", "p_value", "q_value", "share", "share_low", "share_high", "own_share", "requests", "first_seen",
    "last_seen",
)  # fmt: skip
"""Columns of the CSV."""


def to_csv(found: Tracing, top: int | None = None) -> str:
    """Write a header and a row an account."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for account in found.accounts[:top]:
        row = account_document(account)
        share = row["share"]
        row |= {"share": share["value"], "share_low": share["low"], "share_high": share["high"]}
        writer.writerow([csv_cell(row[name]) for name in FIELDS])
    return out.getvalue()


def percent(value: float) -> str:
    """Write a share with a digit where it is small."""
    return f"{100 * value:.1f} %" if 0 < value < 0.1 else f"{100 * value:.0f} %"


def to_table(found: Tracing, options: RenderOptions) -> str:
    """Write it for a person to read, within the width, colours and characters of ``options``."""
    out = StringIO()
    page = Page(out, options)
    _head(page, found)
    _accounts(page, found, LISTED if options.top is None else options.top)
    _campaigns(page, found)
    _cover(page, found)
    _when(page, found)
    page.blank()
    label = "Caution"
    for caveat in found.caveats:
        page.paragraph(page.prose(caveat), label=label, hang=len("Caution") + GAP, label_style="bold")
        label = ""
    return out.getvalue()


def _head(page: Page, found: Tracing) -> None:
    dot = f" {page.glyphs.dot} "
    page.paragraph(
        page.prose(
            dot.join(
                [
                    f"extractscan {__version__}",
                    phrases.count(found.requests, "request"),
                    phrases.count(found.accounts_in_log, "account"),
                    phrases.count(found.campaigns_in_log, "campaign"),
                ]
            )
        )
    )
    for file in found.files[:5]:
        page.paragraph(page.log(f"{file.path}: {file.shape}, {file.format}, {file.rows:,} rows"))
    repeats = found.rows - found.items
    page.paragraph(
        page.prose(
            f"{phrases.count(found.items, 'distinct item')}"
            + (f" ({phrases.count(repeats, 'repeat')} left out)" if repeats else "")
            + f"; a match holds {percent(found.threshold)} of what is peculiar to an item."
        )
    )
    for name, channel in (("Prompts", found.prompts), ("Responses", found.responses)):
        said = (
            f"{name}: not assessed ({channel.reason})."
            if not channel.assessed
            else f"{name}: {channel.found:,} of {channel.with_text:,} items met the log."
        )
        page.paragraph(page.prose(said, "dim"))
    sources = sum(a.source for a in found.accounts)
    page.blank()
    verdict = (
        f"{phrases.count(sources, 'account')} hold{'s' if sources == 1 else ''} more than chance gives; with the members of campaigns that "
        f"do they explain {percent(found.explained.value)} of the set ({percent(found.explained.low)} at the least)."
        if found.explained_items
        else "Nobody holds more of the set than chance gives."
    )
    page.paragraph(page.prose(verdict, "bold"))


def _accounts(page: Page, found: Tracing, top: int) -> None:
    shown = found.accounts[:top]
    if not shown:
        return
    page.blank()
    page.line(page.prose("ACCOUNTS", "bold"))
    fixed = [
        Column("ITEMS", 7, "right"),
        Column("OF SET", 7, "right"),
        Column("AT LEAST", 8, "right"),
        Column("ONLY HERE", 9, "right"),
        Column("CHANCE", 7, "right"),
        Column("Q", 7, "right"),
    ]
    span = Column("TAKEN", 23)
    used = sum(c.width + GAP for c in fixed)
    room = page.width - used - 6 - GAP
    wide = room - span.width - GAP >= 20
    columns = [Column("RANK", 4, "right"), Column("ACCOUNT", max(room - (span.width + GAP if wide else 0), 10)), *fixed]
    columns += [span] if wide else []
    page.heading(columns)
    for a in shown:
        cells = [
            Text(str(a.rank)),
            page.log(a.account_id, "bold red" if a.source else ""),
            Text(f"{a.items:,}"),
            Text(percent(a.share.value)),
            Text(percent(a.share.low)),
            Text(f"{a.only_here:,}"),
            Text(f"{a.expected:.2g}"),
            Text(phrases.probability(a.q_value)),
        ]
        if wide:
            cells.append(Text(f"{phrases.day(a.first_seen)} to {phrases.day(a.last_seen)}"))
        page.row(cells, columns)
        hints = _hints(a)
        if hints:
            page.paragraph(page.prose("; ".join(hints), "dim"), indent=6)
        for e in a.examples:
            if e.text is not None:
                page.paragraph(page.log(e.text, limit=TEXT_SHOWN), label=f"row {e.row}", indent=6)
    if len(found.accounts) > len(shown):
        page.paragraph(page.prose(f"{len(found.accounts) - len(shown):,} more hold an item; --top lists them.", "dim"))


def _hints(account: AccountTrace) -> list[str]:
    out = [] if account.source else ["no more than chance gives, or too little to say"]
    if account.by_response:
        out.append(f"{account.by_response:,} by their response")
    if account.answered_otherwise:
        out.append(f"{account.answered_otherwise:,} asked and answered otherwise")
    if account.campaign_id:
        out.append(f"member of {account.campaign_id}")
    return out


def _campaigns(page: Page, found: Tracing) -> None:
    if not found.campaigns:
        return
    page.blank()
    page.line(page.prose("CAMPAIGNS", "bold"))
    columns = [
        Column("CAMPAIGN", 18),
        Column("MEMBERS", 7, "right"),
        Column("HOLDERS", 7, "right"),
        Column("ITEMS", 7, "right"),
        Column("OF SET", 7, "right"),
        Column("Q", 7, "right"),
    ]
    page.heading(columns)
    for c in found.campaigns:
        page.row(
            [
                page.log(c.campaign_id, "bold red" if c.source else ""),
                Text(f"{c.members:,}"),
                Text(f"{c.holders:,}"),
                Text(f"{c.items:,}"),
                Text(percent(c.share.value)),
                Text(phrases.probability(c.q_value)),
            ],
            columns,
        )


def _cover(page: Page, found: Tracing) -> None:
    if not found.cover:
        return
    page.blank()
    few = found.cover[:LISTED]
    page.line(page.prose("FEWEST ACCOUNTS THAT EXPLAIN IT", "bold"))
    columns = [Column("ADDS", 7, "right"), Column("SO FAR", 7, "right"), Column("ACCOUNT", max(page.width - 18, 10))]
    page.heading(columns)
    for pick in few:
        page.row([Text(f"{pick.items:,}"), Text(percent(pick.cumulative)), page.log(pick.account_id)], columns)
    if len(found.cover) > len(few):
        page.paragraph(page.prose(f"{len(found.cover) - len(few):,} more.", "dim"))


def _when(page: Page, found: Tracing) -> None:
    if not found.days:
        return
    page.blank()
    page.line(page.prose("WHEN IT WAS TAKEN", "bold"))
    most = max(d.items for d in found.days)
    for d in found.days:
        bar = page.glyphs.full * max(1, round(d.items / most * max(page.width - 24, 10)))
        page.line(Text(f"{d.day}  {d.items:>7,}  ").append(bar, style="cyan"))
