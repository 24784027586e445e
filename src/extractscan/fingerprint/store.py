"""Fingerprints on disk: what the map leaves of some requests, as one file of three Arrow streams, one after the other.

The first holds the rows, the others the distinct prompts and system prompts. A file is named after its SHA-256, so that it cannot be
mistaken for another and is whole or not there. No text is in it, as in ``FingerprintBatch``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.errors import InputError
from extractscan.fingerprint.requests import FingerprintBatch
from extractscan.fingerprint.shelf import Shelf
from extractscan.fingerprint.texts import TextMerger, Texts
from extractscan.fingerprint.tokens import TOKEN_RULE
from extractscan.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STORE_VERSION: Final = f"1.{TOKEN_RULE}"
"""Version of these files: of their columns, and of the rule by which text became tokens. Two versions do not mix."""

PART: Final = "part"
"""Column of the rows that says which delivery a row came with; ``merge`` knows nothing of it."""

_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression=None)


def unite(batches: Sequence[FingerprintBatch]) -> FingerprintBatch:
    """Unite batches, each distinct text once; rows stay as they are."""
    return FingerprintBatch(
        pl.concat([b.rows for b in batches], rechunk=True),
        _unite_texts([b.prompts for b in batches]),
        _unite_texts([b.systems for b in batches]),
    )


def _unite_texts(parts: Sequence[Texts]) -> Texts:
    merger = TextMerger(Shelf(), Memory())
    for part in parts:
        merger.add(part)
    return merger.finish()[0]


def write_prints(batch: FingerprintBatch, stream: BinaryIO) -> None:
    """Write a batch. Names are kept once a file, whole numbers in as few bytes as hold them, columns without values in none."""
    frame = batch.rows.rechunk()
    shrunk = frame.with_columns([s.shrink_dtype() for s in frame.select(pl.col(pl.Int64)) if s.name != "time_us"])
    columns = {}
    for name in frame.columns:
        if frame[name].null_count() == frame.height:
            columns[name] = pa.nulls(frame.height)
            continue
        array = shrunk[name].to_arrow(compat_level=pl.CompatLevel.oldest())
        if frame[name].dtype == pl.String and 2 * frame[name].n_unique() < frame.height:
            array = array.dictionary_encode()
        columns[name] = array
    types = {name.encode(): str(dtype).encode() for name, dtype in frame.schema.items()}
    rows = pa.table(columns).replace_schema_metadata(types)
    for table in (rows, texts_table(batch.prompts), texts_table(batch.systems)):
        with pa.ipc.new_stream(stream, table.schema, options=_OPTIONS) as writer:
            writer.write_table(table)


def read_prints(source: pa.NativeFile, name: str) -> FingerprintBatch:
    """Read a batch, best from a memory map. Raises ``InputError`` for what is none."""
    try:
        rows, prompts, systems = (pa.ipc.open_stream(source).read_all() for _ in range(3))
        types = rows.schema.metadata or {}
        frame = pl.DataFrame([_series(each, rows[each], types[each.encode()].decode()) for each in rows.column_names])
        return FingerprintBatch(frame, _to_texts(prompts), _to_texts(systems))
    except (pa.ArrowException, pl.exceptions.PolarsError, LookupError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{name} is no file of fingerprints") from error


_TYPES: Final[dict[str, Any]] = {
    str(kind): kind for kind in (pl.String(), pl.Boolean(), pl.Int64(), pl.UInt64(), pl.UInt32(), pl.Float64())
}


def _series(name: str, column: pa.ChunkedArray, kind: str) -> pl.Series:
    """Return a column as it was before it was written."""
    if pa.types.is_null(column.type):
        return pl.Series(name, [None], dtype=_TYPES[kind]).new_from_index(0, len(column))
    if pa.types.is_dictionary(column.type):
        parts = [_plain(chunk.dictionary).gather(_plain(chunk.indices)) for chunk in column.chunks]
        return pl.concat(parts).rename(name)
    return _plain(column).cast(_TYPES[kind]).rename(name)


def _plain(column: pa.Array | pa.ChunkedArray) -> pl.Series:
    series = pl.from_arrow(column)
    if not isinstance(series, pl.Series):
        raise TypeError
    return series


def pick(batch: FingerprintBatch, keep: pl.Expr) -> FingerprintBatch:
    """Return the rows for which an expression holds, and the texts that they have."""
    rows = batch.rows.filter(keep)
    if rows.height == batch.rows.height:
        return batch
    return FingerprintBatch(rows, _used(batch.prompts, rows, "prompt"), _used(batch.systems, rows, "system"))


def _used(texts: Texts, rows: pl.DataFrame, what: str) -> Texts:
    """Return the texts whose hash some row has."""
    used = rows.filter(pl.col(f"has_{what}"))[f"{what}_hash"].unique().sort().to_numpy()
    at = np.searchsorted(texts.hashes, used)
    sizes = np.diff(texts.offsets)[at]
    offsets = np.r_[np.int64(0), np.cumsum(sizes)]
    # The tokens of the texts that are kept, in one gather: each token's place is its text's start and its rank in it.
    places = np.repeat(texts.offsets[at] - offsets[:-1], sizes) + np.arange(int(offsets[-1]))
    return Texts(texts.hashes[at], offsets, texts.tokens[places], texts.chars[at])


def texts_table(texts: Texts, **more: NDArray[Any]) -> pa.Table:
    """Return distinct texts as a table, a row each: ``hash``, ``chars``, ``tokens`` (lists), and ``more`` columns of as many rows."""
    tokens = pa.LargeListArray.from_arrays(pa.array(texts.offsets), pa.array(texts.tokens))
    columns = {"hash": pa.array(texts.hashes), "chars": pa.array(texts.chars), "tokens": tokens}
    return pa.table({**columns, **{name: pa.array(values) for name, values in more.items()}})


def _to_texts(table: pa.Table) -> Texts:
    if not table.num_rows:
        return Texts(np.zeros(0, np.uint64), np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.int64))
    hashes, chars, tokens = (_one(table[name]) for name in ("hash", "chars", "tokens"))
    offsets: NDArray[Any] = tokens.offsets.to_numpy()
    return Texts(hashes.to_numpy(), offsets, tokens.values.to_numpy(), chars.to_numpy())


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
