"""The settings file: which one, and what it says."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from extractscan.config.settings import BY_KEY, FILE
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extractscan.config.check import Problem
    from extractscan.config.settings import Value

MOST_BYTES: Final = 65_536
"""A file of all settings with their comments is under 4 kB; what is larger is something else."""
_PROBLEMS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file that was read: its text, the SHA-256 of its bytes in hexadecimal, and its settings as commands take them.

    Relative paths are those from the file's folder, so that a job finds them wherever it is started.
    """

    path: Path
    text: str
    sha256: str
    values: Mapping[str, Value]


def find(named: Path | None) -> Path | None:
    """Return the file to read: the one that was named, else ``extractscan.toml`` here if there is one; /dev/null is none."""
    if named is not None:
        return None if str(named) == os.devnull else named
    here = Path(FILE)
    return here if os.path.lexists(here) else None


def read(path: Path) -> SettingsFile:
    """Read a file. Raises ``UsageError`` that says all that is wrong with it, a line each."""
    from extractscan.config.check import check  # noqa: PLC0415 -- the parser is for those who have a file

    data = _bytes(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}: line {line}: is not UTF-8 text") from None
    values, problems = check(text)
    if problems:
        raise UsageError(all_of(path, problems))
    placed = {key: _placed(key, value, path.parent) for key, value in values.items()}
    return SettingsFile(path, text, hashlib.sha256(data).hexdigest(), placed)


def all_of(path: Path, problems: Sequence[Problem]) -> str:
    """Return a message that tells all problems of a file, a line each."""
    shown = [str(problem) for problem in problems[:_PROBLEMS_SHOWN]]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown):,} more")
    count = "1 error" if len(problems) == 1 else f"{len(problems):,} errors"
    return "\n".join([f"{path} has {count}:", *shown])


def _bytes(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=_unblocked) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UsageError(f"{path} is no regular file: settings are read from a file of TOML")
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read the settings {path}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise UsageError(f"cannot read the settings: {error}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path} has more than {MOST_BYTES:,} bytes: that is no file of settings")
    return data


def _unblocked(path: str, flags: int) -> int:
    """Open a pipe without waiting for who writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _placed(key: str, value: Value, folder: Path) -> Value:
    """Return a value with its paths taken from the file's folder."""
    if BY_KEY[key].kind == "path":
        return str(folder / str(value))
    if BY_KEY[key].kind == "paths" and isinstance(value, list):
        return [str(folder / one) for one in value]
    return value
