"""Markdown: the report for a ticket, a wiki or a pull request; GitHub's tables, no HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from extractscan.report import digest, phrases
from extractscan.report.neutralise import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import AccountFinding, CampaignFinding, Findings, RunSummary

DEFAULT_TOP = 50
"""Accounts listed; a ticket is not the place for thousands."""

MEMBERS_SHOWN = 50
"""Members of a campaign that are named."""

_QUARANTINE_SHOWN = 10


@dataclass(frozen=True, slots=True)
class MarkdownRenderer:
    """Writes headings, tables and lists; whatever is not punctuation of ours has gone through ``neutralise.markdown``."""

    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the whole report."""
        found = digest.flagged(findings)
        top = DEFAULT_TOP if options.top is None else options.top
        run = findings.run
        blocks = [
            "# extractscan report",
            " · ".join(markdown(part) for part in digest.read(run)),
            f"**{markdown(digest.verdict(run, found))}**",
        ]
        if found.campaigns:
            blocks += ["## Campaigns", _campaign_table(found.campaigns)]
            blocks += [block for campaign in found.campaigns for block in _campaign(campaign)]
        shown = found.accounts[:top]
        if shown:
            blocks += ["## Accounts", _account_table(shown)]
        if len(shown) < len(found.accounts):
            blocks.append(f"{phrases.count(len(found.accounts) - len(shown), 'more account')} with a finding.")
        blocks += ["## How far to trust this", _notes(run)]
        if run.rows_quarantined or run.quarantine:
            blocks += ["## Quarantined", *_quarantine(run)]
        if run.files:
            blocks += ["## Files", _files(run)]
        stream.write("\n\n".join(blocks) + "\n")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Return a table; the cells are escaped already, ``right`` are the columns of numbers."""
    numeric = frozenset(right)
    rule = ("---:" if number in numeric else "---" for number in range(len(heads)))
    lines = [heads, list(rule), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _q_cell(finding: AccountFinding | CampaignFinding) -> str:
    return "–" if finding.q_value is None else markdown(phrases.probability(finding.q_value))  # noqa: RUF001


def _active(finding: AccountFinding | CampaignFinding) -> str:
    length = phrases.length(finding.first_seen, finding.last_seen)
    return markdown(f"{phrases.moment(finding.first_seen)} to {phrases.moment(finding.last_seen)}, {length}")


def _campaign_table(campaigns: list[CampaignFinding]) -> str:
    q = digest.calibrated(campaigns)
    heads = ["#", "Campaign", "Severity", "Score", *(["q"] if q else []), "Accounts", "Requests", "Active (UTC)"]
    rows = [
        [
            str(each.rank),
            markdown(each.campaign_id),
            f"**{each.severity}**",
            f"{each.score:.3f}",
            *([_q_cell(each)] if q else []),
            f"{len(each.accounts):,}",
            f"{each.requests:,}",
            _active(each),
        ]
        for each in campaigns
    ]
    return _table(heads, rows, right=(0, *range(3, len(heads) - 1)))


def _campaign(campaign: CampaignFinding) -> list[str]:
    lines = []
    for tie in digest.ties(campaign):
        kind = markdown(phrases.words(tie.kind))
        lines.append(f"- tied by {kind} {tie.strength:.2f} ({tie.accounts:,}): {markdown(tie.detail)}")
    if campaign.severity_reason:
        lines.append(f"- severity: {markdown(campaign.severity_reason)}")
    if campaign.innocent_explanation:
        lines.append(f"- **innocent explanation:** {markdown(campaign.innocent_explanation)}")
    named = ", ".join(markdown(account) for account in campaign.accounts[:MEMBERS_SHOWN])
    more = len(campaign.accounts) - MEMBERS_SHOWN
    lines.append(f"- members: {named}" + (f" and {more:,} more" if more > 0 else ""))
    return [f"### {markdown(campaign.campaign_id)}", "\n".join(lines), *_waterfall(campaign)]


def _waterfall(finding: AccountFinding | CampaignFinding) -> list[str]:
    steps = digest.steps(finding)
    if not steps:
        return []
    rows = [[markdown(label), f"{bits:+.2f}", markdown(detail)] for label, _, bits, detail in steps]
    rows.append(["**together**", f"**{finding.bits:.2f}**", ""])
    return [_table(["Evidence", "Bits", "Observed"], rows, right=(1,))]


def _account_table(accounts: list[AccountFinding]) -> str:
    q = digest.calibrated(accounts)
    heads = ["#", "Account", "Severity", "Score", *(["q"] if q else []), "Campaign", "Requests"]
    heads += ["Active (UTC)", "Reasons (bits)", "Innocent explanation"]
    rows = [
        [
            str(each.rank),
            markdown(each.account_id),
            f"**{each.severity}**",
            f"{each.score:.3f}",
            *([_q_cell(each)] if q else []),
            markdown(each.campaign_id or ""),
            f"{each.requests:,}",
            _active(each),
            markdown(digest.why(each)),
            markdown(each.innocent_explanation),
        ]
        for each in accounts
    ]
    return _table(heads, rows, right=(0, 3, *([4] if q else []), 6 if q else 5))


def _notes(run: RunSummary) -> str:
    return "\n".join(f"- **{label}:** {markdown(text)}" for label, text in digest.notes(run))


def _quarantine(run: RunSummary) -> list[str]:
    rows = [
        [markdown(entry.file), "" if entry.line is None else str(entry.line), markdown(entry.reason), f"{alike + 1:,}"]
        for entry, alike in phrases.examples(run.quarantine, _QUARANTINE_SHOWN)
    ]
    sentence = f"{phrases.count(run.rows_quarantined, 'row')} could not be read."
    return [sentence, _table(["File", "Line", "Reason", "Alike"], rows, right=(1, 3))] if rows else [sentence]


def _files(run: RunSummary) -> str:
    rows = [[markdown(file.path), f"{file.rows_kept:,}", markdown(file.sha256)] for file in run.files]
    return _table(["File", "Kept", "SHA-256"], rows, right=(1,))
