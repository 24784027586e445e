"""An engine on one machine, with Polars: what the relational core is tested on, without a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import polars as pl
import pyarrow as pa

from extractscan.engine.verbs import TooLargeError

if TYPE_CHECKING:
    from pathlib import Path

    from extractscan.engine.verbs import Frame, Tables


def _frame(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(pl.DataFrame(table).lazy())


class PolarsEngine:
    """With ``pieces``, frames are cut into so many for ``map_arrow``; persisted frames live in ``folder``."""

    def __init__(self, folder: Path, *, pieces: int = 1) -> None:
        self._folder = folder
        self._pieces = pieces

    def begin(self, table: pa.Table, pieces: int) -> Frame:
        """A small table; the number of pieces is the engine's."""
        del pieces
        return _frame(table)

    def map_arrow(
        self, frame: Frame, fn: Tables, schema: pa.Schema, *, together: str | None = None, pieces: int | None = None
    ) -> Frame:
        """Apply ``fn`` to each piece."""
        del pieces
        held = self._native(frame)
        place = pl.col(together).hash(seed=0) if together else pl.int_range(pl.len())
        pieces = [held.filter(place % self._pieces == piece) for piece in range(self._pieces)]
        made = [out for piece in pieces if piece.height for out in fn(piece.to_arrow())]
        return _frame(pa.concat_tables(made) if made else schema.empty_table())

    def persist(self, frame: Frame, name: str) -> Frame:
        """Write and read again; what is there is taken as it is."""
        path = self._folder / f"{name}.parquet"
        if not path.exists():
            self._native(frame).write_parquet(path)
        return nw.from_native(pl.scan_parquet(path))

    def collect_small(self, frame: Frame, max_rows: int | None = None) -> pa.Table:
        """The frame as a table."""
        held = self._native(frame)
        if max_rows is not None and held.height > max_rows:
            raise TooLargeError(f"more than {max_rows:,} rows")
        return held.to_arrow()

    def _native(self, frame: Frame) -> pl.DataFrame:
        native: pl.LazyFrame = frame.to_native()
        return native.collect()
