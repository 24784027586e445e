"""Two cases held against each other, for people."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from extractscan.report import phrases
from extractscan.report.page import Column, Page

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions

ID_LIMIT: Final = 60
MEMBERS_SHOWN: Final = 5
_STYLE: Final = {"new": "bold red", "risen": "red", "fallen": "green", "gone": "dim"}


def to_table(document: dict[str, Any], options: RenderOptions, top: int) -> str:
    """Return the text of a document of schema ``diff``, with the first ``top`` accounts."""
    out = io.StringIO()
    page = Page(out, options)
    campaigns, accounts = document["campaigns"], document["accounts"]
    if not campaigns and not accounts:
        page.paragraph(page.prose("No finding has changed.", "bold"))
    else:
        page.paragraph(page.prose(f"Campaigns: {_counts(campaigns)}. Accounts: {_counts(accounts)}.", "bold"))
    if document["unchanged_accounts"]:
        page.paragraph(
            page.prose(f"{phrases.count(document['unchanged_accounts'], 'account')} with a finding as before.")
        )
    if campaigns:
        ids = [page.log(each["new_id"] or each["old_id"], limit=ID_LIMIT) for each in campaigns]
        _list(page, campaigns, ids, "CAMPAIGN")
        for each in campaigns:
            _members(page, each)
    if accounts:
        shown = accounts[:top]
        _list(page, shown, [page.log(each["account_id"], limit=ID_LIMIT) for each in shown], "ACCOUNT")
        if len(shown) < len(accounts):
            page.paragraph(
                page.prose(f"{phrases.count(len(accounts) - len(shown), 'more account')}; --top shows them.")
            )
    for remark in document["remarks"]:
        page.paragraph(page.prose(remark), label="Note", hang=6, label_style="bold")
    return out.getvalue()


def _counts(entries: list[dict[str, Any]]) -> str:
    numbers = {change: sum(e["change"] == change for e in entries) for change in _STYLE}
    return ", ".join(f"{number:,} {change}" for change, number in numbers.items() if number) or "no change"


def _list(page: Page, entries: list[dict[str, Any]], ids: list[Text], title: str) -> None:
    columns = [
        Column("", 6),
        Column(title, max(*(i.cell_len for i in ids), len(title))),
        Column("SEVERITY", 16),
        Column("BITS", 12),
        Column("REQUESTS", 18),
    ]
    page.blank()
    page.heading(columns)
    for each, shown in zip(entries, ids, strict=True):
        page.row(
            [
                Text(each["change"], style=_STYLE[each["change"]]),
                shown,
                page.prose(_step(each["old_severity"], each["severity"])),
                page.prose(_step(_bits(each["old_bits"]), _bits(each["bits"]))),
                page.prose(_step(_count(each["old_requests"]), _count(each["requests"]))),
            ],
            columns,
        )


def _members(page: Page, campaign: dict[str, Any]) -> None:
    for label in ("joined", "left"):
        names = campaign[label]
        if names:
            line = page.log(campaign["new_id"] or campaign["old_id"], limit=ID_LIMIT).append(": ")
            line.append_text(page.names(names, most=MEMBERS_SHOWN, limit=ID_LIMIT))
            page.paragraph(line, label=label, indent=2, hang=10)


def _step(old: str | None, new: str | None) -> str:
    if old is None or new is None or old == new:
        return new or old or ""
    return f"{old} → {new}"


def _bits(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


def _count(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"
