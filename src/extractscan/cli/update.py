"""``extractscan update``: a night's logs into a standing case."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from extractscan.cli.options import (
    AccountFrom,
    Columns,
    Jobs,
    LogFormat,
    LogPaths,
    Mappings,
    MaxBadRows,
    NoProgress,
    Output,
    Quiet,
    Verbose,
    log_source,
    parse_columns,
    use_threads,
)
from extractscan.cli.score import FailOn, ReportFormat


def update(
    case: Annotated[
        Path, typer.Argument(metavar="CASE", help="Folder of the standing case; made where there is none.")
    ],
    logs: LogPaths,
    report_format: Annotated[ReportFormat, typer.Option("--format", "-f", help="How to report.")] = ReportFormat.TABLE,
    output: Output = None,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output file.")] = False,
    top: Annotated[int | None, typer.Option(min=1, help="List so many accounts.")] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN", help="Only requests of the last so many days, hours or weeks count: 30d, 72h, 4w."
        ),
    ] = None,
    keep: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Keep fingerprints so long; default as --window.")
    ] = None,
    refuse_changed: Annotated[
        bool, typer.Option("--refuse-changed", help="Fail (exit 3) if a file was changed in place or cut.")
    ] = False,
    take_lock: Annotated[
        bool, typer.Option("--take-lock", help="Take the lock of a run on another machine that has ended.")
    ] = False,
    column: Columns = None,
    mapping: Mappings = None,
    log_format: LogFormat = None,
    account_from: AccountFrom = None,
    max_bad_rows: MaxBadRows = None,
    fail_on: Annotated[FailOn | None, typer.Option(help="Exit with 1 if a finding is at least this severe.")] = None,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
) -> None:
    """Add new LOGS to a standing CASE and judge all that it holds.

    Example: extractscan update case logs/ --window 30d
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import signal
    import sys

    columns = parse_columns(column or [])
    started = datetime.now(UTC)
    threads = use_threads(jobs)

    from extractscan.case.write import Invocation
    from extractscan.cli.console import Console, heed_interrupts, note
    from extractscan.jit import COMPILING, SCORING, is_cold
    from extractscan.progress import Silent
    from extractscan.report.interface import Format
    from extractscan.report.write import check_output, write_report
    from extractscan.standing.options import reading
    from extractscan.standing.pointer import read_pointer
    from extractscan.standing.update import Wishes
    from extractscan.standing.update import update as run

    heed_interrupts()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what stops a service ends it as Ctrl-C does
    chosen = Format(report_format.value)
    check_output(chosen, output, clobber=clobber)
    way = reading(
        read_pointer(case),
        columns=columns,
        mappings=mapping or [],
        log_format=log_format,
        account_from=account_from,
    )
    source = log_source(
        logs,
        columns=[f"{name}={source}" for name, source in way.columns.items()],
        mappings=[path for path, _ in way.mappings],
        log_format=way.log_format,
        account_from=way.account_from,
        max_bad_rows=max_bad_rows,
    )
    if is_cold(SCORING) and not quiet:
        note(COMPILING)
    with Console(progress=not (no_progress or quiet), verbose=verbose) as console:
        night = run(
            case,
            source,
            Wishes(way.document(), window, keep, refuse_changed, take_lock),
            Invocation(tuple(sys.argv), str(Path.cwd()), started, datetime.now(UTC)),
            observer=Silent() if quiet else console,
            jobs=threads,
        )
    if not quiet:
        note(f"night {night.pointer.night} of {case}; SHA-256 of its run.json: {night.pointer.seal}")
    write_report(night.found, chosen, output=output, clobber=clobber, top=top)
    if fail_on is not None:
        from extractscan.verdict.findings import SEVERITIES

        limit = SEVERITIES.index(fail_on.value)
        grades = [a.severity for a in night.found.accounts] + [c.severity for c in night.found.campaigns]
        if any(SEVERITIES.index(grade) <= limit for grade in grades):
            raise typer.Exit(1)
