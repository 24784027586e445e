"""Options that commands have in common, and what they mean."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from extractscan.cli.emit import DocumentFormat, ListingFormat, check_place, emit
from extractscan.errors import UsageError
from extractscan.report.interface import Format

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractscan.case.select import Selection
    from extractscan.cli.console import Console
    from extractscan.engine.load import LogSource
    from extractscan.report.interface import RenderOptions


class Severity(StrEnum):
    """What ``--fail-on`` and ``--severity`` take; the names of ``verdict.findings.SEVERITIES``, here so that ``--help`` imports none."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


LogPaths: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="LOGS", help="Log files, folders, globs or URIs (s3://, gs://, az://); - reads standard input."
    ),
]
Columns: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="NAME=COLUMN", help="Read canonical column NAME from COLUMN; may be repeated."),
]
Mappings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping", metavar="FILE", help="A mapping file (TOML) for records of another shape; may be repeated."
    ),
]
LogFormat: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="Read every file as this format instead of recognising it.")
]
AccountFrom: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WAY", help="Where accounts are: constant=NAME, path=N (part of the path), field=PATH or header=NAME."
    ),
]
MaxBadRows: TypeAlias = Annotated[
    str | None, typer.Option(help="Fail (exit 3) if more rows than this count or share are unreadable.")
]
Jobs: TypeAlias = Annotated[int, typer.Option("--jobs", "-j", min=0, help="Threads; 0 takes all cores.")]
MemoryLimit: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="Memory to use at most, as 6G; more goes to disk. By default half of what is free.",
    ),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and no progress.")]
Verbose: TypeAlias = Annotated[bool, typer.Option("--verbose", "-v", help="Say when each stage ends.")]

CaseFolder: TypeAlias = Annotated[Path, typer.Argument(metavar="CASE", help="Folder that score --case wrote.")]
Accounts: TypeAlias = Annotated[
    list[str] | None, typer.Option("--account", metavar="ID", help="Only requests of this account; may be repeated.")
]
Models: TypeAlias = Annotated[
    list[str] | None, typer.Option("--model", metavar="NAME", help="Only requests to this model; may be repeated.")
]
Campaign: TypeAlias = Annotated[
    str | None, typer.Option("--campaign", metavar="ID", help="Only requests of this campaign.")
]
Since: TypeAlias = Annotated[str | None, typer.Option(help="Only requests from this ISO time on (UTC).")]
Until: TypeAlias = Annotated[str | None, typer.Option(help="Only requests before this ISO time (UTC).")]
Top: TypeAlias = Annotated[int, typer.Option(min=1, help="List so many.")]
Form: TypeAlias = Annotated[ListingFormat, typer.Option("--format", "-f", help="How to report.")]
DocumentForm: TypeAlias = Annotated[DocumentFormat, typer.Option("--format", "-f", help="A table to read, or JSON.")]
ReportForm: TypeAlias = Annotated[Format, typer.Option("--format", "-f", help="How to report.")]
TopOfReport: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="List so many accounts (table: 20; markdown: 50; html: 200; others: all).")
]
Allow: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Hide the findings that this allowlist (TOML) covers; they are counted."),
]
Output: TypeAlias = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")]
Clobber: TypeAlias = Annotated[bool, typer.Option("--clobber", help="Overwrite the output file.")]
Logs: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--logs", metavar="LOG", help="Where the logs are now, for their text; may be repeated."),
]
ShowText: TypeAlias = Annotated[
    bool, typer.Option("--show-text", help="Show prompts, read again from unchanged logs, redacted.")
]
RawText: TypeAlias = Annotated[
    bool, typer.Option("--raw-text", help="With --show-text: leave in e-mail addresses, keys and card numbers.")
]
EngineName: TypeAlias = Annotated[str, typer.Option("--engine", metavar="NAME", help="Where to work: local or spark.")]
SparkRemote: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="With --engine spark: Spark Connect, sc://HOST:PORT.")
]
SparkMaster: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="With --engine spark: a standalone cluster, spark://HOST:PORT.")
]
SparkWork: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="With --engine spark: the run folder, on storage that all workers reach; a run resumes from it.",
    ),
]
SparkConf: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="With --engine spark: a setting of Spark's; may be repeated."),
]
NoProgress: TypeAlias = Annotated[bool, typer.Option("--no-progress", help="No progress bar.")]


def parse_time(text: str | None, option: str) -> datetime | None:
    """Parse an ISO date or time; one without a zone is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option}: {text!r} is no ISO date or time, as in 2026-03-01 or 2026-03-01T06:00Z") from None


@dataclass(frozen=True, slots=True)
class Period:
    """The time from which and before which requests count, in ISO form."""

    since: Since = None
    until: Until = None

    def window(self) -> tuple[datetime | None, datetime | None]:
        """Return both as times (UTC). Raises ``UsageError`` for times that are none or the wrong way round."""
        first, last = parse_time(self.since, "--since"), parse_time(self.until, "--until")
        if first is not None and last is not None and first >= last:
            raise UsageError("--since must be before --until")
        return first, last


@dataclass(frozen=True, slots=True)
class Shape:
    """What the records of the logs look like, where that is not to be recognised."""

    mapping: Mappings = None
    log_format: LogFormat = None
    account_from: AccountFrom = None


@dataclass(frozen=True, slots=True)
class Who:
    """Whose requests of a case count, and to which models."""

    account: Accounts = None
    model: Models = None


@dataclass(frozen=True, slots=True)
class Voice:
    """What is said on standard error while a command works."""

    quiet: Quiet = False
    verbose: Verbose = False
    no_progress: NoProgress = False

    def console(self) -> Console:
        """Return the console that says so much; a context."""
        from extractscan.cli.console import Console  # noqa: PLC0415 -- --help pays for typer alone

        return Console(progress=not self.no_progress, verbose=self.verbose, quiet=self.quiet)


class _Output:
    """What the groups of options that say where to write have in common."""

    __slots__ = ()
    output: Path | None
    clobber: bool

    def check(self, case: Path | None = None) -> None:
        """Raise ``UsageError`` if nothing could be written there, or the ``case`` would change; for use before the work."""
        check_place(self.output, clobber=self.clobber, case=case)

    def write(self, render: Callable[[RenderOptions], str]) -> None:
        """Write the text that is rendered. Raises ``UsageError`` and ``ExtractscanError`` as ``report.write`` does."""
        emit(render, self.output, clobber=self.clobber)


@dataclass(frozen=True, slots=True)
class ListingOutput(_Output):
    """How a list is reported, and where to."""

    report_format: Form = ListingFormat.TABLE
    output: Output = None
    clobber: Clobber = False


@dataclass(frozen=True, slots=True)
class DocumentOutput(_Output):
    """How a document is reported, and where to."""

    report_format: DocumentForm = DocumentFormat.TABLE
    output: Output = None
    clobber: Clobber = False


def parse_columns(pairs: list[str], option: str = "--column") -> dict[str, str]:
    """Parse ``--column canonical=source``, or the like under another ``option``."""
    as_in = "CANONICAL=COLUMN, as in account_id=customer" if option == "--column" else "NAME=COLUMN, as in prompt=text"
    out = {}
    for pair in pairs:
        name, equals, source = pair.partition("=")
        if not equals or not name or not source:
            raise UsageError(f"{option}: {pair!r} is not {as_in}")
        out[name] = source
    return out


def parse_settings(pairs: list[str]) -> dict[str, str]:
    """Parse ``--spark-conf key=value``."""
    out = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.startswith("spark."):
            raise UsageError(f"--spark-conf: {pair!r} is not KEY=VALUE, as in spark.executor.memory=4g")
        out[key] = value
    return out


def log_source(
    logs: list[str],
    column: list[str] | None,
    shape: Shape,
    *,
    period: Period | None = None,
    max_bad_rows: str | None = None,
) -> LogSource:
    """Which logs are read, and how. Raises ``UsageError`` for what is none of these.

    Imports Polars: for use after ``use_threads``.
    """
    first, last = (None, None) if period is None else period.window()
    named = parse_columns(column or [])

    from extractscan.engine.load import LogSource  # noqa: PLC0415 -- --help pays for typer alone
    from extractscan.logs.choose import FormatOptions, parse_account_from  # noqa: PLC0415
    from extractscan.logs.quarantine import parse_max_bad_rows  # noqa: PLC0415

    way = None if shape.account_from is None else parse_account_from(shape.account_from)
    return LogSource(
        tuple(logs),
        first,
        last,
        None if max_bad_rows is None else parse_max_bad_rows(max_bad_rows),
        named,
        FormatOptions(tuple(shape.mapping or ()), shape.log_format, way),
    )


_POOLS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""How many threads Polars, Arrow (as OpenMP) and what multiplies matrices take, each read once, when it is imported."""


def use_threads(jobs: int) -> int:
    """Return how many threads to use, and tell the libraries, unless the environment has told them already."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(jobs, 4 * cores) if jobs else cores
    for pool in _POOLS:
        os.environ.setdefault(pool, str(threads))
    return threads


def selection(who: Who, period: Period, campaign: str | None = None) -> Selection:
    """Return what was asked for. Raises ``UsageError`` for times that are none or the wrong way round."""
    from extractscan.case.select import Selection  # noqa: PLC0415 -- --help pays for typer alone

    return Selection(tuple(who.account or ()), tuple(who.model or ()), campaign, *period.window())
