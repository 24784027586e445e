"""Documents of the commands that open a case, as JSON, JSON lines and CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from extractscan.report.neutralise import csv_cell, json_line

if TYPE_CHECKING:
    from collections.abc import Sequence


def to_json(document: dict[str, Any]) -> str:
    """One document: a key a line at the top, and an entry a line in its lists, so that ``diff`` is of use."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            entries = ",\n".join(json_line(entry) for entry in value)
            parts.append(f"{json_line(key)}:[\n{entries}]")
        else:
            parts.append(f"{json_line(key)}:{json_line(value)}")
    return "{" + ",\n".join(parts) + "}\n"


def to_json_lines(rows: Sequence[dict[str, Any]]) -> str:
    """A row a line."""
    return "".join(json_line(row) + "\n" for row in rows)


def listing(document: dict[str, Any], form: str, rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> str:
    """One of the forms: the whole document as ``json``, its rows as ``jsonl``, some of their fields as ``csv``."""
    if form == "json":
        return to_json(document)
    return to_json_lines(rows) if form == "jsonl" else to_csv(rows, fields)


def to_csv(rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> str:
    """A header and a row each; a list becomes one cell of JSON, null an empty one."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_cell(name) for name in fields])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in fields])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return csv_cell(json_line(value))
    return csv_cell(value)
