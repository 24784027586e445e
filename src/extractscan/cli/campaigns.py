"""``extractscan campaigns``: the campaigns of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.cli.emit import ListingFormat
from extractscan.cli.options import (
    Accounts,
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

FIELDS = (
    "rank",
    "campaign_id",
    "severity",
    "score",
    "bits",
    "p_value",
    "q_value",
    "requests",
    "selected_requests",
    "first_seen",
    "last_seen",
    "accounts",
    "innocent_explanation",
    "settled_by",
)


def campaigns(
    case: CaseFolder,
    account: Accounts = None,
    model: Models = None,
    since: Since = None,
    until: Until = None,
    top: Top = 20,
    report_format: Form = ListingFormat.TABLE,
    output: Output = None,
    clobber: Clobber = False,
) -> None:
    """List the campaigns of CASE by rank: members, ties, evidence, models, activity, and what would settle them.

    With a filter: those that have such a request.

    Example: extractscan campaigns case/ --since 2026-03-10
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    wanted = selection(account, model, since, until)

    from extractscan.case.campaigns import campaigns as listed
    from extractscan.case.read import open_case
    from extractscan.cli.console import heed_interrupts
    from extractscan.cli.emit import check_place, emit
    from extractscan.report.case_text import listing
    from extractscan.report.listing_tables import campaigns_table

    heed_interrupts()
    check_place(output, clobber=clobber, case=case)
    document = listed(open_case(case), wanted, top)

    def render(options: RenderOptions) -> str:
        if report_format is ListingFormat.TABLE:
            return campaigns_table(document, options)
        return listing(document, report_format.value, document["campaigns"], FIELDS)

    emit(render, output, clobber=clobber)
