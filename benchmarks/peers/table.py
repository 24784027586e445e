"""What was measured, as a Markdown table: ratios to extractscan in the same setting, and what each tool found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exact import Score

OURS = "extractscan"
HEAD = (
    "tool",
    "version",
    "shingles",
    "cores",
    "wall s",
    "CPU s",
    "wall, times ours",
    "CPU, times ours",
    "peak MiB",
    "pairs found",
    "missed",
    "false",
    "repeats flagged",
    "rightly",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A tool in one setting: medians over runs of seconds of wall clock and processor, the largest peak in bytes, and its ``score``."""

    tool: str
    version: str
    shingles: str
    cores: str
    wall: float
    cpu: float
    peak: int
    score: Score


def render(rows: Sequence[Row]) -> str:
    """Return the table; ratios are to the row of extractscan with the same cores, in the order that rows came in."""
    base = {row.cores: row for row in rows if row.tool == OURS}
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in rows:
        ours = base.get(row.cores)
        score = row.score
        counts = [f"{n:,}" if n >= 0 else "no pairs" for n in (score.found, score.missed, score.false)]
        cells = [
            row.tool,
            row.version,
            row.shingles,
            row.cores,
            f"{row.wall:.2f}",
            f"{row.cpu:.2f}",
            f"{row.wall / ours.wall:.1f}" if ours else "",
            f"{row.cpu / ours.cpu:.1f}" if ours else "",
            f"{row.peak / 2**20:,.0f}",
            *counts,
            f"{score.flagged:.3f}",
            f"{score.flagged_true:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return the rows as plain objects."""
    return [asdict(row) for row in rows]
