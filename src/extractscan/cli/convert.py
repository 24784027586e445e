"""``extractscan convert``: any log as the canonical table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import Annotated

import typer

from extractscan.cli.groups import grouped
from extractscan.cli.options import Clobber, Columns, LogPaths, MaxBadRows, Period, Quiet, Shape, log_source
from extractscan.errors import UsageError


class TableFormat(StrEnum):
    """Outputs of ``convert``."""

    PARQUET = "parquet"
    JSONL = "jsonl"


@grouped
def convert(
    logs: LogPaths,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write to this file; - is standard output (JSONL).")],
    table_format: Annotated[
        TableFormat | None, typer.Option("--format", "-f", help="Parquet or JSON lines; else told by the file's name.")
    ] = None,
    clobber: Clobber = False,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Keep requests without an account or a time stamp.")
    ] = False,
    period: Period,
    column: Columns = None,
    shape: Shape,
    max_bad_rows: MaxBadRows = None,
    quiet: Quiet = False,
) -> None:
    """Write LOGS as the canonical table, prompts and all: one row a request, the columns of the documentation.

    Example: extractscan convert bucket/ -o requests.parquet
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.cli.emit import check_place
    from extractscan.logs.tables import write_jsonl, write_parquet
    from extractscan.report.write import standard_output, write_file

    heed_interrupts()
    to_stdout = str(output) == "-"
    named = "jsonl" if to_stdout or output.suffix.lower() in (".jsonl", ".ndjson", ".json") else "parquet"
    chosen = table_format.value if table_format is not None else named
    if to_stdout and chosen == "parquet":
        raise UsageError("Parquet is written to a file: name one with -o FILE, or use --format jsonl")
    check_place(output, clobber=clobber)
    source = log_source(logs, column, shape, period=period, max_bad_rows=max_bad_rows)
    with Console(quiet=quiet) as console:
        reader = source.open(console, complete=not incomplete)
        frames = (batch.frame for batch in reader.batches())
        if to_stdout:
            with standard_output() as stream:
                write_jsonl(frames, stream.buffer)
        else:
            writer = write_jsonl if chosen == "jsonl" else write_parquet
            write_file(output, lambda stream: writer(frames, stream), clobber=clobber)
