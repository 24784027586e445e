"""MITRE ATLAS ids of what is looked for, as data of a fixed version (``atlas.json``): ids and names change between versions."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

ATLAS_VERSION: Final = "5.6.0"
"""Version of the ATLAS data; a test holds it against the file."""


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((files("extractscan.report") / "atlas.json").read_text(encoding="utf-8"))
    return document


def atlas(*, found: bool, campaign: bool) -> dict[str, Any]:
    """Return the ids that fit a finding: ``version``, ``techniques`` (the main one first), ``mitigations``, ``case_studies``.

    Without a finding there is nothing to name but the version; the techniques of several accounts are those of campaigns alone.
    """
    data = _data()
    if not found:
        return {"version": data["version"], "techniques": [], "mitigations": [], "case_studies": []}
    fitting = {"always", "campaign"} if campaign else {"always"}
    named: dict[str, Any] = {"version": data["version"]}
    named["techniques"] = [{"id": t["id"], "name": t["name"]} for t in data["techniques"] if t["when"] in fitting]
    return {**named, "mitigations": data["mitigations"], "case_studies": data["case_studies"]}
