"""``extractscan score``: logs in, a ranked report out."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from extractscan.cli.groups import grouped
from extractscan.cli.options import (
    Allow,
    Columns,
    EngineName,
    Jobs,
    LogPaths,
    MaxBadRows,
    MemoryLimit,
    Output,
    Period,
    ReportForm,
    Severity,
    Shape,
    SparkConf,
    SparkMaster,
    SparkRemote,
    SparkWork,
    TopOfReport,
    Voice,
    log_source,
    parse_columns,
    parse_settings,
    use_threads,
)
from extractscan.cli.settings import settings_document
from extractscan.errors import UsageError
from extractscan.report.interface import Format


@grouped
def score(
    ctx: typer.Context,
    logs: LogPaths,
    *,
    report_format: ReportForm = Format.TABLE,
    output: Output = None,
    case: Annotated[
        Path | None,
        typer.Option(
            "--case", metavar="DIR", help="Leave a case in this folder, for explain, verify, diff and others."
        ),
    ] = None,
    no_case: Annotated[bool, typer.Option("--no-case", help="Leave none; the default.")] = False,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output file and the case.")] = False,
    top: TopOfReport = None,
    period: Period,
    column: Columns = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LOG",
            help="Log of a clean period, to compare with: adds p- and q-values. May be repeated, one period each.",
        ),
    ] = None,
    alpha: Annotated[
        float, typer.Option(metavar="RATE", help="With --baseline: the false discovery rate to state.")
    ] = 0.05,
    shape: Shape,
    allow: Allow = None,
    show_allowed: Annotated[bool, typer.Option("--show-allowed", help="With --allow: list what it hides.")] = False,
    max_bad_rows: MaxBadRows = None,
    fail_on: Annotated[Severity | None, typer.Option(help="Exit with 1 if a finding is at least this severe.")] = None,
    engine: EngineName = "local",
    spark_remote: SparkRemote = None,
    spark_master: SparkMaster = None,
    spark_work: SparkWork = None,
    spark_conf: SparkConf = None,
    jobs: Jobs = 0,
    memory: MemoryLimit = None,
    voice: Voice,
) -> None:
    """Rank the accounts and campaigns of LOGS by the evidence that they harvest the model.

    Example: extractscan score logs.parquet
    """
    import sys  # noqa: PLC0415

    period.window()  # what is wrong with the command is said before anything is imported
    parse_columns(column or [])
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"--alpha must lie between 0 and 1, as in 0.05, not {alpha:g}")
    if show_allowed and allow is None:
        raise UsageError("--show-allowed needs --allow FILE")
    if "-" in (baseline or []):
        raise UsageError("--baseline cannot be standard input; name a file, a folder or a glob")
    if case is not None and no_case:
        raise UsageError("--case and --no-case exclude each other")
    if engine not in ("local", "spark"):
        raise UsageError(f"--engine takes local or spark, not {engine!r}")
    settings_of_spark = parse_settings(spark_conf or [])
    if engine == "local" and (spark_remote or spark_master or spark_work or spark_conf):
        raise UsageError("--spark-remote, --spark-master, --spark-work and --spark-conf need --engine spark")
    started = datetime.now(UTC)
    threads = use_threads(jobs)

    from extractscan.cli.console import heed_interrupts  # noqa: PLC0415
    from extractscan.engine.local import judge_logs  # noqa: PLC0415
    from extractscan.engine.preflight import preflight  # noqa: PLC0415
    from extractscan.jit import SCORING, tell_if_cold  # noqa: PLC0415
    from extractscan.memory import usable  # noqa: PLC0415
    from extractscan.report.allow import apply_allowlist, read_allowlist  # noqa: PLC0415
    from extractscan.report.framed import frames_of  # noqa: PLC0415
    from extractscan.report.write import check_output, write_report  # noqa: PLC0415
    from extractscan.verdict.findings import SEVERITIES  # noqa: PLC0415

    heed_interrupts()
    room = usable(memory)
    source = log_source(logs, column, shape, period=period, max_bad_rows=max_bad_rows)
    check_output(report_format, output, clobber=clobber)
    allowed = None if allow is None else read_allowlist(allow)
    by_frame = any(entry.frame is not None for entry in allowed or [])
    if case is not None:
        from extractscan.case.write import check_case  # noqa: PLC0415

        check_case(case, logs, clobber=clobber)
    place = None
    if engine == "spark":
        from extractscan.engine.spark_session import Place, check_place  # noqa: PLC0415

        place = Place(spark_remote, spark_master, settings_of_spark)
        check_place(place, spark_work)
    with voice.console() as console, contextlib.ExitStack() as stack:
        tell_if_cold(SCORING, console.note)
        front = None
        if place is None:
            preflight(
                logs,
                console,
                baselines=baseline or [],
                case=case,
                limit=room.limit,
                tell=voice.verbose,
            )
        else:
            from extractscan.engine.limits import Limits  # noqa: PLC0415
            from extractscan.engine.spark import spark_front  # noqa: PLC0415

            console.stage("reaching Spark")
            front = stack.enter_context(spark_front(place, spark_work, Limits(room.limit) if room.limit else None))
        found, scored = judge_logs(
            source,
            observer=console,
            jobs=threads,
            baselines=baseline or [],
            rate=alpha,
            keep=case is not None or by_frame,
            memory=room,
            front=front,
        )
        if case is not None:
            from extractscan.case.manifest import Settings  # noqa: PLC0415
            from extractscan.case.write import Invocation, write_case  # noqa: PLC0415

            console.stage("write the case")
            settings = Settings(
                source.since,
                source.until,
                source.columns,
                source.max_bad_rows,
                alpha if baseline else None,
                tuple(shape.mapping or ()),
                shape.log_format,
                shape.account_from,
            )
            invocation = Invocation(
                tuple(sys.argv), str(Path.cwd()), started, datetime.now(UTC), settings_document(ctx)
            )
            seal = write_case(case, found, scored, settings, invocation, clobber=clobber)
        if allowed is not None:  # a case holds everything: what is allowed is a matter of the report
            frames = frames_of(scored) if by_frame else None
            found = apply_allowlist(found, allowed, show=show_allowed, frames=frames)
            for warning in found.run.allowlist.warnings if found.run.allowlist else ():
                console.warn(f"allowlist: {warning}")
    if case is not None:
        console.note(f"case written to {case}; SHA-256 of its run.json: {seal}")
    write_report(found, report_format, output=output, clobber=clobber, top=top)
    if fail_on is not None:
        limit = SEVERITIES.index(fail_on.value)
        grades = [a.severity for a in found.accounts] + [c.severity for c in found.campaigns]
        if any(SEVERITIES.index(grade) <= limit for grade in grades):
            raise typer.Exit(1)
