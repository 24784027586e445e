"""A tracing as a table for people."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Final

from rich.text import Text

from extractscan._version import __version__
from extractscan.report import phrases
from extractscan.report.page import GAP, Column, Page
from extractscan.trace.reasons import unassessed

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions
    from extractscan.trace.findings import AccountTrace, Tracing

LISTED: Final = 20
"""Accounts that the table lists unless told otherwise."""
TEXT_SHOWN: Final = 300
"""Cells of an item's text that the table shows, where it was asked for."""


def percent(value: float) -> str:
    """Write a share with a digit where it is small."""
    return f"{100 * value:.1f} %" if 0 < value < 0.1 else f"{100 * value:.0f} %"


def to_table(found: Tracing, options: RenderOptions, top: int | None = None) -> str:
    """Write it for a person to read, within the width, colours and characters of ``options``.

    Unless ``top`` asks for more, accounts that chance explains are counted and not listed.
    """
    out = StringIO()
    page = Page(out, options)
    _head(page, found)
    _accounts(page, found, top)
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
        if file.bad:
            said = f"{phrases.count(file.bad, 'row')} of it cannot be used, the first: {file.problem}"
            page.paragraph(page.log(said, "dim"), indent=2)
    repeats = found.rows - found.items
    page.paragraph(
        page.prose(
            f"{phrases.count(found.items, 'distinct item')}"
            + (f" ({phrases.count(repeats, 'repeat')} left out)" if repeats else "")
            + f"; a prompt matches if {percent(found.threshold)} of its words, by weight, were sent."
        )
    )
    for name, channel in (("Prompts", found.prompts), ("Responses", found.responses)):
        said = (
            unassessed(name, channel)
            if not channel.assessed
            else f"{name}: {channel.found:,} of {channel.with_text:,} items met the log."
        )
        page.paragraph(page.prose(said, "dim"))
    page.blank()
    page.paragraph(page.prose(_verdict(found), "bold"))


def _verdict(found: Tracing) -> str:
    if not found.explained_items:
        return "Nobody holds more of the set than chance gives."
    sources = sum(a.source for a in found.accounts)
    share = found.explained
    said = (
        f"{phrases.count(sources, 'account')} hold{'s' if sources == 1 else ''} more than chance gives; with the members of campaigns that "
        f"do they explain {percent(share.value)} of the set ({percent(share.low)} at the least"
    )
    return said + (
        f", {percent(share.high)} with answers that are alike in part)." if share.high > share.value else ")."
    )


def _accounts(page: Page, found: Tracing, top: int | None) -> None:
    telling = [a for a in found.accounts if a.source or a.asked]
    shown = telling[:LISTED] if top is None else list(found.accounts[:top])
    more = len(found.accounts) - len(shown)
    left = f"{more:,} more met an item" + ("" if len(telling) > len(shown) else ", no more than chance gives")
    if not shown:
        if more:
            page.paragraph(page.prose(f"{left}; --top lists them.", "dim"))
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
    span = Column("TAKEN", 24)
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
    if more:
        page.paragraph(page.prose(f"{left}; --top lists them.", "dim"))


def _hints(account: AccountTrace) -> list[str]:
    met = account.met
    held = ((met.pair, "prompt and response"), (met.response, "response alone"), (met.prompt, "prompt alone"))
    asked = (
        (met.unclear, "answered alike in part"),
        (met.otherwise, "answered otherwise"),
        (met.elsewhere, "answered to others"),
    )
    out = []
    for label, counts in (("held by ", held), ("asked and ", asked)):
        if parts := [f"{how} {count:,}" for count, how in counts if count]:
            out.append(label + ", ".join(parts))
    if account.asked:
        out.append("more prompts than chance gives, but not these answers")
    elif not account.source:
        out.append("no more than chance gives, or too little to say")
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
