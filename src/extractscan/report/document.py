"""Findings as plain documents: the one place that fixes names, order and types of every machine-readable report.

Floats are rounded to six decimals, NaN and infinity become None, times are ISO 8601 in UTC with microseconds and ``Z``,
text is valid Unicode. The published schemas (``schemas``) describe these documents.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from numbers import Integral
from typing import TYPE_CHECKING, Any

from extractscan.report.neutralise import json_text
from extractscan.verdict.findings import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.logs.result import FileSummary
    from extractscan.verdict.findings import (
        AccountFinding,
        AllowSummary,
        BaselineSummary,
        CampaignFinding,
        Evidence,
        Findings,
        Gate,
        RunSummary,
        Tie,
    )

DECIMALS = 6
EPOCH = datetime.fromtimestamp(0, UTC)


def number(value: float | None) -> float | int | None:
    """Return a whole number as it is, a float rounded, None for what is not finite."""
    if value is None:
        return None
    if not isinstance(value, float) and isinstance(value, Integral):  # in this order: the second is slow
        return int(value)
    return round(float(value), DECIMALS) + 0.0 if math.isfinite(value) else None  # + 0.0 makes -0.0 positive


def floating(value: float | None) -> float | None:
    """Return a rounded float, so that a field's type does not hang on its value."""
    rounded = number(value)
    return None if rounded is None else float(rounded)


def timestamp(moment: datetime) -> str:
    """Return ``2025-03-01T00:00:00.000000Z``; a time without a zone is taken for UTC."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_microseconds(since_1970: int) -> datetime:
    """Return the moment (UTC) of so many microseconds since 1970, as tables of requests hold it."""
    return EPOCH + timedelta(microseconds=since_1970)


def epoch_milliseconds(moment: datetime) -> int:
    """Return milliseconds since 1970, rounded down; a time without a zone is taken for UTC."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - EPOCH) // timedelta(milliseconds=1)


def ranked_accounts(findings: Findings, top: int | None) -> list[AccountFinding]:
    """Return the accounts by rank, the first ``top`` of them when given."""
    return sorted(findings.accounts, key=lambda account: (account.rank, account.account_id))[:top]


def ranked_campaigns(findings: Findings) -> list[CampaignFinding]:
    """Return the campaigns by rank."""
    return sorted(findings.campaigns, key=lambda campaign: (campaign.rank, campaign.campaign_id))


def account_document(account: AccountFinding) -> dict[str, Any]:
    """Return one account as the object that a line of JSONL holds (schema ``account``)."""
    return {
        "schema_version": SCHEMA_VERSION,
        "rank": account.rank,
        "account_id": json_text(account.account_id),
        "score": floating(account.score),
        "bits": floating(account.bits),
        "severity": account.severity,
        "severity_reason": None if account.severity_reason is None else json_text(account.severity_reason),
        "p_value": floating(account.p_value),
        "q_value": floating(account.q_value),
        "campaign_id": None if account.campaign_id is None else json_text(account.campaign_id),
        "requests": account.requests,
        "first_seen": timestamp(account.first_seen),
        "last_seen": timestamp(account.last_seen),
        "stream": json_text(account.stream),
        "evidence": _evidence(account.evidence),
        "gates": _gates(account.gates),
        "coverage": _coverage(account.coverage),
        "innocent_explanation": json_text(account.innocent_explanation),
    }


def campaign_document(campaign: CampaignFinding) -> dict[str, Any]:
    """Return one campaign as the JSON report holds it."""
    return {
        "rank": campaign.rank,
        "campaign_id": json_text(campaign.campaign_id),
        "score": floating(campaign.score),
        "bits": floating(campaign.bits),
        "severity": campaign.severity,
        "severity_reason": None if campaign.severity_reason is None else json_text(campaign.severity_reason),
        "p_value": floating(campaign.p_value),
        "q_value": floating(campaign.q_value),
        "accounts": [json_text(account) for account in campaign.accounts],
        "requests": campaign.requests,
        "first_seen": timestamp(campaign.first_seen),
        "last_seen": timestamp(campaign.last_seen),
        "ties": _ties(campaign.ties),
        "evidence": _evidence(campaign.evidence),
        "gates": _gates(campaign.gates),
        "coverage": _coverage(campaign.coverage),
        "innocent_explanation": json_text(campaign.innocent_explanation),
    }


def run_document(run: RunSummary) -> dict[str, Any]:
    """Return what was read and under which settings, as the JSON report holds it."""
    return {
        "version": run.version,
        "files": files_document(run.files),
        "rows_read": run.rows_read,
        "rows_kept": run.rows_kept,
        "rows_quarantined": run.rows_quarantined,
        "rows_outside_window": run.rows_outside_window,
        "rows_duplicate": run.rows_duplicate,
        "quarantine": [
            {"file": json_text(entry.file), "line": entry.line, "reason": json_text(entry.reason)}
            for entry in run.quarantine
        ],
        "accounts": run.accounts,
        "clusters": run.clusters,
        "capped_bands": run.capped_bands,
        "first_seen": None if run.first_seen is None else timestamp(run.first_seen),
        "last_seen": None if run.last_seen is None else timestamp(run.last_seen),
        "not_assessed": [
            {"signal": json_text(entry.signal), "reason": json_text(entry.reason)} for entry in run.not_assessed
        ],
        "calibration": json_text(run.calibration),
        "baseline": None if run.baseline is None else _baseline(run.baseline),
        "allowlist": None if run.allowlist is None else _allowlist(run.allowlist),
    }


def files_document(files: Iterable[FileSummary]) -> list[dict[str, Any]]:
    """Return the logs that were read, as the JSON report and the manifest of a case hold them."""
    return [
        {
            "path": json_text(file.path),
            "format": json_text(file.format),
            "sha256": file.sha256,
            "size": file.size,
            "rows_read": file.rows_read,
            "rows_kept": file.rows_kept,
            "rows_quarantined": file.rows_quarantined,
        }
        for file in files
    ]


def _baseline(baseline: BaselineSummary) -> dict[str, Any]:
    return {
        "stated_rate": floating(baseline.stated_rate),
        "periods": baseline.periods,
        "files": files_document(baseline.files),
        "accounts": baseline.accounts,
        "independent": baseline.independent,
        "groups": baseline.groups,
        "warnings": [json_text(warning) for warning in baseline.warnings],
    }


def _allowlist(allowlist: AllowSummary) -> dict[str, Any]:
    return {
        "entries": allowlist.entries,
        "accounts": allowlist.accounts,
        "campaigns": allowlist.campaigns,
        "shown": [
            {
                "kind": each.kind,
                "subject": json_text(each.subject),
                "severity": each.severity,
                "bits": floating(each.bits),
                "reason": json_text(each.reason),
                "owner": json_text(each.owner),
                "expiry": each.expiry.isoformat(),
            }
            for each in allowlist.shown
        ],
        "warnings": [json_text(warning) for warning in allowlist.warnings],
    }


def _evidence(evidence: Iterable[Evidence]) -> list[dict[str, Any]]:
    return [
        {
            "signal": json_text(entry.signal),
            "family": json_text(entry.family),
            "value": floating(entry.value),
            "bits": floating(entry.bits),
            "assessed": entry.assessed,
            "detail": json_text(entry.detail),
        }
        for entry in evidence
    ]


def _gates(gates: Iterable[Gate]) -> list[dict[str, Any]]:
    return [
        {"gate": json_text(gate.gate), "factor": floating(gate.factor), "detail": json_text(gate.detail)}
        for gate in gates
    ]


def _ties(ties: Iterable[Tie]) -> list[dict[str, Any]]:
    return [
        {
            "kind": json_text(tie.kind),
            "strength": floating(tie.strength),
            "accounts": tie.accounts,
            "detail": json_text(tie.detail),
        }
        for tie in ties
    ]


def _coverage(coverage: dict[str, float | int | None]) -> dict[str, float | int | None]:
    """Return the statistics in the order of their names, which does not hang on how they were computed."""
    return {json_text(name): number(coverage[name]) for name in sorted(coverage)}
