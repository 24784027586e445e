"""What poorer logs cost: the same log without some of its fields, with its prompts cut, or half as long.

    python benchmarks/detection/poorer.py LOG LABELS [LOG LABELS ...] [--json FILE]

Who logs less finds less, but must not be told more that is wrong: precision of high is the figure to watch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from measuring import figures, measured, prepare
from printing import Table, options, pairs, put_out

from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.tables import read_labels
from extractscan.fingerprint.requests import fingerprint
from extractscan.logs.read import read_logs
from extractscan.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = (
    "average precision",
    "recall at FPR 0.1 %",
    "recall at FPR 1 %",
    "precision of high",
    "recall of high",
    "pair recall",
    "pair precision",
)
CUT = 200
"""Characters to which some gateways cut prompts."""
TALK = ("conversation_id", "turn")
OUTPUT = ("output_tokens",)
BARE = ("request_id", "timestamp", "account_id", "prompt")


def poorer(name: str, batches: Sequence[pl.DataFrame], labels: pl.DataFrame) -> Table:
    """Return the table of one log, of which ``batches`` are canonical requests."""
    every = batches[0].columns
    begin = min(batch["timestamp"].min() for batch in batches)  # type: ignore[type-var]
    end = max(batch["timestamp"].max() for batch in batches)  # type: ignore[type-var]
    middle = begin + (end - begin) / 2  # type: ignore[operator]

    def without(fields: Sequence[str]) -> list[pl.Expr]:
        return [pl.lit(None, batches[0].schema[field]).alias(field) for field in fields]

    ways: dict[str, list[pl.Expr]] = {
        "everything": [],
        "without conversations": without(TALK),
        "without output tokens": without(OUTPUT),
        f"prompts cut to {CUT} characters": [pl.col("prompt").str.slice(0, CUT)],
        "the first half of the days": [],
        "time, account and prompt alone": without([field for field in every if field not in BARE]),
    }
    rows = []
    for title, change in ways.items():
        half = title == "the first half of the days"
        kept = [batch.filter(pl.col("timestamp") < middle) if half else batch.with_columns(change) for batch in batches]
        log = prepare((fingerprint(batch) for batch in kept if batch.height), labels)
        rows.append({"": title, **figures(evaluate(measured(log)))})
    return Table(f"Poorer logs, {name}", ("", *COLUMNS), tuple(rows))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("paths", nargs="+", metavar="LOG LABELS")
    given = parser.parse_args(arguments)
    tables = []
    for log, labels in pairs(parser, given.paths):
        batches = [batch.frame for batch in read_logs([log], observer=Silent()).batches()]
        tables.append(poorer(log, batches, read_labels(labels)))
    put_out(tables, given)


if __name__ == "__main__":
    main()
