"""``extractscan diff``: what changed from one case to the next."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 -- typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from extractscan.cli.emit import ListingFormat
from extractscan.cli.options import Clobber, Output  # noqa: TC001 -- typer reads the annotations
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Case of the earlier run.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Case of the later run.")],
    least: Annotated[float, typer.Option(metavar="BITS", help="Least change of bits within a severity.")] = 1.0,
    top: Annotated[int, typer.Option(min=1, help="List so many accounts in the table.")] = 20,
    report_format: Annotated[
        ListingFormat, typer.Option("--format", "-f", help="How to report; jsonl and csv list the accounts.")
    ] = ListingFormat.TABLE,
    output: Output = None,
    clobber: Clobber = False,
) -> None:
    """List the accounts and campaigns that are new, risen, fallen or gone from OLD to NEW.

    Example: extractscan diff case-2026-03 case-2026-04
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    if not least >= 0.0:
        raise UsageError(f"--least takes bits, zero or more, not {least:g}")

    from extractscan.case.diff import diff as compare
    from extractscan.case.read import open_case
    from extractscan.cli.console import heed_interrupts
    from extractscan.cli.emit import check_place, emit
    from extractscan.report.case_text import to_csv, to_json, to_json_lines
    from extractscan.report.diff_table import to_table

    heed_interrupts()
    for case in (old, new):
        check_place(output, clobber=clobber, case=case)
    document = compare(open_case(old), open_case(new), least=least)

    def render(options: RenderOptions) -> str:
        match report_format:
            case ListingFormat.TABLE:
                return to_table(document, options, top)
            case ListingFormat.JSON:
                return to_json(document)
            case ListingFormat.JSONL:
                return to_json_lines(document["accounts"])
            case ListingFormat.CSV:
                return to_csv(document["accounts"], FIELDS)

    emit(render, output, clobber=clobber)


FIELDS = (
    "change",
    "account_id",
    "campaign_id",
    "severity",
    "old_severity",
    "bits",
    "old_bits",
    "rank",
    "old_rank",
    "requests",
    "old_requests",
    "innocent_explanation",
)
