"""JSON lines: one object an account, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from extractscan.report.document import account_document, ranked_accounts
from extractscan.report.neutralise import json_line

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import Findings


@dataclass(frozen=True, slots=True)
class JsonLinesRenderer:
    """Writes a line for each account (schema ``account``), and nothing for a log without accounts."""

    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the lines."""
        accounts = ranked_accounts(findings, options.top)
        stream.writelines(json_line(account_document(account)) + "\n" for account in accounts)
