"""An account explained, for people: from what decided to what would settle it."""

from __future__ import annotations

import io
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from extractscan.report import phrases
from extractscan.report.digest import CAUTION
from extractscan.report.listing_tables import prompts
from extractscan.report.page import SEVERITY_STYLE, Column, Page
from extractscan.report.sparkline import bar, sparkline
from extractscan.verdict.assess import PRIOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.report.interface import RenderOptions

BAR: Final = 24
ID_LIMIT: Final = 60
_STATISTICS: Final = (
    ("n", "requests"),
    ("observed", "clusters seen"),
    ("chao1", "clusters estimated (Chao1)"),
    ("unseen_mass", "unseen mass"),
    ("rarefied_richness", "rarefied richness"),
    ("hill_1", "effective clusters"),
    ("heaps_exponent", "growth exponent"),
    ("log_share", "share of all clusters"),
)


def to_table(document: dict[str, Any], options: RenderOptions) -> str:
    """Return the text of a document of schema ``explain``."""
    out = io.StringIO()
    page = Page(out, options)
    _head(page, document)
    _waterfall(page, document)
    _signals(page, document)
    _streams(page, document)
    _coverage(page, document, unicode=options.unicode)
    _rhythm(page, document, unicode=options.unicode)
    _clusters(page, document)
    _linked(page, document)
    _close(page, document)
    return out.getvalue()


def _title(page: Page, text: str) -> None:
    page.blank()
    page.line(Text(text, style="bold"))


def _head(page: Page, document: dict[str, Any]) -> None:
    account = document["account"]
    line = page.log(account["account_id"], "bold", limit=200)
    line.append(f"  {account['severity'].upper()}", style=SEVERITY_STYLE[account["severity"]])
    line.append(f"  score {account['score']:.3f}, {account['bits']:.1f} bits, rank {account['rank']:,}")
    page.paragraph(line)
    facts = [
        phrases.count(account["requests"], "request"),
        f"{_when(account['first_seen'])} to {_when(account['last_seen'])} UTC",
        f"more bits than {_per_cent(document['bits_percentile'])} of {phrases.count(document['accounts'], 'account')}",
    ]
    if account["q_value"] is not None:
        facts.append(f"p {phrases.probability(account['p_value'])}, q {phrases.probability(account['q_value'])}")
    page.paragraph(page.prose(f" {page.glyphs.dot} ".join(facts)))
    if account["severity_reason"]:
        page.paragraph(page.prose(account["severity_reason"]))


def _waterfall(page: Page, document: dict[str, Any]) -> None:
    steps = document["waterfall"]
    _title(page, "From evidence to score (bits)")
    if not steps:
        page.paragraph(page.prose("No evidence was found for or against."), indent=2)
        return
    most = max([abs(s["bits"]) for s in steps] + [s["total"] for s in steps] + [1.0])
    names = [page.prose(_step_name(step)) for step in steps]
    columns = [
        Column("STEP", min(max([*(n.cell_len for n in names), 5]), 36)),
        Column("BITS", 6, "right"),
        Column("TOTAL", 6, "right"),
        Column("", BAR),
    ]
    page.heading(columns)
    for step, name in zip(steps, names, strict=True):
        length = bar(abs(step["bits"]) / most, BAR, unicode=not page.ascii)
        style = "red" if step["bits"] > 0 else "green"
        page.row([name, _bits(page, step["bits"]), Text(f"{step['total']:.1f}"), Text(length, style=style)], columns)
    account = document["account"]
    page.paragraph(
        page.prose(
            f"{account['bits']:.1f} bits against a prior of {PRIOR:g} give a score of {account['score']:.3f}. "
            "It ranks; it is no probability."
        )
    )


def _step_name(step: dict[str, Any]) -> str:
    name = phrases.words(step["name"])
    if step["kind"] == "gate":
        return f"{name} \N{MULTIPLICATION SIGN}{step['factor']:.2f}"
    capped = step["before_cap"] is not None and step["before_cap"] > step["bits"] + 0.005
    return f"{name} (capped from {step['before_cap']:.1f})" if capped else name


def _signals(page: Page, document: dict[str, Any]) -> None:
    shown = [s for s in document["signals"] if s["assessed"]]
    if shown:
        _title(page, "Signals")
        columns = [
            Column("SIGNAL", max(len(s["signal"]) for s in shown)),
            Column("BITS", 5, "right"),
            Column("MORE THAN", 24),
        ]
        columns.append(Column("WHAT WAS SEEN", max(page.width - sum(c.width + 2 for c in columns), 24)))
        page.heading(columns)
        for signal in shown:
            than = f"{_per_cent(signal['percentile'])} of {signal['compared']:,} {signal['compared_with']}"
            cells = [Text(phrases.words(signal["signal"])), _bits(page, signal["bits"]), Text(than)]
            page.row([*cells, page.prose(signal["detail"])], columns)
    for gate in document["account"]["gates"]:
        page.paragraph(
            page.prose(f"\N{MULTIPLICATION SIGN}{gate['factor']:.2f}  {gate['detail']}"),
            label=phrases.words(gate["gate"]),
            hang=20,
            label_style="green",
        )
    unknown = [phrases.words(s["signal"]) for s in document["signals"] if not s["assessed"]]
    if unknown:
        page.paragraph(page.prose(", ".join(unknown)), label="not assessed", hang=20, label_style="dim")


def _streams(page: Page, document: dict[str, Any]) -> None:
    _title(page, "Streams: the worst decides")
    columns = [
        Column("", 1),
        Column("STREAM", 24),
        Column("BITS", 5, "right"),
        Column("REQUESTS", 8, "right"),
        Column("PROMPTS", 7, "right"),
        Column("FRAME", 30),
    ]
    columns.append(Column("BECAUSE", max(page.width - sum(c.width + 2 for c in columns), 20)))
    page.heading(columns)
    for stream in document["streams"]:
        frame = ""
        if stream["frame"] is not None:
            words, holders = stream["frame_words"], stream["frame_accounts"]
            frame = f"{phrases.count(words or 0, 'word')}, {phrases.count(holders, 'account')}"
        why = [f"{phrases.words(s['signal'])} {s['bits']:+.1f}" for s in stream["signals"]]
        why += [f"{phrases.words(g['gate'])} \N{MULTIPLICATION SIGN}{g['factor']:.2f}" for g in stream["gates"]]
        page.row(
            [
                Text(("▶" if not page.ascii else ">") if stream["decided"] else ""),
                Text(stream["kind"]),
                Text(f"{stream['bits']:.1f}"),
                Text(f"{stream['requests']:,}"),
                Text(f"{stream['prompts']:,}"),
                Text(frame),
                page.prose(", ".join(why)),
            ],
            columns,
        )


def _coverage(page: Page, document: dict[str, Any], *, unicode: bool) -> None:
    coverage, curve = document["account"]["coverage"], document["curve"]
    _title(page, "Coverage")
    facts = [f"{label} {_number(coverage[name])}" for name, label in _STATISTICS if coverage.get(name) is not None]
    page.paragraph(page.prose(", ".join(facts) or "no prompts"), indent=2)
    if len(curve) > 1:
        line = sparkline([p["clusters"] for p in curve], unicode=unicode, most=curve[-1]["requests"])
        last = curve[-1]
        page.paragraph(
            Text(line, style="cyan").append(
                f"  {_number(last['clusters'])} distinct clusters in {phrases.count(last['requests'], 'request')}"
            ),
            label="rarefied",
            indent=2,
            hang=12,
        )


def _rhythm(page: Page, document: dict[str, Any], *, unicode: bool) -> None:
    rhythm = document["rhythm"]
    _title(page, "Rhythm (UTC)")
    for label, values, ends in (("hours", rhythm["hours"], "0 to 23"), ("weekdays", rhythm["weekdays"], "Mon to Sun")):
        line = Text("|").append(sparkline(values, unicode=unicode), style="cyan").append(f"|  {ends}")
        page.paragraph(line, label=label, indent=2, hang=12)


def _clusters(page: Page, document: dict[str, Any]) -> None:
    clusters = document["clusters"]
    if not clusters:
        return
    _title(page, "Top clusters of near-duplicates")
    columns = [
        Column("CLUSTER", 16),
        Column("REQUESTS", 8, "right"),
        Column("PROMPTS", 7, "right"),
        Column("ACCOUNTS", 8, "right"),
        Column("LEAST SIMILAR PAIR STILL MERGED", 48),
    ]
    page.heading(columns)
    for each in clusters:
        pair = "alone"
        if each["least_similarity"] is not None:
            pair = f"{each['least_similarity']:.2f}: {' and '.join(each['least_similar_pair'])}"
        numbers = (f"{each['requests']:,}", f"{each['prompts']:,}", f"{each['accounts']:,}")
        page.row([Text(each["cluster"]), *(Text(n) for n in numbers), Text(pair)], columns)
        prompts(page, each, indent=2)


def _linked(page: Page, document: dict[str, Any]) -> None:
    campaign = document["campaign"]
    if campaign is not None:
        _title(page, "Campaign")
        line = page.log(campaign["campaign_id"], "bold")
        line.append(
            f"  {campaign['severity']}, {campaign['bits']:.1f} bits, {phrases.count(campaign['accounts'], 'account')}"
        )
        page.paragraph(line, indent=2)
        ties = (f"{phrases.words(t['kind'])} {t['strength']:.2f}" for t in campaign["ties"])
        page.paragraph(page.prose(", ".join(ties)), label="tied by", indent=2, hang=12)
    if document["linked"]:
        _title(page, "Linked accounts: share of what this one has that the other has too, weighted by rarity")
        ids = [page.log(each["account_id"], limit=ID_LIMIT) for each in document["linked"]]
        columns = [
            Column("ACCOUNT", max(*(i.cell_len for i in ids), 7)),
            Column("STRENGTH", 8, "right"),
            Column("CAMPAIGN", 8),
        ]
        columns.append(Column("BY", max(page.width - sum(c.width + 2 for c in columns), 20)))
        page.heading(columns)
        for each, shown in zip(document["linked"], ids, strict=True):
            by = ", ".join(f"{t['kind']} {t['strength']:.2f}" for t in each["ties"])
            page.row(
                [shown, Text(f"{each['strength']:.2f}"), Text("same" if each["same_campaign"] else ""), Text(by)],
                columns,
            )


def _close(page: Page, document: dict[str, Any]) -> None:
    page.blank()

    def note(label: str, text: str) -> None:
        page.paragraph(page.prose(text), label=label, hang=12, label_style="bold")

    note("Innocent", document["innocent_explanation"])
    note("Settled by", document["settled_by"])
    atlas = document["atlas"]
    if atlas["techniques"]:
        note(
            "ATLAS", f"{_ids(atlas['techniques'])} (data {atlas['version']}); mitigations {_ids(atlas['mitigations'])}"
        )
    note("Caution", CAUTION)


def _ids(entries: Iterable[dict[str, str]]) -> str:
    return ", ".join(f"{entry['id']} {entry['name']}" for entry in entries)


def _per_cent(value: float) -> str:
    """Per cent, rounded down: who has the most has more than nearly all, and never more than all."""
    return f"{math.floor(value * 10) / 10:.1f} %"


def _bits(page: Page, bits: float) -> Text:
    return page.prose(f"{bits:+.1f}".replace("-", "\N{MINUS SIGN}"))


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" if value >= 10 else f"{value:.3f}"


def _when(text: str) -> str:
    return phrases.moment(datetime.fromisoformat(text))
