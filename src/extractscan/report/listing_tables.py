"""Campaigns, clusters and timelines of a case, for people."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from extractscan.report import phrases
from extractscan.report.page import GAP, SEVERITY_STYLE, Column, Page
from extractscan.report.sparkline import sparkline, thinned

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions

ID_LIMIT: Final = 60
TEXT_LIMIT: Final = 400
MEMBERS_SHOWN: Final = 6
NARROWEST_LINE: Final = 12


def campaigns_table(document: dict[str, Any], options: RenderOptions) -> str:
    """Return the text of a document of schema ``campaigns``."""
    out = io.StringIO()
    page = Page(out, options)
    rows = document["campaigns"]
    if not rows:
        page.paragraph(page.prose(_nothing(document, "campaign"), "bold"))
    for each in rows:
        line = Text(f"{each['rank']}  ").append_text(page.log(each["campaign_id"], "bold", limit=ID_LIMIT))
        line.append(f"  {each['severity'].upper()}", style=SEVERITY_STYLE[each["severity"]])
        line.append(f"  {each['bits']:.1f} bits, score {each['score']:.3f}")
        page.paragraph(line)
        facts = [
            phrases.count(len(each["accounts"]), "account"),
            phrases.count(each["requests"], "request")
            + ("" if each["selected_requests"] == each["requests"] else f" ({each['selected_requests']:,} selected)"),
            _span(each),
        ]
        _detail(page, "what", page.prose(", ".join(facts)))
        _detail(page, "members", page.names(each["accounts"], most=MEMBERS_SHOWN, limit=ID_LIMIT))
        _detail(
            page,
            "tied by",
            page.prose(", ".join(f"{phrases.words(t['kind'])} {t['strength']:.2f}" for t in each["ties"])),
        )
        label = "because"
        for entry in each["evidence"]:
            if abs(entry["bits"]) >= 0.05:
                _detail(
                    page, label, page.prose(f"{entry['bits']:+.1f} {phrases.words(entry['signal'])}: {entry['detail']}")
                )
                label = ""
        for gate in each["gates"]:
            text = f"{phrases.words(gate['gate'])} \N{MULTIPLICATION SIGN}{gate['factor']:.2f}: {gate['detail']}"
            _detail(page, "despite", page.prose(text))
        if any(m["model"] is not None for m in each["models"]):
            names = Text()
            for position, m in enumerate(each["models"][:MEMBERS_SHOWN]):
                names.append(", " if position else "").append_text(page.log(m["model"] or "unknown", limit=ID_LIMIT))
                names.append(f" {m['requests']:,}")
            _detail(page, "models", names)
        days = sparkline(thinned(each["days"], page.width - 16), unicode=options.unicode)
        _detail(page, "by day", Text("|").append(days, style="cyan").append("|"))
        _detail(page, "innocent", page.prose(each["innocent_explanation"]))
        _detail(page, "settled", page.prose(each["settled_by"]))
        page.blank()
    _more(page, document, len(rows), "campaign")
    return out.getvalue()


def clusters_table(document: dict[str, Any], options: RenderOptions) -> str:
    """Return the text of a document of schema ``clusters``."""
    out = io.StringIO()
    page = Page(out, options)
    rows = document["clusters"]
    if not rows:
        page.paragraph(page.prose(_nothing(document, "cluster"), "bold"))
        return out.getvalue()
    liked = rows[0]["likeness"] is not None
    columns = [
        Column("#", 3, "right"),
        Column("CLUSTER", 16),
        *([Column("LIKE", 4, "right")] if liked else []),
        Column("REQUESTS", 8, "right"),
        Column("PROMPTS", 7, "right"),
        Column("ACCOUNTS", 8, "right"),
        Column("FLAGGED", 7, "right"),
        Column("LEAST", 5, "right"),
        Column("ACTIVE (UTC)", 36),
    ]
    page.heading(columns)
    for each in rows:
        least = each["least_similarity"]
        cells = [str(each["rank"]), each["cluster"]]
        cells += [f"{each['likeness']:.2f}"] if liked else []
        cells += [f"{each[k]:,}" for k in ("requests", "prompts", "accounts", "flagged_accounts")]
        page.row([*(Text(c) for c in cells), Text("" if least is None else f"{least:.2f}"), Text(_span(each))], columns)
        prompts(page, each, indent=5)
    page.paragraph(page.prose("LEAST is the similarity of the least similar pair that was still merged.", "dim"))
    _more(page, document, len(rows), "cluster")
    return out.getvalue()


def prompts(page: Page, cluster: dict[str, Any], *, indent: int) -> None:
    """Write the prompts of a cluster, where they were asked for."""
    for text in cluster.get("texts", ()):
        shown = page.prose("not in the logs", "dim") if text is None else page.log(text, limit=TEXT_LIMIT)
        page.paragraph(shown, indent=indent)


def timeline_table(document: dict[str, Any], options: RenderOptions) -> str:
    """Return the text of a document of schema ``timeline``."""
    out = io.StringIO()
    page = Page(out, options)
    rows = document["rows"]
    if not rows:
        page.paragraph(page.prose(_nothing(document, "request"), "bold"))
        return out.getvalue()
    none = {"campaign": "no campaign", "model": "unknown"}.get(document["by"], "")
    keys = [page.prose(none, "dim") if r["key"] is None else page.log(r["key"], limit=ID_LIMIT) for r in rows]
    columns = [
        Column(document["by"].upper(), min(max(*(k.cell_len for k in keys), 8), 40)),
        Column("REQUESTS", 8, "right"),
        Column("ACCOUNTS", 8, "right"),
        Column("PEAK", 6, "right"),
    ]
    room = max(page.width - sum(c.width + GAP for c in columns) - 2, NARROWEST_LINE)
    step = -(-document["buckets"] // room)
    unit = document["every"] if step == 1 else f"{step} {document['every']}s"
    columns.append(Column(f"FROM {document['start'][:16].replace('T', ' ')} UTC, A MARK FOR {unit.upper()}", room + 2))
    page.heading(columns)
    for each, key in zip(rows, keys, strict=True):
        line = (
            Text("|")
            .append(sparkline(thinned(each["counts"], room), unicode=options.unicode), style="cyan")
            .append("|")
        )
        numbers = (f"{each['requests']:,}", f"{each['accounts']:,}", f"{each['peak']:,}")
        page.row([key, *(Text(n) for n in numbers), line], columns)
    _more(page, document, len(rows), document["by"])
    return out.getvalue()


def _detail(page: Page, label: str, text: Text) -> None:
    if text.plain:
        page.paragraph(text, label=label, indent=3, hang=13, label_style="dim")


def _span(entry: dict[str, Any]) -> str:
    first, last = datetime.fromisoformat(entry["first_seen"]), datetime.fromisoformat(entry["last_seen"])
    return f"{phrases.moment(first)} to {phrases.moment(last)}"


def _nothing(document: dict[str, Any], noun: str) -> str:
    return f"No {noun} of the selection." if any(document["selection"].values()) else f"No {noun} is as asked for."


def _more(page: Page, document: dict[str, Any], shown: int, noun: str) -> None:
    if document["found"] > shown:
        page.paragraph(
            page.prose(
                f"{phrases.count(document['found'] - shown, f'more {noun}')}; --top {document['found']} shows all.",
                "dim",
            )
        )
