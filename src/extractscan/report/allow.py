"""Allowlists: findings that are known and agreed, hidden when reporting, never when scoring.

A list is a TOML file of entries such as::

    [[allow]]
    account = "acct_1234"        # or organisation = "org_77", or frame = "You are ..."
    reason = "red team exercise of the second quarter"
    owner = "trust-and-safety"
    expiry = 2026-06-30

In place of either, or beside it, an entry may name a ``frame``: the system prompt or template of a product, as text. It hides accounts
whose findings rest on that frame alone (see ``framed``); their ids then need not be known.

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
from extractscan.report.framed import FEWEST_WORDS, same, words
from extractscan.report.neutralise import terminal
from extractscan.verdict.findings import Allowed, AllowSummary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from extractscan.report.framed import Frame
    from extractscan.verdict.findings import AccountFinding, CampaignFinding, Findings

_TEXT_KEYS: Final = ("account", "organisation", "frame", "reason", "owner")
_KEYS: Final = frozenset({*_TEXT_KEYS, "expiry"})
_WARNINGS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: whom it is about, why, who answers for it, and the last day that it covers.

    It is about an ``account`` or an ``organisation``, a ``frame`` (its text), or what an account or an organisation does with a frame.
    """

    account: str | None
    organisation: str | None
    reason: str
    owner: str
    expiry: date
    frame: str | None = None

    def covers(self, last_seen: datetime) -> bool:
        """Tell whether traffic that ended then was still agreed."""
        return _day(last_seen) <= self.expiry

    def name(self) -> str:
        """Return whom it is about, for messages."""
        named = (("account", self.account), ("organisation", self.organisation), ("frame", self.frame))
        return " with ".join(f"{kind} {terminal(value, limit=60)}" for kind, value in named if value is not None)


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
    if "account" in given and "organisation" in given:
        raise UsageError(f"{where} may name an account or an organisation, not both")
    if not {"account", "organisation", "frame"} & given.keys():
        raise UsageError(f"{where} needs an account, an organisation or a frame")
    if "frame" in given and len(words(given["frame"])) < FEWEST_WORDS:
        raise UsageError(
            f"{where}: frame must have at least {FEWEST_WORDS} different words; shorter ones are anybody's"
        )
    expiry = given.get("expiry")
    if isinstance(expiry, str):
        try:
            expiry = date.fromisoformat(expiry)
        except ValueError:
            expiry = None
    if not isinstance(expiry, date) or isinstance(expiry, datetime):
        raise UsageError(f"{where}: expiry must be a date, as in 2026-06-30")
    return Entry(
        given.get("account"), given.get("organisation"), given["reason"], given["owner"], expiry, given.get("frame")
    )


def apply_allowlist(
    findings: Findings,
    entries: Sequence[Entry],
    *,
    show: bool = False,
    frames: Mapping[str, tuple[Frame | None, ...]] | None = None,
) -> Findings:
    """Return the findings without those that are allowed; ``run.allowlist`` counts them, and lists them if ``show``.

    ``frames`` are those of ``framed.frames_of``, by account id: without them no entry that names a frame covers anything.
    """
    by_name: dict[tuple[str, str | None], list[Entry]] = {}
    for entry in entries:
        key = ("account", entry.account) if entry.account is not None else ("organisation", entry.organisation)
        by_name.setdefault(key, []).append(entry)
    named = {entry.frame: words(entry.frame) for entry in entries if entry.frame is not None}
    covered: dict[str, Entry] = {}
    for account in findings.accounts:
        own = () if frames is None else frames.get(account.account_id, ())
        found = _first(account, by_name, own, named)
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
    account: AccountFinding,
    by_name: Mapping[tuple[str, str | None], list[Entry]],
    own: tuple[Frame | None, ...],
    named: Mapping[str, Frame],
) -> Entry | None:
    about = by_name.get(("account", account.account_id), [])
    if account.organisation is not None:
        about = about + by_name.get(("organisation", account.organisation), [])
    about = about + by_name.get(("organisation", None), [])  # entries that name a frame alone
    about = [entry for entry in about if entry.covers(account.last_seen)]
    whole = next((entry for entry in about if entry.frame is None), None)
    if whole is not None or not own:
        return whole
    of_frame = [next((e for e in about if e.frame is not None and same(one, named[e.frame])), None) for one in own]
    return of_frame[0] if all(entry is not None for entry in of_frame) else None


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
