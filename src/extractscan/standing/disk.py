"""Files that appear whole: written under a hidden name, forced to disk, renamed; and read back as they were written."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from extractscan.errors import InputError
from extractscan.report.neutralise import terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HIDDEN: Final = ".part-"
"""How the names of files begin that are being written."""


class _Hashing:
    """A stream that hashes what goes through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self.size += memoryview(data).nbytes
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """Leave the stream open: it is not ours."""

    def writable(self) -> bool:
        return True

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def put_by_content(folder: Path, ending: str, fill: Callable[[Any], None]) -> tuple[str, int]:
    """Write a file that is named after its SHA-256; return that and the size in bytes. One that is there already stays.

    Raises ``OSError``; nothing is left behind then.
    """
    hidden = folder / f"{HIDDEN}{secrets.token_hex(6)}"
    try:
        with hidden.open("xb") as stream:
            hashing = _Hashing(stream)
            fill(hashing)
            stream.flush()
            os.fsync(stream.fileno())
        digest = hashing.hexdigest()
        hidden.replace(folder / f"{digest}{ending}")
    finally:
        hidden.unlink(missing_ok=True)
    sync_folder(folder)
    return digest, hashing.size


def get(case: Path, path: str, sha256: str) -> bytes:
    """Return a file of a case, known by its SHA-256. Raises ``InputError`` for one that is gone or not as it was written."""
    shown = f"{terminal(str(case), limit=200)}/{path}"
    try:
        data = (case / path).read_bytes()
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {(error.strerror or 'input/output error').lower()}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{shown} is not as it was written; extractscan verify says more")
    return data


def put(path: Path, data: bytes) -> None:
    """Write a file, or replace it, in one step. Raises ``OSError``; what was there stays then."""
    hidden = path.with_name(f"{HIDDEN}{secrets.token_hex(6)}")
    try:
        with hidden.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk, where the file system lets one."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
