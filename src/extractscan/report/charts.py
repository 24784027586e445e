"""The few pictures of the HTML report, as SVG with classes and no styles.

They are drawn here and not with a plotting library: those write ``style`` attributes, which the page's policy forbids,
fix the colours, which leaves no dark mode, and are long to import. Each picture has its numbers beside it in
text, so it is hidden from screen readers, save the graph, which has a label.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from extractscan.report.markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from extractscan.verdict.findings import Severity

WIDE: Final = 1000
"""Units across a strip; it is stretched to the cell that it stands in."""

NARROWEST: Final = 6
"""Units that the shortest strip takes, so that it can be seen."""

GRAPH_MOST: Final = 150
"""Members that are drawn; more would touch."""

_RADIUS: Final = 120.0
_DOT: Final = (3.0, 9.0)


def _flat(*content: Markup, height: int, label: str) -> Markup:
    """A picture that takes the width of its cell, and is explained by what stands beside it."""
    return element(
        "svg",
        *content,
        _class=label,
        viewBox=f"0 0 {WIDE} {height}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def bar(start: float, end: float, low: float, high: float, kind: str) -> Markup:
    """Return one step of a waterfall: from ``start`` to ``end`` on an axis from ``low`` to ``high``, and where 0 is."""
    span = high - low or 1.0

    def place(value: float) -> float:
        return round((value - low) / span * WIDE, 2)

    left, right = sorted((place(start), place(end)))
    zero = place(0.0)
    return _flat(
        element("line", x1=zero, x2=zero, y1=0, y2=10, _class="axis"),
        element("rect", x=left, y=1, width=max(round(right - left, 2), 2), height=8, _class=f"step-{kind}"),
        height=10,
        label="bar",
    )


def strip(first: datetime, last: datetime, begin: datetime, end: datetime, severity: Severity) -> Markup:
    """Return when something was active, from the first to the last request of the log."""
    whole = (end - begin).total_seconds() or 1.0
    left = min(max((first - begin).total_seconds() / whole, 0.0), 1.0) * (WIDE - NARROWEST)
    right = min(max((last - begin).total_seconds() / whole, 0.0), 1.0) * (WIDE - NARROWEST)
    return _flat(
        element("rect", x=0, y=4, width=WIDE, height=2, _class="ground"),
        element(
            "rect", x=round(left, 1), y=0, width=round(right - left, 1) + NARROWEST, height=10, _class=f"s-{severity}"
        ),
        height=10,
        label="strip",
    )


def graph(members: Sequence[tuple[str, Severity, int]], label: str) -> Markup:
    """Return a campaign's members around its centre: name, severity, requests; the area of a dot grows with requests.

    At most ``GRAPH_MOST`` are drawn, in the order given. Where a member stands means nothing.
    """
    drawn = members[:GRAPH_MOST]
    most = max((requests for _, _, requests in drawn), default=1) or 1
    crowd = min(1.0, 40.0 / max(len(drawn), 1))
    lines, dots = [], []
    for number, (name, severity, requests) in enumerate(drawn):
        angle = 2 * math.pi * number / len(drawn) - math.pi / 2
        radius = _RADIUS * (1.0 if number % 2 == 0 or crowd == 1.0 else 0.8)
        x, y = round(150 + radius * math.cos(angle), 1) + 0.0, round(150 + radius * math.sin(angle), 1) + 0.0
        size = _DOT[0] + (_DOT[1] - _DOT[0]) * math.sqrt(requests / most) * math.sqrt(crowd)
        lines.append(element("line", x1=150, y1=150, x2=x, y2=y, _class="tie"))
        title = element("title", f"{name}: {severity}, {requests:,} requests")
        dots.append(element("circle", title, cx=x, cy=y, r=round(size, 1), _class=f"s-{severity}"))
    return element(
        "svg",
        join(*lines, *dots, element("circle", cx=150, cy=150, r=7, _class="hub")),
        _class="graph",
        viewBox="0 0 300 300",
        role="img",
        aria_label=label,
    )
