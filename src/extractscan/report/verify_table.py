"""What ``verify`` found, for people."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.text import Text

from extractscan.report import phrases
from extractscan.report.page import Column, Page

if TYPE_CHECKING:
    from extractscan.case.verify import Verification
    from extractscan.report.interface import RenderOptions


def to_table(found: Verification, options: RenderOptions, *, sealed: bool) -> str:
    """Return the text: a verdict, each difference, and what a verdict without a seal does not show."""
    out = io.StringIO()
    page = Page(out, options)
    files = phrases.count(found.files_checked, "file")
    logs = f" and {phrases.count(found.logs_checked, 'log')}" if found.logs_checked else ""
    if found.intact:
        page.paragraph(page.prose(f"Nothing has changed: {files} of the case{logs} are what they were.", "bold"))
    else:
        number = phrases.count(len(found.differences), "difference")
        page.paragraph(page.prose(f"{number} in {files} of the case{logs}.", "bold red"))
        width = max(len(d.kind) for d in found.differences)
        columns = [
            Column("WHAT", max(width, 4)),
            Column("OF", 4),
            Column("FILE AND WHY", max(page.width - width - 12, 20)),
        ]
        page.heading(columns)
        for each in found.differences:
            why = page.log(each.path, limit=200).append_text(page.prose(f"  {each.detail}"))
            page.row([Text(each.kind), Text(each.subject), why], columns)
    if found.unread:
        others = phrases.count(len(found.unread), "file")
        page.paragraph(page.prose(f"{others} in the folders given: not among the logs that were read."))
    page.paragraph(page.prose(found.seal), label="Seal", hang=8, label_style="bold")
    if not sealed:
        page.paragraph(
            page.prose(
                "Who can write to the folder can also write a new run.json. Hold the seal against the one that score "
                "printed, or give that one with --seal."
            ),
            hang=8,
        )
    return out.getvalue()
