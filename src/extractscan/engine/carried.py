"""Fingerprints as Arrow tables, which engines carry from machine to machine.

Spark has no unsigned numbers: hashes are carried as the signed numbers of the same bits, tokens as bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.fingerprint.replies import COLUMNS as REPLIES
from extractscan.fingerprint.requests import KNOWN_BY_NAME, MEASURES, NAMES, FingerprintBatch, Texts
from extractscan.logs.identity import content_hashes
from extractscan.logs.schema import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterator

_HASHES: Final = (
    "request_id",
    "prompt_hash",
    "system_hash",
    *(name for name in NAMES if name not in KNOWN_BY_NAME),
    *REPLIES,
)
SLOTS: Final = 1 << 20
"""Slots that accounts fall into by the hashes of their ids: what belongs to an account is in one of them."""


def _arrow_type(name: str) -> pa.DataType:
    if name in _HASHES:
        return pa.int64()
    kind = CANONICAL[name]
    return {pl.Int64(): pa.int64(), pl.Float64(): pa.float64(), pl.Boolean(): pa.bool_()}.get(kind, pa.string())


ROWS: Final = pa.schema(
    [
        ("request_id", pa.int64()),
        ("account_id", pa.string()),
        ("time_us", pa.int64()),
        ("prompt_hash", pa.int64()),
        ("system_hash", pa.int64()),
        ("has_prompt", pa.bool_()),
        ("has_system", pa.bool_()),
        ("has_response", pa.bool_()),
        *((name, _arrow_type(name)) for name in (*MEASURES, *NAMES)),
        *((name, pa.int64()) for name in REPLIES),
        ("tagged", pa.bool_()),
    ]
)
"""Rows of ``FingerprintBatch``, in the order of its columns."""
TEXTS: Final = pa.schema([("hash", pa.int64()), ("tokens", pa.binary()), ("chars", pa.int64())])
"""``Texts``: ``tokens`` are little-endian uint32 in a row."""
READ: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("slot", pa.int64()),
        *ROWS,
        *TEXTS,
        ("report", pa.string()),
        ("bytes", pa.int64()),
    ],
)
"""What reading leaves, all in one table: rows, prompts, systems and reports, told apart by ``kind``. ``slot`` is that of a row's account;
``bytes`` is what a row of rows or texts takes in memory, about."""
KINDS: Final = ("rows", "prompts", "systems", "report")


def rows_table(rows: pl.DataFrame) -> pa.Table:
    """Rows of a batch as ``ROWS``."""
    signed = rows.with_columns(pl.col(*_HASHES).reinterpret(signed=True))
    return signed.select(ROWS.names).to_arrow().cast(ROWS)


def rows_frame(table: pa.Table) -> pl.DataFrame:
    """Rows from ``ROWS``."""
    frame = pl.DataFrame(table.select(ROWS.names))
    return frame.with_columns(pl.col(*_HASHES).reinterpret(signed=False))


def texts_table(texts: Texts) -> pa.Table:
    """Texts as ``TEXTS``; fewer than 2**31 bytes of tokens."""
    tokens = pa.Array.from_buffers(
        pa.binary(),
        len(texts),
        [None, pa.py_buffer((texts.offsets * 4).astype(np.int32)), pa.py_buffer(np.ascontiguousarray(texts.tokens))],
    )
    return pa.table([pa.array(texts.hashes.view(np.int64)), tokens, pa.array(texts.chars)], schema=TEXTS)


def texts_of(table: pa.Table) -> Texts:
    """Texts from ``TEXTS`` in any order, each there once."""
    frame = pl.DataFrame(table.select(TEXTS.names)).with_columns(pl.col("hash").reinterpret(signed=False)).sort("hash")
    tokens = frame["tokens"].rechunk().to_arrow().cast(pa.large_binary())
    offsets = np.frombuffer(tokens.buffers()[1], np.int64, len(tokens) + 1, tokens.offset * 8) if len(tokens) else None
    if offsets is None:
        return Texts(np.zeros(0, np.uint64), np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.int64))
    data = np.frombuffer(tokens.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    # Copies: of arrays that cannot be written to, numba would compile all kernels once more.
    return Texts(
        frame["hash"].to_numpy().copy(),
        (offsets - offsets[0]) // 4,
        data.copy().view(np.uint32),
        frame["chars"].to_numpy().copy(),
    )


def _of_kind(kind: str, table: pa.Table, sizes: pa.Array) -> pa.Table:
    """A table among the columns of ``READ``."""
    held = {name: table[name] for name in table.column_names}
    held |= {"kind": pa.array([kind] * table.num_rows, pa.string()), "bytes": sizes}
    return pa.table(
        [held.get(field.name, pa.nulls(table.num_rows, field.type)) for field in READ],
        schema=READ,
    )


def batch_tables(batch: FingerprintBatch) -> Iterator[pa.Table]:
    """A batch as tables of ``READ``."""
    rows = rows_table(batch.rows)
    held = pl.sum_horizontal(pl.col(pl.String).str.len_bytes().fill_null(0)).cast(pl.Int64) + 8 * len(ROWS)
    slot = (content_hashes(batch.rows["account_id"]) % SLOTS).cast(pl.Int64)
    rows = rows.append_column("slot", slot.to_arrow())
    yield _of_kind("rows", rows, batch.rows.select(held.alias("bytes"))["bytes"].to_arrow())
    for kind, texts in (("prompts", batch.prompts), ("systems", batch.systems)):
        yield _of_kind(kind, texts_table(texts), pa.array(np.diff(texts.offsets) * 4 + 24))


def report_table(report: str) -> pa.Table:
    """A unit's report as a table of ``READ``."""
    return _of_kind("report", pa.table({"report": pa.array([report])}), pa.array([0], pa.int64()))
