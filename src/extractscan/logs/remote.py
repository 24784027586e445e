"""Objects in a store: found under a prefix or by a pattern, as files are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyarrow import ArrowException, fs

from extractscan.errors import InputError
from extractscan.logs.stores import denied, failed, store
from extractscan.logs.uris import Place, parse_place

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Found:
    """An object that was found, its size in bytes, and whether the user named it himself."""

    place: Place
    size: int
    named: bool


def find(text: str) -> list[Found]:
    """The objects that a URI names: one, all under a prefix, or all that a pattern with ``*``, ``**``, ``?`` or ``[…]`` fits.

    A prefix is like a folder: ``s3://b/2026`` is ``s3://b/2026/…``, not ``s3://b/2026-01``. Names that begin with ``.`` or ``_``
    below it are passed over, as in folders. Raises InputError for what does not exist, may not be read or cannot be reached.
    """
    place = parse_place(text)
    key = place.key.rstrip("/")
    if _MAGIC.search(key):
        found = list(_matching(place, key))
        if not found:
            raise InputError(f"nothing matches {text}")
        return found
    if key and place.key == key:
        info = _info(place.at(key))
        if info.type == fs.FileType.File:
            return [Found(place.at(key), info.size, named=True)]
    below = key + "/" if key else ""
    objects = [one for one in _listed(place.at(key)) if not _hidden(one[0].key[len(below) :])]
    found = [Found(one, size, named=False) for one, size in objects]
    if not found and _info(place.at("")).type == fs.FileType.NotFound:
        raise InputError(f"{place.root} does not exist: no such bucket")
    if not found:
        raise InputError(
            f"no object in {text}" if not key else f"no object is named {text}, nor lies under {place.root}{below}"
        )
    return found


def _matching(place: Place, key: str) -> Iterator[Found]:
    """Objects that a pattern fits, and those under prefixes that it fits."""
    base = key[: _MAGIC.search(key).start()].rpartition("/")[0]  # type: ignore[union-attr]
    pattern = re.compile(_translated(key))
    shown = key.rpartition("/")[2].startswith(("_", "."))
    for one, size in _listed(place.at(base)):
        fitting = pattern.match(one.key)
        if fitting is not None and (shown or not _hidden(one.key[len(base) :].lstrip("/"))):
            yield Found(one, size, named=False)


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


def _hidden(key: str) -> bool:
    return any(part.startswith((".", "_")) for part in key.split("/"))


def _info(place: Place) -> Any:
    try:
        return store(place).get_file_info(place.path)
    except (OSError, ArrowException) as error:
        raise _stated(place, error) from error


def _listed(place: Place) -> Iterator[tuple[Place, int]]:
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
