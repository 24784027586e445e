"""A night as a document: what was delivered, and the findings that are in some states. Every form of the digest is made from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from extractscan.report.document import timestamp
from extractscan.report.neutralise import json_text
from extractscan.standing.events import chosen, event
from extractscan.standing.states import STATES, tonight

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from extractscan.standing.update import Night
    from extractscan.verdict.findings import Findings

SCHEMA_VERSION: Final = "1.0"
FILES_LISTED: Final = 100
"""Files of a kind that are named; all are counted."""


def document(case: Path, night: Night, states: Collection[str]) -> dict[str, Any]:
    """Return the document of schema ``night``: counts are of all findings, listed are those in one of ``states``."""
    number, seal = night.pointer.night, night.pointer.seal
    listed = [event(each, number, seal) for each in chosen(night.standings, number, states)]
    delivered = night.delivered
    changed = {name: getattr(delivered, name) for name in ("new", "grown", "repeated", "replaced", "shrunk")}
    run = night.found.run
    return {
        "schema_version": SCHEMA_VERSION,
        "case": json_text(str(case)),
        "version": run.version,
        "night": number,
        "seal": seal,
        "window": {
            "since": None if night.since is None else timestamp(night.since),
            "until": None if night.until is None else timestamp(night.until),
        },
        "delivered": {
            "known": delivered.known,
            **{name: len(files) for name, files in changed.items()},
            "rows": delivered.rows,
            "bad_rows": delivered.bad,
            "files": [
                {"path": json_text(path), "was": name}
                for name, files in changed.items()
                for path in files[:FILES_LISTED]
            ],
        },
        "holds": {"files": len(run.files), "requests": run.rows_kept, "accounts": run.accounts},
        "listed": [state for state in STATES if state in states],
        "counts": {
            f"{kind}s": {
                state: sum(s.kind == kind and s.state == state for s in tonight(night.standings, number))
                for state in STATES
            }
            for kind in ("campaign", "account")
        },
        "campaigns": [each for each in listed if each["kind"] == "campaign"],
        "accounts": [each for each in listed if each["kind"] == "account"],
    }


def in_states(night: Night, states: Collection[str]) -> Findings:
    """Return the findings that are in one of some states, for formats that have no place for states."""
    picked = chosen(night.standings, night.pointer.night, states)
    campaigns = {s.in_results for s in picked if s.kind == "campaign"}
    accounts = {s.key for s in picked if s.kind == "account"}
    found = night.found
    return replace(
        found,
        campaigns=tuple(c for c in found.campaigns if json_text(c.campaign_id) in campaigns),
        accounts=tuple(a for a in found.accounts if json_text(a.account_id) in accounts),
    )
