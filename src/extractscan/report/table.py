"""The report for people: what was read, what was found, and how far to trust it, to be read in ten seconds.

Campaigns come first, since the campaign is the unit of an attack, then accounts. Severity is a word beside its marks,
so that nothing hangs on colour.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from rich.text import Text

from extractscan.report import digest, phrases
from extractscan.report.page import GAP, SEVERITY_STYLE, Column, Page
from extractscan.verdict.findings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.report.digest import Flagged
    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import AccountFinding, CampaignFinding, Findings, RunSummary, Severity

DEFAULT_TOP = 20
ROOM_FOR_REASONS = 46
"""Cells left in an account's row from which on its reasons stand there, and not below."""

ROOM_FOR_ALL = 100
"""Cells from which on its innocent explanation does too."""

ROOM_FOR_TIMES = 110
"""Width from which on a campaign's span is given to the minute."""

ID_LIMIT = 96
"""Cells of an id that are shown, folded over lines if need be."""

_DETAIL_LIMIT = 240
_REASONS_OF_CAMPAIGN = 3
_QUARANTINE_SHOWN = 5


@dataclass(frozen=True, slots=True)
class TableRenderer:
    """Writes the table, as wide as the options say."""

    media: Literal["text"] = "text"
    for_people: bool = True

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the whole report."""
        page = Page(stream, options)
        found = digest.flagged(findings)
        _summary(page, findings.run)
        _verdict(page, findings.run, found)
        if found.campaigns:
            _campaigns(page, found.campaigns)
        if found.accounts:
            _accounts(page, found, DEFAULT_TOP if options.top is None else options.top)
        _notes(page, findings.run)


def _summary(page: Page, run: RunSummary) -> None:
    page.paragraph(page.prose(f" {page.glyphs.dot} ".join(digest.read(run))))


def _verdict(page: Page, run: RunSummary, found: Flagged) -> None:
    if not run.rows_kept:
        page.paragraph(page.prose(digest.UNSCORED, "bold"))
        return
    if not found.accounts and not found.campaigns:
        page.paragraph(page.prose(digest.NOTHING, "bold"))
    else:
        by_severity = Counter(account.severity for account in found.accounts)
        campaigns, accounts = (
            phrases.count(len(found.campaigns), "campaign"),
            phrases.count(len(found.accounts), "account"),
        )
        line = Text(f"{campaigns} and {accounts} to look at", style="bold")
        separator = " (accounts: "
        for severity in SEVERITIES:
            if by_severity[severity]:
                line.append(separator).append(f"{by_severity[severity]:,} {severity}", style=SEVERITY_STYLE[severity])
                separator = ", "
        page.paragraph(line.append(")." if found.accounts else "."))
    if hidden := digest.hidden(run):
        page.paragraph(page.prose(hidden, "dim"))
    if clear := digest.clear(run, found):
        page.paragraph(page.prose(f"{phrases.count(clear, 'account')} without a finding.", "dim"))


def _campaigns(page: Page, campaigns: list[CampaignFinding]) -> None:
    spans = [
        f"{phrases.day(each.first_seen)}, {phrases.length(each.first_seen, each.last_seen)}"
        if page.width < ROOM_FOR_TIMES
        else f"{phrases.moment(each.first_seen)} to {phrases.moment(each.last_seen)}, "
        + phrases.length(each.first_seen, each.last_seen)
        for each in campaigns
    ]
    ids = [page.log(each.campaign_id, "bold", limit=ID_LIMIT) for each in campaigns]
    columns = _fill_id(
        page,
        [
            Column("#", _width([f"{each.rank}" for each in campaigns], "#"), "right"),
            Column("CAMPAIGN", _longest(ids, "CAMPAIGN")),
            Column("SEVERITY", 10),
            Column("SCORE", 5, "right"),
            *_q_column(campaigns),
            Column("ACCOUNTS", _width([f"{len(each.accounts):,}" for each in campaigns], "ACCOUNTS"), "right"),
            Column("REQUESTS", _width([f"{each.requests:,}" for each in campaigns], "REQUESTS"), "right"),
            Column("ACTIVE (UTC)", _width(spans, "ACTIVE (UTC)")),
        ],
    )
    page.blank()
    page.heading(columns)
    indent = columns[0].width + GAP
    for each, shown_id, span in zip(campaigns, ids, spans, strict=True):
        page.row(
            [
                Text(str(each.rank)),
                shown_id,
                _severity(page, each.severity),
                Text(f"{each.score:.3f}"),
                *_q_cell(each, columns),
                Text(f"{len(each.accounts):,}"),
                Text(f"{each.requests:,}"),
                page.prose(span),
            ],
            columns,
        )
        _campaign_details(page, each, indent)


def _campaign_details(page: Page, campaign: CampaignFinding, indent: int) -> None:
    hang = indent + len("innocent") + GAP

    def detail(label: str, text: Text) -> None:
        page.paragraph(text, label=label, indent=indent, hang=hang, label_style="dim")

    if ties := digest.ties(campaign):
        tied = (f"{phrases.words(tie.kind)} {tie.strength:.2f} ({tie.accounts:,})" for tie in ties)
        detail("tied by", page.prose(", ".join(tied), limit=_DETAIL_LIMIT))
    label = "because"
    for entry in phrases.strongest(campaign.evidence)[:_REASONS_OF_CAMPAIGN]:
        reason = f"+{entry.bits:.1f} {phrases.words(entry.signal)}" + (f": {entry.detail}" if entry.detail else "")
        detail(label, page.prose(reason, limit=_DETAIL_LIMIT))
        label = ""
    lowered = phrases.reliefs(campaign.gates, campaign.evidence)
    if lowered:
        detail("despite", page.prose(", ".join(lowered), limit=_DETAIL_LIMIT))
    if campaign.severity_reason:
        detail("severity", page.prose(campaign.severity_reason, limit=_DETAIL_LIMIT))
    if campaign.innocent_explanation:
        detail("innocent", page.prose(campaign.innocent_explanation, limit=_DETAIL_LIMIT))


def _accounts(page: Page, found: Flagged, top: int) -> None:
    shown = found.accounts[:top]
    if shown:
        ids = [page.log(each.account_id, limit=ID_LIMIT) for each in shown]
        columns = _account_columns(page, shown, ids)
        page.blank()
        page.heading(columns)
        explained = {each.campaign_id: each.innocent_explanation for each in found.campaigns}
        for each, shown_id in zip(shown, ids, strict=True):
            _account(page, each, shown_id, columns, explained)
    if len(shown) < len(found.accounts):
        page.paragraph(page.prose(digest.more(found, len(shown)), "dim"))


def _account_columns(page: Page, shown: list[AccountFinding], ids: list[Text]) -> list[Column]:
    columns = [
        Column("#", _width([f"{each.rank}" for each in shown], "#"), "right"),
        Column("ACCOUNT", _longest(ids, "ACCOUNT")),
        Column("SEVERITY", 10),
        Column("SCORE", 5, "right"),
        *_q_column(shown),
        Column("CAMPAIGN", _longest([page.log(each.campaign_id or "", limit=16) for each in shown], "CAMPAIGN")),
        Column("REQUESTS", _width([f"{each.requests:,}" for each in shown], "REQUESTS"), "right"),
    ]
    rest = page.width - sum(column.width + GAP for column in columns)
    rest += max(columns[1].width - 40, 0)
    if rest < ROOM_FOR_REASONS:
        return _fill_id(page, columns)
    columns[1] = Column("ACCOUNT", min(columns[1].width, 40))
    if rest < ROOM_FOR_ALL:
        return [*columns, Column("STRONGEST REASONS (BITS)", rest)]
    reasons = rest // 2
    return [*columns, Column("STRONGEST REASONS (BITS)", reasons), Column("INNOCENT EXPLANATION", rest - reasons - GAP)]


def _account(
    page: Page, account: AccountFinding, shown_id: Text, columns: list[Column], explained: dict[str, str]
) -> None:
    """Write one account. What its campaign says already is not said again."""
    cells = [
        Text(str(account.rank)),
        shown_id,
        _severity(page, account.severity),
        Text(f"{account.score:.3f}"),
        *_q_cell(account, columns),
        page.log(account.campaign_id or "", limit=16),
        Text(f"{account.requests:,}"),
    ]
    beside = len(columns) - len(cells)  # reasons and explanation stand beside the facts, or below them
    indent = columns[0].width + GAP
    why = ["high but for its q"] if account.severity_reason else []
    why += phrases.reasons(account.evidence) + phrases.reliefs(account.gates, account.evidence)
    innocent = account.innocent_explanation
    if account.campaign_id is not None and explained.get(account.campaign_id) == innocent:
        innocent = "as its campaign" if beside > 1 else ""
    if beside:
        cells.append(page.prose(phrases.fitted(why, columns[len(cells)].width)))
        indent += columns[1].width + GAP
    if beside > 1:
        cells.append(page.prose(innocent, "dim", limit=_DETAIL_LIMIT))
    page.row(cells, columns)
    if not beside and why:
        page.paragraph(page.prose(phrases.fitted(why, page.width - indent)), indent=indent)
    if beside < 2 and innocent:
        page.paragraph(
            page.prose(innocent, "dim", limit=_DETAIL_LIMIT), label="innocent", indent=indent, label_style="dim"
        )


_Q_COLUMN = Column("Q", 5, "right")


def _q_column(findings: Sequence[AccountFinding | CampaignFinding]) -> list[Column]:
    """The column of q-values, where a baseline gave some."""
    return [_Q_COLUMN] if digest.calibrated(findings) else []


def _q_cell(finding: AccountFinding | CampaignFinding, columns: Sequence[Column]) -> list[Text]:
    """Its cell, where there is the column."""
    if _Q_COLUMN not in columns:
        return []
    return [Text("-" if finding.q_value is None else phrases.probability(finding.q_value))]


def _notes(page: Page, run: RunSummary) -> None:
    page.blank()
    hang = len("Not assessed") + GAP

    def note(label: str, text: str, style: str = "") -> None:
        page.paragraph(page.prose(text, style), label=label, hang=hang, label_style="bold")

    before = ""
    quarantined = False
    for label, text in digest.notes(run):
        if not quarantined and label not in ("Not assessed", "Capped"):  # after what bears on reading
            _quarantine(page, run, hang)
            quarantined = True
        note("" if label == before else label, text)
        before = label


def _quarantine(page: Page, run: RunSummary, hang: int) -> None:
    if not run.rows_quarantined and not run.quarantine:
        return
    shown = phrases.examples(run.quarantine, _QUARANTINE_SHOWN)
    heading = f"{phrases.count(run.rows_quarantined, 'row')} could not be read" + (", such as" if shown else ".")
    page.paragraph(page.prose(heading), label="Quarantined", hang=hang, label_style="bold")
    for entry, alike in shown:
        place = page.log(phrases.tail(entry.file, max(page.width // 2 - hang, 20)))
        if entry.line is not None:
            place.append(f":{entry.line}")
        reason = page.prose(entry.reason, limit=_DETAIL_LIMIT)
        more = Text(f" (and {alike:,} like it)" if alike else "", style="dim")
        page.paragraph(place.append("  ").append_text(reason).append_text(more), indent=hang)


def _severity(page: Page, severity: Severity) -> Text:
    marks = digest.marks(severity, page.glyphs.full, page.glyphs.empty)
    return Text(f"{marks} {severity.upper()}", style=SEVERITY_STYLE[severity])


def _fill_id(page: Page, columns: list[Column]) -> list[Column]:
    """Narrow the second column, the id, to the room that the others leave."""
    others = sum(column.width + GAP for column in columns) - columns[1].width - GAP
    width = max(min(columns[1].width, page.width - others), 8)
    return [columns[0], Column(columns[1].title, width, columns[1].align), *columns[2:]]


def _width(texts: list[str], title: str) -> int:
    return max(len(text) for text in [*texts, title])


def _longest(texts: list[Text], title: str) -> int:
    return max(len(title), *(text.cell_len for text in texts))
