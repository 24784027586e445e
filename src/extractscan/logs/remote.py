"""Objects in a store: found under a prefix or by a pattern, as files are."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyarrow import ArrowException, fs

from extractscan.errors import InputError
from extractscan.logs.lakefolders import MARKS, lakes_among
from extractscan.logs.stores import denied, failed, store
from extractscan.logs.uris import Place, parse_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.logs.lakefolders import Lake

_MAGIC: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Found:
    """An object that was found, its size in bytes, and whether the user named it himself.

    A table of a ``lake`` is one, in place of its objects; its size is 0.
    """

    place: Place
    size: int
    named: bool
    lake: Lake | None = None


def find(text: str) -> list[Found]:
    """The objects that a URI names: one, all under a prefix, or all that a pattern with ``*``, ``**``, ``?`` or ``[…]`` fits.

    A prefix is like a folder: ``s3://b/2026`` is ``s3://b/2026/…``, not ``s3://b/2026-01``. Names that begin with ``.`` or ``_``
    below it are passed over, as in folders. Raises InputError for what does not exist, may not be read or cannot be reached.
    """
    place = parse_place(text)
    key = place.key.rstrip("/")
    magic = _MAGIC.search(key)
    if magic is None and key and place.key == key:
        info = _info(place.at(key))
        if info.type == fs.FileType.File:
            return _apart([Found(place.at(key), info.size, named=True)], text, {})
    base = key if magic is None else key[: magic.start()].rpartition("/")[0]
    pattern = re.compile(_translated(key) if magic is not None else ".*")
    shown = magic is not None and key.rpartition("/")[2].startswith(("_", "."))
    objects = list(listed(place.at(base)))
    lakes = lakes_among(one.key for one, _ in objects)
    whole = {lake: kind for lake, kind in lakes.items() if pattern.match(lake)}
    found = [Found(place.at(lake), 0, magic is None and lake == key, kind) for lake, kind in sorted(whole.items())]
    for one, size in objects:
        hidden = not shown and any(part.startswith((".", "_")) for part in one.key[len(base) :].split("/"))
        if pattern.match(one.key) and not hidden and not any(above in whole for above in _parents(one.key)):
            found.append(Found(one, size, named=False))
    if found:
        return _apart(found, text, lakes)
    if magic is not None:
        raise InputError(f"nothing matches {text}")
    if _info(place.at("")).type == fs.FileType.NotFound:
        raise InputError(f"{place.root} does not exist: no such bucket")
    raise InputError(f"no object is named {text}, nor lies under {place.root}{key}/" if key else f"no object in {text}")


def _parents(key: str) -> list[str]:
    return ["/".join(key.split("/")[:n]) for n in range(key.count("/") + 1)]


def _apart(found: list[Found], text: str, lakes: dict[str, Lake]) -> list[Found]:
    """``found``, unless a part of a table of a lake is in it: its objects may hold rows that are no longer in the table.

    ``lakes`` are those under what was listed; above that the store is asked, if tables' files were found. Raises InputError.
    """
    loose = [one.place for one in found if one.lake is None]
    table = next((one.at(above) for one in loose for above in _parents(one.key) if above in lakes), None)
    file = next((one for one in loose if one.key.endswith(".parquet")), None)
    if table is None and file is not None:
        table = next((file.at(above) for above in _parents(file.key) if _is_lake(file.at(above))), None)
    if table is not None:
        raise InputError(
            f"{text} is a part of the table {table.uri} of a lake, and may hold rows that were removed: name the table"
        )
    return found


def _is_lake(place: Place) -> bool:
    """Whether a prefix is a table; False where that may not be looked at."""
    with contextlib.suppress(OSError, ArrowException, InputError):
        for mark in sorted(MARKS):
            below = place.at(f"{place.key}/{mark}".lstrip("/"))
            if store(below).get_file_info(below.path).type == fs.FileType.Directory:
                return place.key in lakes_among(one.key for one, _ in listed(below))
    return False


def _translated(key: str) -> str:
    """A pattern as a regular expression that fits a key, or what lies under it."""
    out = []
    parts = key.split("/")
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if part == "**":
            out.append(".*" if last else "(?:[^/]+/)*")
            continue
        text, at = "", 0
        while at < len(part):
            c = part[at]
            end = part.find("]", at + 2) if c == "[" else -1
            if c == "*":
                text += "[^/]*"
            elif c == "?":
                text += "[^/]"
            elif end > 0:
                inner = part[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
                text += f"[{'^' + inner[1:] if inner.startswith('!') else inner}]"
                at = end
            else:
                text += re.escape(c)
            at += 1
        out.append(text + ("" if last else "/"))
    return "".join(out) + r"(?:/.*)?\Z"


def _info(place: Place) -> Any:
    try:
        return store(place).get_file_info(place.path)
    except (OSError, ArrowException) as error:
        raise _stated(place, error) from error


def listed(place: Place) -> Iterator[tuple[Place, int]]:
    """All objects under a prefix, in the order of their keys. Raises InputError."""
    try:
        infos = store(place).get_file_info(fs.FileSelector(place.path, recursive=True, allow_not_found=bool(place.key)))
    except (OSError, ArrowException) as error:
        raise _stated(place, error) from error
    skip = len(place.bucket) + 1
    for info in sorted(infos, key=lambda info: info.path):
        if info.type == fs.FileType.File:
            yield place.at(info.path[skip:]), info.size


def _stated(place: Place, error: Exception) -> InputError:
    """The error for a place that the user himself named."""
    found = failed(place, error)
    if isinstance(found, InputError):
        return found
    return denied(place) if isinstance(found, PermissionError) else InputError(f"{place.uri}: {_reason(found)}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or "it cannot be read")
