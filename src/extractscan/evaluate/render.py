"""An evaluation as JSON for programs and as a table for people."""

from __future__ import annotations

import json
from dataclasses import asdict
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from extractscan.evaluate.evaluation import SCHEMA_VERSION
from extractscan.report.neutralise import rich_text

if TYPE_CHECKING:
    from rich.text import Text

    from extractscan.evaluate.evaluation import Archetype, Evaluation
    from extractscan.evaluate.metrics import Proportion
    from extractscan.report.interface import RenderOptions

_NAME_CELLS = 40
_UNDEFINED = "-"


def to_json(evaluation: Evaluation) -> str:
    """Write the evaluation as one JSON object: the fields of ``Evaluation`` after ``schema_version``.

    Every key is always there, null where a measure is undefined. ASCII only, so that no name acts on a terminal.
    """
    document: dict[str, Any] = {"schema_version": SCHEMA_VERSION, **asdict(evaluation)}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def to_table(evaluation: Evaluation, options: RenderOptions) -> str:
    """Write the evaluation for a person to read, within the width, colours and characters of ``options``."""
    out = StringIO()
    console = Console(
        file=out,
        width=options.width,
        color_system="standard" if options.colour else None,
        force_terminal=options.colour,
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(_summary(evaluation))
    for title, kinds in (
        ("Recall by attack archetype", evaluation.attack_archetypes),
        ("False positives by benign archetype", evaluation.benign_archetypes),
    ):
        if kinds:
            console.print()
            console.print(_archetypes(f"{title}, at FPR {evaluation.archetype_fpr:g}", kinds, options))
    worst = evaluation.worst_benign_archetype
    if worst is not None and worst.above_threshold is not None:
        share = worst.above_threshold
        line = rich_text("Worst benign archetype: ")
        console.print(line.append(_name(worst, options)).append(f" ({share.hits:,} of {share.total:,} accounts)"))
    elif evaluation.benign_archetypes and evaluation.accounts.benign:
        console.print("Worst benign archetype: none is above the threshold")
    return "".join(line.rstrip(" ") + "\n" for line in out.getvalue().splitlines())


def _table(title: str, first: str, *others: str) -> Table:
    # Cells are folded, not cut: the ellipsis that marks a cut is not in every encoding.
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(first, overflow="fold")
    for other in others:
        table.add_column(other, overflow="fold", justify="right")
    return table


def _summary(evaluation: Evaluation) -> Table:
    accounts = evaluation.accounts
    table = _table("Ranking against labels", "measure", "value", "95 % interval", "of")
    table.add_row("accounts", f"{accounts.labelled:,}", "", f"{accounts.attackers:,} attackers")
    table.add_row("average precision", _number(evaluation.average_precision), "", "")
    table.add_row("ROC AUC", _number(evaluation.roc_auc), "", "")
    for point in evaluation.recall_at_fpr:
        table.add_row(f"recall at FPR {point.fpr:g} ({point.allowed_benign:,} benign allowed)", *_cells(point.recall))
    for top in evaluation.precision_at:
        table.add_row(f"precision at {top.k}", *_cells(top.precision))
    last = evaluation.precision_at_attackers
    table.add_row(f"precision at {last.k} (the number of attackers)", *_cells(last.precision))
    for level in evaluation.severity or ():
        name = "high" if level.at_least == "high" else "medium or worse"
        table.add_row(f"precision at severity {name}", *_cells(level.precision))
        table.add_row(f"recall at severity {name}", *_cells(level.recall))
    pairs = evaluation.campaign_pairs
    if pairs is not None:
        table.add_row("campaign pair precision", _number(pairs.precision), "", f"{pairs.both:,}/{pairs.predicted:,}")
        table.add_row("campaign pair recall", _number(pairs.recall), "", f"{pairs.both:,}/{pairs.true:,}")
    return table


def _archetypes(title: str, kinds: tuple[Archetype, ...], options: RenderOptions) -> Table:
    severities = kinds[0].medium_or_worse is not None
    last = ("medium or worse",) if severities else ()
    table = _table(title, "archetype", "rate", "95 % interval", "accounts", *last)
    for kind in kinds:
        share = kind.above_threshold
        cells = (_UNDEFINED, "", f"{kind.accounts:,}") if share is None else _cells(share)
        worse = [] if kind.medium_or_worse is None else [_number(kind.medium_or_worse.rate)]
        table.add_row(_name(kind, options), *cells, *worse)
    return table


def _name(kind: Archetype, options: RenderOptions) -> Text:
    name = "(without archetype)" if kind.archetype is None else kind.archetype
    return rich_text(name, limit=_NAME_CELLS, ascii_only=not options.unicode)


def _number(value: float | None) -> str:
    return _UNDEFINED if value is None else f"{value:.3f}"


def _cells(share: Proportion) -> tuple[str, str, str]:
    interval = "" if share.rate is None else f"{_number(share.low)} to {_number(share.high)}"
    return _number(share.rate), interval, f"{share.hits:,}/{share.total:,}"
