"""``extractscan convert``: any log as the canonical table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import Annotated

import typer


class TableFormat(StrEnum):
    """Outputs of ``convert``."""

    PARQUET = "parquet"
    JSONL = "jsonl"


def convert(
    logs: Annotated[
        list[str], typer.Argument(metavar="LOGS", help="Log files, folders or globs; - reads standard input.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write to this file; - is standard output (JSONL).")],
    table_format: Annotated[
        TableFormat | None, typer.Option("--format", "-f", help="Parquet or JSON lines; else told by the file's name.")
    ] = None,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output file.")] = False,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Keep requests without an account or a time stamp.")
    ] = False,
    since: Annotated[str | None, typer.Option(help="Only requests from this ISO time on (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Only requests before this ISO time (UTC).")] = None,
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
    max_bad_rows: Annotated[
        str | None, typer.Option(help="Fail (exit 3) if more rows than this count or share are unreadable.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and no progress.")] = False,
) -> None:
    """Write LOGS as the canonical table, prompts and all: one row a request, the columns of the documentation.

    Example: extractscan convert bucket/ -o requests.parquet
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.cli.formats import format_options
    from extractscan.cli.score import parse_columns, parse_time
    from extractscan.errors import UsageError
    from extractscan.logs.quarantine import parse_max_bad_rows
    from extractscan.logs.read import read_logs
    from extractscan.logs.tables import write_jsonl, write_parquet
    from extractscan.progress import Silent
    from extractscan.report.interface import Format
    from extractscan.report.write import check_output, standard_output, write_file

    heed_interrupts()
    to_stdout = str(output) == "-"
    named = "jsonl" if to_stdout or output.suffix.lower() in (".jsonl", ".ndjson", ".json") else "parquet"
    chosen = table_format.value if table_format is not None else named
    if to_stdout and chosen == "parquet":
        raise UsageError("Parquet is written to a file: name one with -o FILE, or use --format jsonl")
    check_output(Format.JSON, output, clobber=clobber)
    with Console(progress=not quiet) as console:
        reader = read_logs(
            logs,
            observer=Silent() if quiet else console,
            since=parse_time(since, "--since"),
            until=parse_time(until, "--until"),
            max_bad_rows=None if max_bad_rows is None else parse_max_bad_rows(max_bad_rows),
            columns=parse_columns(column or []),
            formats=format_options(mapping, log_format, account_from),
            complete=not incomplete,
        )
        frames = (batch.frame for batch in reader.batches())
        if to_stdout:
            with standard_output() as stream:
                write_jsonl(frames, stream.buffer)
        else:
            writer = write_jsonl if chosen == "jsonl" else write_parquet
            write_file(output, lambda stream: writer(frames, stream), clobber=clobber)
