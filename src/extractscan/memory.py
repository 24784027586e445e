"""How much memory a run may take, and what is done so that it does not take more.

Large arrays that are walked through rather than searched lie in files without names and are mapped. What is resident of them is given
back to the system whenever the process comes near its limit; it is read again from the file when it is wanted.
"""

from __future__ import annotations

import mmap
import os
import re
import tempfile
import threading
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.errors import InputError, UsageError
from extractscan.free_memory import free_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from numpy.typing import DTypeLike, NDArray

BATCH_ROWS: Final = 250_000
"""Rows that are read and fingerprinted together at the most."""
LEAST_ROWS: Final = 50_000
"""Rows that are read and fingerprinted together at the least, where there are so many."""
ROW_BYTES: Final = 8192
"""Memory that a row of a batch is taken to need while it is read and fingerprinted: long prompts, and several copies of them."""
LEAST: Final = 768 << 20
"""The smallest limit: libraries and kernels take 300 to 400 MiB, one batch of long prompts as much again."""
NEAR: Final = 0.8
"""Share of the limit from which mapped pages are given back: between two looks at them memory may grow by some more."""
WORTH: Final = 32 << 20
"""Bytes of mapped pages for which it is worth it."""
FLOOR: Final = 350 << 20
"""Bytes of the program without rows: libraries, kernels and their pools (measured: 300 to 400 MiB)."""
ROW_STAYS: Final = 230
TEXT_STAYS: Final = 150
"""Bytes that stay or are wanted at once for a request and for a distinct prompt, its tokens apart (measured; see docs/scale.md)."""

_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_PAGE: Final = mmap.PAGESIZE


def parse_size(text: str, option: str = "--memory") -> int:
    """Bytes of ``6G``, ``800 MiB`` or ``1.5t``; units are powers of 1024. Raises UsageError for what is no size, or too small."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option}: {text!r} is no size, as in 800M or 6G")
    size = int(float(found[1]) * _UNITS[found[2].lower()])
    if size < LEAST:
        raise UsageError(f"{option}: {text!r} is too little; the program and its libraries alone want {LEAST >> 20}M")
    return size


def needed(rows: int, texts: int) -> int:
    """Bytes that so many requests with so many distinct prompts have to have resident, roughly, whatever the limit."""
    return FLOOR + ROW_STAYS * rows + TEXT_STAYS * texts


def no_room(error: OSError) -> InputError:
    """Return what a user is told where the disk does not take what memory did not."""
    reason = (error.strerror or "input/output error").lower()
    return InputError(
        f"what does not fit into memory cannot be written to {tempfile.gettempdir()}: {reason}; "
        "raise --memory, or name a larger folder in TMPDIR"
    )


class Memory:
    """The limit of a run, shared out. Without a limit nothing is done on disk."""

    def __init__(self, limit: int | None = None) -> None:
        """``limit`` in bytes."""
        self.limit = limit
        self._maps: list[weakref.ref[mmap.mmap]] = []
        self._trimmer: threading.Thread | None = None
        self.mapped = 0
        """Bytes that were put into mapped files."""

    @property
    def waiting(self) -> int | None:
        """Bytes of fingerprints that may wait in memory for the rest of the log."""
        return None if self.limit is None else self.limit // 8

    def batch_rows(self, jobs: int) -> int:
        """Rows that are read together, while ``jobs`` batches are fingerprinted."""
        if self.limit is None:
            return BATCH_ROWS
        return max(LEAST_ROWS, min(BATCH_ROWS, self.limit // ((jobs + 2) * ROW_BYTES)))

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array of zeros, in a mapped file if it is large. Raises InputError if the disk has no room for it."""
        kind = np.dtype(dtype)
        size = int(np.prod(shape)) * kind.itemsize
        if not self._is_large(size):
            return np.zeros(shape, kind)
        with _file(size) as file:
            mapped = self._map(file)
        return np.frombuffer(mapped, kind).reshape(shape)

    def table(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the same table, its columns in a mapped file if it is large. Raises InputError if the disk has no room for it."""
        size = int(frame.estimated_size())
        if not self._is_large(size):
            return frame
        import polars as pl  # noqa: PLC0415 (sizes are parsed without them)
        import pyarrow as pa  # noqa: PLC0415

        # Room for all of it and what the format adds: Polars would say in words of its own that the disk is full.
        with _file(size + (1 << 20)) as file:
            frame.write_ipc(file, compression="uncompressed", record_batch_size=max(frame.height, 1))
            file.truncate()
            mapped = self._map(file)
        read = pl.from_arrow(pa.ipc.open_file(pa.py_buffer(mapped)).read_all(), rechunk=False)
        assert isinstance(read, pl.DataFrame)  # noqa: S101
        return read

    def _is_large(self, size: int) -> bool:
        return self.limit is not None and size > self.limit // 8 and _can_trim()

    def _map(self, file: IO[bytes]) -> mmap.mmap:
        """Map a file, and see to it that what is resident of it is given back when memory runs short."""
        assert self.limit is not None  # noqa: S101
        mapped = mmap.mmap(file.fileno(), 0)
        self.mapped += len(mapped)
        self._maps.append(weakref.ref(mapped))
        if self._trimmer is None or not self._trimmer.is_alive():
            self._trimmer = threading.Thread(target=_trim, args=(self._maps, self.limit), daemon=True)
            self._trimmer.start()
        return mapped


@contextmanager
def _file(size: int) -> Iterator[IO[bytes]]:
    """Open a file without a name that has so many bytes. Raises InputError if the disk has no room for them, or for more."""
    try:
        with tempfile.TemporaryFile(prefix="extractscan-") as file:
            # A hole in a full disk would end the process when it is written.
            os.posix_fallocate(file.fileno(), 0, size)
            yield file
    except OSError as error:
        raise no_room(error) from None


def _can_trim() -> bool:
    return hasattr(mmap, "MADV_DONTNEED") and hasattr(os, "posix_fallocate") and Path("/proc/self/statm").exists()


def _resident() -> tuple[int, int]:
    """Resident bytes, and those of them that lie in mapped files, of libraries too."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 (thirty times a second)
        fields = file.read().split()
    return int(fields[1]) * _PAGE, int(fields[2]) * _PAGE


def _trim(maps: list[weakref.ref[mmap.mmap]], limit: int) -> None:
    """Give mapped pages back whenever the process comes near its limit, and not before: they cost a fault each to be had again."""
    pause = threading.Event()
    before = _resident()[1]
    while any(reference() is not None for reference in maps):
        pause.wait(0.03)
        resident, shared = _resident()
        if resident > NEAR * limit and shared - before > min(WORTH, limit // 8):
            for reference in list(maps):
                found = reference()
                if found is not None:
                    found.madvise(mmap.MADV_DONTNEED)
                del found


def usable(text: str | None) -> Memory:
    """The memory of a run: what ``--memory`` says, or half of what is available. Raises UsageError for what is no size."""
    if text is not None:
        return Memory(parse_size(text))
    free = free_memory()
    return Memory(None if free is None else max(LEAST, free // 2))
