"""``extractscan timeline``: requests of a case over time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import ListingFormat
from extractscan.cli.options import (
    Accounts,
    Campaign,
    CaseFolder,
    Clobber,
    Form,
    Models,
    Output,
    Since,
    Top,
    Until,
    selection,
)

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


def timeline(
    case: CaseFolder,
    by: Annotated[Key, typer.Option("--by", help="A line for each.")] = Key.CAMPAIGN,
    every: Annotated[Every | None, typer.Option("--every", help="Else what fits the length.")] = None,
    account: Accounts = None,
    model: Models = None,
    campaign: Campaign = None,
    since: Since = None,
    until: Until = None,
    top: Top = 20,
    report_format: Form = ListingFormat.TABLE,
    output: Output = None,
    clobber: Clobber = False,
) -> None:
    """Show the requests of CASE over time, by campaign, account or model, the busiest first (UTC).

    csv has a row for each key and time with a request; json and jsonl a row for each key, with its counts.

    Example: extractscan timeline case/ --by account --campaign c-22705ef2
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    wanted = selection(account, model, since, until, campaign)

    from extractscan.case.read import open_case
    from extractscan.case.timeline import long_rows
    from extractscan.case.timeline import timeline as counted
    from extractscan.cli.console import heed_interrupts
    from extractscan.cli.emit import check_place, emit
    from extractscan.report.case_text import listing
    from extractscan.report.listing_tables import timeline_table

    heed_interrupts()
    check_place(output, clobber=clobber, case=case)
    document = counted(open_case(case), wanted, by=by.value, every=None if every is None else every.value, top=top)

    def render(options: RenderOptions) -> str:
        if report_format is ListingFormat.TABLE:
            return timeline_table(document, options)
        if report_format is ListingFormat.CSV:
            return listing(document, "csv", long_rows(document), ("start", "key", "requests"))
        return listing(document, report_format.value, document["rows"], ())

    emit(render, output, clobber=clobber)
