"""``extractscan clusters``: the near-duplicate clusters of a case."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import ListingFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import (
    Campaign,
    CaseFolder,
    ListingOutput,
    Logs,
    NoProgress,
    Period,
    RawText,
    ShowText,
    Top,
    Who,
    selection,
)
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions


class Ranking(StrEnum):
    """What ``--by`` takes."""

    REQUESTS = "requests"
    ACCOUNTS = "accounts"
    PROMPTS = "prompts"


FIELDS = (
    "rank",
    "cluster",
    "requests",
    "accounts",
    "flagged_accounts",
    "prompts",
    "first_seen",
    "last_seen",
    "least_similarity",
    "likeness",
    "campaigns",
)


@grouped
def clusters(
    case: CaseFolder,
    *,
    who: Who,
    campaign: Campaign = None,
    period: Period,
    grep: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Only clusters with a prompt that matches; reads the logs.")
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only clusters with a prompt that holds much of TEXT; needs no logs."),
    ] = None,
    at_least: Annotated[
        float, typer.Option(metavar="SHARE", help="With --like: how much of TEXT's word triples.")
    ] = 0.5,
    by: Annotated[Ranking, typer.Option("--by", help="What they are ranked by.")] = Ranking.REQUESTS,
    top: Top = 20,
    show_text: ShowText = False,
    raw_text: RawText = False,
    logs: Logs = None,
    out: ListingOutput,
    no_progress: NoProgress = False,
) -> None:
    """List the clusters of near-duplicate prompts of CASE, with the least similar pair that was still merged.

    Prompts are not shown unless asked for.

    Example: extractscan clusters case/ --like "state doubts, dead ends and corrections too"
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    wanted = selection(who, period, campaign)
    if not 0.0 < at_least <= 1.0:
        raise UsageError(f"--at-least takes a share over 0, up to 1, not {at_least:g}")
    if raw_text and not show_text:
        raise UsageError("--raw-text belongs to --show-text")
    if logs and not show_text and grep is None:
        raise UsageError("--logs belongs to --grep and --show-text")

    from extractscan.case import clusters as work
    from extractscan.case.read import open_case
    from extractscan.case.show import add_texts
    from extractscan.cli.console import Console, heed_interrupts
    from extractscan.report.case_text import listing
    from extractscan.report.listing_tables import clusters_table

    heed_interrupts()
    out.check(case)
    opened = open_case(case)
    with Console(progress=not no_progress) as console:
        only = None if grep is None else work.matching(opened, grep, logs or [], console)
        likeness = None if like is None else work.like(opened, like, at_least)
        document = work.clusters(opened, wanted, top=top, by=by.value, only=only, likeness=likeness)
        if show_text and document["clusters"]:
            add_texts(opened, document["clusters"], logs or [], console, raw=raw_text)

    def render(options: RenderOptions) -> str:
        if out.report_format is ListingFormat.TABLE:
            return clusters_table(document, options)
        fields = (*FIELDS, "texts") if show_text else FIELDS
        return listing(document, out.report_format.value, document["clusters"], fields)

    out.write(render)
