"""``extractscan explain``: why one account of a case scores as it does."""

from __future__ import annotations

from typing import Annotated

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import CaseFolder, DocumentOutput, NoProgress, RawText  # noqa: TC001 -- typer reads the annotations
from extractscan.errors import UsageError


@grouped
def explain(
    case: CaseFolder,
    *,
    account: Annotated[str | None, typer.Argument(metavar="[ACCOUNT]", help="Id of the account.")] = None,
    rank: Annotated[int | None, typer.Option(min=1, help="In place of an id: the account of this rank.")] = None,
    top: Annotated[int, typer.Option(min=1, help="So many clusters.")] = 5,
    show_text: Annotated[
        bool,
        typer.Option("--show-text", help="Show prompts of the clusters, read again from unchanged logs, redacted."),
    ] = False,
    raw_text: RawText = False,
    logs: Annotated[
        list[str] | None,
        typer.Option("--logs", metavar="LOG", help="With --show-text: where the logs are now. May be repeated."),
    ] = None,
    out: DocumentOutput,
    no_progress: NoProgress = False,
) -> None:
    """Tell why ACCOUNT scores as it does: bits by family and gate, streams, frames, coverage, rhythm, clusters, links.

    Prompts are not shown unless asked for.

    Example: extractscan explain case/ --rank 1
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    if (account is None) == (rank is None):
        raise UsageError("name an account, or give its rank with --rank")
    if not show_text and (raw_text or logs):
        raise UsageError("--raw-text and --logs belong to --show-text")

    from extractscan.case.explain import explain as tell
    from extractscan.case.explain import find_account
    from extractscan.case.read import open_case
    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.report.case_text import to_json
    from extractscan.report.explain_table import to_table

    heed_interrupts()
    out.check(case)
    opened = open_case(case)
    document = tell(opened, find_account(opened, account, rank), top=top)
    if show_text:
        from extractscan.case.show import add_texts

        with Console(progress=not no_progress) as console:
            add_texts(opened, document["clusters"], logs or [], console, raw=raw_text)
    as_json = out.report_format is DocumentFormat.JSON
    out.write(lambda options: to_json(document) if as_json else to_table(document, options))
