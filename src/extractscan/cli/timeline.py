"""``extractscan timeline``: requests of a case over time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import ListingFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import Campaign, CaseFolder, ListingOutput, Period, Top, Who, selection

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions


class Key(StrEnum):
    """What ``--by`` takes."""

    CAMPAIGN = "campaign"
    ACCOUNT = "account"
    MODEL = "model"
    ALL = "all"


class Every(StrEnum):
    """What ``--every`` takes."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@grouped
def timeline(
    case: CaseFolder,
    *,
    by: Annotated[Key, typer.Option("--by", help="A line for each.")] = Key.CAMPAIGN,
    every: Annotated[Every | None, typer.Option("--every", help="Else what fits the length.")] = None,
    who: Who,
    campaign: Campaign = None,
    period: Period,
    top: Top = 20,
    out: ListingOutput,
) -> None:
    """Show the requests of CASE over time, by campaign, account or model, the busiest first (UTC).

    csv has a row for each key and time with a request; json and jsonl a row for each key, with its counts.

    Example: extractscan timeline case/ --by account --campaign c-22705ef2
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    wanted = selection(who, period, campaign)

    from extractscan.case.read import open_case
    from extractscan.case.timeline import long_rows
    from extractscan.case.timeline import timeline as counted
    from extractscan.cli.console import heed_interrupts
    from extractscan.report.case_text import listing
    from extractscan.report.listing_tables import timeline_table

    heed_interrupts()
    out.check(case)
    document = counted(open_case(case), wanted, by=by.value, every=None if every is None else every.value, top=top)

    def render(options: RenderOptions) -> str:
        if out.report_format is ListingFormat.TABLE:
            return timeline_table(document, options)
        if out.report_format is ListingFormat.CSV:
            return listing(document, "csv", long_rows(document), ("start", "key", "requests"))
        return listing(document, out.report_format.value, document["rows"], ())

    out.write(render)
