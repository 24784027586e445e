"""``extractscan trace``: who harvested a data set that surfaced elsewhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import ListingFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import (
    Columns,
    Jobs,
    ListingOutput,
    MaxBadRows,
    Period,
    RawText,
    Shape,
    Voice,
    log_source,
    parse_columns,
    use_threads,
)
from extractscan.cli.settings import on_command_line
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions


class Compare(StrEnum):
    """What ``--compare`` takes."""

    BOTH = "both"
    PROMPTS = "prompts"
    RESPONSES = "responses"


@grouped
def trace(
    ctx: typer.Context,
    suspect: Annotated[
        str,
        typer.Argument(
            metavar="SUSPECT", help="The data set: JSONL, JSON, Parquet, CSV or plain lines; gz, zst; - for stdin."
        ),
    ],
    logs: Annotated[
        list[str],
        typer.Argument(metavar="LOGS|CASE", help="Log files, folders or globs, - for stdin; or the folder of a case."),
    ],
    *,
    suspect_column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME,...",
            help="Columns of SUSPECT by role: prompt, input, response, messages; as in prompt=q,response=a.",
        ),
    ] = None,
    compare: Annotated[
        Compare, typer.Option(help="What is compared. Where both have responses, these decide.")
    ] = Compare.BOTH,
    threshold: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share of the words of a prompt, by weight, that must recur for a match."),
    ] = 0.9,
    alpha: Annotated[float, typer.Option(metavar="RATE", help="False discovery rate among the accounts named.")] = 0.01,
    top: Annotated[
        int | None, typer.Option(min=1, help="List so many accounts (table: 20; other formats: all).")
    ] = None,
    out: ListingOutput,
    show_text: Annotated[
        bool, typer.Option("--show-text", help="Show the text of items that met, from SUSPECT, redacted.")
    ] = False,
    raw_text: RawText = False,
    period: Period,
    column: Columns = None,
    shape: Shape,
    max_bad_rows: MaxBadRows = None,
    jobs: Jobs = 0,
    voice: Voice,
) -> None:
    """Tell which accounts and campaigns of LOGS, or of CASE, harvested the data set SUSPECT, when, and how much of it.

    Prompts and, where both have them, responses are compared, near-duplicates included, and held against chance. Text is not
    shown unless asked for.

    Example: extractscan trace leaked.jsonl logs.parquet
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    since, until = period.window()
    parse_columns(column or [])
    if not 0.0 < threshold <= 1.0:
        raise UsageError(f"--threshold must be over 0 and at most 1, as in 0.5, not {threshold:g}")
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"--alpha must lie between 0 and 1, as in 0.01, not {alpha:g}")
    if suspect == "-" and "-" in logs:
        raise UsageError("only one of SUSPECT and LOGS can be standard input")
    if raw_text and not show_text:
        raise UsageError("--raw-text belongs to --show-text")
    roles = parse_columns([part for text in suspect_column or [] for part in text.split(",")], "--suspect-column")
    threads = use_threads(jobs)

    from extractscan.cli.console import heed_interrupts
    from extractscan.cli.emit import spare
    from extractscan.jit import SCORING, tell_if_cold
    from extractscan.trace import render
    from extractscan.trace.explain import trace as work
    from extractscan.trace.run import from_case, from_logs, is_case
    from extractscan.trace.suspect import read_suspect
    from extractscan.trace.table import to_table

    heed_interrupts()
    case = Path(logs[0]) if is_case(logs) else None
    if case is not None and on_command_line(ctx, "column", "mapping", "log_format", "account_from", "max_bad_rows"):
        raise UsageError("a case was read already: options that say how logs are read do not apply")
    out.check(case)
    source = log_source(logs, column, shape, period=period, max_bad_rows=max_bad_rows)
    with voice.console() as console:
        tell_if_cold(SCORING, console.note)
        wanted = read_suspect(suspect, observer=console, columns=roles, jobs=threads, keep_text=show_text)
        read = [file.path for file in wanted.files]
        if case is not None:
            prints, campaigns = from_case(case, since=since, until=until)
        else:
            prints, campaigns, paths = from_logs(source, observer=console, jobs=threads)
            read += paths
        spare(out.output, read)
        found = work(
            prints,
            wanted,
            campaigns,
            observer=console,
            compare=compare.value,
            threshold=threshold,
            alpha=alpha,
            jobs=threads,
        )
    shown = render.redacted(found) if show_text and not raw_text else found

    def text(options: RenderOptions) -> str:
        if out.report_format is ListingFormat.JSON:
            return render.to_json(shown, top)
        if out.report_format is ListingFormat.JSONL:
            return render.to_jsonl(shown, top)
        if out.report_format is ListingFormat.CSV:
            return render.to_csv(shown, top)
        return to_table(shown, options, top)

    out.write(text)
