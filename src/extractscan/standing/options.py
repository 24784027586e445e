"""How a standing case reads logs: said once, kept, and the same every night, since fingerprints made in two ways do not compare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractscan.case.manifest import sha256_of
from extractscan.errors import InputError, UsageError
from extractscan.report.neutralise import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extractscan.standing.pointer import Pointer


@dataclass(frozen=True, slots=True)
class Reading:
    """Options of reading, as given: ``columns`` by canonical name, ``mappings`` with their SHA-256; None and empty are defaults."""

    columns: Mapping[str, str]
    mappings: tuple[tuple[str, str], ...]
    log_format: str | None
    account_from: str | None

    def document(self) -> dict[str, Any]:
        """Return it as the pointer keeps it."""
        return {
            "columns": dict(sorted(self.columns.items())),
            "mappings": [list(each) for each in self.mappings],
            "log_format": self.log_format,
            "account_from": self.account_from,
        }


def reading(
    held: Pointer | None,
    *,
    columns: Mapping[str, str],
    mappings: Sequence[str],
    log_format: str | None,
    account_from: str | None,
) -> Reading:
    """Return how logs are read: as the case has it, or as is said for a case that is new.

    A mapping is known by its content: it may be said again from where it lies now. Raises ``UsageError`` for an option that is not as
    the case has it and for a mapping that cannot be read, ``InputError`` for one of the case that has changed.
    """
    said = Reading(columns, tuple((path, _hash(path)) for path in mappings), log_format, account_from)
    if held is None:
        return said
    kept = _parsed(held.reading)
    for option, mine, its in (
        ("--column", dict(said.columns), dict(kept.columns)),
        ("--mapping", [sha256 for _, sha256 in said.mappings], [sha256 for _, sha256 in kept.mappings]),
        ("--log-format", said.log_format, kept.log_format),
        ("--account-from", said.account_from, kept.account_from),
    ):
        if mine and mine != its:
            raise UsageError(
                f"{option} is not what this case was begun with: all of a case is read in one way. Begin another case to read otherwise"
            )
    if said.mappings:
        return replace(kept, mappings=said.mappings)
    for path, sha256 in kept.mappings:
        if _hash(path) != sha256:
            shown = terminal(path, limit=200)
            raise InputError(
                f"the mapping {shown} is not what it was when the case was begun; put it back, or begin another"
            )
    return kept


def _parsed(document: Mapping[str, Any]) -> Reading:
    try:
        mappings = tuple((str(path), str(sha256)) for path, sha256 in document["mappings"])
        return Reading(dict(document["columns"]), mappings, document["log_format"], document["account_from"])
    except (KeyError, TypeError, ValueError):
        raise InputError("the case does not say how it reads logs: its standing.json is damaged") from None


def _hash(path: str) -> str:
    try:
        return sha256_of(Path(path))
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise UsageError(f"the mapping {terminal(path, limit=200)} cannot be read: {reason}") from error
