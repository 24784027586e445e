"""Where parts of a run wait until all of it has been read: in memory up to a limit, then in a file that has no name.

The file is gone from its folder before anything is written to it, so that nothing is left behind whatever ends the process.
"""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import polars as pl

from extractscan.memory import no_room

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class Place:
    """Where one array or column waits: ``held`` in memory, or at ``start`` of the file."""

    held: NDArray[Any] | pl.Series | None
    start: int = 0
    size: int = 0
    dtype: np.dtype[Any] | None = None


class Shelf:
    """Keeps arrays and columns until they are taken, each once."""

    def __init__(self, limit: int | None = None) -> None:
        """Hold up to ``limit`` bytes in memory (None: any number)."""
        self._limit = limit
        self._inside = 0
        self._file: IO[bytes] | None = None
        self.spilled = 0
        """Bytes that were written to the file."""

    def put(self, what: NDArray[Any] | pl.Series) -> Place:
        """Put an array, or a column of any type. Raises InputError if the disk is full."""
        size = int(what.nbytes if isinstance(what, np.ndarray) else what.estimated_size())
        if self._limit is None or self._inside + size <= self._limit:
            self._inside += size
            return Place(what, size=size)
        try:
            return self._write(what)
        except OSError as error:
            self.close()
            raise no_room(error) from None

    def _write(self, what: NDArray[Any] | pl.Series) -> Place:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="extractscan-", buffering=0)  # noqa: SIM115
        start = self._file.seek(0, os.SEEK_END)
        if isinstance(what, np.ndarray):
            data = memoryview(np.ascontiguousarray(what).reshape(-1).view(np.uint8).data)
            place = Place(None, start, what.size, what.dtype)
        else:
            buffer = io.BytesIO()
            what.to_frame("").write_ipc(buffer, compression="uncompressed")
            data = buffer.getbuffer()
            place = Place(None, start, len(data))
        while len(data):
            data = data[self._file.write(data) :]
        self.spilled = self._file.tell()
        return place

    def take(self, place: Place) -> NDArray[Any] | pl.Series:
        """Take what was put; the place is empty afterwards."""
        held = place.held
        if held is not None:
            self._inside -= place.size
            place.held = None
            return held
        if self._file is None:
            raise ValueError("this place is empty")
        self._file.seek(place.start)
        if place.dtype is not None:
            return np.fromfile(self._file, place.dtype, place.size)
        return pl.read_ipc(io.BytesIO(self._file.read(place.size))).to_series()

    def stretch(self, place: Place, start: int, stop: int) -> NDArray[Any]:
        """Read a part of an array, which stays in its place."""
        if place.held is not None:
            return np.asarray(place.held[start:stop])
        if self._file is None or place.dtype is None:
            raise ValueError("this place is empty")
        self._file.seek(place.start + start * place.dtype.itemsize)
        return np.fromfile(self._file, place.dtype, stop - start)

    def drop(self, place: Place) -> None:
        """Let go of what was put."""
        if place.held is not None:
            self._inside -= place.size
            place.held = None

    def array(self, place: Place) -> NDArray[Any]:
        """Take an array."""
        taken = self.take(place)
        assert isinstance(taken, np.ndarray)  # noqa: S101
        return taken

    def column(self, place: Place) -> pl.Series:
        """Take a column."""
        taken = self.take(place)
        assert isinstance(taken, pl.Series)  # noqa: S101
        return taken

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
