"""Allowlists: findings that are known and agreed, hidden when reporting, never when scoring.

A list is a TOML file of entries such as::

    [[allow]]
    account = "acct_1234"        # or organisation = "org_77"
    reason = "red team exercise of the second quarter"
    owner = "trust-and-safety"
    expiry = 2026-06-30

An entry covers traffic up to the end of its expiry day (UTC). What an account does later is not agreed, so a finding
whose last request is later shows; the clock of the machine plays no part, and the same log gives the same report. An
account is hidden by its id, or by its organisation if all its requests name that one. A campaign is hidden only if all
its members are; one of whose members some are not allowed shows whole. Ranks stay those of the whole log.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from extractscan.errors import UsageError
from extractscan.report.neutralise import terminal
from extractscan.verdict.findings import Allowed, AllowSummary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from extractscan.verdict.findings import AccountFinding, CampaignFinding, Findings

_TEXT_KEYS: Final = ("account", "organisation", "reason", "owner")
_KEYS: Final = frozenset({*_TEXT_KEYS, "expiry"})
_WARNINGS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: either ``account`` or ``organisation``, why, who answers for it, and the last day that it covers."""

    account: str | None
    organisation: str | None
    reason: str
    owner: str
    expiry: date

    def covers(self, last_seen: datetime) -> bool:
        """Tell whether traffic that ended then was still agreed."""
        return _day(last_seen) <= self.expiry

    def name(self) -> str:
        """Return whom it is about, for messages."""
        kind = "organisation" if self.account is None else "account"
        return f"{kind} {terminal(self.account or self.organisation or '', limit=60)}"


def read_allowlist(path: Path) -> list[Entry]:
    """Return the entries of a file. Raises ``UsageError`` that names the file and the entry."""
    shown = terminal(str(path), limit=200)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the allowlist {shown}: {terminal(error.strerror or str(error))}") from error
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors are both ValueErrors
        raise UsageError(f"the allowlist {shown} is not valid TOML: {terminal(str(error), limit=200)}") from error
    entries = document.get("allow", [])
    if set(document) - {"allow"} or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise UsageError(f"the allowlist {shown} may hold [[allow]] entries and nothing else")
    return [_entry(entry, f"entry {number} of the allowlist {shown}") for number, entry in enumerate(entries, 1)]


def _entry(given: dict[str, Any], where: str) -> Entry:
    unknown = sorted(set(given) - _KEYS)
    if unknown:
        raise UsageError(
            f"{where} has an unknown key {terminal(unknown[0], limit=40)!r}; known: {', '.join(sorted(_KEYS))}"
        )
    for key in _TEXT_KEYS:
        value = given.get(key)
        needed = key in ("reason", "owner")
        if (needed and value is None) or (value is not None and (not isinstance(value, str) or not value.strip())):
            raise UsageError(f"{where}: {key} must be text")
    if ("account" in given) == ("organisation" in given):
        raise UsageError(f"{where} needs either an account or an organisation")
    expiry = given.get("expiry")
    if isinstance(expiry, str):
        try:
            expiry = date.fromisoformat(expiry)
        except ValueError:
            expiry = None
    if not isinstance(expiry, date) or isinstance(expiry, datetime):
        raise UsageError(f"{where}: expiry must be a date, as in 2026-06-30")
    return Entry(given.get("account"), given.get("organisation"), given["reason"], given["owner"], expiry)


def apply_allowlist(findings: Findings, entries: Sequence[Entry], *, show: bool = False) -> Findings:
    """Return the findings without those that are allowed; ``run.allowlist`` counts them, and lists them if ``show``."""
    by_account: dict[str, list[Entry]] = {}
    by_organisation: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.account is not None:
            by_account.setdefault(entry.account, []).append(entry)
        elif entry.organisation is not None:
            by_organisation.setdefault(entry.organisation, []).append(entry)
    covered: dict[str, Entry] = {}
    for account in findings.accounts:
        found = _first(account, by_account, by_organisation)
        if found is not None:
            covered[account.account_id] = found
    accounts = [each for each in findings.accounts if each.severity != "none" and each.account_id in covered]
    campaigns = [each for each in findings.campaigns if each.accounts and all(a in covered for a in each.accounts)]
    gone_accounts = {each.account_id for each in accounts}
    gone_campaigns = {each.campaign_id for each in campaigns}
    flagged = [each for each in campaigns if each.severity != "none"]
    summary = AllowSummary(
        entries=len(entries),
        accounts=len(accounts),
        campaigns=len(flagged),
        shown=tuple([_campaign(each, covered) for each in flagged] + [_account(each, covered) for each in accounts])
        if show
        else (),
        warnings=_warnings(findings, entries),
    )
    return replace(
        findings,
        run=replace(findings.run, allowlist=summary),
        accounts=tuple(each for each in findings.accounts if each.account_id not in gone_accounts),
        campaigns=tuple(each for each in findings.campaigns if each.campaign_id not in gone_campaigns),
    )


def _first(
    account: AccountFinding, by_account: Mapping[str, list[Entry]], by_organisation: Mapping[str, list[Entry]]
) -> Entry | None:
    named = by_account.get(account.account_id, [])
    if account.organisation is not None:
        named = named + by_organisation.get(account.organisation, [])
    return next((entry for entry in named if entry.covers(account.last_seen)), None)


def _account(account: AccountFinding, covered: Mapping[str, Entry]) -> Allowed:
    entry = covered[account.account_id]
    return Allowed(
        "account", account.account_id, account.severity, account.bits, entry.reason, entry.owner, entry.expiry
    )


def _campaign(campaign: CampaignFinding, covered: Mapping[str, Entry]) -> Allowed:
    entries = list(dict.fromkeys(covered[member] for member in campaign.accounts))
    return Allowed(
        "campaign",
        campaign.campaign_id,
        campaign.severity,
        campaign.bits,
        "; ".join(dict.fromkeys(entry.reason for entry in entries)),
        "; ".join(dict.fromkeys(entry.owner for entry in entries)),
        min(entry.expiry for entry in entries),
    )


def _warnings(findings: Findings, entries: Sequence[Entry]) -> tuple[str, ...]:
    last = findings.run.last_seen
    expired = [] if last is None else [entry for entry in entries if not entry.covers(last)]
    warnings = [
        f"the entry for {entry.name()} expired on {entry.expiry.isoformat()}, before the log ends: later traffic is not hidden"
        for entry in expired[:_WARNINGS_SHOWN]
    ]
    if len(expired) > _WARNINGS_SHOWN:
        warnings.append(f"{len(expired) - _WARNINGS_SHOWN:,} more entries expired before the log ends")
    return tuple(warnings)


def _day(moment: datetime) -> date:
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
