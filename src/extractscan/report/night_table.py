"""The digest of a night on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from rich.text import Text

from extractscan.report import night_words as words
from extractscan.report.night_report import TOP
from extractscan.report.page import Column, Page

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import Findings

ID_LIMIT: Final = 60
_STYLE: Final = {"new": "bold red", "risen": "red", "fallen": "green", "closed": "dim", "unchanged": ""}


@dataclass(frozen=True, slots=True)
class NightTable:
    """Writes the digest in columns."""

    document: dict[str, Any]
    media: Literal["text"] = "text"
    for_people: bool = True

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:  # noqa: ARG002
        """Write the digest."""
        document = self.document
        page = Page(stream, options)
        top = options.top or TOP["table"]
        page.paragraph(page.log(words.title(document), "bold"))
        page.paragraph(page.prose(words.verdict(document), "bold"))
        page.paragraph(page.prose(words.delivered(document)))
        page.paragraph(page.prose(words.holds(document)))
        for heading, entries in (("CAMPAIGN", document["campaigns"]), ("ACCOUNT", document["accounts"][:top])):
            if entries:
                _list(page, entries, heading)
        if not document["campaigns"] and not document["accounts"]:
            page.paragraph(page.prose(words.nothing(document)))
        if more := words.more(document, top):
            page.paragraph(page.prose(f"{more}; --top shows them."))


def _list(page: Page, entries: list[dict[str, Any]], heading: str) -> None:
    ids = [page.log(entry["id"], limit=ID_LIMIT) for entry in entries]
    columns = [
        Column("", 9),
        Column(heading, max(*(i.cell_len for i in ids), len(heading))),
        Column("SEVERITY", 15),
        Column("BITS", 11, "right"),
        Column("REQUESTS", 9, "right"),
    ]
    page.blank()
    page.heading(columns)
    for entry, shown in zip(entries, ids, strict=True):
        cells = [
            Text(entry["state"], style=_STYLE[entry["state"]]),
            shown,
            page.prose(words.step(entry, "severity")),
            page.prose(words.step(entry, "bits")),
            page.prose(f"{entry['requests']:,}"),
        ]
        page.row(cells, columns)
        for label, text in words.remarks(entry):
            page.paragraph(page.log(text), label=label, indent=11, hang=24)
