"""``extractscan inspect``: what log files hold, before they are scored."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from typing import BinaryIO


class InspectFormat(StrEnum):
    """Outputs of ``inspect``."""

    TABLE = "table"
    JSON = "json"


def inspect(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Log files, folders or globs; - reads standard input.")
    ],
    output_format: Annotated[
        InspectFormat, typer.Option("--format", "-f", help="A table to read, or JSON.")
    ] = InspectFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output file.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN", help="Read canonical column NAME from COLUMN; may be repeated."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A mapping file (TOML) for records of another shape; may be repeated."),
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read every file as this format instead of recognising it.")
    ] = None,
    account_from: Annotated[
        str | None,
        typer.Option(
            metavar="WAY",
            help="Where accounts are: constant=NAME, path=N (part of the path), field=PATH or header=NAME.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and no progress.")] = False,
) -> None:
    """Show what log files hold: formats, fields, gaps in time, and which signals could not be assessed.

    For records of an unknown shape it writes a mapping file to begin with. Nothing is scored; prompts are not shown.

    Example: extractscan inspect bucket/
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import json

    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.cli.formats import format_options
    from extractscan.cli.score import parse_columns
    from extractscan.logs.inspection import inspect_logs
    from extractscan.progress import Silent
    from extractscan.report import inspection
    from extractscan.report.interface import Format
    from extractscan.report.write import check_output, is_utf8, standard_output, write_file

    heed_interrupts()
    check_output(Format.JSON, output, clobber=clobber)
    with Console(progress=not quiet) as console:
        found = inspect_logs(
            paths,
            observer=Silent() if quiet else console,
            columns=parse_columns(column or []),
            formats=format_options(mapping, log_format, account_from),
        )

    def text(*, ascii_only: bool) -> str:
        if output_format is InspectFormat.JSON:
            return json.dumps(inspection.document(found), indent=2, ensure_ascii=True) + "\n"
        return "\n".join(inspection.lines(found, ascii_only=ascii_only)) + "\n"

    if output is None or str(output) == "-":
        with standard_output() as stream:
            stream.write(text(ascii_only=not is_utf8(stream)))
    else:

        def fill(stream: BinaryIO) -> None:
            stream.write(text(ascii_only=False).encode())

        write_file(output, fill, clobber=clobber)
