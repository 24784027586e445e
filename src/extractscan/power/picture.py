"""A surface as a picture: one self-contained SVG of heat maps, a row of them a kind, a column a share of cover.

Nothing in it comes from the log but numbers; it has no script, no style sheet and no reference to anything outside.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from extractscan._version import __version__
from extractscan.power import words
from extractscan.report.document import from_microseconds

if TYPE_CHECKING:
    from extractscan.power.surface import Cell, Surface

CELL: Final = (96, 52)
"""Width and height of a place, in pixels."""
LEFT: Final = 92
"""Room for the axis of accounts."""
SCALE: Final = ((247, 251, 255), (198, 219, 239), (107, 174, 214), (33, 113, 181), (8, 48, 107))
"""Colours of recall 0, 1/4, 1/2, 3/4 and 1: lighter to darker, so that it can be read in grey and by the colour-blind."""
FONT: Final = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"
INK: Final = "#1b1f24"
MUTED: Final = "#57606a"


def colour(value: float) -> tuple[int, int, int]:
    """Colour of a recall in [0, 1], between those of ``SCALE``."""
    place = min(max(value, 0.0), 1.0) * (len(SCALE) - 1)
    low = min(int(place), len(SCALE) - 2)
    part = place - low
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(SCALE[low], SCALE[low + 1], strict=True))
    return red, green, blue


def _text(x: float, y: float, text: str, *, size: int = 13, fill: str = INK, more: str = "") -> str:
    return f"<text x='{x:g}' y='{y:g}' font-size='{size}' fill='{fill}' {more}>{escape(text)}</text>"


def _place(x: float, y: float, cell: Cell) -> list[str]:
    width, height = CELL
    frame = f"<rect x='{x:g}' y='{y:g}' width='{width - 3}' height='{height - 3}' rx='4'"
    middle = x + (width - 3) / 2
    centred = "text-anchor='middle'"
    if cell.recall is None:
        said = f"{cell.accounts} accounts, {cell.requests} requests each: not assessed"
        return [
            f"<g><title>{escape(said)}</title>{frame} fill='#f6f8fa' stroke='#d0d7de' stroke-dasharray='4 3'/>",
            _text(middle, y + height / 2 + 3, "not assessed", size=11, fill=MUTED, more=centred) + "</g>",
        ]
    red, green, blue = colour(cell.recall.value)
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
    ink = "#ffffff" if dark else INK
    said = (
        f"{cell.accounts} accounts, {cell.requests} requests each: recall {words.share(cell.recall.value)} "
        f"({words.interval(cell.recall)}), {cell.campaigns} campaigns"
    )
    return [
        f"<g><title>{escape(said)}</title>{frame} fill='rgb({red},{green},{blue})' stroke='#d0d7de'/>",
        _text(middle, y + 23, words.share(cell.recall.value), size=16, fill=ink, more=centred + " font-weight='600'"),
        _text(middle, y + 39, words.interval(cell.recall), size=10, fill=ink, more=centred) + "</g>",
    ]


def _panel(x: float, y: float, surface: Surface, kind: str, cover: float) -> list[str]:
    """One heat map with its axes; its title stands at ``y``."""
    plan = surface.plan
    width, height = CELL
    out = [_text(x + LEFT, y, words.cover_words(cover).capitalize(), size=13, fill=MUTED)]
    top = y + 12
    cells = {(c.accounts, c.requests): c for c in words.group(surface, kind, cover)}
    for i, accounts in enumerate(plan.accounts):
        row = top + i * height
        noun = "account" if accounts == 1 else "accounts"
        out.append(
            _text(x + LEFT - 10, row + height / 2 + 3, f"{accounts:,} {noun}", size=12, more="text-anchor='end'")
        )
        for j, requests in enumerate(plan.requests):
            out += _place(x + LEFT + j * width, row, cells[accounts, requests])
    below = top + len(plan.accounts) * height + 14
    for j, requests in enumerate(plan.requests):
        out.append(
            _text(x + LEFT + j * width + width / 2, below, f"{requests:,}", size=12, more="text-anchor='middle'")
        )
    out.append(_text(x + LEFT, below + 17, "requests of each account", size=11, fill=MUTED))
    return out


def _legend(x: float, y: float) -> list[str]:
    out = [_text(x, y + 11, "recall 0", size=11, fill=MUTED)]
    for step in range(21):
        red, green, blue = colour(step / 20)
        out.append(
            f"<rect x='{x + 52 + step * 8:g}' y='{y:g}' width='8' height='14' fill='rgb({red},{green},{blue})'/>"
        )
    out.append(_text(x + 52 + 21 * 8 + 8, y + 11, "1", size=11, fill=MUTED))
    return out


def to_svg(surface: Surface) -> str:
    """Draw the surface."""
    plan = surface.plan
    width, height = CELL
    panel_width = LEFT + len(plan.requests) * width + 28
    panel_height = len(plan.accounts) * height + 62
    kinds = words.kinds(surface)
    total_width = max(24 + len(plan.cover) * panel_width, 760)
    head, foot = 104, 78
    total_height = head + len(kinds) * (panel_height + 34) + foot
    first, last = from_microseconds(surface.first_us), from_microseconds(surface.last_us)
    about = "role='img' aria-labelledby='title about'"
    size = f"width='{total_width:g}' height='{total_height:g}'"
    title = f"What this log could have shown at severity {words.severity_words(plan.severity)}"
    facts = (
        f"{surface.requests:,} requests of {surface.accounts:,} accounts, {first:%Y-%m-%d} to {last:%Y-%m-%d} UTC. "
        f"{plan.repeats} injected campaigns a place; 95 % intervals."
    )
    out = [
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} viewBox='0 0 {total_width:g} {total_height:g}' {FONT} {about}>",
        f"<title id='title'>{escape(title)}</title>",
        f"<desc id='about'>{escape(' '.join(words.conclusions(surface)))}</desc>",
        f"<rect {size} fill='#ffffff'/>",
        _text(24, 36, title, size=20, more="font-weight='600'"),
        _text(24, 60, "Share of the accounts of an injected campaign that are found.", size=13, fill=MUTED),
        _text(24, 79, facts, size=13, fill=MUTED),
    ]
    y = head + 12.0
    for kind in kinds:
        out.append(_text(24, y, kind.title.capitalize(), size=15, more="font-weight='600'"))
        for number, cover in enumerate(plan.cover):
            out += _panel(24 + number * panel_width, y + 24, surface, kind.name, cover)
        y += panel_height + 34
    y = total_height - foot + 8
    out += _legend(24, y)
    covered = "Only these kinds of campaign are covered; operators who behave otherwise are not."
    out.append(_text(24, y + 36, covered, size=12, fill=MUTED))
    again = f"extractscan {__version__}, seed {plan.seed}, spread {plan.spread:g}. No error rate is claimed."
    out.append(_text(24, y + 54, again, size=12, fill=MUTED))
    return "\n".join([*out, "</svg>", ""])
