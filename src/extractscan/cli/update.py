"""``extractscan update``: a night's logs into a standing case."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.groups import grouped
from extractscan.cli.options import (
    Allow,
    Clobber,
    Columns,
    Jobs,
    LogPaths,
    MaxBadRows,
    MemoryLimit,
    Output,
    ReportForm,
    Severity,
    Shape,
    TopOfReport,
    Voice,
    log_source,
    parse_columns,
    use_threads,
)
from extractscan.cli.settings import settings_document
from extractscan.errors import UsageError
from extractscan.report.interface import Format

if TYPE_CHECKING:
    from extractscan.engine.local import Scored
    from extractscan.verdict.findings import Findings


class FindingState(StrEnum):
    """What ``--only`` takes."""

    NEW = "new"
    RISEN = "risen"
    UNCHANGED = "unchanged"
    FALLEN = "fallen"
    CLOSED = "closed"


class SpoolFormat(StrEnum):
    """What ``--spool`` takes."""

    JSONL = "jsonl"
    OCSF = "ocsf"
    NONE = "none"


@grouped
def update(
    ctx: typer.Context,
    case: Annotated[
        Path, typer.Argument(metavar="CASE", help="Folder of the standing case; made where there is none.")
    ],
    logs: LogPaths,
    *,
    report_format: ReportForm = Format.TABLE,
    output: Output = None,
    clobber: Clobber = False,
    top: TopOfReport = None,
    only: Annotated[
        list[FindingState] | None,
        typer.Option("--only", help="Report findings in this state; may be repeated. Default: all but unchanged."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Report all findings with their evidence, as score does.")
    ] = False,
    spool: Annotated[
        SpoolFormat, typer.Option("--spool", help="Form of the events in CASE/spool.")
    ] = SpoolFormat.JSONL,
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
    shape: Shape,
    max_bad_rows: MaxBadRows = None,
    allow: Allow = None,
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit with 1 if a finding that is reported is at least this severe.")
    ] = None,
    jobs: Jobs = 0,
    memory: MemoryLimit = None,
    voice: Voice,
) -> None:
    """Add what is new of LOGS to a standing CASE, judge all that it holds, and say what changed since the night before.

    Example: extractscan update case logs/ --window 30d --only new --fail-on high
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import signal
    import sys

    columns = parse_columns(column or [])
    if full and only:
        raise UsageError("--full reports all findings, and --only some: choose one")
    started = datetime.now(UTC)
    threads = use_threads(jobs)

    from extractscan.case.write import Invocation
    from extractscan.cli.console import heed_interrupts
    from extractscan.cli.emit import keep_out
    from extractscan.engine.preflight import preflight
    from extractscan.jit import SCORING, tell_if_cold
    from extractscan.memory import usable
    from extractscan.report.allow import apply_allowlist, read_allowlist
    from extractscan.report.framed import frames_of
    from extractscan.report.night_report import night_renderer
    from extractscan.report.write import check_output, write_report
    from extractscan.standing.options import reading
    from extractscan.standing.pointer import read_pointer
    from extractscan.standing.spool import SPOOLED
    from extractscan.standing.states import CHANGES, STATES
    from extractscan.standing.summary import document, in_states
    from extractscan.standing.update import Wishes
    from extractscan.standing.update import update as run

    heed_interrupts()
    room = usable(memory)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what stops a service ends it as Ctrl-C does
    check_output(report_format, output, clobber=clobber)
    keep_out(output, case)
    allowed = None if allow is None else read_allowlist(allow)
    way = reading(
        read_pointer(case),
        columns=columns,
        mappings=shape.mapping or [],
        log_format=shape.log_format,
        account_from=shape.account_from,
    )
    source = log_source(
        logs,
        [f"{name}={source}" for name, source in way.columns.items()],
        Shape([path for path, _ in way.mappings], way.log_format, way.account_from),
        max_bad_rows=max_bad_rows,
    )
    with voice.console() as console:
        tell_if_cold(SCORING, console.note)

        def shown(found: Findings, scored: Scored) -> Findings:
            frames = frames_of(scored) if any(entry.frame is not None for entry in allowed or []) else None
            return apply_allowlist(found, allowed or [], frames=frames)

        preflight(logs, console, case=case, limit=room.limit, tell=voice.verbose)
        wishes = Wishes(
            way.document(),
            window,
            keep,
            refuse_changed,
            take_lock,
            None if allowed is None else shown,
            SPOOLED[spool.value],
        )
        night = run(
            case,
            source,
            wishes,
            Invocation(tuple(sys.argv), str(Path.cwd()), started, started, settings_document(ctx)),
            observer=console,
            jobs=threads,
            memory=room,
        )
        for warning in night.found.run.allowlist.warnings if night.found.run.allowlist else ():
            console.warn(f"allowlist: {warning}")
    console.note(f"night {night.pointer.night} of {case}; SHA-256 of its run.json: {night.pointer.seal}")
    states = STATES if full else [each.value for each in only] if only else CHANGES
    if full:
        write_report(night.found, report_format, output=output, clobber=clobber, top=top)
    else:
        told = document(case, night, states)
        # A quiet night is silent where people read: cron mails whatever is printed.
        if (
            voice.quiet
            and report_format is Format.TABLE
            and output is None
            and not told["campaigns"]
            and not told["accounts"]
        ):
            return
        using = night_renderer(report_format, told)
        listed = in_states(night, states) if report_format is Format.STIX else night.found
        write_report(listed, report_format, output=output, clobber=clobber, top=top, using=using)
    if fail_on is not None and night.has(fail_on.value, states):
        raise typer.Exit(1)
