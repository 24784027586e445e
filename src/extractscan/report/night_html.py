"""The digest of a night as a page: no outside resource, no script but that of all pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TextIO

from extractscan.report import digest
from extractscan.report import night_words as words
from extractscan.report.html_report import write_page
from extractscan.report.html_tables import plain_table
from extractscan.report.markup import element
from extractscan.report.night_report import TOP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.report.interface import RenderOptions
    from extractscan.report.markup import Markup
    from extractscan.verdict.findings import Findings


@dataclass(frozen=True, slots=True)
class NightPage:
    """Writes the page."""

    document: dict[str, Any]
    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:  # noqa: ARG002
        """Write the page."""
        write_page("extractscan night", self._sections(options.top or TOP["html"]), stream)

    def _sections(self, top: int) -> Iterator[Markup]:
        document = self.document
        yield element(
            "header",
            element("h1", words.title(document)),
            element("p", words.delivered(document), " ", words.holds(document), _class="soft"),
            element("p", words.verdict(document), _class="verdict"),
            element("p", digest.CAUTION, " ", digest.SEVERITY_MEANING, ".", _class="soft"),
        )
        if not document["campaigns"] and not document["accounts"]:
            yield element("p", words.nothing(document))
        for name, entries in (("Campaigns", document["campaigns"]), ("Accounts", document["accounts"][:top])):
            if entries:
                yield element("h2", name)
                yield plain_table(
                    f"{name} that are {' or '.join(document['listed'])}",
                    list(words.COLUMNS),
                    [words.cells(entry) for entry in entries],
                )
        if more := words.more(document, top):
            yield element("p", f"{more}.", _class="soft")
        files = document["delivered"]["files"]
        if files:
            yield element("h2", "Files")
            yield plain_table("What was delivered", ["File", "Was"], [[f["path"], f["was"]] for f in files])
