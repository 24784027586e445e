"""Names made from content: the same content gets the same name in any order, any file and any version of a library.

The hash is two lanes of multiply-and-xor over the bytes, 128 bits in all. It is for naming rows, not for keeping
secrets: somebody who wants two rows of one name can make them, and gains nothing by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.jit import leaf
from extractscan.logs.textspans import raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def content_ids(columns: Sequence[pl.Series], prefix: str) -> pl.Series:
    """One String of ``prefix`` and 32 hexadecimal digits a row, from the values of all ``columns`` in that row.

    A null differs from an empty text. Columns that are not String are hashed by their integer value.
    """
    rows = len(columns[0])
    low = np.full(rows, 0x9E3779B97F4A7C15, np.uint64)
    high = np.full(rows, 0xC2B2AE3D27D4EB4F, np.uint64)
    for column in columns:
        present = column.is_not_null().to_numpy().astype(np.uint8)
        if column.dtype == pl.String:
            body, start, end = raw(column)
        else:
            body = np.ascontiguousarray(column.to_physical().cast(pl.Int64).fill_null(0).to_numpy()).view(np.uint8)
            start = np.arange(rows, dtype=np.int64) * 8
            end = start + 8
        _absorb(body, start, end, present, low, high)
    return _hex(_finish(low), _finish(high ^ low), prefix)


def content_hashes(column: pl.Series) -> pl.Series:
    """Return a 64-bit hash of each value of a String column, null for null: the same in any file and any version of a library."""
    rows = len(column)
    if column.null_count() == rows:
        return pl.Series(column.name, [None], dtype=pl.UInt64).new_from_index(0, rows)
    low = np.full(rows, 0x9E3779B97F4A7C15, np.uint64)
    high = np.full(rows, 0xC2B2AE3D27D4EB4F, np.uint64)
    present = column.is_not_null()
    body, start, end = raw(column)
    _absorb(body, start, end, present.to_numpy().astype(np.uint8), low, high)
    hashes = pl.Series(column.name, _finish(low), dtype=pl.UInt64)
    return (
        hashes if present.all() else hashes.to_frame().select(pl.when(present).then(pl.col(column.name)))[column.name]
    )


def _finish(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The last steps of splitmix64."""
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def _hex(low: NDArray[np.uint64], high: NDArray[np.uint64], prefix: str) -> pl.Series:
    digest = np.stack([low.astype(">u8"), high.astype(">u8")], axis=1).view(np.uint8)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    width = len(prefix) + 32
    out = np.empty((len(low), width), np.uint8)
    out[:, : len(prefix)] = np.frombuffer(prefix.encode("ascii"), np.uint8)
    out[:, len(prefix) :: 2] = digits[digest >> 4]
    out[:, len(prefix) + 1 :: 2] = digits[digest & 15]
    offsets = np.arange(len(low) + 1, dtype=np.int64) * width
    array = pa.LargeStringArray.from_buffers(len(low), pa.py_buffer(offsets), pa.py_buffer(out.reshape(-1)))
    return pl.Series(array)


@leaf
def _absorb(body: Any, start: Any, end: Any, present: Any, low: Any, high: Any) -> None:
    for row in range(len(start)):
        a, b = low[row], high[row]
        if present[row]:
            for i in range(start[row], end[row]):
                c = np.uint64(body[i])
                a = (a ^ c) * np.uint64(0x100000001B3)
                b = ((b << np.uint64(5)) | (b >> np.uint64(59))) ^ c
                b *= np.uint64(0x9E3779B97F4A7C15)
            n = np.uint64(end[row] - start[row] + 1)
        else:
            n = np.uint64(0)
        # The length closes the field, so that ("ab", "c") and ("a", "bc") differ.
        low[row] = (a ^ n ^ np.uint64(0x5851F42D4C957F2D)) * np.uint64(0x100000001B3)
        high[row] = (b ^ (n << np.uint64(17))) * np.uint64(0xC2B2AE3D27D4EB4F)
