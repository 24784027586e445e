"""``extractscan trace``: who harvested a data set that surfaced elsewhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.score import parse_columns, parse_time
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from typing import BinaryIO

    from extractscan.trace.findings import Tracing


class TraceFormat(StrEnum):
    """What ``--format`` takes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def trace(
    suspect: Annotated[
        str,
        typer.Argument(
            metavar="SUSPECT", help="The data set: JSONL, JSON, Parquet, CSV or plain lines; gz, zst; - for stdin."
        ),
    ],
    logs: Annotated[
        list[str], typer.Argument(metavar="LOGS...", help="Log files, folders or globs; - reads standard input.")
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME,...",
            help="Columns of SUSPECT by role: prompt, input, response, messages; as in prompt=q,response=a.",
        ),
    ] = None,
    log_column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN", help="Read canonical column NAME of LOGS from COLUMN; may be repeated."),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Share of what is peculiar to an item that must recur for a match.")
    ] = 0.5,
    alpha: Annotated[float, typer.Option(metavar="RATE", help="False discovery rate among the accounts named.")] = 0.01,
    top: Annotated[
        int | None, typer.Option(min=1, help="List so many accounts (table: 20; other formats: all).")
    ] = None,
    report_format: Annotated[TraceFormat, typer.Option("--format", "-f", help="How to report.")] = TraceFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output file.")] = False,
    show_text: Annotated[
        bool, typer.Option("--show-text", help="Show the text of items that met, from SUSPECT; never else.")
    ] = False,
    since: Annotated[str | None, typer.Option(help="Only requests from this ISO time on (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Only requests before this ISO time (UTC).")] = None,
    max_bad_rows: Annotated[
        str | None, typer.Option(help="Fail (exit 3) if more rows of LOGS than this count or share are unreadable.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Threads; 0 takes all cores.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and no progress.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say when each stage ends.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
) -> None:
    """Tell which accounts and campaigns of LOGS harvested the data set SUSPECT, when, and how much of it.

    Prompts and, where both have them, responses are compared, near-duplicates included, and held against chance.

    Example: extractscan trace leaked.jsonl logs.parquet
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import os

    since_time, until_time = parse_time(since, "--since"), parse_time(until, "--until")
    if since_time is not None and until_time is not None and since_time >= until_time:
        raise UsageError("--since must be before --until")
    if not 0.0 < threshold <= 1.0:
        raise UsageError(f"--threshold must be over 0 and at most 1, as in 0.5, not {threshold:g}")
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"--alpha must lie between 0 and 1, as in 0.01, not {alpha:g}")
    if suspect == "-" and "-" in logs:
        raise UsageError("only one of SUSPECT and LOGS can be standard input")
    roles = parse_columns([part for text in column or [] for part in text.split(",")])
    columns = parse_columns(log_column or [])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(jobs, 4 * cores) if jobs else cores
    # Polars reads this once, when it is imported.
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))

    from extractscan.cli.console import Console, heed_interrupts, note
    from extractscan.jit import is_cold
    from extractscan.logs.quarantine import parse_max_bad_rows
    from extractscan.progress import Silent
    from extractscan.report.interface import Format
    from extractscan.report.write import check_output
    from extractscan.trace.run import trace_logs

    heed_interrupts()
    bad_rows = None if max_bad_rows is None else parse_max_bad_rows(max_bad_rows)
    check_output(Format.JSON, output, clobber=clobber)  # all formats are text
    if is_cold() and not quiet:
        note("compiling kernels, once for this installation: this takes half a minute or so")
    with Console(progress=not (no_progress or quiet), verbose=verbose) as console:
        found, summary = trace_logs(
            suspect,
            logs,
            observer=Silent() if quiet else console,
            suspect_columns=roles,
            log_columns=columns,
            threshold=threshold,
            alpha=alpha,
            since=since_time,
            until=until_time,
            max_bad_rows=bad_rows,
            keep_text=show_text,
            jobs=threads,
        )
    _spare(output, [file.path for file in found.files] + [file.path for file in summary.files])
    _report(found, report_format, output, top=top, clobber=clobber)


def _spare(written: Path | None, read: list[str]) -> None:
    """Raise ``UsageError`` rather than write over what was read."""
    if written is None or str(written) == "-" or not written.exists():
        return
    for name in read:
        if Path(name).exists() and written.samefile(name):
            raise UsageError("the output is one of the files that were read; choose another")


def _report(found: Tracing, report_format: TraceFormat, output: Path | None, *, top: int | None, clobber: bool) -> None:
    import os
    import sys
    from dataclasses import replace

    from extractscan.report.interface import RenderOptions
    from extractscan.report.write import display_options, standard_output, write_file
    from extractscan.trace import render

    to_file = output is not None and str(output) != "-"
    if report_format is TraceFormat.JSON:
        text = render.to_json(found, top)
    elif report_format is TraceFormat.JSONL:
        text = render.to_jsonl(found, top)
    elif report_format is TraceFormat.CSV:
        text = render.to_csv(found, top)
    else:
        options = RenderOptions() if to_file else display_options(sys.stdout, os.environ)
        text = render.to_table(found, replace(options, top=top))
    if output is not None and to_file:

        def fill(stream: BinaryIO) -> None:
            stream.write(text.encode())

        write_file(output, fill, clobber=clobber)
        return
    with standard_output() as stream:
        stream.write(text)
