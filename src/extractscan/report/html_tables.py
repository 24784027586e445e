"""The tables of the HTML report. Headings are buttons, so that a keyboard sorts as a mouse does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from extractscan.report import charts, digest, phrases
from extractscan.report.document import floating, timestamp
from extractscan.report.markup import Content, Markup, element
from extractscan.verdict.findings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.verdict.findings import AccountFinding, CampaignFinding, RunSummary, Severity


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, and the value by which its column is sorted."""

    content: Content
    value: str | float


@dataclass(frozen=True, slots=True)
class Column:
    """A title, how it sorts, whether it is in the order of the rows to begin with, and whether it shows words."""

    title: str
    kind: Literal["number", "text"] = "number"
    sorted_up: bool = False
    words: bool = False


def sortable(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Markup:
    """Return a table that can be sorted by each column; below 48 rem each row becomes a card."""
    heads = [
        element(
            "th",
            element("button", column.title, type="button"),
            scope="col",
            _class=_numeric(column),
            data_kind=column.kind,
            aria_sort="ascending" if column.sorted_up else "none",
        )
        for column in columns
    ]
    body = [
        element(
            "tr",
            *(
                element(
                    "td",
                    cell.content if isinstance(cell.content, Markup) else element("span", cell.content),
                    _class=_numeric(column),
                    data_label=column.title,
                    data_value=cell.value if isinstance(cell.value, str) else f"{cell.value:.6f}",
                )
                for column, cell in zip(columns, row, strict=True)
            ),
        )
        for row in rows
    ]
    return element(
        "table",
        element("caption", f"{caption} Buttons in the headings sort."),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
        _class="wide",
    )


def _numeric(column: Column) -> str | None:
    return "n" if column.kind == "number" and not column.words else None


def plain_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], names: Sequence[str] = ()) -> Markup:
    """Return a table of text; the columns ``names`` hold ids, paths or hashes."""
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
        element(
            "tbody",
            *(
                element(
                    "tr",
                    *(
                        element("td", element("span", text, _class="id" if head in names else "said"), data_label=head)
                        for head, text in zip(heads, row, strict=True)
                    ),
                )
                for row in rows
            ),
        ),
        _class="wide plain",
    )


def campaign_table(campaigns: Sequence[CampaignFinding], run: RunSummary) -> Markup:
    """Return the campaigns by rank."""
    columns = [
        Column("#", sorted_up=True),
        Column("Campaign", "text"),
        Column("Severity", words=True),
        Column("Score"),
        *_q_column(campaigns),
        Column("Accounts"),
        Column("Requests"),
        Column("Active (UTC)", "text"),
        Column("Innocent explanation", "text"),
    ]
    rows = [
        [
            Cell(str(each.rank), each.rank),
            Cell(_link(f"campaign-{each.rank}", each.campaign_id), each.campaign_id),
            _severity_cell(each.severity),
            Cell(f"{each.score:.3f}", each.score),
            *_q_cell(each, columns),
            Cell(f"{len(each.accounts):,}", len(each.accounts)),
            Cell(f"{each.requests:,}", each.requests),
            _active(each, run),
            Cell(each.innocent_explanation, each.innocent_explanation),
        ]
        for each in campaigns
    ]
    return sortable("Accounts that one operator seems to run, worst first.", columns, rows)


def account_table(accounts: Sequence[AccountFinding], campaigns: Sequence[CampaignFinding], run: RunSummary) -> Markup:
    """Return the accounts by rank."""
    place = {each.campaign_id: f"campaign-{each.rank}" for each in campaigns}
    columns = [
        Column("#", sorted_up=True),
        Column("Account", "text"),
        Column("Severity", words=True),
        Column("Score"),
        *_q_column(accounts),
        Column("Campaign", "text"),
        Column("Requests"),
        Column("Active (UTC)", "text"),
        Column("Reasons (bits)", "text"),
        Column("Innocent explanation", "text"),
    ]
    rows = [
        [
            Cell(str(each.rank), each.rank),
            Cell(_link(f"account-{each.rank}", each.account_id), each.account_id),
            _severity_cell(each.severity),
            Cell(f"{each.score:.3f}", each.score),
            *_q_cell(each, columns),
            _campaign_cell(each.campaign_id, place),
            Cell(f"{each.requests:,}", each.requests),
            _active(each, run),
            Cell(why, why),
            Cell(each.innocent_explanation, each.innocent_explanation),
        ]
        for each in accounts
        for why in [digest.why(each)]
    ]
    return sortable("Each account by its worst stream, worst first.", columns, rows)


def severity_mark(severity: Severity) -> Markup:
    """Return the severity as marks and a word: nothing hangs on colour."""
    marks = element("span", digest.marks(severity, "●", "○"), aria_hidden="true")
    return element("span", marks, f" {severity}", _class="severity", data_kind=severity)


def _severity_cell(severity: Severity) -> Cell:
    return Cell(severity_mark(severity), len(SEVERITIES) - SEVERITIES.index(severity))


def _link(place: str, text: str) -> Markup:
    return element("a", text or "(empty)", href=f"#{place}", _class="id")


def _campaign_cell(campaign_id: str | None, place: dict[str, str]) -> Cell:
    if campaign_id is None:
        return Cell("–", "")  # noqa: RUF001
    if campaign_id not in place:
        return Cell(element("span", campaign_id, _class="id"), campaign_id)
    return Cell(_link(place[campaign_id], campaign_id), campaign_id)


def strip(finding: AccountFinding | CampaignFinding, run: RunSummary) -> Markup:
    """Return when the subject of a finding was active, from the first to the last request of the log."""
    begin, end = run.first_seen or finding.first_seen, run.last_seen or finding.last_seen
    return charts.strip(finding.first_seen, finding.last_seen, begin, end, finding.severity)


def _active(finding: AccountFinding | CampaignFinding, run: RunSummary) -> Cell:
    length = phrases.length(finding.first_seen, finding.last_seen)
    shown = element("span", f"{phrases.moment(finding.first_seen)}, {length}", strip(finding, run))
    return Cell(shown, timestamp(finding.first_seen))


def _q_column(findings: Sequence[AccountFinding | CampaignFinding]) -> list[Column]:
    return [Column("q")] if digest.calibrated(findings) else []


def _q_cell(finding: AccountFinding | CampaignFinding, columns: Sequence[Column]) -> list[Cell]:
    if not any(column.title == "q" for column in columns):
        return []
    value = floating(finding.q_value)
    return [Cell("–", "") if value is None else Cell(phrases.probability(value), value)]  # noqa: RUF001
