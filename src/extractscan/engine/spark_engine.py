"""The engine over Spark: only DataFrames, so that Spark Connect does as well as a session of one's own.

Nothing here uses RDDs or a ``sparkContext``; what is collected comes as Arrow.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
import pyarrow as pa

from extractscan.engine.verbs import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from extractscan.engine.verbs import Frame, Tables

BATCH_ROWS: Final = 5_000
"""Rows of a batch from Python to Spark: of the longest texts 20 MB."""
BATCH_BYTES: Final = 32 << 20
"""Bytes of a batch, about."""
_TYPES: Final = {
    pa.int64(): "bigint",
    pa.int32(): "int",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.string(): "string",
    pa.binary(): "binary",
}


def ddl(schema: pa.Schema) -> str:
    """An Arrow schema in Spark's words."""
    return ", ".join(f"`{field.name}` {_TYPES[field.type]}" for field in schema)


def _mapped(
    fn: Tables, schema: pa.Schema, *, together: bool
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What ``mapInArrow`` takes; it runs on other machines."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        os.environ.setdefault("POLARS_MAX_THREADS", "1")  # a task is one thread; read when Polars is first imported
        held = list(batches) if together else batches
        pieces = ([held] if held else []) if isinstance(held, list) else ([batch] for batch in held)
        for piece in pieces:
            for table in fn(pa.Table.from_batches(piece)):
                each = max(1, table.nbytes // max(1, table.num_rows))
                yield from table.cast(schema).to_batches(max_chunksize=max(1, min(BATCH_ROWS, BATCH_BYTES // each)))

    return run


class SparkEngine:
    """An engine over a session. What is persisted lies under ``work``/``key``, and is taken again by a run of the same key."""

    def __init__(self, session: SparkSession, work: str, key: str, note: Callable[[str], None]) -> None:
        self._session = session
        self._folder = f"{work.rstrip('/')}/{key}"
        self._key = key
        self._note = note

    def begin(self, table: pa.Table, pieces: int) -> Frame:
        """A small table from the driver, in so many tasks."""
        return self._frame(self._session.createDataFrame(table).repartition(pieces))

    def map_arrow(
        self, frame: Frame, fn: Tables, schema: pa.Schema, *, together: str | None = None, pieces: int | None = None
    ) -> Frame:
        """``mapInArrow``; with ``together`` a task gets all of its rows at once, and has to hold them."""
        native: DataFrame = frame.to_native()
        if together is not None:
            native = native.repartition(together) if pieces is None else native.repartition(pieces, together)
        return self._frame(native.mapInArrow(_mapped(fn, schema, together=together is not None), ddl(schema)))

    def persist(self, frame: Frame, name: str) -> Frame:
        """Parquet at any URI that Spark can write, then a mark beside it: what has no mark was not finished, and is written anew.

        A column ``kind`` makes a folder a kind, so that one is read without the others.
        """
        uri = f"{self._folder}/{name}"
        native: DataFrame = frame.to_native()
        if self._is_done(name):
            self._note(f"{name} is taken from {uri}")
        else:
            writer = native.write.mode("overwrite")
            (writer.partitionBy("kind") if "kind" in native.columns else writer).parquet(uri)
            mark = self._session.range(1).selectExpr(f"'{self._key}' as key")
            mark.coalesce(1).write.mode("overwrite").parquet(f"{uri}.done")
        return self._frame(self._session.read.schema(native.schema).parquet(uri))

    def collect_small(self, frame: Frame, max_rows: int | None = None) -> pa.Table:
        """The frame on the driver, in Arrow. A limit brings all to one task: ``max_rows`` is for a few."""
        native: DataFrame = frame.to_native()
        if max_rows is None:
            return native.toArrow()
        table = native.limit(max_rows + 1).toArrow()
        if table.num_rows > max_rows:
            raise TooLargeError(f"more than {max_rows:,} rows for the driver")
        return table

    def _is_done(self, name: str) -> bool:
        from pyspark.errors import AnalysisException  # noqa: PLC0415 -- an extra

        try:
            mark = self._session.read.schema("key string").parquet(f"{self._folder}/{name}.done").toArrow()
        except AnalysisException:  # there is no such path
            return False
        return bool(mark["key"].to_pylist() == [self._key])

    @staticmethod
    def _frame(native: Any) -> Frame:
        frame: nw.LazyFrame[Any] = nw.from_native(native)
        return frame
