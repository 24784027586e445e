"""What every report for people says, in sentences of ours: what was read, what was found, and how far to trust it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from extractscan.case.waterfall import waterfall
from extractscan.report import phrases
from extractscan.report.document import ranked_accounts, ranked_campaigns
from extractscan.verdict.assess import HIGH, LOW, MEDIUM
from extractscan.verdict.findings import SEVERITIES, CampaignFinding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.verdict.findings import AccountFinding, Allowed, Findings, RunSummary, Severity, Tie

SEVERITY_MEANING = (
    f"high: at least {HIGH:g} bits from two families of evidence that agree; medium: {MEDIUM:g} bits; low: {LOW:g} bits"
)
NOTHING = "Nothing found: no campaign, and no account that stands out."
UNSCORED = "No request could be kept, so nothing was scored."
LEAST = 0.05
"""Bits from which a difference is worth a line."""
CAUTION = "A score is a lead, not an attribution."


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a finding is about: its kind, its id, and the accounts (of an account, itself)."""

    kind: Literal["account", "campaign"]
    name: str
    members: tuple[str, ...]


def subject(finding: AccountFinding | CampaignFinding) -> Subject:
    """Return whom a finding is about."""
    if isinstance(finding, CampaignFinding):
        return Subject("campaign", finding.campaign_id, tuple(finding.accounts))
    return Subject("account", finding.account_id, (finding.account_id,))


@dataclass(frozen=True, slots=True)
class Flagged:
    """The findings that are worth a look, by rank: those with a severity. ``accounts`` are all of them."""

    campaigns: list[CampaignFinding]
    accounts: list[AccountFinding]


def flagged(findings: Findings) -> Flagged:
    """Return the findings that have a severity."""
    return Flagged(
        [campaign for campaign in ranked_campaigns(findings) if campaign.severity != "none"],
        [account for account in ranked_accounts(findings, None) if account.severity != "none"],
    )


def read(run: RunSummary) -> list[str]:
    """Return what was read, part by part: version, files, requests kept and lost, accounts, time."""
    lost = [
        phrases.count(number, noun, plural)
        for number, noun, plural in (
            (run.rows_quarantined, "quarantined", "quarantined"),
            (run.rows_duplicate, "duplicate", None),
            (run.rows_outside_window, "outside the time window", "outside the time window"),
        )
        if number
    ]
    parts = [
        f"extractscan {run.version}",
        phrases.count(len(run.files), "file"),
        f"{run.rows_kept:,} of {phrases.count(run.rows_read, 'request')} kept"
        + (f" ({', '.join(lost)})" if lost else ""),
        phrases.count(run.accounts, "account"),
    ]
    if run.first_seen is not None and run.last_seen is not None:
        span = phrases.length(run.first_seen, run.last_seen)
        parts.append(f"{phrases.moment(run.first_seen)} to {phrases.moment(run.last_seen)} UTC, {span}")
    return parts


def verdict(run: RunSummary, found: Flagged) -> str:
    """Return what was found, in one or two sentences."""
    if not run.rows_kept:
        return UNSCORED
    if not found.accounts and not found.campaigns:
        return " ".join(part for part in (NOTHING, hidden(run)) if part)
    numbers = Counter(account.severity for account in found.accounts)
    each = ", ".join(f"{numbers[severity]:,} {severity}" for severity in SEVERITIES if numbers[severity])
    sentence = (
        f"{phrases.count(len(found.campaigns), 'campaign')} and "
        f"{phrases.count(len(found.accounts), 'account')} to look at" + (f" (accounts: {each})." if each else ".")
    )
    without = clear(run, found)
    return " ".join(
        part
        for part in (
            sentence,
            hidden(run),
            f"{phrases.count(without, 'account')} without a finding." if without else "",
        )
        if part
    )


def clear(run: RunSummary, found: Flagged) -> int:
    """Return how many accounts have no finding, not even one that an allowlist hides."""
    return max(run.accounts - len(found.accounts) - (run.allowlist.accounts if run.allowlist else 0), 0)


def more(found: Flagged, shown: int) -> str:
    """Return how many accounts with a finding are not shown, of which there are some, and how to see them."""
    number = phrases.count(len(found.accounts) - shown, "more account")
    return f"{number} with a finding; --top {len(found.accounts)} shows all."


def hidden(run: RunSummary) -> str:
    """Return how many findings an allowlist hides, empty if it hides none."""
    allowed = run.allowlist
    if allowed is None or not (allowed.accounts or allowed.campaigns):
        return ""
    accounts, campaigns = phrases.count(allowed.accounts, "account"), phrases.count(allowed.campaigns, "campaign")
    return f"Hidden by the allowlist: {campaigns} and {accounts} with a finding."


def notes(run: RunSummary) -> list[tuple[str, str]]:
    """Return what limits the findings, each with a label; a label may come more than once."""
    out = [("Not assessed", line) for line in phrases.by_reason(run.not_assessed)]
    if run.capped_bands:
        bands = phrases.count(run.capped_bands, "band")
        out.append(("Capped", f"{bands} of very common prompts; some near-duplicates among them may be missing."))
    out += [("Baseline", warning) for warning in (run.baseline.warnings if run.baseline else ())]
    if run.allowlist:
        out += [("Allowlist", warning) for warning in run.allowlist.warnings]
        out += [("Allowed", _allowed(each)) for each in run.allowlist.shown]
    out.append(("Caution", f"{CAUTION} {run.calibration[:1].upper()}{run.calibration[1:]}"))
    return out


def _allowed(each: Allowed) -> str:
    finding = f"{each.kind} {each.subject}, {each.severity}, {each.bits:.1f} bits"
    return f"{finding}: {each.reason} ({each.owner}, until {each.expiry.isoformat()})"


def calibrated(findings: Iterable[AccountFinding | CampaignFinding]) -> bool:
    """Tell whether a baseline gave q-values, so that a table has a column of them."""
    return any(finding.q_value is not None for finding in findings)


def marks(severity: Severity, full: str, empty: str) -> str:
    """Return the severity as three marks, the more of them full the worse, so that nothing hangs on colour."""
    most = len(SEVERITIES) - 1
    grade = most - SEVERITIES.index(severity)
    return full * grade + empty * (most - grade)


def ties(campaign: CampaignFinding) -> list[Tie]:
    """Return what ties a campaign together, strongest first."""
    return sorted(campaign.ties, key=lambda tie: (-tie.strength, tie.kind))


def why(account: AccountFinding) -> str:
    """Return what decided, in few words: a severity that was held back, reasons with their bits, what lowered them."""
    held = [account.severity_reason] if account.severity_reason else []
    return ", ".join(held + phrases.reasons(account.evidence) + phrases.reliefs(account.gates, account.evidence))


def steps(finding: AccountFinding | CampaignFinding) -> list[tuple[str, str, float, str]]:
    """Return how the bits add up: label, kind (``evidence``, ``gate``, ``rest``), signed bits, detail.

    The steps are those of ``case.waterfall``, with a family's signals one by one and what its cap takes away after them. What they do
    not explain (a gate of another stream, say) is one step more, so that the steps always sum to the finding's bits.
    """
    entries = [
        {"signal": e.signal, "family": e.family, "bits": e.bits, "assessed": e.assessed} for e in finding.evidence
    ]
    gates = [{"gate": gate.gate, "factor": gate.factor} for gate in finding.gates]
    detail = {gate.gate: gate.detail for gate in finding.gates}
    out: list[tuple[str, str, float, str]] = []
    total = 0.0
    for step in waterfall(entries, gates):
        total = step.total
        if step.kind == "family":
            of = sorted(
                (entry for entry in finding.evidence if entry.assessed and entry.family == step.name),
                key=lambda entry: (-entry.bits, entry.signal),
            )
            out += [(phrases.words(entry.signal), "evidence", entry.bits, entry.detail) for entry in of]
            capped = step.bits - sum(entry.bits for entry in of)
            if abs(capped) >= LEAST:
                said = "signals that say the same count no further"
                out.append((f"cap of {phrases.words(step.name)}", "rest", capped, said))
        elif step.kind == "gate":
            label = f"{phrases.words(step.name)} \N{MULTIPLICATION SIGN}{step.factor:.2f}"
            out.append((label, "gate", step.bits, detail[step.name]))
        else:
            out.append((phrases.words(step.name), "rest", step.bits, "what speaks for innocence is no credit"))
    if abs(finding.bits - total) >= LEAST:
        out.append(("other limits", "rest", finding.bits - total, "what the parts above do not explain"))
    return out
