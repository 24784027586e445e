"""OCSF: one Detection Finding (class 2004) a line for each finding, campaigns before accounts, for a SIEM.

Observed statistics are in ``evidences`` and ``anomaly_analyses``, what is inferred in ``finding_info.attacks``, severity and
``unmapped``. Nothing depends on the clock: ``time``, the creation of the finding, is the last request that it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO
from uuid import UUID, uuid5

from extractscan.report import atlas, digest, phrases
from extractscan.report.document import epoch_milliseconds, floating, number
from extractscan.report.neutralise import json_line, json_text
from extractscan.verdict.findings import CampaignFinding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.report.atlas import Technique
    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import AccountFinding, Findings, RunSummary, Severity

SCHEMA: Final = "1.9.0-dev"
"""Version of the OCSF schema that the events keep to."""

NAMESPACE: Final = UUID("5b0e0c5e-3d0a-5c1f-9d4e-6f1c2a7b8e90")
"""Under which the ids of findings are made from their content."""

CLASS_UID: Final = 2004
CREATE: Final = 1
STATISTICAL: Final = 3
USER_UID: Final = 31
"""Type of an observable that holds ``user.uid``."""

MEMBERS_LISTED: Final = 1000
"""Members of a campaign that are listed in its event, lest a line grows beyond what a SIEM takes; each has its own event."""

SEVERITY_ID: Final[dict[Severity, int]] = {"high": 4, "medium": 3, "low": 2, "none": 1}
SEVERITY: Final = {4: "High", 3: "Medium", 2: "Low", 1: "Informational"}


@dataclass(frozen=True, slots=True)
class OcsfRenderer:
    """Writes a line for each campaign and account that has a severity; nothing when nothing was found."""

    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the lines."""
        found = digest.flagged(findings)
        known = {campaign.campaign_id: campaign for campaign in found.campaigns}
        stream.writelines(json_line(event(campaign, findings.run)) + "\n" for campaign in found.campaigns)
        for account in found.accounts[: options.top]:
            related = known.get(account.campaign_id or "")
            stream.write(json_line(event(account, findings.run, related)) + "\n")


def event(
    finding: AccountFinding | CampaignFinding, run: RunSummary, campaign: CampaignFinding | None = None
) -> dict[str, Any]:
    """Return the event of a finding; ``campaign`` is the reported one that an account belongs to."""
    severity = SEVERITY_ID[finding.severity]
    members = digest.subject(finding).members
    first, last = epoch_milliseconds(finding.first_seen), epoch_milliseconds(finding.last_seen)
    return {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CLASS_UID // 1000,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Detection Finding",
        "type_uid": CLASS_UID * 100 + CREATE,
        "type_name": "Detection Finding: Create",
        "severity_id": severity,
        "severity": SEVERITY[severity],
        "confidence_id": 0,
        "confidence": "Unknown",
        "status_id": 1,
        "status": "New",
        "time": last,
        "start_time": first,
        "end_time": last,
        "message": _title(finding),
        "metadata": {
            "uid": uid(finding, run),
            "version": SCHEMA,
            "product": {"name": "extractscan", "vendor_name": "extractscan", "version": run.version},
        },
        "finding_info": _info(finding, run, campaign),
        "evidences": _evidences(finding, members),
        "anomaly_analyses": _anomalies(finding),
        "observables": [
            {"name": "evidences[].user.uid", "type_id": USER_UID, "value": json_text(member)}
            for member in members[:MEMBERS_LISTED]
        ],
        "unmapped": {
            "rank": finding.rank,
            "score": floating(finding.score),
            "bits": floating(finding.bits),
            "p_value": floating(finding.p_value),
            "q_value": floating(finding.q_value),
            "requests": finding.requests,
            "accounts": len(members),
            "coverage": {json_text(name): number(finding.coverage[name]) for name in sorted(finding.coverage)},
            "innocent_explanation": json_text(finding.innocent_explanation),
        },
    }


def uid(finding: AccountFinding | CampaignFinding, run: RunSummary) -> str:
    """Return the id of a finding: the same for the same subject in the same logs, whatever the rank."""
    subject = digest.subject(finding)
    logs = sorted(file.sha256 for file in run.files)
    return str(uuid5(NAMESPACE, json_line([subject.kind, subject.name, logs])))


def _title(finding: AccountFinding | CampaignFinding) -> str:
    requests = phrases.count(finding.requests, "request")
    if isinstance(finding, CampaignFinding):
        members = phrases.count(len(finding.accounts), "account")
        return f"Possible model extraction by a campaign of {members} in {requests}"
    return f"Possible model extraction by one account in {requests}"


def _info(
    finding: AccountFinding | CampaignFinding, run: RunSummary, campaign: CampaignFinding | None
) -> dict[str, Any]:
    kind = digest.subject(finding).kind
    sentences = [digest.CAUTION]
    if finding.innocent_explanation:
        sentences.append(f"Innocent explanation: {finding.innocent_explanation}")
    if finding.severity_reason:
        sentences.append(f"Severity: {finding.severity_reason}")
    info: dict[str, Any] = {
        "uid": uid(finding, run),
        "title": _title(finding),
        "desc": json_text(" ".join(sentences)),
        "types": ["Model extraction", kind],
        "first_seen_time": epoch_milliseconds(finding.first_seen),
        "last_seen_time": epoch_milliseconds(finding.last_seen),
        "analytic": {
            "uid": f"extractscan-{kind}",
            "name": f"extractscan {kind}",
            "type_id": STATISTICAL,
            "type": "Statistical",
            "version": run.version,
        },
        "attacks": [_attack(technique) for technique in atlas.techniques(kind)],
        "data_sources": [json_text(file.path) for file in run.files],
    }
    if campaign is not None:
        info["related_events"] = [
            {"uid": uid(campaign, run), "type_uid": CLASS_UID * 100 + CREATE, "title": _title(campaign)}
        ]
    return info


def _attack(technique: Technique) -> dict[str, Any]:
    main = technique.parent or technique
    attack: dict[str, Any] = {
        "tactic": {"uid": technique.tactic_uid, "name": technique.tactic_name},
        "technique": {"uid": main.uid, "name": main.name},
        "version": atlas.version(),
    }
    if technique.parent is not None:
        attack["sub_technique"] = {"uid": technique.uid, "name": technique.name}
    return attack


def _evidences(finding: AccountFinding | CampaignFinding, members: Sequence[str]) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = [
        {"name": "account", "user": {"uid": json_text(member)}} for member in members[:MEMBERS_LISTED]
    ]
    signals = [
        {
            "name": json_text(entry.signal),
            "data": {
                "family": json_text(entry.family),
                "value": floating(entry.value),
                "bits": floating(entry.bits),
                "assessed": entry.assessed,
                "detail": json_text(entry.detail),
            },
        }
        for entry in finding.evidence
    ]
    gates = [
        {"name": json_text(gate.gate), "data": {"factor": floating(gate.factor), "detail": json_text(gate.detail)}}
        for gate in finding.gates
    ]
    return users + signals + gates


def _anomalies(finding: AccountFinding | CampaignFinding) -> list[dict[str, Any]]:
    """What was measured, signal by signal, for the signals that count against the subject."""
    subject = digest.subject(finding)
    target = {"name": json_text(subject.name), "type": subject.kind.capitalize()}
    anomalies = [
        {
            "observation_parameter": json_text(entry.signal),
            "observation_type": json_text(entry.family),
            "observations": [{"value": "unknown" if entry.value is None else str(floating(entry.value))}],
        }
        for entry in phrases.strongest(finding.evidence)
    ]
    return [{"analysis_targets": [target], "anomalies": anomalies}] if anomalies else []
