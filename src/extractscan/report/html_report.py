"""HTML: one file for people, that asks nothing of the network and runs no script but its own.

The page's policy allows one style sheet and one script, by their hashes; whatever a log puts into it is text. It can be
read without the script, which only sorts tables and opens what is printed or linked to.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal, TextIO

from extractscan.report import atlas, digest, html_parts, phrases
from extractscan.report.html_tables import account_table, campaign_table, plain_table
from extractscan.report.markup import Markup, element, join, verbatim

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extractscan.report.digest import Flagged
    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import Findings, RunSummary

DEFAULT_TOP: Final = 200
"""Accounts listed, each with its evidence: some 6 kB an account."""

_QUARANTINE_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class HtmlRenderer:
    """Writes the page, section by section."""

    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the page."""
        top = DEFAULT_TOP if options.top is None else options.top
        write_page("extractscan report", _sections(findings, top), stream)


def write_page(title: str, sections: Iterable[Markup], stream: TextIO) -> None:
    """Write a page of sections, with the style sheet, the script and the policy of all pages."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", verbatim(style)),
    )
    stream.write(f'<!DOCTYPE html>\n<html lang="en">\n{head.text}\n<body>\n<main>\n')
    stream.writelines(section.text + "\n" for section in sections)
    stream.write(f"</main>\n{element('script', verbatim(script)).text}\n</body>\n</html>\n")


def _asset(name: str) -> str:
    return (files("extractscan.report") / "assets" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _sections(findings: Findings, top: int) -> Iterator[Markup]:
    run, found = findings.run, digest.flagged(findings)
    shown = found.accounts[:top]
    yield element(
        "header",
        element("h1", "extractscan report"),
        element("p", " · ".join(digest.read(run)), _class="soft"),
        element("p", digest.verdict(run, found), _class="verdict"),
        element("p", digest.CAUTION, " ", digest.SEVERITY_MEANING, ".", _class="soft"),
    )
    if found.campaigns:
        yield _heading("Campaigns")
        yield campaign_table(found.campaigns, run)
        yield from _campaigns(findings, found)
    if shown:
        yield _heading("Accounts")
        yield account_table(shown, found.campaigns, run)
    if len(shown) < len(found.accounts):
        yield element("p", digest.more(found, len(shown)), _class="soft")
    if shown:
        yield _heading("Evidence of each account")
        for account in shown:
            yield html_parts.account_details(account, run)
    yield _heading("How far to trust this")
    yield plain_table("Limits of this report", ["What", "Why"], [list(note) for note in digest.notes(run)])
    yield _atlas()
    if run.rows_quarantined or run.quarantine:
        yield _heading("Quarantined")
        yield _quarantine(run)
    if run.files:
        yield _heading("Files")
        yield plain_table(
            "Logs that were read",
            ["File", "Format", "Kept", "Quarantined", "SHA-256"],
            [[f.path, f.format, f"{f.rows_kept:,}", f"{f.rows_quarantined:,}", f.sha256] for f in run.files],
            ["File", "SHA-256"],
        )


def _heading(text: str) -> Markup:
    return element("h2", text)


def _campaigns(findings: Findings, found: Flagged) -> Iterator[Markup]:
    known = {account.account_id: account for account in findings.accounts}
    for campaign in found.campaigns:
        yield html_parts.campaign_details(campaign, known, findings.run)


def _atlas() -> Markup:
    rows = [
        [technique.uid, technique.name, technique.tactic_name, kind]
        for kind in atlas.KINDS
        for technique in atlas.techniques(kind)
    ]
    caption = f"MITRE ATLAS {atlas.version()}: what the findings would be, if true"
    return plain_table(caption, ["Technique", "Name", "Tactic", "Of"], rows, ["Technique"])


def _quarantine(run: RunSummary) -> Markup:
    rows = [
        [entry.file, "" if entry.line is None else str(entry.line), entry.reason, f"{alike + 1:,}"]
        for entry, alike in phrases.examples(run.quarantine, _QUARANTINE_SHOWN)
    ]
    sentence = element("p", f"{phrases.count(run.rows_quarantined, 'row')} could not be read.")
    return join(sentence, plain_table("An example of each reason", ["File", "Line", "Reason", "Alike"], rows, ["File"]))
