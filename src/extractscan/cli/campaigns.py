"""``extractscan campaigns``: the campaigns of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.cli.emit import ListingFormat
from extractscan.cli.groups import grouped
from extractscan.cli.options import CaseFolder, ListingOutput, Period, Top, Who, selection

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


@grouped
def campaigns(
    case: CaseFolder,
    *,
    who: Who,
    period: Period,
    top: Top = 20,
    out: ListingOutput,
) -> None:
    """List the campaigns of CASE by rank: members, ties, evidence, models, activity, and what would settle them.

    With a filter: those that have such a request.

    Example: extractscan campaigns case/ --since 2026-03-10
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    wanted = selection(who, period)

    from extractscan.case.campaigns import campaigns as listed
    from extractscan.case.read import open_case
    from extractscan.cli.console import heed_interrupts
    from extractscan.report.case_text import listing
    from extractscan.report.listing_tables import campaigns_table

    heed_interrupts()
    out.check(case)
    document = listed(open_case(case), wanted, top)

    def render(options: RenderOptions) -> str:
        if out.report_format is ListingFormat.TABLE:
            return campaigns_table(document, options)
        return listing(document, out.report_format.value, document["campaigns"], FIELDS)

    out.write(render)
