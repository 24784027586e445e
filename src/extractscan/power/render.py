"""A surface as JSON for programs and as tables for people."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from extractscan._version import __version__
from extractscan.power import words
from extractscan.report import phrases
from extractscan.report.document import from_microseconds, timestamp
from extractscan.report.page import GAP, Column, Page

if TYPE_CHECKING:
    from extractscan.power.surface import Cell, Interval, Surface
    from extractscan.report.interface import RenderOptions

SCHEMA_VERSION: Final = "1.0"
BLOCKS: Final = 5
"""Marks of a full bar."""
SMALLEST: Final = 18
"""Cells that a column needs for a bar, a share and its interval below it."""


def document(surface: Surface) -> dict[str, Any]:
    """Return the surface as a JSON document; every key is always there, null where nothing was measured."""
    plan = surface.plan
    return {
        "schema_version": SCHEMA_VERSION,
        "version": __version__,
        "log": {
            "requests": surface.requests,
            "accounts": surface.accounts,
            "first_seen": timestamp(from_microseconds(surface.first_us)),
            "last_seen": timestamp(from_microseconds(surface.last_us)),
            "payloads_to_lend": surface.lent,
            "senders_that_lend": surface.sources,
        },
        "settings": {
            "severity": plan.severity,
            "accounts": list(plan.accounts),
            "requests": list(plan.requests),
            "cover": list(plan.cover),
            "repeats": plan.repeats,
            "seed": plan.seed,
            "spread": plan.spread,
        },
        "kinds": [
            {
                "kind": k.name,
                "title": k.title,
                "what": k.what,
                "assessed": any(c.recall is not None for c in surface.cells if c.kind == k.name),
            }
            for k in words.kinds(surface)
        ],
        "cells": [_cell(c) for c in surface.cells],
        "conclusions": words.conclusions(surface),
        "caveats": list(words.CAVEATS),
        "scorings": surface.scorings,
        "injected_again": surface.apart,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "kind": cell.kind,
        "cover": cell.cover,
        "accounts": cell.accounts,
        "requests": cell.requests,
        "assessed": cell.recall is not None,
        "reason": cell.reason,
        "campaigns": cell.campaigns,
        "campaigns_half_found": cell.found,
        "recall": _interval(cell.recall),
        "pairs_in_one_campaign": None if cell.pairs is None else round(cell.pairs, 6),
    }


def _interval(share: Interval | None) -> dict[str, float] | None:
    if share is None:
        return None
    return {"value": round(share.value, 6), "low": round(share.low, 6), "high": round(share.high, 6)}


def to_json(surface: Surface) -> str:
    """Write the surface as one JSON object."""
    return json.dumps(document(surface), indent=2, allow_nan=False) + "\n"


def to_table(surface: Surface, options: RenderOptions) -> str:
    """Write the surface for a person to read, within the width, colours and characters of ``options``."""
    out = StringIO()
    page = Page(out, options)
    _head(page, surface)
    for kind in words.kinds(surface):
        page.blank()
        page.line(page.prose(kind.title.upper(), "bold"))
        page.paragraph(page.prose(kind.what.capitalize() + ".", "dim"))
        for cover in surface.plan.cover:
            _panel(page, surface, kind.name, cover)
    _tail(page, surface)
    return out.getvalue()


def _head(page: Page, surface: Surface) -> None:
    plan = surface.plan
    first, last = from_microseconds(surface.first_us), from_microseconds(surface.last_us)
    parts = [
        f"extractscan {__version__}",
        phrases.count(surface.requests, "request"),
        phrases.count(surface.accounts, "account"),
        f"{phrases.moment(first)} to {phrases.moment(last)} UTC, {phrases.length(first, last)}",
    ]
    page.paragraph(page.prose(f" {page.glyphs.dot} ".join(parts)))
    page.paragraph(
        page.prose(f"What this log could have shown at severity {words.severity_words(plan.severity)}.", "bold")
    )
    page.paragraph(
        page.prose(
            "Share of the accounts of an injected campaign that are found, with its 95 % interval, over "
            f"{phrases.count(plan.repeats or 0, 'campaign')} a place. Requests are an account's own, cover apart; loads "
            f"spread by {plan.spread:g} in their logarithm.",
            "dim",
        )
    )


def _panel(page: Page, surface: Surface, kind: str, cover: float) -> None:
    cells = words.group(surface, kind, cover)
    page.blank()
    if all(c.recall is None for c in cells):
        reason = cells[0].reason if cells else None
        line = f"{words.cover_words(cover).capitalize()}: not assessed" + (f" ({reason})" if reason else "")
        page.paragraph(page.prose(line + "."))
        return
    page.line(page.prose(words.cover_words(cover).capitalize()))
    label = max(len("ACCOUNTS"), *(len(f"{a:,}") for a in surface.plan.accounts))
    room = (page.width - label) // max(len(surface.plan.requests), 1) - GAP
    width = max(min(room, 26), SMALLEST)
    beside = max(1, (page.width - label) // (width + GAP))
    for start in range(0, len(surface.plan.requests), beside):
        _rows(page, cells, surface.plan.requests[start : start + beside], label, width)
    for line in words.not_assessed(cells):
        page.paragraph(page.prose(f"Not assessed: {line}.", "dim"))


def _rows(page: Page, cells: list[Cell], requests: tuple[int, ...], label: int, width: int) -> None:
    columns = [Column("ACCOUNTS", label, "right")]
    columns += [Column(f"{r:,} REQUEST{'S' if r != 1 else ''} EACH", width) for r in requests]
    page.heading(columns)
    by_place = {(c.accounts, c.requests): c for c in cells}
    for accounts in dict.fromkeys(c.accounts for c in cells):
        row = [by_place[accounts, r] for r in requests]
        page.row([Text(f"{accounts:,}"), *(_share(page, c, width) for c in row)], columns)


def _share(page: Page, cell: Cell, width: int) -> Text:
    """A bar, the share, and its interval beside it where there is room or below."""
    if cell.recall is None:
        return page.prose("not assessed", "dim")
    value = cell.recall.value
    style = "green" if value >= words.SURE else "yellow" if value >= 0.5 else "red"
    full = round(value * BLOCKS)
    bar = page.glyphs.full * full + page.glyphs.empty * (BLOCKS - full)
    text = Text(bar, style=style).append(" ").append(words.share(value), style="bold")
    short = f"{words.share(cell.recall.low)}-{words.share(cell.recall.high)}"
    gap = "  " if width >= BLOCKS + 1 + 4 + 2 + len(short) else "\n"
    return text.append(gap).append(short, style="dim")


def _tail(page: Page, surface: Surface) -> None:
    page.blank()
    page.line(page.prose("What may be written", "bold"))
    for sentence in words.conclusions(surface):
        page.paragraph(page.prose(sentence), label=page.glyphs.dot, indent=0)
    page.blank()
    label = "Caution"
    for caveat in words.CAVEATS:
        page.paragraph(page.prose(caveat), label=label, hang=len("Caution") + GAP, label_style="bold")
        label = ""
