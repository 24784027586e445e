"""Objects in a store, read as files are: anywhere, or from their beginning to their end with the next parts asked for ahead."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from pyarrow import ArrowException

from extractscan.errors import InputError
from extractscan.logs.ahead import ahead
from extractscan.logs.stores import failed, store

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from extractscan.logs.uris import Place

PART: Final = 8 << 20
"""Bytes that are asked for at a time."""
PARTS: Final = 4
"""Parts of one object that are under way at a time: 32 MiB of memory at the most."""
SMALL: Final = 1 << 20
"""Bytes of an object that is fetched whole before its turn; MANY of these are held at the most."""
MANY: Final = 16
"""Objects that are asked for at a time: a store takes tens of milliseconds to answer, and a bucket has ten thousand."""


class RemoteFile(io.RawIOBase):
    """An object as a file that can be read anywhere; what goes wrong is raised as ``stores.failed`` says."""

    def __init__(self, place: Place) -> None:
        """Raises OSError for an object that cannot be opened, InputError for a store that cannot."""
        super().__init__()
        self._place = place
        try:
            self._file = store(place).open_input_file(place.path)
        except (OSError, ArrowException) as error:
            raise failed(place, error) from error

    def read(self, n: int = -1) -> bytes:
        """At most ``n`` bytes; all that are left without ``n``."""
        try:
            data: bytes = self._file.read(None if n < 0 else n)
        except (OSError, ArrowException) as error:
            raise failed(self._place, error) from error
        return data

    def read_at(self, start: int, n: int) -> bytes:
        """At most ``n`` bytes from a place on; several threads may ask at once."""
        try:
            data: bytes = self._file.read_at(n, start)
        except (OSError, ArrowException) as error:
            raise failed(self._place, error) from error
        return data

    def size(self) -> int:
        """How many bytes it has."""
        return int(self._file.size())

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        self._file.seek(offset, whence)
        return self.tell()

    def tell(self) -> int:
        """The byte that is read next."""
        return int(self._file.tell())

    def close(self) -> None:
        """Give the connection back."""
        if not self.closed:
            self._file.close()
        super().close()


class RemoteStream(io.RawIOBase):
    """An object read once, from its beginning; errors as of a RemoteFile."""

    def __init__(self, place: Place) -> None:
        """Raises as RemoteFile does."""
        super().__init__()
        self._file = RemoteFile(place)
        size = self._file.size()
        self._parts = ahead(self._part, range(0, size, PART), PARTS)
        self._held, self._at = b"", 0

    def _part(self, start: int) -> bytes:
        return self._file.read_at(start, PART)

    def read(self, n: int = -1) -> bytes:
        """At most ``n`` bytes, or what of a part is left."""
        if self._at == len(self._held):
            self._held, self._at = next(self._parts, b""), 0
        end = len(self._held) if n < 0 else self._at + n
        data = self._held[self._at : end]
        self._at += len(data)
        return data

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Ask for no more parts."""
        if not self.closed:
            self._parts.close()
            self._file.close()
        super().close()


def heads(places: Sequence[Place | None], size: int) -> Generator[bytes | Exception | None, None, None]:
    """The first ``size`` bytes of each object, or what is wrong with it, in order; None for what is no object."""

    def head(place: Place | None) -> bytes | Exception | None:
        if place is None:
            return None
        try:
            with RemoteFile(place) as file:
                return file.read(size)
        except (OSError, InputError) as error:
            return error

    return ahead(head, places, MANY)


def bodies(places: Sequence[tuple[Place | None, int]]) -> Generator[bytes | None, None, None]:
    """All of each object that is small, in order; None for others, for what is no object, and for what cannot be had now."""

    def body(one: tuple[Place | None, int]) -> bytes | None:
        place, size = one
        if place is None or size > SMALL:
            return None
        try:
            with RemoteFile(place) as file:
                data = file.read(SMALL + 1)
        except (OSError, InputError):
            return None  # asked for again in its turn, and then what is wrong is told
        return data if len(data) <= SMALL else None

    return ahead(body, places, MANY)
