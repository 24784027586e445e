"""The digest of a night in the forms that people read on a terminal or in a ticket, and the choice among all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, assert_never

from extractscan.report import night_words as words
from extractscan.report.case_text import listing
from extractscan.report.interface import Format
from extractscan.report.neutralise import markdown

if TYPE_CHECKING:
    from extractscan.report.interface import Renderer, RenderOptions
    from extractscan.verdict.findings import Findings

TOP: Final = {"table": 20, "markdown": 50, "html": 200}
"""Accounts that are listed unless the user says how many; the other formats list all."""
FIELDS: Final = (
    "event_id", "night", "kind", "state", "id", "campaign", "in_results", "severity", "old_severity", "bits", "old_bits",
    "requests", "accounts", "joined", "left", "split_from", "merged_into", "since_night", "first_seen", "last_seen",
    "innocent_explanation",
)  # fmt: skip
"""Columns of CSV."""


def night_renderer(chosen: Format, document: dict[str, Any]) -> Renderer:
    """Return what renders a document of schema ``night`` in a format; STIX, which has no states, renders the findings it is given.

    Raises ``UsageError`` if the format needs a package that is not installed.
    """
    # ruff: noqa: PLC0415 -- one format is used at a time
    match chosen:
        case Format.TABLE:
            from extractscan.report.night_table import NightTable

            return NightTable(document)
        case Format.MARKDOWN:
            return NightMarkdown(document)
        case Format.HTML:
            from extractscan.report.night_html import NightPage

            return NightPage(document)
        case Format.JSON | Format.JSONL | Format.CSV:
            return NightListing(document, chosen.value)
        case Format.PARQUET:
            from extractscan.report.night_parquet import NightParquet

            return NightParquet(document)
        case Format.OCSF:
            from extractscan.report.night_ocsf import NightOcsf

            return NightOcsf(document)
        case Format.STIX:
            from extractscan.report.formats import renderer

            return renderer(chosen)
        case _:
            assert_never(chosen)


def shown(document: dict[str, Any], top: int | None) -> list[dict[str, Any]]:
    """Return the entries to list: all campaigns, and so many accounts."""
    entries: list[dict[str, Any]] = [*document["campaigns"], *document["accounts"][:top]]
    return entries


@dataclass(frozen=True, slots=True)
class NightListing:
    """Writes JSON, JSON lines or CSV: an entry a line."""

    document: dict[str, Any]
    form: str
    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:  # noqa: ARG002
        """Write it."""
        document = {**self.document, "accounts": self.document["accounts"][: options.top]}
        stream.write(listing(document, self.form, shown(document, None), FIELDS))


@dataclass(frozen=True, slots=True)
class NightMarkdown:
    """Writes headings and tables."""

    document: dict[str, Any]
    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:  # noqa: ARG002
        """Write the digest."""
        document = self.document
        top = options.top or TOP["markdown"]
        blocks = [
            f"# {markdown(words.title(document))}",
            f"**{markdown(words.verdict(document))}**",
            markdown(words.delivered(document)),
            markdown(words.holds(document)),
        ]
        if not document["campaigns"] and not document["accounts"]:
            blocks.append(markdown(words.nothing(document)))
        for name, entries in (("Campaigns", document["campaigns"]), ("Accounts", document["accounts"][:top])):
            if entries:
                blocks += [f"## {name}", "\n".join(self._table(entries))]
        if more := words.more(document, top):
            blocks.append(f"{more}.")
        stream.write("\n\n".join(blocks) + "\n")

    def _table(self, entries: list[dict[str, Any]]) -> list[str]:
        lines = [f"| {' | '.join(words.COLUMNS)} |", "| --- | --- | --- | ---: | ---: | --- |"]
        for entry in entries:
            state, *others = words.cells(entry)
            lines.append(f"| {' | '.join([f'**{state}**', *map(markdown, others)])} |")
        return lines
