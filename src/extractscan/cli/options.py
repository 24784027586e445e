"""Options that the commands over a case have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from extractscan.cli.emit import ListingFormat
from extractscan.cli.score import parse_time
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from extractscan.case.select import Selection

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
NoProgress: TypeAlias = Annotated[bool, typer.Option("--no-progress", help="No progress bar.")]


def selection(
    accounts: list[str] | None,
    models: list[str] | None,
    since: str | None,
    until: str | None,
    campaign: str | None = None,
) -> Selection:
    """Return what was asked for. Raises ``UsageError`` for times that are none or the wrong way round."""
    from extractscan.case.select import Selection  # noqa: PLC0415 -- --help pays for typer alone

    first, last = parse_time(since, "--since"), parse_time(until, "--until")
    if first is not None and last is not None and first >= last:
        raise UsageError("--since must be before --until")
    return Selection(tuple(accounts or ()), tuple(models or ()), campaign, first, last)
