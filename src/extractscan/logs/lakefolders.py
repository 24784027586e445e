"""Which folders are tables of a lake, Delta or Iceberg: their files are not to be read one by one.

Such a folder holds files of rows that were removed or rewritten; only its log says which files count.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Lake = Literal["delta", "iceberg"]

NAMES: Final[dict[Lake, str]] = {"delta": "Delta", "iceberg": "Iceberg"}
_DELTA: Final = "_delta_log"
_ICEBERG: Final = "metadata"
MARKS: Final = frozenset({_DELTA, _ICEBERG})
"""Folders, one of which a table has."""
_VERSION: Final = ".metadata.json"


def lake_of(folder: str) -> Lake | None:
    """Whether a folder is a table; None for any other folder, and for one that cannot be looked into."""
    here = Path(folder)
    try:
        if (here / _DELTA).is_dir():
            return "delta"
        if (here / _ICEBERG).is_dir() and any(one.name.endswith(_VERSION) for one in (here / _ICEBERG).iterdir()):
            return "iceberg"
    except OSError:
        return None
    return None


def lake_above(folder: str, known: dict[str, str | None]) -> str | None:
    """The nearest table that a folder lies in, itself included; ``known`` remembers answers."""
    if folder not in known:
        above = str(Path(folder).parent)
        if lake_of(folder) is not None:
            known[folder] = folder
        else:
            known[folder] = None if above == folder else lake_above(above, known)
    return known[folder]


def lakes_among(keys: Iterable[str]) -> dict[str, Lake]:
    """The tables under a prefix of a store, by the keys of all objects there: the key of each table's folder, and its kind."""
    found: dict[str, Lake] = {}
    for key in keys:
        path = PurePosixPath(key)
        parts = path.parts
        if _DELTA in parts[:-1]:
            found["/".join(parts[: parts.index(_DELTA)])] = "delta"
        elif len(parts) > 1 and parts[-2] == _ICEBERG and path.name.endswith(_VERSION):
            found["/".join(parts[:-2])] = "iceberg"
    return found
