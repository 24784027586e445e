"""Two cases held against each other: accounts and campaigns that are new, risen, fallen or gone.

An account has a finding when its severity is low or worse. *New*: it has one, and the old case did not know it. *Gone*: it had one, and the
new case does not know it. *Risen* and *fallen*: both know it, and its severity, or its bits by at least ``least``, went up or down.

Campaigns have no lasting id, since it is made of their members: a campaign of the new case continues the one of the old with which it
shares most accounts (by Jaccard similarity, best pairs first), if they share at least one in five of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from extractscan.report.neutralise import json_text
from extractscan.verdict.findings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extractscan.case.read import Case

SCHEMA_VERSION: Final = "1.0"
LEAST: Final = 1.0
"""Bits by which a finding must move to be listed where its severity stays: a doubling of the odds."""
CONTINUES: Final = 0.2
"""Jaccard similarity of members from which a campaign is the old one: of two of one size a third stayed."""
COMPARED: Final = ("account_id", "campaign_id", "severity", "bits", "rank", "requests", "innocent_explanation")
CHANGES: Final = ("new", "risen", "fallen", "gone")


def diff(old: Case, new: Case, *, least: float = LEAST) -> dict[str, Any]:
    """Return the document of schema ``diff``. Raises ``InputError`` for a case that is not as it was written."""
    before = {a["account_id"]: a for a in old.accounts(columns=COMPARED)}
    after = {a["account_id"]: a for a in new.accounts(columns=COMPARED)}
    accounts = []
    for key in before.keys() | after.keys():
        change = _change(before.get(key), after.get(key), least)
        if change is not None:
            entry = _entry(before.get(key), after.get(key))
            campaign = (after.get(key) or before[key])["campaign_id"]
            accounts.append({"change": change, "account_id": key, "campaign_id": campaign, **entry})
    campaigns = []
    for was, now in _continued(old.campaigns(), new.campaigns()):
        change = _change(was, now, least)
        joined = sorted(set(now["accounts"] if now else ()) - set(was["accounts"] if was else ()))
        left = sorted(set(was["accounts"] if was else ()) - set(now["accounts"] if now else ()))
        if change is None and was and now and (joined or left):
            change = "risen" if len(joined) >= len(left) else "fallen"
        if change is not None:
            campaigns.append(
                {
                    "change": change,
                    "old_id": was["campaign_id"] if was else None,
                    "new_id": now["campaign_id"] if now else None,
                    **_entry(was, now),
                    "accounts": len((now or was or {})["accounts"]),
                    "joined": joined if was else [],
                    "left": left if now else [],
                }
            )
    return {
        "schema_version": SCHEMA_VERSION,
        "old": json_text(str(old.folder)),
        "new": json_text(str(new.folder)),
        "remarks": list(_remarks(old, new)),
        "campaigns": sorted(campaigns, key=_order),
        "accounts": sorted(accounts, key=_order),
        "unchanged_accounts": sum(a["severity"] != "none" for a in after.values())
        - sum(a["severity"] not in (None, "none") for a in accounts),
    }


def _change(was: dict[str, Any] | None, now: dict[str, Any] | None, least: float) -> str | None:
    """Name the change of one finding, or None for nothing that is worth a line."""
    grade_was = "none" if was is None else was["severity"]
    grade_now = "none" if now is None else now["severity"]
    if grade_was == grade_now == "none":
        return None
    if was is None:
        return "new"
    if now is None:
        return "gone"
    step = SEVERITIES.index(grade_was) - SEVERITIES.index(grade_now)
    moved = now["bits"] - was["bits"]
    if step == 0 and (moved == 0.0 or abs(moved) < least):
        return None
    return "risen" if step > 0 or (step == 0 and moved > 0) else "fallen"


def _entry(was: dict[str, Any] | None, now: dict[str, Any] | None) -> dict[str, Any]:
    """Where it stands now and stood before; None where a case does not have it."""
    out: dict[str, Any] = {}
    for field in ("severity", "bits", "rank", "requests"):
        out[field] = None if now is None else now[field]
        out[f"old_{field}"] = None if was is None else was[field]
    return {**out, "innocent_explanation": (now or was or {})["innocent_explanation"]}


def _continued(
    old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """Pair campaigns by their members; what is left has no partner."""
    holder: dict[str, int] = {account: i for i, c in enumerate(old) for account in c["accounts"]}
    common: dict[tuple[int, int], int] = {}
    for j, campaign in enumerate(new):
        for account in campaign["accounts"]:
            if account in holder:
                common[holder[account], j] = common.get((holder[account], j), 0) + 1
    alike = {
        (i, j): shared / (len(old[i]["accounts"]) + len(new[j]["accounts"]) - shared)
        for (i, j), shared in common.items()
    }
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for i, j in sorted(alike, key=lambda p: (-alike[p], p)):
        if alike[i, j] >= CONTINUES and i not in paired and j not in taken:
            paired[i] = j
            taken.add(j)
    for i, was in enumerate(old):
        yield was, new[paired[i]] if i in paired else None
    for j, now in enumerate(new):
        if j not in taken:
            yield None, now


def _order(entry: dict[str, Any]) -> tuple[Any, ...]:
    """By kind of change, then from worst to none, then by name."""
    strength = max(entry["bits"] or 0.0, entry["old_bits"] or 0.0)
    return CHANGES.index(entry["change"]), -strength, entry.get("account_id") or entry["new_id"] or entry["old_id"]


def _remarks(old: Case, new: Case) -> Iterator[str]:
    """Say what makes two cases hard to compare."""
    was, now = old.manifest.document, new.manifest.document
    if was["version"] != now["version"]:
        yield f"the cases are of different versions of extractscan, {was['version']} and {now['version']}"
    if was.get("configuration_sha256") != now.get("configuration_sha256"):
        keys = sorted(set(was["configuration"]) | set(now["configuration"]))
        differing = [k for k in keys if was["configuration"].get(k) != now["configuration"].get(k)]
        yield f"the configurations differ in {', '.join(differing)}"
    common = {f.sha256 for f in old.manifest.inputs} & {f.sha256 for f in new.manifest.inputs}
    if common and len(common) < max(len(old.manifest.inputs), len(new.manifest.inputs)):
        yield f"{len(common)} of the logs are in both cases"
    if not old.manifest.inputs or not new.manifest.inputs:
        yield "one of the cases has no log"
