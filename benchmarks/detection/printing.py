"""Tables as Markdown for people and as JSON for later comparison; means over seeds with their interval."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from scipy.stats import t as student

from extractscan._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERVALS = (
    "In brackets: 95 % Student t interval of the mean over seeds, cut to 0 and 1. It speaks of other seeds of this simulator, not of "
    "other logs; where all seeds agree it has no width, which is no certainty."
)


@dataclass(frozen=True, slots=True)
class Over:
    """A figure over seeds: ``mean`` and its 95 % interval ``low`` to ``high`` (None for one seed), of ``seeds`` seeds that have it."""

    mean: float
    low: float | None
    high: float | None
    seeds: int


def over(values: Sequence[float | None]) -> Over | None:
    """Return mean and Student t interval (Student 1908) of shares in [0, 1]; None if no seed has the figure."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = fmean(known)
    if len(known) == 1:
        return Over(mean, None, None, 1)
    half = float(student.ppf(0.975, len(known) - 1)) * stdev(known) / sqrt(len(known))
    return Over(mean, max(0.0, mean - half), min(1.0, mean + half), len(known))


@dataclass(frozen=True, slots=True)
class Table:
    """A table of figures.

    ``rows`` map columns to a number, a text, an ``Over`` or None. The first column names the row and says the same on every run;
    what may differ is a ``remark``.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    note: str = ""


def cell(value: Any) -> str:
    """Return a value for a Markdown table."""
    if value is None:
        return "-"
    if isinstance(value, Over):
        return f"{value.mean:.3f}" + ("" if value.low is None else f" ({value.low:.2f}-{value.high:.2f})")
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def markdown(table: Table) -> str:
    """Return the table as Markdown, with its title and note."""
    lines = [f"### {table.title}", "", "| " + " | ".join(table.columns) + " |", "|---" * len(table.columns) + "|"]
    lines += [
        "| " + " | ".join(cell(row.get(column, "" if column == "remark" else None)) for column in table.columns) + " |"
        for row in table.rows
    ]
    return "\n".join([*lines, "", *([table.note, ""] if table.note else [])])


def document(tables: Sequence[Table], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return tables as JSON values; means over seeds become objects."""

    def plain(value: Any) -> Any:
        return {name: getattr(value, name) for name in Over.__slots__} if isinstance(value, Over) else value

    return {
        "version": __version__,
        "arguments": arguments,
        "tables": [
            {
                "title": table.title,
                "columns": list(table.columns),
                "rows": [{column: plain(row.get(column)) for column in table.columns} for row in table.rows],
                "note": table.note,
            }
            for table in tables
        ],
    }


def options(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with what all commands share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the tables as JSON too")
    return parser


def pairs(parser: argparse.ArgumentParser, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Return logs with their labels."""
    if len(paths) % 2:
        parser.error("every LOG needs its LABELS")
    return list(zip(paths[::2], paths[1::2], strict=True))


def put_out(tables: Sequence[Table], arguments: argparse.Namespace) -> None:
    """Print tables, and write them where ``--json`` says."""
    for table in tables:
        print(markdown(table))
    if arguments.json:
        text = json.dumps(document(tables, vars(arguments)), indent=1, ensure_ascii=False, allow_nan=False)
        Path(arguments.json).write_text(text + "\n", "utf-8")
