"""``extractscan simulate``: write a labelled log."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 -- typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import date

    from extractscan.simulate.write import Written


class SimulateFormat(StrEnum):
    """Formats that ``simulate`` writes."""

    parquet = "parquet"
    jsonl = "jsonl"
    litellm = "litellm"


def simulate(
    out_dir: Annotated[
        Path | None, typer.Argument(metavar="OUT_DIR", help="Folder for the log and its labels.csv.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed and options give the same bytes.")] = 1,
    requests: Annotated[int, typer.Option("--requests", metavar="N", help="About how many requests.")] = 20_000,
    days: Annotated[int, typer.Option("--days", help="Length of the log.")] = 21,
    languages: Annotated[
        str, typer.Option("--languages", metavar="A,B", help="Languages of the text: en, zh, es, ja, ar.")
    ] = "en,zh,es,ja,ar",
    attacks: Annotated[str, typer.Option("--attacks", metavar="A,B|all|none", help="Hostile archetypes.")] = "all",
    benign: Annotated[
        str, typer.Option("--benign", metavar="X,Y|all|none", help="Benign archetypes; pipelines names all of them.")
    ] = "all",
    accounts_per_campaign: Annotated[
        int | None, typer.Option("--accounts-per-campaign", metavar="N", help="In campaigns of several accounts.")
    ] = None,
    requests_per_account: Annotated[
        int | None, typer.Option("--requests-per-account", metavar="N", help="Median of a hostile account, less cover.")
    ] = None,
    cover_share: Annotated[
        float | None, typer.Option("--cover-share", metavar="0.0-0.9", help="Ordinary talk of hostile accounts.")
    ] = None,
    log_format: Annotated[
        SimulateFormat, typer.Option("--format", help="Columns, JSON lines, or a LiteLLM gateway's SpendLogs.")
    ] = SimulateFormat.parquet,
    responses: Annotated[
        bool, typer.Option("--responses/--no-responses", help="Write the text of responses too.")
    ] = False,
    start: Annotated[str, typer.Option("--start", metavar="YYYY-MM-DD", help="First day, UTC.")] = "2026-03-02",
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite a simulated log in OUT_DIR.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show progress on a terminal.")] = True,
    show_list: Annotated[bool, typer.Option("--list", help="Print the archetypes and exit.")] = False,
) -> None:
    """Write a labelled API log of the project's own text: attacks, look-alikes and people.

    OUT_DIR gets requests.parquet (or requests.jsonl, spendlogs.jsonl; several parts when long) and labels.csv with
    account_id, label (1: attack), archetype, campaign. The metadata of attacks is drawn like that of automated use.

    Example: extractscan simulate made/ --seed 7 --requests 50000
    """
    if show_list:
        _print_list()
        return

    from extractscan.cli.console import Console, note  # noqa: PLC0415
    from extractscan.errors import UsageError  # noqa: PLC0415
    from extractscan.simulate.attacks.registry import ATTACKS  # noqa: PLC0415
    from extractscan.simulate.benign.registry import BENIGN  # noqa: PLC0415
    from extractscan.simulate.registry import choose, choose_languages  # noqa: PLC0415
    from extractscan.simulate.settings import Settings  # noqa: PLC0415
    from extractscan.simulate.write import LogFormat, write_log  # noqa: PLC0415

    if out_dir is None:
        raise UsageError("name the folder to write to, or --list")
    _check(seed, requests, days, accounts_per_campaign, requests_per_account, cover_share)
    settings = Settings(
        seed=seed,
        requests=requests,
        days=days,
        languages=choose_languages(languages),
        attacks=choose(attacks, ATTACKS, "--attacks"),
        benign=choose(benign, BENIGN, "--benign"),
        accounts_per_campaign=accounts_per_campaign,
        requests_per_account=requests_per_account,
        cover_share=cover_share,
        responses=responses,
        start=_day(start, days),
    )
    if not settings.attacks and not settings.benign:
        raise UsageError("--attacks none and --benign none leave nothing to write")
    with Console(progress=progress and not quiet) as console:
        written = write_log(settings, out_dir, LogFormat(log_format.value), clobber=clobber, observer=console)
    if not quiet:
        note(_summary(written))


def _check(
    seed: int, requests: int, days: int, per_campaign: int | None, per_account: int | None, cover: float | None
) -> None:
    """Raise ``UsageError`` for a number out of its range."""
    from extractscan.errors import UsageError  # noqa: PLC0415

    ranges = (
        ("--seed", seed, 0, 2**63 - 1),
        ("--requests", requests, 1, 10**9),
        ("--days", days, 1, 3650),
        ("--accounts-per-campaign", per_campaign, 1, 10**6),
        ("--requests-per-account", per_account, 1, 10**6),
        ("--cover-share", cover, 0.0, 0.9),
    )
    for option, value, low, high in ranges:
        if value is not None and not low <= value <= high:
            raise UsageError(f"{option} must be from {low} to {high}, not {value}")


def _day(text: str, days: int) -> date:
    from datetime import date, timedelta  # noqa: PLC0415

    from extractscan.errors import UsageError  # noqa: PLC0415

    try:
        day = date.fromisoformat(text)
        _ = day + timedelta(days=days + 1)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--start must be a day such as 2026-03-02, not {text[:40]!r}") from error
    if not 1970 <= day.year <= 2200:
        raise UsageError("--start must be a day of the years 1970 to 2200")
    return day


def _summary(written: Written) -> str:
    names = sorted(path.name for path in written.files if path.name != "labels.csv")
    files = names[0] if len(names) == 1 else f"{len(names)} parts"
    return (
        f"wrote {written.requests:,} requests of {written.accounts:,} accounts: {files}, labels.csv; "
        f"{written.hostile:,} accounts attack, in {written.campaigns:,} campaigns"
    )


def _print_list() -> None:
    from extractscan.simulate.registry import ARCHETYPES  # noqa: PLC0415

    width = max(map(len, ARCHETYPES))
    for archetype in ARCHETYPES.values():
        kind = "attack" if archetype.label else "benign"
        sys.stdout.write(f"{kind}  {archetype.name:<{width}}  {archetype.description}\n")
