"""The canonical table, written batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from extractscan.logs.schema import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO


def write_parquet(frames: Iterable[pl.DataFrame], stream: IO[bytes]) -> None:
    """Write canonical frames as one Parquet file, a row group a frame. Same rows in the same batches, same bytes."""
    import pyarrow.parquet as pq  # noqa: PLC0415 (slow to import, and JSON does without)

    schema = pl.DataFrame(schema=CANONICAL).to_arrow().schema
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for frame in frames:
            writer.write_table(frame.to_arrow().cast(schema))


def write_jsonl(frames: Iterable[pl.DataFrame], stream: IO[bytes] | Any) -> None:
    """Write canonical frames as JSON lines; times are ISO 8601 in UTC, absent values are null."""
    for frame in frames:
        times = pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        stream.write(frame.with_columns(times).write_ndjson().encode("utf-8"))
