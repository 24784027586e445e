"""STIX 2.1: a bundle for exchange with those who track the same campaigns, made with ``stix2`` (extra ``stix``).

Each finding has its accounts as ``user-account``, what was seen as ``observed-data``, and a ``note`` on that with the evidence and
the innocent explanation. A ``grouping`` of suspicious activity holds a campaign together, or an account that is in none; a
campaign is also a ``campaign`` that uses ATLAS techniques (``attack-pattern``).
There is no ``indicator``: an account id is no pattern to block on, and a score is a lead.

Ids are made from the content (UUID version 5), and times are those of the log, so that the same findings give the same bundle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO
from uuid import UUID, uuid5

from extractscan.errors import UsageError
from extractscan.report import atlas, digest, phrases
from extractscan.report.document import EPOCH, timestamp
from extractscan.report.neutralise import json_line, json_text
from extractscan.verdict.findings import CampaignFinding

try:
    import stix2
except ImportError as error:  # pragma: no cover -- one environment has it or has it not
    raise UsageError("the stix format needs the package stix2: pip install 'extractscan[stix]'") from error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import AccountFinding, Findings, RunSummary

NAMESPACE: Final = UUID("0d9a6b1e-7f42-5c3b-8a55-2f6f0c7c1d34")
"""Under which the ids of objects are made from their content."""

MOST_OBSERVED: Final = 999_999_999
"""The greatest ``number_observed`` that STIX 2.1 allows."""


@dataclass(frozen=True, slots=True)
class StixRenderer:
    """Writes one bundle; without findings it holds who made it and nothing else."""

    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the bundle, an object a line."""
        found = digest.flagged(findings)
        made = Maker(findings.run)
        for campaign in found.campaigns:
            made.finding(campaign)
        known = {campaign.campaign_id for campaign in found.campaigns}
        for account in found.accounts[: options.top]:
            made.finding(account, grouped=account.campaign_id not in known)
        lines = [json_line(json.loads(each.serialize())) for each in made.objects()]
        bundle = f"bundle--{uuid5(NAMESPACE, json_line(lines))}"
        stream.write(f'{{"type":"bundle","id":"{bundle}","objects":[\n' + ",\n".join(lines) + "\n]}\n")


class Maker:
    """Makes the objects of one run; objects with one id are kept once, in the order in which they were first made."""

    def __init__(self, run: RunSummary) -> None:
        self._held: dict[str, Any] = {}
        self._users: dict[str, str] = {}  # stix2 is slow: nothing is made twice
        self._patterns: dict[str, str] = {}
        self._logs = sorted(file.sha256 for file in run.files)
        self._made = timestamp(run.last_seen or EPOCH)
        maker = f"identity--{uuid5(NAMESPACE, 'extractscan')}"
        epoch = timestamp(EPOCH)  # the tool is the same in each bundle
        self._keep(stix2.Identity(id=maker, name="extractscan", identity_class="system", created=epoch, modified=epoch))
        self._common = {"created": self._made, "modified": self._made, "created_by_ref": maker}

    def objects(self) -> Iterable[Any]:
        """Return what was made."""
        return self._held.values()

    def finding(self, finding: AccountFinding | CampaignFinding, *, grouped: bool = True) -> None:
        """Make the objects of one finding, with a grouping unless that of its campaign does."""
        subject = digest.subject(finding)
        kind, name = subject.kind, subject.name
        # Ids that differ in nothing that Unicode can write are one.
        users = [self._user(member) for member in dict.fromkeys(json_text(member) for member in subject.members)]
        observed = self._keep(
            stix2.ObservedData(
                id=self._id("observed-data", kind, name),
                first_observed=timestamp(finding.first_seen),
                last_observed=timestamp(max(finding.first_seen, finding.last_seen)),
                number_observed=min(max(finding.requests, 1), MOST_OBSERVED),
                object_refs=users,
                **self._common,
            )
        )
        self._keep(
            stix2.Note(
                id=self._id("note", kind, name),
                abstract=f"{finding.severity}: {finding.bits:.2f} bits, rank {finding.rank} of {kind}s",
                content=json_text(_content(finding)),
                object_refs=[observed],
                **self._common,
            )
        )
        if not grouped:
            return
        subjects = [*users, observed]
        if isinstance(finding, CampaignFinding):
            subjects.append(self._campaign(finding, kind, name))
        patterns = [self._pattern(technique) for technique in atlas.techniques(kind)]
        if isinstance(finding, CampaignFinding):
            subjects += [self._uses(subjects[-1], pattern) for pattern in patterns]
        subjects += patterns
        self._keep(
            stix2.Grouping(
                id=self._id("grouping", kind, name),
                name=json_text(f"Possible model extraction by {kind} {name}"),
                description=digest.CAUTION,
                context="suspicious-activity",
                object_refs=list(dict.fromkeys(subjects)),
                labels=["model-extraction", f"severity-{finding.severity}"],
                **self._common,
            )
        )

    def _campaign(self, campaign: CampaignFinding, kind: str, name: str) -> str:
        return self._keep(
            stix2.Campaign(
                id=self._id("campaign", kind, name),
                name=json_text(campaign.campaign_id) or "(empty)",
                description=f"{phrases.count(len(campaign.accounts), 'account')} that one operator seems to run; inferred, not observed",
                objective="extraction of a model's behaviour through its API",
                first_seen=timestamp(campaign.first_seen),
                last_seen=timestamp(max(campaign.first_seen, campaign.last_seen)),
                **self._common,
            )
        )

    def _user(self, member: str) -> str:
        if member not in self._users:
            self._users[member] = self._keep(stix2.UserAccount(user_id=member))
        return self._users[member]

    def _pattern(self, technique: atlas.Technique) -> str:
        if technique.uid in self._patterns:
            return self._patterns[technique.uid]
        epoch = timestamp(EPOCH)
        made = self._keep(
            stix2.AttackPattern(
                id=f"attack-pattern--{uuid5(NAMESPACE, f'{technique.uid} {atlas.version()}')}",
                name=technique.name,
                external_references=[
                    {
                        "source_name": "mitre-atlas",
                        "external_id": technique.uid,
                        "description": f"ATLAS {atlas.version()}",
                    }
                ],
                created=epoch,
                modified=epoch,
            )
        )
        return self._patterns.setdefault(technique.uid, made)

    def _uses(self, campaign: str, pattern: str) -> str:
        return self._keep(
            stix2.Relationship(
                id=self._id("relationship", campaign, pattern),
                relationship_type="uses",
                source_ref=campaign,
                target_ref=pattern,
                **self._common,
            )
        )

    def _id(self, kind: str, *subject: str) -> str:
        return f"{kind}--{uuid5(NAMESPACE, json_line([kind, *subject, self._logs]))}"

    def _keep(self, made: Any) -> str:
        uid = str(made["id"])
        self._held.setdefault(uid, made)
        return uid


def _content(finding: AccountFinding | CampaignFinding) -> str:
    lines = [
        f"{label}: {bits:+.2f} bits{f' ({detail})' if detail else ''}"
        for label, _, bits, detail in digest.steps(finding)
    ]
    if finding.severity_reason:
        lines.append(f"severity: {finding.severity_reason}")
    if finding.innocent_explanation:
        lines.append(f"innocent explanation: {finding.innocent_explanation}")
    return "\n".join([*lines, digest.CAUTION])
