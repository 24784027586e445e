"""``extractscan power``: what a log could have shown."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 -- typer reads the annotations
from typing import Annotated

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import (
    Columns,
    DocumentForm,
    Jobs,
    LogPaths,
    MaxBadRows,
    Output,
    Period,
    Severity,
    Shape,
    Voice,
    log_source,
    parse_columns,
    use_threads,
)
from extractscan.errors import UsageError

KINDS = ("frameless", "framed", "sweep")
"""The names of ``power.kinds.KINDS``, here so that ``--help`` imports nothing heavy."""
MOST = 1_000_000
"""Most accounts, requests, repeats and places of a grid that are taken seriously."""
MOST_PLACES = 400
MOST_COVER = 0.9
MOST_SPREAD = 2.0


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


@grouped
def power(
    logs: LogPaths,
    *,
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
    report_format: DocumentForm = DocumentFormat.TABLE,
    output: Output = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the surface into this file too.")
    ] = None,
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the output files.")] = False,
    period: Period,
    column: Columns = None,
    shape: Shape,
    max_bad_rows: MaxBadRows = None,
    jobs: Jobs = 0,
    voice: Voice,
) -> None:
    """Tell which campaigns LOGS could have shown: put simulated ones in, made of the log's own traffic, and score again.

    Prints the share of their accounts that are found, over accounts, requests of each and share of cover traffic. A run takes minutes.

    Example: extractscan power logs.parquet --picture power.svg
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    period.window()  # what is wrong with the command is said before anything is imported
    parse_columns(column or [])
    tried = (parse_numbers(accounts, "--accounts"), parse_numbers(requests, "--requests"))
    shares = parse_shares(cover, "--cover")
    if len(tried[0]) * len(tried[1]) * len(shares) > MOST_PLACES:
        raise UsageError(f"--accounts, --requests and --cover span more than {MOST_PLACES} places")
    if not 0.0 <= spread <= MOST_SPREAD:
        raise UsageError(f"--spread must be from 0 to {MOST_SPREAD:g}, not {spread:g}")
    chosen = parse_kinds(kinds)
    threads = use_threads(jobs)

    from extractscan.cli.console import heed_interrupts
    from extractscan.cli.emit import check_place, emit, spare
    from extractscan.engine.load import load
    from extractscan.jit import SCORING, tell_if_cold
    from extractscan.power.surface import Plan, measure

    heed_interrupts()
    source = log_source(logs, column, shape, period=period, max_bad_rows=max_bad_rows)
    check_place(output, clobber=clobber)
    if picture is not None:
        if str(picture) == "-":
            raise UsageError("--picture takes a file")
        check_place(picture, clobber=clobber)
        if output is not None and picture.resolve() == output.resolve():
            raise UsageError("--output and --picture name the same file")
    plan = Plan(*tried, shares, chosen, severity.value, repeats, seed, spread)
    with voice.console() as console:
        tell_if_cold(SCORING, console.note)
        prints, summary = load(source, observer=console, jobs=threads)
        for written in (output, picture):
            spare(written, [file.path for file in summary.files])
        surface = measure(prints, plan, observer=console, jobs=threads)
    from extractscan.power.render import to_json, to_table

    if picture is not None:
        from extractscan.power.picture import to_svg

        emit(lambda _: to_svg(surface), picture, clobber=clobber)
    emit(
        lambda options: to_json(surface) if report_format is DocumentFormat.JSON else to_table(surface, options),
        output,
        clobber=clobber,
    )
