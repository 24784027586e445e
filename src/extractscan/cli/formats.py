"""What the commands that read logs take about formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractscan.logs.choose import FormatOptions


def format_options(mapping: list[str] | None, log_format: str | None, account_from: str | None) -> FormatOptions:
    """The options as the reader takes them. Raises UsageError for a way to find accounts that does not exist."""
    from extractscan.logs.choose import FormatOptions, parse_account_from  # noqa: PLC0415

    return FormatOptions(
        tuple(mapping or ()), log_format, None if account_from is None else parse_account_from(account_from)
    )
