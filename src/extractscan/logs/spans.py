"""What the scanners of text work with: wanted names as arrays, and the spans of values that were found."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.logs.names import fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.logs.names import NameTable

Feeds = tuple[tuple[str, int], ...]
"""Slots that one name feeds, each with its rank."""

# What a value is.
ABSENT: Final = 0
STRING: Final = 1
NUMBER: Final = 2
TRUE: Final = 3
FALSE: Final = 4
OBJECT: Final = 5
ARRAY: Final = 6
PLAIN: Final = 7  # a CSV field without quotes: taken as it is
QUOTED: Final = 8  # a CSV field in quotes: doubled quotes stand for one

# What became of a row; what is below GOOD is a reason of the scanner's own.
GOOD: Final = 0
BLANK: Final = 1


FNV_OFFSET: Final = 0xCBF29CE484222325
FNV_PRIME: Final = 0x100000001B3
"""Of FNV-1a with 64 bits."""


def name_hash(folded: str) -> int:
    """FNV-1a of a name (folded or not), as the scanners compute it from raw bytes.

    Chosen for speed; keys come from the log's writer, not from its users.
    """
    h = FNV_OFFSET
    for byte in folded.encode("utf-8", "surrogatepass"):
        h = ((h ^ byte) * FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return h


def _with_escapes(names: dict[str, Feeds]) -> dict[str, Feeds]:
    """The names, and those beyond ASCII also as a JSON writer may escape them."""
    return names | {fold(json.dumps(name)): feeds for name, feeds in names.items() if not name.isascii()}


class Utf8(np.ndarray):
    """Bytes that are known to be valid UTF-8."""


def as_utf8(buf: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``buf``, marked as valid UTF-8 if it is. Much faster to find out for the whole than value by value."""
    import polars as pl  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 1, [None, pa.py_buffer(np.array([0, len(buf)], np.int64)), pa.py_buffer(buf)]
    )
    # Polars looks at many bytes at a time, Arrow at eight.
    try:
        pl.Series(array).cast(pl.String)
    except pl.exceptions.PolarsError:
        return buf
    return buf.view(Utf8)


def readable(buf: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``buf`` as a view that cannot be written to: kernels are then compiled for one type of buffer only."""
    view = buf.view(np.ndarray)
    view.flags.writeable = False
    return view


def offsets(values: NDArray[Any]) -> NDArray[np.int64]:
    """Offsets in the one type that kernels are compiled for."""
    return np.ascontiguousarray(values, np.int64)


class KeyTable:
    """The wanted keys as arrays for the kernel: an open-addressing table of name hashes.

    ``slots`` are the output columns. A name may feed several slots; each has a rank, the lowest wins within a row.
    """

    def __init__(self, names: dict[str, Feeds], slots: tuple[str, ...], keep_blank: frozenset[str]) -> None:
        size = 16
        while size < 8 * len(names):
            size *= 2
        self.slots = slots
        self.hashes = np.zeros(size, np.uint64)
        self.first = np.zeros(size, np.int32)
        self.count = np.zeros(size, np.int32)
        position = {slot: i for i, slot in enumerate(slots)}
        feeds: list[tuple[int, int]] = []
        for name, targets in _with_escapes(names).items():
            wanted = [(position[slot], rank) for slot, rank in targets if slot in position]
            h = name_hash(name)
            at = h & (size - 1)
            while self.count[at]:
                at = (at + 1) & (size - 1)
            if wanted:
                self.hashes[at], self.first[at], self.count[at] = h, len(feeds), len(wanted)
                feeds.extend(wanted)
        self.feed_slot = np.array([slot for slot, _ in feeds], np.int32)
        self.feed_rank = np.array([rank for _, rank in feeds], np.uint8)
        self.keep_blank = np.array([slot in keep_blank for slot in slots], np.bool_)


@lru_cache(maxsize=8)
def key_table(table: NameTable, slots: tuple[str, ...], keep_blank: frozenset[str]) -> KeyTable:
    """The kernel's form of a table of names."""
    return KeyTable(table.by_name, slots, keep_blank)


class Spans:
    """Values found: arrays of shape (slots, rows), offsets into ``buf``; ``status`` of shape (rows,)."""

    def __init__(self, buf: NDArray[np.uint8], slots: tuple[str, ...], rows: int) -> None:
        shape = (len(slots), rows)
        self.buf = buf
        self.slots = slots
        self.start = np.zeros(shape, np.int32)
        self.end = np.zeros(shape, np.int32)
        self.kind = np.zeros(shape, np.uint8)
        self.rank = np.full(shape, 255, np.uint8)
        self.status = np.zeros(rows, np.int8)
