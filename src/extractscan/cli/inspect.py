"""``extractscan inspect``: what log files hold, before they are scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.options import (
    AccountFrom,
    Clobber,
    Columns,
    LogFormat,
    Mappings,
    Output,
    Quiet,
    log_source,
)

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions


def inspect(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATHS", help="Log files, folders, globs or URIs (s3://, gs://, az://); - reads standard input.")
    ],
    output_format: Annotated[
        DocumentFormat, typer.Option("--format", "-f", help="A table to read, or JSON.")
    ] = DocumentFormat.TABLE,
    output: Output = None,
    clobber: Clobber = False,
    column: Columns = None,
    mapping: Mappings = None,
    log_format: LogFormat = None,
    account_from: AccountFrom = None,
    quiet: Quiet = False,
) -> None:
    """Show what log files hold: formats, fields, gaps in time, and which signals could not be assessed.

    For records of an unknown shape it writes a mapping file to begin with. Nothing is scored; prompts are not shown.

    Example: extractscan inspect bucket/
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import json

    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.cli.emit import emit
    from extractscan.logs.inspection import inspect_logs
    from extractscan.progress import Silent
    from extractscan.report import inspection
    from extractscan.report.interface import Format
    from extractscan.report.write import check_output

    heed_interrupts()
    check_output(Format.JSON, output, clobber=clobber)
    source = log_source(paths, columns=column, mappings=mapping, log_format=log_format, account_from=account_from)
    with Console(progress=not quiet) as console:
        found = inspect_logs(
            source.inputs, observer=Silent() if quiet else console, columns=source.columns, formats=source.formats
        )

    def render(options: RenderOptions) -> str:
        if output_format is DocumentFormat.JSON:
            return json.dumps(inspection.document(found), indent=2, ensure_ascii=True) + "\n"
        return "\n".join(inspection.lines(found, ascii_only=not options.unicode)) + "\n"

    emit(render, output, clobber=clobber)
