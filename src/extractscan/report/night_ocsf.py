"""The digest of a night as OCSF: one Detection Finding (class 2004) a line, created, updated or closed.

``finding_info.uid`` is made of the account id or of the campaign's lasting id, so that it is the same on every night; ``metadata.uid`` is
that of the event, so that an event that is sent twice is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO
from uuid import uuid5

from extractscan.report import phrases
from extractscan.report.document import epoch_milliseconds
from extractscan.report.neutralise import json_line, json_text
from extractscan.report.night_report import shown
from extractscan.report.ocsf_report import CLASS_UID, NAMESPACE, SCHEMA, SEVERITY, STATISTICAL, event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import Findings

ACTIVITY: Final = {
    "new": (1, "Create"),
    "risen": (2, "Update"),
    "fallen": (2, "Update"),
    "unchanged": (2, "Update"),
    "closed": (3, "Close"),
}
OTHER: Final = 99
STATES: Final = ("state", "old_severity", "old_bits", "id", "night", "joined", "left", "split_from", "merged_into")
"""What of an entry goes into ``unmapped``."""


@dataclass(frozen=True, slots=True)
class NightOcsf:
    """Writes a line for each entry."""

    document: dict[str, Any]
    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the lines."""
        stream.writelines(ocsf_lines(shown(self.document, options.top), findings))


def ocsf_lines(entries: Iterable[dict[str, Any]], findings: Findings) -> Iterator[str]:
    """Give the line of each entry; ``findings`` are those of the night."""
    campaigns = {json_text(c.campaign_id): c for c in findings.campaigns}
    accounts = {json_text(a.account_id): a for a in findings.accounts}
    for entry in entries:
        finding = campaigns.get(entry["in_results"]) if entry["kind"] == "campaign" else accounts.get(entry["id"])
        gone = entry["state"] == "closed" or finding is None
        made = _closed(entry, findings) if gone or finding is None else event(finding, findings.run)
        yield json_line(_said(made, entry)) + "\n"


def _said(made: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Return an event with what the night says of its finding."""
    number, name = ACTIVITY[entry["state"]]
    made |= {
        "activity_id": number,
        "activity_name": name,
        "type_uid": CLASS_UID * 100 + number,
        "type_name": f"Detection Finding: {name}",
    }
    made["metadata"] = {**made["metadata"], "uid": entry["event_id"]}
    made["finding_info"] = {
        **made["finding_info"],
        "uid": str(uuid5(NAMESPACE, json_line([entry["kind"], entry["id"]]))),
    }
    made["unmapped"] = {**made["unmapped"], **{key: entry[key] for key in STATES}}
    return made


def _closed(entry: dict[str, Any], findings: Findings) -> dict[str, Any]:
    """Return the event of a finding that is no more; the times are those of its last requests."""
    first, last = (epoch_milliseconds(datetime.fromisoformat(entry[key])) for key in ("first_seen", "last_seen"))
    subject = phrases.count(entry["accounts"], "account")
    what = f"a campaign of {subject}" if entry["kind"] == "campaign" else "one account"
    title = f"No longer found: possible model extraction by {what}"
    members = entry["members"] or [entry["id"]]
    return {
        "activity_id": 3,
        "activity_name": "Close",
        "category_uid": CLASS_UID // 1000,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Detection Finding",
        "type_uid": CLASS_UID * 100 + 3,
        "type_name": "Detection Finding: Close",
        "severity_id": 1,
        "severity": SEVERITY[1],
        "confidence_id": 0,
        "confidence": "Unknown",
        "status_id": OTHER,
        "status": "No longer found",
        "time": last,
        "start_time": first,
        "end_time": last,
        "message": title,
        "metadata": {
            "version": SCHEMA,
            "product": {"name": "extractscan", "vendor_name": "extractscan", "version": findings.run.version},
        },
        "finding_info": {
            "title": title,
            "types": ["Model extraction", entry["kind"]],
            "first_seen_time": first,
            "last_seen_time": last,
            "analytic": {
                "uid": f"extractscan-{entry['kind']}",
                "name": f"extractscan {entry['kind']}",
                "type_id": STATISTICAL,
                "type": "Statistical",
                "version": findings.run.version,
            },
        },
        "evidences": [{"name": "account", "user": {"uid": member}} for member in members],
        "unmapped": {"requests": entry["requests"], "accounts": entry["accounts"]},
    }
