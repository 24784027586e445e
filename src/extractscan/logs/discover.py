"""From what the user named to the files to read: folders walked, globs expanded, each file once, in a fixed order.

Object stores are asked only for an input that is written as a URI.
"""

from __future__ import annotations

import glob
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from extractscan.errors import InputError
from extractscan.logs.lakefolders import MARKS as TABLE_MARKS
from extractscan.logs.lakefolders import NAMES, lake_above, lake_of
from extractscan.logs.uris import is_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from extractscan.logs.lakefolders import Lake
    from extractscan.logs.uris import Place

STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """One file, or standard input (``path`` is None).

    ``name`` is how the user named it, or the folder it is in; ``path`` is resolved, without links, and of an object in a store
    (``place``) it is the URI. A table of a ``lake`` is one input. ``named`` is False for a file that was found in a folder or by a
    glob: such a file may turn out to be no log. A text is read from ``start`` to ``stop`` (bytes, decompressed), and ``line`` is the
    number of its first line there. ``sha256`` is that of the file as stored, where it is known already.
    """

    name: str
    path: str | None
    named: bool
    size: int | None
    place: Place | None = None
    lake: Lake | None = None
    start: int = 0
    stop: int | None = None
    line: int = 1
    sha256: str | None = None

    @property
    def piped(self) -> bool:
        """Whether its bytes can be had only once."""
        return self.path is None or self.size is None


def discover(inputs: Sequence[str], warn: Callable[[str], None]) -> list[Input]:
    """Find the files.

    A file that is reached twice, by whatever way, is there once; order is that of resolved paths, standard input last.
    Raises InputError for an input that does not exist or matches nothing.
    """
    if not inputs:
        raise InputError("no input: name a file, a folder, a glob, or - for standard input")
    found: dict[Hashable, Input] = {}
    stdin = False
    for text in inputs:
        if text == STDIN:
            stdin = True
            continue
        for item, key in _remote(text) if is_remote(text) else _expand(text, warn):
            other = found.get(key)
            if other is None or (not item.named, item.name) < (not other.named, other.name):
                found[key] = item
    files = sorted(found.values(), key=lambda item: (item.path or "", item.name))
    if stdin:
        files.append(Input("standard input", None, named=True, size=None))
    if not files:
        raise InputError(f"no file in {', '.join(inputs)}")
    return files


def _remote(text: str) -> Iterator[tuple[Input, Hashable]]:
    from extractscan.logs.remote import find  # noqa: PLC0415 (who reads local files alone does not pay for it)

    for one in find(text):
        place = one.place
        key = (place.kind, place.account, place.path)
        yield Input(place.uri, place.uri, one.named, one.size, place, one.lake), key


def _expand(text: str, warn: Callable[[str], None]) -> Iterator[tuple[Input, tuple[int, int]]]:
    if not text or "\0" in text:
        raise InputError("an input has no name" if not text else "the name of an input holds a NUL character")
    known: dict[str, str | None] = {}
    if os.path.lexists(text):
        _apart(text, known)
        yield from _entry(text, warn, named=True)
        return
    if not glob.has_magic(text):
        raise InputError(f"no such file or folder: {text}")
    matches = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 (Path has no pattern that begins at a root)
    if not matches:
        raise InputError(f"nothing matches {text}")
    for match in matches:
        if Path(match).name.startswith("_") and not Path(text).name.startswith("_"):
            continue  # as in a folder
        _apart(match, known)
        yield from _entry(match, warn, named=False)


def _apart(name: str, known: dict[str, str | None]) -> None:
    """Raise InputError for a part of a table of a lake: its files may hold rows that are no longer in the table."""
    path = os.path.realpath(name)
    table = lake_above(path if Path(path).is_dir() else str(Path(path).parent), known)
    if table is not None and table != path:
        raise InputError(
            f"{name} is a part of the {NAMES[lake_of(table) or 'delta']} table {table}, and may hold rows that were removed: name the table"
        )


def _entry(name: str, warn: Callable[[str], None], *, named: bool) -> Iterator[tuple[Input, tuple[int, int]]]:
    try:
        status = Path(name).stat()
    except OSError as error:
        message = f"{name} cannot be read: {_why(error)}"
        if named:
            raise InputError(message) from error
        warn(message)
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _folder(name, warn, named=named)
    elif stat.S_ISREG(status.st_mode):
        yield Input(name, os.path.realpath(name), named, status.st_size), (status.st_dev, status.st_ino)
    elif named and stat.S_ISFIFO(status.st_mode):  # a named pipe, or the shell's <(…)
        yield Input(name, name, named, None), (status.st_dev, status.st_ino)
    elif named:
        raise InputError(f"{name} is neither a file nor a folder")


def _folder(top: str, warn: Callable[[str], None], *, named: bool) -> Iterator[tuple[Input, tuple[int, int]]]:
    """Files under ``top``; hidden ones, and those beginning with ``_`` (a job's marks and logs), are not looked at.

    A folder that is a table of a lake is one input. Links to folders are followed, but no folder is entered twice, so that a loop of
    links ends.
    """
    visited: set[tuple[int, int]] = set()

    def enter(folder: str) -> bool:
        try:
            status = Path(folder).stat()
        except OSError:
            return False
        key = (status.st_dev, status.st_ino)
        new = key not in visited
        visited.add(key)
        return new

    enter(top)
    for folder, folders, files in os.walk(
        top, followlinks=True, onerror=lambda error: warn(f"{error.filename} cannot be read: {_why(error)}")
    ):
        lake = lake_of(folder) if TABLE_MARKS.intersection(folders) else None
        if lake is not None:
            status = Path(folder).stat()
            yield (
                Input(folder, os.path.realpath(folder), named and folder == top, 0, lake=lake),
                (status.st_dev, status.st_ino),
            )
            folders.clear()
            continue
        folders[:] = sorted(f for f in folders if not f.startswith((".", "_")) and enter(str(Path(folder, f))))
        for file in sorted(files):
            if not file.startswith((".", "_")):
                yield from _entry(str(Path(folder, file)), warn, named=False)


def _why(error: OSError) -> str:
    return (error.strerror or "input/output error").lower()
