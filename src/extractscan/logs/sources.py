"""The bytes of an input, wherever it lies: opened, put on disk, hashed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import sys
import tempfile
from typing import IO, TYPE_CHECKING, cast

from extractscan.logs.columnar import Columns
from extractscan.logs.streams import PIECE, DamagedError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from extractscan.logs.discover import Input
    from extractscan.logs.lakes import LakeTable
    from extractscan.logs.streams import Raw


def open_input(item: Input) -> IO[bytes]:
    """Open an input; the caller closes it. Raises OSError, and InputError for a store that cannot be reached."""
    if item.path is None:
        return sys.stdin.buffer
    if item.place is not None:
        from extractscan.logs.objects import RemoteFile  # noqa: PLC0415 (what is slow to import, only who needs it pays for)

        return cast("IO[bytes]", RemoteFile(item.place))
    return open(item.path, "rb")  # noqa: PTH123 (the caller closes it)


def stream_input(item: Input) -> IO[bytes]:
    """Open an input to be read once, from its beginning. Raises as ``open_input`` does."""
    if item.place is None:
        return open_input(item)
    from extractscan.logs.objects import RemoteStream  # noqa: PLC0415

    return cast("IO[bytes]", RemoteStream(item.place))


def heads(items: Sequence[Input], size: int) -> Iterator[bytes | Exception | None]:
    """The first bytes of each input that lies in a store, or what is wrong with it; None for others, which are opened in no time."""
    if all(item.place is None for item in items):
        return iter([None] * len(items))
    from extractscan.logs import objects  # noqa: PLC0415

    return objects.heads([item.place if item.lake is None else None for item in items], size)


def bodies(items: Sequence[Input]) -> Generator[bytes | None, None, None]:
    """All of each input that lies in a store and is small; None for others. Close it to give up the rest."""
    if all(item.place is None for item in items):
        return (None for _ in items)
    from extractscan.logs import objects  # noqa: PLC0415

    return objects.bodies([(item.place if item.lake is None else None, item.size or 0) for item in items])


def columns_of(item: Input, kind: str, path: str | None = None) -> Columns:
    """The columns of an input; ``path`` is where its bytes lie on disk. Raises DamagedError, and UsageError without an extra."""
    if item.lake is not None:
        return lake_table(item)
    return Columns(path or item.path or "", kind, None if path is not None else open_input(item))


def lake_table(item: Input) -> LakeTable:
    """The table of a lake that an input is, as it stands now. Raises as ``columns_of`` does."""
    from extractscan.logs.lakes import LakeTable  # noqa: PLC0415

    return LakeTable(item.path or item.name, item.lake or "delta", item.place)


def digest_of(item: Input) -> str:
    """Return the SHA-256 of an input in hexadecimal. Raises as ``open_input`` does."""
    if item.lake is not None:
        try:
            return lake_table(item).digest()[0]
        except DamagedError as error:
            raise OSError(errno.EIO, str(error), item.name) from error
    digest = hashlib.sha256()
    with stream_input(item) as file:
        while data := file.read(PIECE):
            digest.update(data)
    return digest.hexdigest()


@contextlib.contextmanager
def spooled(raw: Raw) -> Iterator[str]:
    """The bytes of a pipe or an object as a file on disk, for formats that are read from their end."""
    with tempfile.NamedTemporaryFile(prefix="extractscan-") as file:
        while data := raw.read(PIECE):
            file.write(data)
        file.flush()
        yield file.name
