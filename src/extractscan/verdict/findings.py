"""The result of a run: findings about accounts and campaigns, each with its evidence.

These types are the contract between the verdict and every report. Observed facts (``value``, ``detail``) and what is
inferred from them (``bits``, ``severity``) are kept in separate fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

    from extractscan.logs.result import FileSummary, Quarantined

SCHEMA_VERSION = "1.0"

Severity = Literal["high", "medium", "low", "none"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "none")
"""From worst to none."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One signal's contribution.

    ``signal`` and ``family`` are stable lower-case identifiers. ``value`` is the measured statistic in its own unit
    (None when not assessed), ``bits`` its log2 weight after the family's cap (0.0 when not assessed; negative where it
    speaks for innocence), ``detail`` one sentence
    that states what was observed, with numbers and without text from the log.
    """

    signal: str
    family: str
    value: float | None
    bits: float
    assessed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A benign explanation that fits: ``factor`` in (0, 1] multiplies the bits; ``detail`` says what was observed."""

    gate: str
    factor: float
    detail: str


@dataclass(frozen=True, slots=True)
class AccountFinding:
    """One account, scored by its worst stream.

    ``score`` is in [0, 1], higher is worse; ``bits`` is the evidence after gates. ``coverage`` holds the account's
    coverage statistics (see ``coverage.statistics``), None where a statistic is undefined. ``stream`` names the stream
    that decided. ``p_value`` and ``q_value`` compare it with a baseline (see ``baseline``), None without one;
    ``severity_reason`` says why the severity is lower than the bits alone would make it, None if it is not. ``organisation``
    is the one that all its requests name, None without: allowlists go by it, reports do not show it.
    """

    rank: int
    account_id: str
    score: float
    bits: float
    severity: Severity
    campaign_id: str | None
    requests: int
    first_seen: datetime
    last_seen: datetime
    stream: str
    evidence: tuple[Evidence, ...]
    gates: tuple[Gate, ...]
    coverage: dict[str, float | int | None]
    innocent_explanation: str
    p_value: float | None = None
    q_value: float | None = None
    severity_reason: str | None = None
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class Tie:
    """One way in which a campaign's members hang together; ``strength`` in [0, 1]; ``accounts`` tied by it."""

    kind: str
    strength: float
    accounts: int
    detail: str


@dataclass(frozen=True, slots=True)
class CampaignFinding:
    """Accounts that one operator seems to run. ``accounts`` are member ids, sorted; counts are requests.

    ``p_value``, ``q_value`` and ``severity_reason`` are as in ``AccountFinding``.
    """

    rank: int
    campaign_id: str
    score: float
    bits: float
    severity: Severity
    accounts: tuple[str, ...]
    requests: int
    first_seen: datetime
    last_seen: datetime
    ties: tuple[Tie, ...]
    evidence: tuple[Evidence, ...]
    gates: tuple[Gate, ...]
    coverage: dict[str, float | int | None]
    innocent_explanation: str
    p_value: float | None = None
    q_value: float | None = None
    severity_reason: str | None = None


@dataclass(frozen=True, slots=True)
class NotAssessed:
    """A signal that this log cannot support, and the column or condition that is missing."""

    signal: str
    reason: str


@dataclass(frozen=True, slots=True)
class BaselineSummary:
    """The clean periods that findings were compared with.

    ``stated_rate`` is the false discovery rate in (0, 1) at which q-values are read. ``independent`` counts the ``accounts``, those of one
    campaign or frame as one, ``groups`` the groups of accounts, reported or not: what was compared with. ``warnings`` say, a sentence
    each, what speaks against the comparison.
    """

    stated_rate: float
    periods: int
    files: tuple[FileSummary, ...]
    accounts: int
    independent: int
    groups: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Allowed:
    """A finding that an allowlist hides, with what the list says of it; of a campaign, what it says of any member."""

    kind: Literal["account", "campaign"]
    subject: str
    severity: Severity
    bits: float
    reason: str
    owner: str
    expiry: date


@dataclass(frozen=True, slots=True)
class AllowSummary:
    """What an allowlist did: counts are of findings (those with a severity) that it hides; ``shown`` are these, if asked for."""

    entries: int
    accounts: int
    campaigns: int
    shown: tuple[Allowed, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What was read and under which settings. Counts are requests unless named otherwise.

    ``calibration`` says in words which error rate is claimed, if any; ``baseline`` is None without ``--baseline``,
    ``allowlist`` without ``--allow``.
    """

    version: str
    schema_version: str
    files: tuple[FileSummary, ...]
    rows_read: int
    rows_kept: int
    rows_quarantined: int
    rows_outside_window: int
    rows_duplicate: int
    quarantine: tuple[Quarantined, ...]
    accounts: int
    clusters: int
    capped_bands: int
    first_seen: datetime | None
    last_seen: datetime | None
    not_assessed: tuple[NotAssessed, ...]
    calibration: str
    baseline: BaselineSummary | None = None
    allowlist: AllowSummary | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Accounts and campaigns, each ranked from 1 (worst)."""

    run: RunSummary
    accounts: tuple[AccountFinding, ...]
    campaigns: tuple[CampaignFinding, ...]
