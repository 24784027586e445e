"""``extractscan score``: logs in, a ranked report out."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from extractscan.errors import UsageError


class ReportFormat(StrEnum):
    """What ``--format`` takes; the same names as ``report.interface.Format``, here so that ``--help`` imports no report."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    MARKDOWN = "markdown"
    HTML = "html"
    OCSF = "ocsf"
    STIX = "stix"


class FailOn(StrEnum):
    """What ``--fail-on`` takes: the least severity that makes the exit code 1."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


def parse_time(text: str | None, option: str) -> datetime | None:
    """Parse an ISO date or time; one without a zone is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option}: {text!r} is no ISO date or time, as in 2026-03-01 or 2026-03-01T06:00Z") from None


def parse_columns(pairs: list[str]) -> dict[str, str]:
    """Parse ``--column canonical=source``."""
    out = {}
    for pair in pairs:
        name, equals, source = pair.partition("=")
        if not equals or not name or not source:
            raise UsageError(f"--column: {pair!r} is not CANONICAL=COLUMN, as in account_id=customer")
        out[name] = source
    return out


def score(
    logs: Annotated[
        list[str], typer.Argument(metavar="LOGS", help="Log files, folders or globs; - reads standard input.")
    ],
    report_format: Annotated[ReportFormat, typer.Option("--format", "-f", help="How to report.")] = ReportFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    case: Annotated[
        Path | None,
        typer.Option(
            "--case", metavar="DIR", help="Leave a case in this folder, for explain, verify, diff and others."
        ),
    ] = None,
    no_case: Annotated[bool, typer.Option("--no-case", help="Leave none; the default.")] = False,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output file and the case.")] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="List so many accounts (table: 20; other formats: all).")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only requests from this ISO time on (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Only requests before this ISO time (UTC).")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN", help="Read canonical column NAME from COLUMN; may be repeated."),
    ] = None,
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
    allow: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Hide the findings that this allowlist (TOML) covers; they are counted."),
    ] = None,
    show_allowed: Annotated[bool, typer.Option("--show-allowed", help="With --allow: list what it hides.")] = False,
    max_bad_rows: Annotated[
        str | None, typer.Option(help="Fail (exit 3) if more rows than this count or share are unreadable.")
    ] = None,
    fail_on: Annotated[FailOn | None, typer.Option(help="Exit with 1 if a finding is at least this severe.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Threads; 0 takes all cores.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and no progress.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say when each stage ends.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
) -> None:
    """Rank the accounts and campaigns of LOGS by the evidence that they harvest the model.

    Example: extractscan score logs.parquet
    """
    import os  # noqa: PLC0415
    import sys  # noqa: PLC0415

    since_time, until_time = parse_time(since, "--since"), parse_time(until, "--until")
    if since_time is not None and until_time is not None and since_time >= until_time:
        raise UsageError("--since must be before --until")
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"--alpha must lie between 0 and 1, as in 0.05, not {alpha:g}")
    if show_allowed and allow is None:
        raise UsageError("--show-allowed needs --allow FILE")
    if "-" in (baseline or []):
        raise UsageError("--baseline cannot be standard input; name a file, a folder or a glob")
    if case is not None and no_case:
        raise UsageError("--case and --no-case exclude each other")
    columns = parse_columns(column or [])
    started = datetime.now(UTC)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(jobs, 4 * cores) if jobs else cores
    # Polars reads this once, when it is imported.
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))

    from extractscan.cli.console import Console, heed_interrupts, note  # noqa: PLC0415
    from extractscan.cli.formats import format_options  # noqa: PLC0415
    from extractscan.engine.local import judge_logs  # noqa: PLC0415
    from extractscan.jit import is_cold  # noqa: PLC0415
    from extractscan.logs.quarantine import parse_max_bad_rows  # noqa: PLC0415
    from extractscan.progress import Silent  # noqa: PLC0415
    from extractscan.report.allow import apply_allowlist, read_allowlist  # noqa: PLC0415
    from extractscan.report.interface import Format  # noqa: PLC0415
    from extractscan.report.write import check_output, write_report  # noqa: PLC0415
    from extractscan.verdict.findings import SEVERITIES  # noqa: PLC0415

    heed_interrupts()
    bad_rows = None if max_bad_rows is None else parse_max_bad_rows(max_bad_rows)
    chosen = Format(report_format.value)
    check_output(chosen, output, clobber=clobber)
    allowed = None if allow is None else read_allowlist(allow)
    if case is not None:
        from extractscan.case.write import check_case  # noqa: PLC0415

        check_case(case, logs, clobber=clobber)
    if is_cold() and not quiet:
        note("compiling kernels, once for this installation: this takes half a minute or so")
    with Console(progress=not (no_progress or quiet), verbose=verbose) as console:
        found, scored = judge_logs(
            logs,
            observer=Silent() if quiet else console,
            since=since_time,
            until=until_time,
            max_bad_rows=bad_rows,
            columns=columns,
            formats=format_options(mapping, log_format, account_from),
            jobs=threads,
            baselines=baseline or [],
            rate=alpha,
            keep=case is not None,
        )
        if case is not None:
            from extractscan.case.manifest import Settings  # noqa: PLC0415
            from extractscan.case.write import Invocation, write_case  # noqa: PLC0415

            console.stage("write the case")
            settings = Settings(
                since_time,
                until_time,
                columns,
                bad_rows,
                alpha if baseline else None,
                tuple(mapping or ()),
                log_format,
                account_from,
            )
            invocation = Invocation(tuple(sys.argv), str(Path.cwd()), started, datetime.now(UTC))
            seal = write_case(case, found, scored, settings, invocation, clobber=clobber)
        if allowed is not None:  # a case holds everything: what is allowed is a matter of the report
            found = apply_allowlist(found, allowed, show=show_allowed)
            for warning in found.run.allowlist.warnings if found.run.allowlist and not quiet else ():
                console.warn(f"allowlist: {warning}")
    if case is not None and not quiet:
        note(f"case written to {case}; SHA-256 of its run.json: {seal}")
    write_report(found, chosen, output=output, clobber=clobber, top=top)
    if fail_on is not None:
        limit = SEVERITIES.index(fail_on.value)
        grades = [a.severity for a in found.accounts] + [c.severity for c in found.campaigns]
        if any(SEVERITIES.index(grade) <= limit for grade in grades):
            raise typer.Exit(1)
