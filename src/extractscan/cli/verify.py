"""``extractscan verify``: prove that a case, and the logs it was made of, are what they were."""

from __future__ import annotations

from typing import Annotated

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.options import CaseFolder, Clobber, NoProgress, Output  # noqa: TC001 -- typer reads the annotations
from extractscan.errors import UsageError


def verify(
    case: CaseFolder,
    logs: Annotated[
        list[str] | None, typer.Argument(metavar="[LOGS]...", help="The logs too: files, folders, globs or URIs.")
    ] = None,
    seal: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="What run.json should hash to: what score printed, kept elsewhere."),
    ] = None,
    report_format: Annotated[
        DocumentFormat, typer.Option("--format", "-f", help="A table to read, or JSON.")
    ] = DocumentFormat.TABLE,
    output: Output = None,
    clobber: Clobber = False,
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
    from extractscan.cli.emit import check_place, emit
    from extractscan.report.case_text import to_json
    from extractscan.report.verify_table import to_table

    heed_interrupts()
    if seal is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", seal):
        raise UsageError("--seal takes a SHA-256: 64 hexadecimal digits")
    check_place(output, clobber=clobber, case=case)
    with Console(progress=not no_progress) as console:
        found = verify_case(case, logs or [], seal=seal, observer=console)
    emit(
        lambda options: (
            to_json(found.document())
            if report_format is DocumentFormat.JSON
            else to_table(found, options, sealed=seal is not None)
        ),
        output,
        clobber=clobber,
    )
    if not found.intact:
        raise typer.Exit(1)
