"""All tables of detection in one go, as Markdown, and as JSON for later comparison.

    python benchmarks/detection/all.py [LOG LABELS ...] [--seeds 1-5] [--requests 60000] [--json detection.json] [--against EARLIER.json]

For every log: baselines and the ablation, with recall by kind of attack; then the simulated families. Without a log only these.
``--against`` adds what has moved by more than ``--moved`` since an earlier run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import families
from ablation import ablation
from baselines import comparison
from measuring import read
from printing import Table, document, markdown, options, pairs, put_out

if TYPE_CHECKING:
    from collections.abc import Sequence


def flat(run: dict[str, Any]) -> dict[tuple[str, str, str], float]:
    """Return every figure of a JSON document by table, row and column; of figures over seeds the mean."""
    out = {}
    for table in run["tables"]:
        name, *columns = table["columns"]
        for row in table["rows"]:
            for column in columns:
                value = row[column]["mean"] if isinstance(row[column], dict) else row[column]
                if isinstance(value, int | float):
                    out[table["title"], str(row[name]), column] = float(value)
    return out


def moved(before: dict[str, Any], after: dict[str, Any], least: float) -> Table:
    """Return the shares that are in both runs and differ by more than ``least``, the largest fall first."""
    old, new = flat(before), flat(after)
    changed = sorted((new[key] - old[key], key) for key in old.keys() & new.keys() if abs(new[key] - old[key]) > least)
    rows = tuple(
        {"": key[1], "table": key[0], "figure": key[2], "before": old[key], "after": new[key], "change": change}
        for change, key in changed
    )
    gone = sorted({f"{title}: {row}" for title, row, _ in old.keys() ^ new.keys()})
    note = f"In one run only: {'; '.join(gone)}." if gone else ""
    return Table("What moved", ("", "table", "figure", "before", "after", "change"), rows, note)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    families.add_options(parser)
    parser.add_argument("paths", nargs="*", metavar="LOG LABELS")
    parser.add_argument("--signals", action="store_true", help="switch off single signals too")
    parser.add_argument("--no-families", action="store_true", help="only the logs")
    parser.add_argument("--against", metavar="FILE", help="the JSON of an earlier run")
    parser.add_argument("--moved", type=float, default=0.01, help="change from which a figure has moved")
    given = parser.parse_args(arguments)
    earlier = json.loads(Path(given.against).read_text("utf-8")) if given.against else None
    tables: list[Table] = []
    for path, labels in pairs(parser, given.paths):
        log = read(path, labels)
        tables += [comparison(path, log), *ablation(path, log, signals=given.signals, archetypes=True)]
    if not given.no_families:
        tables += families.from_options(given)
    put_out(tables, given)
    if earlier is not None:
        print(markdown(moved(earlier, json.loads(json.dumps(document(tables, {}))), given.moved)))


if __name__ == "__main__":
    main()
