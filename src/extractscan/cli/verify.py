"""``extractscan verify``: prove that a case, and the logs it was made of, are what they were."""

from __future__ import annotations

from typing import Annotated

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import CaseFolder, DocumentOutput, NoProgress  # noqa: TC001 -- typer reads the annotations
from extractscan.errors import UsageError


@grouped
def verify(
    case: CaseFolder,
    *,
    logs: Annotated[
        list[str] | None, typer.Argument(metavar="[LOGS]...", help="The logs too: files, folders, globs or URIs.")
    ] = None,
    seal: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="What run.json should hash to: what score printed, kept elsewhere."),
    ] = None,
    out: DocumentOutput,
    no_progress: NoProgress = False,
) -> None:
    """Prove that nothing in CASE has changed since it was written, nor in LOGS.

    Exits with 0 if nothing has, and with 1 if something has, each difference named.

    Example: extractscan verify case/ logs.parquet
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import re

    from extractscan.case.verify import verify_case
    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.report.case_text import to_json
    from extractscan.report.verify_table import to_table

    heed_interrupts()
    if seal is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", seal):
        raise UsageError("--seal takes a SHA-256: 64 hexadecimal digits")
    out.check(case)
    with Console(progress=not no_progress) as console:
        found = verify_case(case, logs or [], seal=seal, observer=console)
    as_json, sealed = out.report_format is DocumentFormat.JSON, seal is not None
    out.write(lambda options: to_json(found.document()) if as_json else to_table(found, options, sealed=sealed))
    if not found.intact:
        raise typer.Exit(1)
