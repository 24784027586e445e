"""Readers of Parquet and Arrow files: only the columns that are of use, a bounded number of rows at a time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import polars as pl

from extractscan.errors import InputError
from extractscan.logs.canonical import RawBatch
from extractscan.logs.quiet import hold_stderr
from extractscan.logs.streams import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from extractscan.logs.names import NameTable

_LARGE: Final = 4
"""A row group is read at once if it has at most this many times the rows of a batch."""

_BROKEN: Final = "the file is damaged, cut short, or of a kind that is not supported"


class Columns:
    """The column names of a file, and its rows in batches."""

    def __init__(self, path: str, kind: str, file: IO[bytes] | None = None) -> None:
        """With ``file``, which it closes, the schema is read from that: rows can be had of a path only.

        Raises DamagedError if the file's schema cannot be read.
        """
        self._path, self._kind = path, kind
        with _guard(), file or open(path, "rb") as opened:  # noqa: PTH123
            self._schema = _schema(opened, kind)
            self.names: list[str] = list(self._schema.names)

    def batches(self, table: NameTable, batch_rows: int) -> Iterator[RawBatch]:
        """Raw batches in file order. Raises DamagedError after the last good one."""
        slots = table.resolve(self.names)
        wanted = [name for name in self.names if any(name in sources for sources in slots.values())]
        for part, line in self.frames(wanted, batch_rows):
            columns = {slot: [part[name] for name in sources] for slot, sources in slots.items()}
            yield RawBatch(columns, part.height, line)

    def frames(self, wanted: list[str], batch_rows: int) -> Iterator[tuple[pl.DataFrame, _Row]]:
        """The columns ``wanted`` in batches, with the row numbers. Raises DamagedError after the last good one."""
        at = 0
        frames = self._frames(wanted, batch_rows)
        while True:
            with _guard():
                frame = next(frames, None)
            if frame is None:
                return
            for part in frame.iter_slices(batch_rows):
                yield part, _Row(at + 1)
                at += part.height

    def _frames(self, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        if self._kind == "parquet":
            return _parquet(self._path, wanted, batch_rows)
        return _arrow(self._path, self._kind, wanted, batch_rows)

    def shape(self) -> dict[str, Any]:
        """The columns as a record without values: what nested types hold is in it."""
        return {field.name: _shape(field.type, 0) for field in self._schema}


def _schema(file: IO[bytes], kind: str) -> Any:
    if kind == "parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 (slow to import, and text formats do without)

        return pq.read_metadata(file).schema.to_arrow_schema()
    import pyarrow as pa  # noqa: PLC0415

    with pa.PythonFile(file, mode="r") as source:
        return _reader(source, kind, None).schema


def _shape(kind: Any, depth: int) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    if depth > 8:  # deeper than any path
        return None
    if pa.types.is_struct(kind):
        return {kind.field(i).name: _shape(kind.field(i).type, depth + 1) for i in range(kind.num_fields)}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_shape(kind.value_type, depth + 1)]
    return None


class _Row:
    """Row numbers counted from 1."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows + self._first


@contextlib.contextmanager
def _guard() -> Iterator[None]:
    """Whatever a reader of binary data throws at damaged bytes becomes a DamagedError; Polars' panics too."""
    try:
        with hold_stderr():
            yield
    except (GeneratorExit, KeyboardInterrupt, SystemExit, InputError, DamagedError):
        raise
    except BaseException as error:
        raise DamagedError(_BROKEN) from error


def _parquet_metadata(path: str) -> Any:
    import pyarrow.parquet as pq  # noqa: PLC0415

    with open(path, "rb") as file:  # noqa: PTH123
        return pq.read_metadata(file)


def parquet_rows(path: str) -> int:
    """How many rows a Parquet file says it has. Raises DamagedError."""
    with _guard():
        return int(_parquet_metadata(path).num_rows)


def _parquet(path: str, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
    """Whole row groups at a time, which Polars reads fastest; those that are too large, piece by piece."""
    groups = _checked_groups(_parquet_metadata(path), Path(path).stat().st_size)
    with _openable(path) as source:
        scan = pl.scan_parquet(source, glob=False, hive_partitioning=False, cache=False).select(wanted)
        at = start = begun = 0  # rows before this group, rows read, groups read
        for i, rows in enumerate(groups):
            too_large = rows > _LARGE * batch_rows
            if at > start and (too_large or at + rows - start > batch_rows):
                yield from _together(scan, groups[begun:i], start)
                start, begun = at, i
            at += rows
            if too_large:
                yield from _large_group(path, i, wanted, batch_rows)
                start, begun = at, i + 1
        if at > start:
            yield from _together(scan, groups[begun:], start)


def _together(scan: pl.LazyFrame, groups: list[int], start: int) -> Iterator[pl.DataFrame]:
    """Row groups of so many rows from row ``start`` on, at once; where one is damaged, those before it one by one.

    What is read must not depend on how many are read at once.
    """
    try:
        whole = scan.slice(start, sum(groups)).collect()
    except (GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        if len(groups) == 1:
            raise
    else:
        yield whole
        return
    for rows in groups:
        yield scan.slice(start, rows).collect()
        start += rows


def _checked_groups(metadata: Any, size: int) -> list[int]:
    """Rows of each row group. Raises ValueError if the footer points outside of the file."""
    rows = []
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        rows.append(int(group.num_rows))
        for k in range(group.num_columns):
            column = group.column(k)
            first = min(column.dictionary_page_offset or column.data_page_offset, column.data_page_offset)
            if first < 0 or column.total_compressed_size < 0 or first + column.total_compressed_size > size:
                raise ValueError("a column chunk lies outside of the file")
    if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
        raise ValueError("row counts do not agree")
    return rows


def _large_group(path: str, group: int, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
    import pyarrow.parquet as pq  # noqa: PLC0415

    with open(path, "rb") as file, pq.ParquetFile(file) as parquet:  # noqa: PTH123
        for batch in parquet.iter_batches(batch_rows, row_groups=[group], columns=wanted):
            yield trusted(batch)


def trusted(batch: Any) -> pl.DataFrame:
    """A record batch as a frame. Polars takes Arrow data at its word: a lying offset would be read out of bounds."""
    batch.validate(full=True)
    return pl.DataFrame(pl.from_arrow(batch))


@contextlib.contextmanager
def _openable(path: str) -> Iterator[Any]:
    """What Polars can open: a path, or an open file where the name is not UTF-8."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        with open(path, "rb") as file:  # noqa: PTH123
            yield file
    else:
        yield path


@contextlib.contextmanager
def _source(path: str) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 (a third of a second that Parquet does without)

    with open(path, "rb") as file, pa.PythonFile(file, mode="r") as source:  # noqa: PTH123
        yield source


def _reader(source: Any, kind: str, fields: list[int] | None) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    options = pa.ipc.IpcReadOptions(included_fields=fields)
    opened = pa.ipc.open_file if kind == "arrow" else pa.ipc.open_stream
    return opened(source, options=options)


def _arrow(path: str, kind: str, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
    """Record batches, small ones put together."""
    with _source(path) as source:
        names = _reader(source, kind, None).schema.names
    with _source(path) as source:
        reader = _reader(source, kind, [names.index(name) for name in wanted])
        batches = (reader.get_batch(i) for i in range(reader.num_record_batches)) if kind == "arrow" else iter(reader)
        held: list[pl.DataFrame] = []
        rows = 0
        try:
            for batch in batches:
                frame = trusted(batch)
                held.append(frame)
                rows += frame.height
                if rows >= batch_rows:
                    yield pl.concat(held)
                    held, rows = [], 0
        except GeneratorExit:
            raise
        except BaseException:
            if held:
                yield pl.concat(held)
            raise
        if held:
            yield pl.concat(held)
