"""Readers of Parquet and Arrow files: only the columns that are of use, a bounded number of rows at a time."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import polars as pl

from extractscan.errors import InputError
from extractscan.logs.canonical import RawBatch
from extractscan.logs.lines import Counted
from extractscan.logs.quiet import hold_stderr
from extractscan.logs.streams import DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extractscan.logs.names import NameTable

_LARGE: Final = 4
"""A row group is read at once if it has at most this many times the rows of a batch."""

_STEP: Final = 1024
"""Rows in whose multiples damaged data are read up to the damage: a page of Parquet, which is lost whole, holds some thousands."""

_BROKEN: Final = "the file is damaged, cut short, or of a kind that is not supported"


class Columns:
    """The column ``names`` of a file, and its rows in batches; ``rows`` is their number, 0 where it is not known before."""

    rows = 0

    def __init__(self, path: str, kind: str, file: IO[bytes] | None = None) -> None:
        """With ``file``, which it closes, the schema is read from that: rows can be had of a path only.

        Raises DamagedError if the file's schema cannot be read.
        """
        self._path, self._kind = path, kind
        with _guard(), file or open(path, "rb") as opened:  # noqa: PTH123
            self._metadata = _parquet_metadata(opened) if kind == "parquet" else None
            self._schema = (
                _ipc_schema(opened, kind) if self._metadata is None else self._metadata.schema.to_arrow_schema()
            )
            self.rows = 0 if self._metadata is None else int(self._metadata.num_rows)
            self.names: list[str] = list(self._schema.names)

    def batches(self, table: NameTable, batch_rows: int) -> Iterator[RawBatch]:
        """Raw batches in file order. Raises DamagedError after the last good one."""
        slots = table.resolve(self.names)
        wanted = [name for name in self.names if any(name in sources for sources in slots.values())]
        for part, line in self.frames(wanted, batch_rows):
            columns = {slot: [part[name] for name in sources] for slot, sources in slots.items()}
            yield RawBatch(columns, part.height, line)

    def frames(self, wanted: list[str], batch_rows: int) -> Iterator[tuple[pl.DataFrame, Counted]]:
        """The columns ``wanted`` in batches, with the row numbers. Raises DamagedError after the last good one."""
        at = 0
        frames = self._frames(wanted, batch_rows)
        while True:
            with _guard():
                frame = next(frames, None)
            if frame is None:
                return
            for part in frame.iter_slices(batch_rows):
                yield part, Counted(at + 1)
                at += part.height

    def _frames(self, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        if self._metadata is not None:
            return _parquet(self._path, self._metadata, wanted, batch_rows)
        return _arrow(self._path, self._kind, [self.names.index(name) for name in wanted], batch_rows)

    def shape(self) -> dict[str, Any]:
        """The columns as a record without values: what nested types hold is in it."""
        return {field.name: _shape(field.type, 0) for field in self._schema}


def _parquet_metadata(file: IO[bytes]) -> Any:
    import pyarrow.parquet as pq  # noqa: PLC0415 (slow to import, and text formats do without)

    return pq.read_metadata(file)


def _ipc_schema(file: IO[bytes], kind: str) -> Any:
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


def _parquet(path: str, metadata: Any, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
    """Whole row groups at a time, which Polars reads fastest; those that are too large, or damaged, piece by piece."""
    rows = _checked_groups(metadata, Path(path).stat().st_size)
    with _openable(path) as source:
        scan = pl.scan_parquet(source, glob=False, hive_partitioning=False, cache=False).select(wanted)
        groups = _RowGroups(path, wanted, scan, rows, batch_rows)
        run: list[int] = []
        start = held = 0  # rows before the run, rows in it
        for i, more in enumerate(rows):
            if run and held + more > batch_rows:
                yield from groups.read(run, start)
                run, start, held = [], start + held, 0
            run.append(i)
            held += more
        yield from groups.read(run, start)


@dataclass(frozen=True, slots=True)
class _RowGroups:
    """The row groups of a file, of so many ``rows`` each. What is read of a damaged one does not depend on ``batch_rows``."""

    path: str
    wanted: list[str]
    scan: pl.LazyFrame
    rows: list[int]
    batch_rows: int

    def read(self, run: list[int], start: int) -> Iterator[pl.DataFrame]:
        """Some row groups, which begin at row ``start``: at once; if one is damaged, one by one, and that one in pieces."""
        rows = sum(self.rows[i] for i in run)
        if rows <= _LARGE * self.batch_rows:
            with _tried():
                yield self.scan.slice(start, rows).collect()
                return
        if len(run) == 1:
            yield from up_to_damage(lambda first, some: self._pieces(run[0], first, some), self.batch_rows)
            return
        for i in run:
            yield from self.read([i], start)
            start += self.rows[i]

    def _pieces(self, group: int, first: int, rows: int) -> Iterator[pl.DataFrame]:
        """One row group from its row ``first`` on, about ``rows`` rows at a time."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        at = 0
        with open(self.path, "rb") as file, pq.ParquetFile(file) as parquet:  # noqa: PTH123
            for batch in parquet.iter_batches(rows, row_groups=[group], columns=self.wanted):
                frame = trusted(batch).slice(max(first - at, 0))
                at += batch.num_rows
                if frame.height:
                    yield frame


def up_to_damage(read: Callable[[int, int], Iterator[pl.DataFrame]], batch_rows: int) -> Iterator[pl.DataFrame]:
    """What ``read(first row, rows at a time)`` gives of all rows; where that fails, what it gives from there on in small steps.

    So what is had of damaged data does not depend on ``batch_rows``. Raises what ``read`` raises, after the last good rows.
    """
    done = 0
    with _tried():
        for frame in read(0, max(batch_rows // _STEP, 1) * _STEP):
            yield frame
            done += frame.height
        return
    yield from read(done, _STEP)


@contextlib.contextmanager
def _tried() -> Iterator[None]:
    """What goes wrong is forgotten, Polars' panics too: the same bytes are read again in another way."""
    try:
        yield
    except (GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001, S110
        pass


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


def _arrow(path: str, kind: str, fields: list[int], batch_rows: int) -> Iterator[pl.DataFrame]:
    """The columns at ``fields`` of record batches, small ones put together."""
    with _source(path) as source:
        reader = _reader(source, kind, fields)
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
