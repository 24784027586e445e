"""The MITRE ATLAS techniques that a finding would be, if it were true: ids, names and version from ``data/atlas.json``.

They are inferred, never observed: extraction of a model through its inference API for every finding, and accounts made
for the purpose for a campaign. Nothing here tells stolen from established accounts, so no technique is named for that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, TypeAlias

Kind: TypeAlias = Literal["account", "campaign"]
KINDS: Final[tuple[Kind, ...]] = ("account", "campaign")
"""Of findings."""


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique with its tactic; ``parent`` is None unless it is a sub-technique."""

    uid: str
    name: str
    tactic_uid: str
    tactic_name: str
    parent: Technique | None


@cache
def _data() -> dict[str, Any]:
    text = (files("extractscan.report") / "data" / "atlas.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def version() -> str:
    """Return the version of the ATLAS data that ids and names are from."""
    return str(_data()["version"])


def technique(uid: str) -> Technique:
    """Return a technique by its id. Raises ``KeyError`` for one that is not in the data."""
    data = _data()
    entry = data["techniques"][uid]
    parent = technique(entry["parent"]) if "parent" in entry else None
    return Technique(uid, entry["name"], entry["tactic"], data["tactics"][entry["tactic"]], parent)


def techniques(kind: Kind) -> list[Technique]:
    """Return the techniques of a kind of finding, the primary one first."""
    return [technique(uid) for uid in _data()["findings"][kind]]


def atlas(*, found: bool, campaign: bool) -> dict[str, Any]:
    """Return the ids that fit a finding: ``version``, ``techniques`` (the main one first), ``mitigations``, ``case_studies``.

    Without a finding there is nothing to name but the version.
    """
    named: dict[str, Any] = {"version": version(), "techniques": [], "mitigations": [], "case_studies": []}
    if found:
        fitting = techniques("campaign" if campaign else "account")
        named["techniques"] = [{"id": each.uid, "name": each.name} for each in fitting]
        named["mitigations"] = [{"id": uid, "name": name} for uid, name in mitigations().items()]
        named["case_studies"] = [{"id": uid, "name": name} for uid, name in _data()["case_studies"].items()]
    return named


def mitigations() -> dict[str, str]:
    """Return the mitigations by id."""
    return dict(_data()["mitigations"])
