"""``extractscan evaluate``: hold a ranking against labels."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 -- typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.options import DocumentForm  # noqa: TC001 -- typer reads the annotations

if TYPE_CHECKING:
    from extractscan.evaluate.evaluation import Accounts


def evaluate(
    ranked: Annotated[
        str, typer.Argument(metavar="RANKED", help="What score wrote: JSONL, JSON, CSV or Parquet; - for stdin.")
    ],
    labels: Annotated[
        str,
        typer.Argument(
            metavar="LABELS",
            help="CSV, JSONL, JSON or Parquet with account_id, label (1: attack, 0: benign), archetype, campaign.",
        ),
    ],
    output_format: DocumentForm = DocumentFormat.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE instead of stdout.")
    ] = None,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite FILE when it exists.")] = False,
) -> None:
    """Measure a ranking against labels: recall at fixed false-positive rates, precision, campaigns, archetypes.

    Labelled accounts that the ranking lacks count as missed; ranked accounts without a label are left out.

    Example: extractscan evaluate ranked.jsonl labels.csv
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    from extractscan.cli.console import heed_interrupts, note
    from extractscan.cli.emit import check_place, emit
    from extractscan.errors import UsageError
    from extractscan.evaluate.evaluation import evaluate as measure
    from extractscan.evaluate.render import to_json, to_table
    from extractscan.evaluate.tables import match_files

    heed_interrupts()
    if labels == "-":
        raise UsageError("only RANKED can be read from standard input")
    check_place(output, clobber=clobber)
    evaluation = measure(match_files(ranked, labels))
    for line in _remarks(evaluation.accounts):
        note(line)
    emit(
        lambda options: to_json(evaluation) if output_format is DocumentFormat.JSON else to_table(evaluation, options),
        output,
        clobber=clobber,
    )


def _remarks(accounts: Accounts) -> list[str]:
    """Say what the numbers silently depend on."""
    remarks = []
    if accounts.missing_from_ranking:
        remarks.append(
            f"{accounts.missing_from_ranking} of {accounts.labelled} labelled accounts are not in the ranking "
            "and count as scored last"
        )
    if accounts.without_label:
        remarks.append(f"{accounts.without_label} of {accounts.ranked} ranked accounts have no label and are left out")
    if not accounts.attackers:
        remarks.append("no account is labelled as an attack: recall and average precision are undefined")
    if not accounts.benign:
        remarks.append("no account is labelled as benign: false-positive rates are undefined")
    return remarks
