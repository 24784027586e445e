"""``extractscan power``: what a log could have shown."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.score import FailOn as Severity
from extractscan.cli.score import parse_columns, parse_time
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from extractscan.power.surface import Surface

KINDS = ("frameless", "framed", "sweep")
"""The names of ``power.kinds.KINDS``, here so that ``--help`` imports nothing heavy."""
MOST = 1_000_000
"""Most accounts, requests, repeats and places of a grid that are taken seriously."""
MOST_PLACES = 400
MOST_COVER = 0.9
MOST_SPREAD = 2.0


class PowerFormat(StrEnum):
    """What ``--format`` takes."""

    TABLE = "table"
    JSON = "json"


def parse_numbers(text: str, option: str, most: int = MOST) -> tuple[int, ...]:
    """Parse a list of whole numbers from 1 on, as in 5,20,50; sorted, each once."""
    try:
        numbers = {int(part) for part in text.split(",")}
    except ValueError:
        raise UsageError(f"{option}: {text[:60]!r} is no list of whole numbers, as in 5,20,50") from None
    if not all(1 <= number <= most for number in numbers):
        raise UsageError(f"{option}: numbers must be from 1 to {most}")
    return tuple(sorted(numbers))


def parse_shares(text: str, option: str, most: float = MOST_COVER) -> tuple[float, ...]:
    """Parse a list of shares from 0 to ``most``, as in 0,0.5; sorted, each once."""
    try:
        shares = {float(part) for part in text.split(",")}
    except ValueError:
        raise UsageError(f"{option}: {text[:60]!r} is no list of shares, as in 0,0.5") from None
    if not all(0.0 <= one <= most for one in shares):
        raise UsageError(f"{option}: shares must be from 0 to {most:g}")
    return tuple(sorted(one + 0.0 for one in shares))


def parse_kinds(text: str) -> tuple[str, ...]:
    """Parse a list of kinds, in the order in which they are reported; ``all`` names all of them."""
    wanted = set(KINDS) if text == "all" else set(text.split(","))
    if unknown := sorted(wanted - set(KINDS)):
        raise UsageError(f"--kinds: there is no kind {unknown[0][:40]!r}; there are: {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted)


def power(
    logs: Annotated[
        list[str], typer.Argument(metavar="LOGS", help="Log files, folders or globs; - reads standard input.")
    ],
    accounts: Annotated[str, typer.Option(metavar="A,B", help="Accounts of a campaign to try.")] = "5,20,50",
    requests: Annotated[
        str, typer.Option(metavar="A,B", help="Requests of each account to try, cover apart.")
    ] = "30,100",
    cover: Annotated[
        str, typer.Option(metavar="A,B", help="Shares of cover traffic to try, of an account's requests.")
    ] = "0,0.5",
    kinds: Annotated[str, typer.Option(metavar="A,B|all", help="Kinds: frameless, framed, sweep.")] = "all",
    severity: Annotated[Severity, typer.Option(help="Least severity that counts as found.")] = Severity.HIGH,
    repeats: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Campaigns of each place; else 4 to 20, by the log's size.")
    ] = None,
    spread: Annotated[
        float,
        typer.Option(help="Standard deviation of ln(requests) over a campaign's accounts; customers' is about 1."),
    ] = 0.35,
    seed: Annotated[int, typer.Option(min=0, help="The same log, options and seed give the same figures.")] = 1,
    report_format: Annotated[
        PowerFormat, typer.Option("--format", "-f", help="A table to read, or JSON.")
    ] = PowerFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the surface into this file too.")
    ] = None,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output files.")] = False,
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
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Threads; 0 takes all cores.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and no progress.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say when each stage ends.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
) -> None:
    """Tell which campaigns LOGS could have shown: put simulated ones in, made of the log's own traffic, and score again.

    Prints the share of their accounts that are found, over accounts, requests of each and share of cover traffic. A run takes minutes.

    Example: extractscan power logs.parquet --picture power.svg
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import os

    since_time, until_time = parse_time(since, "--since"), parse_time(until, "--until")
    if since_time is not None and until_time is not None and since_time >= until_time:
        raise UsageError("--since must be before --until")
    columns = parse_columns(column or [])
    tried = (parse_numbers(accounts, "--accounts"), parse_numbers(requests, "--requests"))
    shares = parse_shares(cover, "--cover")
    if len(tried[0]) * len(tried[1]) * len(shares) > MOST_PLACES:
        raise UsageError(f"--accounts, --requests and --cover span more than {MOST_PLACES} places")
    if not 0.0 <= spread <= MOST_SPREAD:
        raise UsageError(f"--spread must be from 0 to {MOST_SPREAD:g}, not {spread:g}")
    chosen = parse_kinds(kinds)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(jobs, 4 * cores) if jobs else cores
    # Polars reads this once, when it is imported.
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))

    from extractscan.cli.console import Console, heed_interrupts, note
    from extractscan.cli.formats import format_options
    from extractscan.engine.load import load
    from extractscan.jit import is_cold
    from extractscan.logs.quarantine import parse_max_bad_rows
    from extractscan.power.surface import Plan, measure
    from extractscan.progress import Silent
    from extractscan.report.interface import Format
    from extractscan.report.write import check_output

    heed_interrupts()
    bad_rows = None if max_bad_rows is None else parse_max_bad_rows(max_bad_rows)
    check_output(Format.JSON, output, clobber=clobber)  # both formats are text
    if picture is not None:
        if str(picture) == "-":
            raise UsageError("--picture takes a file")
        check_output(Format.JSON, picture, clobber=clobber)
        if output is not None and picture.resolve() == output.resolve():
            raise UsageError("--output and --picture name the same file")
    if is_cold() and not quiet:
        note("compiling kernels, once for this installation: this takes half a minute or so")
    plan = Plan(*tried, shares, chosen, severity.value, repeats, seed, spread)
    with Console(progress=not (no_progress or quiet), verbose=verbose) as console:
        observer = Silent() if quiet else console
        prints, summary = load(
            logs,
            observer=observer,
            since=since_time,
            until=until_time,
            max_bad_rows=bad_rows,
            columns=columns,
            formats=format_options(mapping, log_format, account_from),
            jobs=threads,
        )
        for written in (output, picture):
            _spare(written, [file.path for file in summary.files])
        surface = measure(prints, plan, observer=observer, jobs=threads)
    if picture is not None:
        from extractscan.power.picture import to_svg

        _write(picture, to_svg(surface), clobber=clobber)
    _report(surface, report_format, output, clobber=clobber)


def _spare(written: Path | None, logs: Sequence[str]) -> None:
    """Raise ``UsageError`` rather than write over a log."""
    if written is None or str(written) == "-" or not written.exists():
        return
    for log in logs:
        place = Path(log)
        if place.exists() and written.samefile(place):
            raise UsageError("the output is one of the logs that were read; choose another")


def _write(path: Path, text: str, *, clobber: bool) -> None:
    from extractscan.report.write import write_file

    def fill(stream: BinaryIO) -> None:
        stream.write(text.encode())

    write_file(path, fill, clobber=clobber)


def _report(surface: Surface, report_format: PowerFormat, output: Path | None, *, clobber: bool) -> None:
    import os
    import sys

    from extractscan.power.render import to_json, to_table
    from extractscan.report.interface import RenderOptions
    from extractscan.report.write import display_options, standard_output

    to_file = output is not None and str(output) != "-"
    if report_format is PowerFormat.JSON:
        text = to_json(surface)
    else:
        text = to_table(surface, RenderOptions() if to_file else display_options(sys.stdout, os.environ))
    if output is not None and to_file:
        _write(output, text, clobber=clobber)
        return
    with standard_output() as stream:
        stream.write(text)
