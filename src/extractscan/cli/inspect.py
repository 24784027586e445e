"""``extractscan inspect``: what log files hold, before they are scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import Columns, DocumentOutput, Quiet, Shape, log_source

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions


@grouped
def inspect(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS", help="Log files, folders, globs or URIs (s3://, gs://, az://); - reads standard input."
        ),
    ],
    *,
    out: DocumentOutput,
    column: Columns = None,
    shape: Shape,
    quiet: Quiet = False,
) -> None:
    """Show what log files hold: formats, fields, gaps in time, and which signals could not be assessed.

    For records of an unknown shape it writes a mapping file to begin with. Nothing is scored; prompts are not shown.

    Example: extractscan inspect bucket/
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import json

    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.logs.inspection import inspect_logs
    from extractscan.report import inspection

    heed_interrupts()
    out.check()
    source = log_source(paths, column, shape)
    with Console(quiet=quiet) as console:
        found = inspect_logs(source.inputs, observer=console, columns=source.columns, formats=source.formats)

    def render(options: RenderOptions) -> str:
        if out.report_format is DocumentFormat.JSON:
            return json.dumps(inspection.document(found), indent=2, ensure_ascii=True) + "\n"
        return "\n".join(inspection.lines(found, ascii_only=not options.unicode)) + "\n"

    out.write(render)
