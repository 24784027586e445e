"""What opens under a finding in the HTML report: how its bits add up, its members, when it was active, its coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extractscan.report import charts, digest, phrases
from extractscan.report.document import number
from extractscan.report.html_tables import severity_mark, strip
from extractscan.report.markup import Markup, element

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractscan.report.markup import Content
    from extractscan.verdict.findings import AccountFinding, CampaignFinding, RunSummary, Severity

MEMBERS_LISTED: Final = 200
"""Members that are named; a reader who needs them all takes JSON."""

STRIPS_SHOWN: Final = 40
"""Members whose time is drawn."""


def account_details(account: AccountFinding, run: RunSummary) -> Markup:
    """Return an account's evidence, closed until it is wanted."""
    return _details(
        f"account-{account.rank}",
        account.account_id,
        account.severity,
        f"{account.bits:.1f} bits, {phrases.count(account.requests, 'request')}, scored by {account.stream}",
        element("p", f"{phrases.moment(account.first_seen)} to {phrases.moment(account.last_seen)} UTC", _class="soft"),
        strip(account, run),
        *_reasons(account),
        waterfall(account),
        coverage(account),
    )


def campaign_details(campaign: CampaignFinding, known: Mapping[str, AccountFinding], run: RunSummary) -> Markup:
    """Return a campaign's evidence, graph, ties, members and their times; ``known`` has the accounts that have a finding."""
    members: list[tuple[str, Severity, int]] = [
        (name, known[name].severity, known[name].requests) if name in known else (name, "none", 0)
        for name in campaign.accounts
    ]
    members.sort(key=lambda member: (-member[2], member[0]))
    label = f"{phrases.count(len(members), 'member')} around one centre"
    drawn = (
        f"The {charts.GRAPH_MOST} busiest of {len(members):,} members"
        if len(members) > charts.GRAPH_MOST
        else "Members"
    )
    return _details(
        f"campaign-{campaign.rank}",
        campaign.campaign_id,
        campaign.severity,
        f"{campaign.bits:.1f} bits, {phrases.count(len(members), 'account')}, {phrases.count(campaign.requests, 'request')}",
        *_reasons(campaign),
        element(
            "div",
            element(
                "div",
                charts.graph(members, label),
                element(
                    "p", f"{drawn}; the area of a dot grows with requests, its place means nothing.", _class="soft"
                ),
            ),
            element("div", _ties(campaign), _strips(members, known, run)),
            _class="pair",
        ),
        waterfall(campaign),
        coverage(campaign),
        element("h4", "Members"),
        element(
            "ul", *(element("li", name, _class="id") for name in campaign.accounts[:MEMBERS_LISTED]), _class="members"
        ),
        element("p", f"and {len(members) - MEMBERS_LISTED:,} more") if len(members) > MEMBERS_LISTED else None,
    )


def waterfall(finding: AccountFinding | CampaignFinding) -> Markup | None:
    """Return how the bits add up, a row a step, drawn on one axis."""
    steps = digest.steps(finding)
    if not steps:
        return None
    marks, running = [0.0], 0.0
    for _, _, bits, _ in steps:
        running += bits
        marks.append(running)
    low, high = min(marks), max(*marks, 1.0)
    rows = [
        _step(
            label, kind if bits >= 0 or kind != "evidence" else "less", (marks[at], marks[at + 1]), (low, high), detail
        )
        for at, (label, kind, bits, detail) in enumerate(steps)
    ]
    rows.append(_step("together", "sum", (0.0, finding.bits), (low, high), ""))
    heads = (element("th", head, scope="col") for head in ("Evidence", "Bits", "From left to right", "Observed"))
    return element(
        "table",
        element("caption", "How the bits add up."),
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
        _class="wide",
    )


def _step(label: str, kind: str, marks: tuple[float, float], axis: tuple[float, float], detail: str) -> Markup:
    bits = marks[1] - marks[0]
    return element(
        "tr",
        element("td", element("span", label), data_label="Evidence", _class="label"),
        element(
            "td", element("span", f"{bits:+.2f}" if kind != "sum" else f"{bits:.2f}"), data_label="Bits", _class="n"
        ),
        element("td", charts.bar(*marks, *axis, kind), data_label="", aria_hidden="true"),
        element("td", element("span", detail), data_label="Observed", _class="observed") if detail else element("td"),
    )


def coverage(finding: AccountFinding | CampaignFinding) -> Markup | None:
    """Return the coverage statistics by name."""
    pairs: list[Content] = []
    for name in sorted(finding.coverage):
        value = number(finding.coverage[name])
        shown = "–" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"  # noqa: RUF001
        pairs.append(element("div", element("dt", phrases.words(name)), element("dd", shown)))
    return element("div", element("h4", "Coverage"), element("dl", *pairs)) if pairs else None


def _details(place: str, name: str, severity: Severity, facts: str, *content: Content) -> Markup:
    summary = element(
        "summary",
        element("h3", name or "(empty)", _class="id"),
        " ",
        severity_mark(severity),
        element("span", f" {facts}", _class="soft"),
    )
    return element("details", summary, *content, id=place)


def _reasons(finding: AccountFinding | CampaignFinding) -> list[Content]:
    out: list[Content] = []
    if finding.severity_reason:
        out.append(element("p", element("strong", "Severity: "), finding.severity_reason))
    if finding.innocent_explanation:
        out.append(element("p", element("strong", "Innocent explanation: "), finding.innocent_explanation))
    return out


def _ties(campaign: CampaignFinding) -> Markup:
    items = [
        element(
            "li", element("strong", phrases.words(tie.kind)), f" {tie.strength:.2f} ({tie.accounts:,}): {tie.detail}"
        )
        for tie in digest.ties(campaign)
    ]
    return element("div", element("h4", "Tied by"), element("ul", *items))


def _strips(
    members: list[tuple[str, Severity, int]], known: Mapping[str, AccountFinding], run: RunSummary
) -> Markup | None:
    shown = sorted(
        (known[name] for name, _, _ in members if name in known), key=lambda each: (each.first_seen, each.account_id)
    )
    if not shown:
        return None
    more = f", the first {STRIPS_SHOWN} of {len(shown):,}" if len(shown) > STRIPS_SHOWN else ""
    return element(
        "div",
        element("h4", "When members were active"),
        element("p", f"From the first request of the log to the last, by first request{more}.", _class="soft"),
        *(strip(each, run) for each in shown[:STRIPS_SHOWN]),
    )
