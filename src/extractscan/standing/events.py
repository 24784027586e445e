"""What a night has to say, as entries and events: one for each finding whose state changed, the same bytes whenever it is said again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from extractscan.report.neutralise import json_line
from extractscan.standing.states import CHANGES, tonight

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from extractscan.standing.states import Standing

SCHEMA_VERSION: Final = "1.0"
NAMESPACE: Final = UUID("0d3f6a52-5f0b-5d0e-8f57-3c1f0c7ce6a4")
"""Under which the ids of events are made from their content."""
MEMBERS_LISTED: Final = 1000
"""Members of a campaign that are listed in an entry, lest a line grows beyond what a forwarder takes."""


def _entry(standing: Standing) -> dict[str, Any]:
    campaign = standing.kind == "campaign"
    return {
        "kind": standing.kind,
        "state": standing.state,
        "id": standing.key,
        "campaign": standing.key if campaign else standing.campaign,
        "in_results": standing.in_results,
        "severity": "none" if standing.state == "closed" else standing.severity,
        "old_severity": standing.old_severity,
        "bits": None if standing.state == "closed" else standing.bits,
        "old_bits": standing.old_bits,
        "requests": standing.requests,
        "accounts": len(standing.members) if campaign else 1,
        "members": list(standing.members[:MEMBERS_LISTED]),
        "joined": list(standing.joined[:MEMBERS_LISTED]),
        "left": list(standing.left[:MEMBERS_LISTED]),
        "split_from": standing.split_from,
        "merged_into": standing.merged_into,
        "since_night": standing.since,
        "first_seen": standing.first_seen,
        "last_seen": standing.last_seen,
        "innocent_explanation": standing.innocent_explanation,
    }


def event_id(standing: Standing, night: int, seal: str) -> str:
    """Return the id of an event: made of the finding, its state, the night and the seal of its results, so that the same is the same."""
    return str(uuid5(NAMESPACE, json_line([standing.kind, standing.key, standing.state, night, seal])))


def events(standings: Iterable[Standing], night: int, seal: str) -> Iterator[dict[str, Any]]:
    """Give the events of a night (schema ``event``): campaigns first."""
    for standing in chosen(standings, night, CHANGES):
        yield event(standing, night, seal)


def event(standing: Standing, night: int, seal: str) -> dict[str, Any]:
    """Return a finding as the digest and the spool have it (schema ``event``)."""
    head = {"schema_version": SCHEMA_VERSION, "event_id": event_id(standing, night, seal), "night": night}
    return {**head, **_entry(standing)}


def chosen(standings: Iterable[Standing], night: int, states: Collection[str]) -> list[Standing]:
    """Return the findings of a night that are in one of some states: by kind and state, strongest first."""
    order = ("new", "risen", "fallen", "closed", "unchanged")
    picked = [s for s in tonight(standings, night) if s.state in states]
    return sorted(picked, key=lambda s: (s.kind != "campaign", order.index(s.state), -s.bits, s.key))
