"""JSON: one document with the run, the accounts and the campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TextIO

from extractscan.report.document import (
    account_document,
    campaign_document,
    ranked_accounts,
    ranked_campaigns,
    run_document,
)
from extractscan.report.neutralise import json_line
from extractscan.verdict.findings import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import Findings


@dataclass(frozen=True, slots=True)
class JsonRenderer:
    """Writes the document of schema ``report``, with an account or a campaign a line, so that ``diff`` is of use."""

    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the document piece by piece: a million accounts are never held as text."""
        stream.write(
            f'{{"schema_version":{json_line(SCHEMA_VERSION)},\n"run":{json_line(run_document(findings.run))},\n'
        )
        accounts = (account_document(account) for account in ranked_accounts(findings, options.top))
        _write_list("accounts", accounts, stream)
        stream.write(",\n")
        _write_list("campaigns", (campaign_document(campaign) for campaign in ranked_campaigns(findings)), stream)
        stream.write("}\n")


def _write_list(name: str, documents: Iterator[dict[str, Any]], stream: TextIO) -> None:
    stream.write(f'"{name}":[')
    separator = "\n"
    for document in documents:
        stream.write(separator + json_line(document))
        separator = ",\n"
    stream.write("]")
