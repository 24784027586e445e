"""What a surface means, in sentences for the analyst."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from extractscan.power.kinds import KINDS

if TYPE_CHECKING:
    from extractscan.power.kinds import Kind
    from extractscan.power.surface import Cell, Interval, Surface

SURE: Final = 0.9
"""Recall from which a campaign is said to be seen."""

TITLES: Final = {k.name: k.title for k in KINDS}

CAVEATS: Final = (
    (
        "These figures cover only the kinds of campaign named here, made of this log's own traffic; operators who behave otherwise are "
        "not covered, and a campaign that nobody thought of may go unseen at any size."
    ),
    (
        "Injected accounts share no organisation, payment, address or response, and have the settings, output lengths and hours of the "
        "log's automated traffic: nothing counts but their prompts and how these are shared out."
    ),
    "Accounts of one campaign are found together or not at all, so intervals (Wilson, 95 %) count campaigns, not accounts.",
    "Recall says what would have been missed, not how many findings are false: no error rate is claimed.",
)


def cover_words(cover: float) -> str:
    """A share of cover traffic in words."""
    return "no cover traffic" if cover == 0.0 else f"{cover:.0%} cover traffic"


def severity_words(severity: str) -> str:
    """A least severity in words."""
    return severity if severity == "high" else f"{severity} or worse"


def share(value: float) -> str:
    """A share with two decimals, but never 1.00 or 0.00 for less than all or more than none."""
    if 0.995 <= value < 1.0:
        return "0.99"
    return "0.01" if 0.0 < value < 0.005 else f"{value:.2f}"


def interval(recall: Interval) -> str:
    """A 95 % interval."""
    return f"{share(recall.low)} to {share(recall.high)}"


def group(surface: Surface, kind: str, cover: float) -> list[Cell]:
    """Cells of one kind and cover, in the order of accounts and requests."""
    return [c for c in surface.cells if c.kind == kind and c.cover == cover]


def kinds(surface: Surface) -> list[Kind]:
    """Return the kinds that were tried, in the order in which they are reported."""
    return [kind for kind in KINDS if kind.name in surface.plan.kinds]


def not_assessed(cells: list[Cell]) -> list[str]:
    """Why cells were not assessed, each reason once, with how many cells it holds for and the numbers of the least of them."""
    held: dict[str, list[str]] = {}
    for cell in cells:
        if cell.reason is not None:
            held.setdefault(re.sub(r"[\d,]+", "#", cell.reason), []).append(cell.reason)
    out = []
    for reasons in held.values():
        least = min(reasons, key=_first_number)
        more = "; others need more" if len(set(reasons)) > 1 else ""
        out.append(f"{len(reasons)} of {len(cells)} places: {least}{more}")
    return out


def _first_number(text: str) -> int:
    found = re.search(r"\d[\d,]*", text)
    return int(found.group().replace(",", "")) if found else 0


def conclusions(surface: Surface) -> list[str]:
    """Return a sentence for each kind and share of cover."""
    return [conclusion(surface, kind.name, cover) for kind in kinds(surface) for cover in surface.plan.cover]


def conclusion(surface: Surface, kind: str, cover: float) -> str:
    """One sentence that an analyst can quote: the smallest campaign that is seen, or that none is."""
    cells = [c for c in group(surface, kind, cover) if c.recall is not None]
    behind = f"{TITLES[kind].capitalize()}, {cover_words(cover)}"
    if not cells:
        return f"{behind}: not assessed; this log cannot say."
    seen = [c for c in cells if c.recall is not None and c.recall.value >= SURE]
    if seen:
        best = min(seen, key=lambda c: (c.accounts * c.requests, c.accounts))
        return f"{behind}: {_quote(best)} would have been seen with probability {_probability(best)}."
    best = max(cells, key=lambda c: (c.recall.value if c.recall else 0.0, -c.accounts * c.requests))
    return (
        f"{behind}: no campaign that was tried would have been seen with probability {SURE:g}; "
        f"the likeliest is {_quote(best)}, {_probability(best)}."
    )


def _quote(cell: Cell) -> str:
    accounts = "one account" if cell.accounts == 1 else f"{cell.accounts:,} accounts"
    requests = "1 request" if cell.requests == 1 else f"{cell.requests:,} requests"
    return f"a campaign of {accounts} with {requests}{' each' if cell.accounts > 1 else ''}"


def _probability(cell: Cell) -> str:
    if cell.recall is None:
        return "unknown"
    return f"{share(cell.recall.value)} ({interval(cell.recall)}; {cell.campaigns} campaigns)"
