"""What the digest of a night says in sentences, for every form that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from extractscan.report import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS_NAMED: Final = 10
COLUMNS: Final = ("State", "Id", "Severity", "Bits", "Requests", "Remarks")
DELIVERED: Final = {
    "new": ("new file", "new files"),
    "grown": ("file that grew", "files that grew"),
    "repeated": ("file known by its content", "files known by their content"),
    "replaced": ("file changed in place", "files changed in place"),
    "shrunk": ("file that was cut", "files that were cut"),
    "known": ("file as before", "files as before"),
}


def title(document: dict[str, Any]) -> str:
    """Return the heading."""
    return f"Night {document['night']:,} of {document['case']}"


def delivered(document: dict[str, Any]) -> str:
    """Say what was delivered and what was read of it."""
    told = document["delivered"]
    files = [phrases.count(told[key], *nouns) for key, nouns in DELIVERED.items() if told[key]]
    rows = f"{phrases.count(told['rows'], 'request')} read"
    bad = f" and {told['bad_rows']:,} that could not be" if told["bad_rows"] else ""
    return f"{', '.join(files) or 'No file'}; {rows}{bad}."


def holds(document: dict[str, Any]) -> str:
    """Say what counts."""
    held, window = document["holds"], document["window"]
    text = (
        f"Judged were {phrases.count(held['requests'], 'request')} by {phrases.count(held['accounts'], 'account')} "
        f"in {phrases.count(held['files'], 'file')}"
    )
    if window["since"] is None:
        return f"{text}."
    return f"{text}, from {window['since'][:16].replace('T', ' ')} to {window['until'][:16].replace('T', ' ')} UTC."


def verdict(document: dict[str, Any]) -> str:
    """Say what changed."""
    parts = []
    for kind in ("campaigns", "accounts"):
        numbers = [f"{number:,} {state}" for state, number in document["counts"][kind].items() if number]
        parts.append(f"{kind.capitalize()}: {', '.join(numbers) or 'none'}.")
    return " ".join(parts)


def nothing(document: dict[str, Any]) -> str:
    """Say that nothing is listed."""
    return f"No finding is {' or '.join(document['listed'])}."


def more(document: dict[str, Any], top: int) -> str:
    """Say how many accounts are not listed; nothing if all are."""
    left = len(document["accounts"]) - top
    return phrases.count(left, "more account") if left > 0 else ""


def cells(entry: dict[str, Any]) -> list[str]:
    """Return a finding as a row of a table with ``COLUMNS``."""
    said = "; ".join(f"{label}: {text}" for label, text in remarks(entry))
    steps = [step(entry, field) for field in ("severity", "bits")]
    return [entry["state"], entry["id"], *steps, f"{entry['requests']:,}", said]


def step(entry: dict[str, Any], field: str) -> str:
    """Return where a severity or the bits stand and stood, as in ``low → high``."""
    old, new = entry[f"old_{field}"], entry[field]
    shown = [None if value is None else f"{value:.1f}" if field == "bits" else str(value) for value in (old, new)]
    if shown[0] is None or shown[0] == shown[1]:
        return shown[1] or ""
    return f"{shown[0]} → {shown[1] or 'none'}"


def remarks(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give what else is to be said of a finding: a label and a text, which may hold ids from a log."""
    for label in ("joined", "left"):
        if entry[label]:
            yield label, names(entry[label])
    if entry["kind"] == "campaign" and entry["state"] == "new":
        yield "members", names(entry["members"], entry["accounts"])
    if entry["split_from"]:
        yield "split from", entry["split_from"]
    if entry["merged_into"]:
        yield "merged into", entry["merged_into"]
    if entry["state"] in ("new", "risen") and entry["innocent_explanation"]:
        yield "innocent", entry["innocent_explanation"]


def names(ids: list[str], total: int | None = None) -> str:
    """Return the first of some ids, and how many more there are."""
    more = (total or len(ids)) - len(ids[:MEMBERS_NAMED])
    return ", ".join(ids[:MEMBERS_NAMED]) + (f" and {more:,} more" if more else "")
