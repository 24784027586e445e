"""Verdicts into words: the findings that every report renders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from extractscan._version import __version__
from extractscan.campaign.choose import campaign_id
from extractscan.campaign.evidence import ties
from extractscan.coverage.streams import CARRIED_ON, CONVERSATION, NEAR_EMPTY, SINGLE, TURNS
from extractscan.verdict.assess import FAMILY_MIN, score, severity
from extractscan.verdict.explain import innocent_explanation, not_assessed
from extractscan.verdict.findings import (
    SCHEMA_VERSION,
    AccountFinding,
    CampaignFinding,
    Findings,
    RunSummary,
)

if TYPE_CHECKING:
    from extractscan.logs.result import ReadSummary
    from extractscan.verdict.assess import Assessment, StreamVerdict
    from extractscan.verdict.baseline import Calibration
    from extractscan.verdict.findings import Severity

EPOCH = datetime.fromtimestamp(0, UTC)

UNCALIBRATED = (
    "no baseline was given: ranks and bits compare accounts of this log with one another, and no error rate is claimed"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the earlier stages know of each account, in the order of account numbers, and of the run."""

    accounts: list[str]
    requests: list[int]
    first_seen: list[datetime]
    last_seen: list[datetime]
    coverage: list[dict[str, float | int | None]]
    campaign_coverage: list[dict[str, float | int | None]]
    clusters: int
    capped_bands: int
    duplicates: int
    present: frozenset[str]
    summary: ReadSummary
    organisations: list[str | None] | None = None


UNFRAMED: Final = {
    SINGLE: "unframed single requests",
    CONVERSATION: "conversations",
    NEAR_EMPTY: "near-empty requests",
    CARRIED_ON: "later turns of runs",
}
"""Names of the streams that no frame defines, by their family."""


def stream_name(family: int) -> str:
    """Name of a stream for people."""
    return UNFRAMED.get(family, "framed requests")


def _calibrated(
    grade: Severity, number: int, kind: Literal["account", "campaign"], calibration: Calibration | None
) -> tuple[Severity, dict[str, Any]]:
    """Severity in the light of a baseline, with the fields that say so; without one nothing is said and nothing changes."""
    if calibration is None:
        return grade, {}
    p, q = (
        (calibration.account_p, calibration.account_q)
        if kind == "account"
        else (calibration.campaign_p, calibration.campaign_q)
    )
    reason = calibration.reason(grade, float(q[number]))
    fields = {"p_value": float(p[number]), "q_value": float(q[number]), "severity_reason": reason}
    return ("medium" if reason else grade), fields


def worst_streams(assessment: Assessment) -> dict[int, StreamVerdict]:
    """Verdict of the stream that decides each account's, by account number.

    Of streams with equal bits one that holds requests of its own goes before turns of conversations, then the first.
    """
    account_of = assessment.profiles["account"].to_list()
    asks = (~assessment.profiles["family"].is_in(TURNS)).to_list()
    worst: dict[int, StreamVerdict] = {}
    for judged in assessment.verdicts:
        account = account_of[judged.stream]
        held = worst.get(account)
        if held is None or (judged.bits, asks[judged.stream]) > (held.bits, asks[held.stream]):
            worst[account] = judged
    return worst


def findings(assessment: Assessment, measured: Measured, calibration: Calibration | None = None) -> Findings:
    """Rank accounts and campaigns; ties are broken by id, so that the order never depends on the input's."""
    family_of = assessment.profiles["family"].to_list()
    worst = worst_streams(assessment)
    names = {id(c): campaign_id([measured.accounts[a] for a in c.accounts]) for c in assessment.campaigns}
    member_of = {int(a): names[id(c)] for c in assessment.campaigns for a in c.accounts}
    order = sorted(
        range(len(measured.accounts)),
        key=lambda a: (-round(worst[a].bits, 6) if a in worst else 0.0, measured.accounts[a]),
    )
    accounts = []
    for rank, a in enumerate(order, 1):
        verdict = worst.get(a)
        evidence = tuple(sorted(verdict.evidence, key=lambda e: (-e.bits, e.signal))) if verdict else ()
        gates = verdict.gates if verdict else ()
        bits = max(0.0, verdict.bits) if verdict else 0.0
        grade, compared = _calibrated(severity(bits, verdict.families if verdict else 0), a, "account", calibration)
        accounts.append(
            AccountFinding(
                rank=rank,
                account_id=measured.accounts[a],
                score=score(bits),
                bits=bits,
                severity=grade,
                campaign_id=member_of.get(a),
                requests=measured.requests[a],
                first_seen=measured.first_seen[a],
                last_seen=measured.last_seen[a],
                stream=stream_name(family_of[verdict.stream]) if verdict else "no prompts",
                evidence=evidence,
                gates=gates,
                coverage=measured.coverage[a],
                innocent_explanation=innocent_explanation(evidence, gates),
                organisation=None if measured.organisations is None else measured.organisations[a],
                **compared,
            )
        )
    campaigns = _campaigns(assessment, names, measured, calibration)
    summary = measured.summary
    return Findings(
        run=RunSummary(
            version=__version__,
            schema_version=SCHEMA_VERSION,
            files=tuple(summary.files),
            rows_read=summary.rows_read,
            rows_kept=summary.rows_kept,
            rows_quarantined=summary.rows_quarantined,
            rows_outside_window=summary.rows_outside_window,
            rows_duplicate=measured.duplicates,
            quarantine=tuple(summary.quarantine),
            accounts=len(measured.accounts),
            clusters=measured.clusters,
            capped_bands=measured.capped_bands,
            first_seen=min(measured.first_seen, default=None),
            last_seen=max(measured.last_seen, default=None),
            not_assessed=not_assessed(measured.present, assessment.left_out),
            calibration=UNCALIBRATED if calibration is None else calibration.sentence,
            baseline=None if calibration is None else calibration.summary,
        ),
        accounts=tuple(accounts),
        campaigns=campaigns,
    )


def moment(microseconds: int) -> datetime:
    """The UTC time so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def _campaigns(
    assessment: Assessment, names: dict[int, str], measured: Measured, calibration: Calibration | None
) -> tuple[CampaignFinding, ...]:
    """Campaigns by rank; requests and times are those of the streams that belong to each, not of all that its members do."""
    stream_requests = assessment.profiles["requests"].to_list()
    first = assessment.profiles["first_us"].to_list()
    last = assessment.profiles["last_us"].to_list()
    numbered = enumerate(assessment.campaigns)
    ordered = sorted(numbered, key=lambda n: (-round(n[1].bits, 6), names[id(n[1])]))
    out = []
    for rank, (number, c) in enumerate(ordered, 1):
        members = [int(a) for a in c.accounts]
        agreeing = len({e.family for e in c.evidence if e.bits >= FAMILY_MIN})
        requests = sum(stream_requests[int(s)] for s in c.group.streams)
        evidence = tuple(sorted((e for e in c.evidence if e.bits != 0), key=lambda e: (-e.bits, e.signal)))
        grade, compared = _calibrated(severity(c.bits, agreeing), number, "campaign", calibration)
        out.append(
            CampaignFinding(
                rank=rank,
                campaign_id=names[id(c)],
                score=score(c.bits),
                bits=c.bits,
                severity=grade,
                accounts=tuple(sorted(measured.accounts[m] for m in members)),
                requests=requests,
                first_seen=moment(min(first[int(s)] for s in c.group.streams)),
                last_seen=moment(max(last[int(s)] for s in c.group.streams)),
                ties=ties(c),
                evidence=evidence,
                gates=c.gates,
                coverage={
                    "accounts": len(members),
                    "frames": len(c.group.families),
                    **measured.campaign_coverage[number],
                },
                innocent_explanation=innocent_explanation(evidence, c.gates),
                **compared,
            )
        )
    return tuple(out)
