"""One file, opened: from its bytes, wherever they lie, to raw batches."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import polars as pl

from extractscan.errors import InputError
from extractscan.logs import textfiles
from extractscan.logs.canonical import RawBatch
from extractscan.logs.discover import Input
from extractscan.logs.sources import columns_of, lake_table, open_input, spooled, stream_input
from extractscan.logs.streams import BackgroundDigest, DamagedError, Raw, Text, as_utf8, between, pieces
from extractscan.logs.wording import lacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from extractscan.logs.columnar import Columns
    from extractscan.logs.envelope import Plan
    from extractscan.logs.judge import Judge
    from extractscan.logs.lakes import LakeTable
    from extractscan.logs.sniff import Sniffed
    from extractscan.logs.state import FileState, Known
    from extractscan.logs.textfiles import Reading
    from extractscan.progress import Observer

_MOST_THREADS: Final = 8


@dataclass(slots=True)
class OpenFile:
    """One file that is read. Use it as a context: ``open()`` once, draw all batches, then ask for ``digest()``.

    ``raw`` is the open pipe if it is one, or what was fetched of an object already. ``known`` is what the file is; the columns of a
    pipe are known only once it is open. What cannot be read of the rows is told to ``state``.
    """

    item: Input
    known: Known
    raw: Raw | None
    state: FileState
    judge: Judge
    observer: Observer
    batch_rows: int
    _beside: BackgroundDigest | None = field(default=None, init=False)
    _lake: LakeTable | None = field(default=None, init=False)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open(self) -> Iterator[RawBatch]:
        """Open the file; the raw batches, in its order, of at most ``batch_rows`` rows.

        Raises OSError and DamagedError, at once or after the last good batch; InputError for a log without accounts or time
        stamps, and for a store that cannot be reached.
        """
        item = self.item
        path = item.path or ""
        if item.lake is not None:
            self._lake = lake_table(item)
            return self._columnar(self._lake)
        if item.place is not None:
            self.raw = self.raw or Raw(self._stack.enter_context(stream_input(item)), hashing=True)
        elif self.raw is None and item.sha256 is None and not self.known.seen.is_text:
            self._beside = BackgroundDigest(path, item.size or 0)
        if self.raw is not None and self.known.seen.columnar:
            path = self._stack.enter_context(spooled(self.raw))
            if item.piped:  # its columns are known only now
                self.known = self.judge.judge(Input(item.name, path, item.named, 0), self.known.seen) or self.known
                self.judge.tell_formats([self.known])
        seen = self.known.seen
        if seen.columnar:
            return self._columnar(columns_of(item, seen.format, path))
        if seen.format == "unknown":
            self.state.bad(None, "not a log in a format that is known")
        return iter(()) if seen.format in ("unknown", "empty") else self._text(seen)

    def digest(self) -> tuple[str, int]:
        """SHA-256 in hexadecimal, empty if the file cannot be read to its end, and the size in bytes; of a lake's table, of its files."""
        sha256, size = self.item.sha256 or "", self.item.size or 0
        with contextlib.suppress(OSError, DamagedError):
            if self._lake is not None:
                sha256, size = self._lake.digest()
            elif self._beside is not None:
                sha256 = self._beside.result()
            elif self.raw is not None:
                try:
                    sha256 = self.raw.digest()
                finally:
                    size = self.raw.size
        return sha256, size

    def _columnar(self, table: Columns) -> Iterator[RawBatch]:
        plan, names = self.known.plan, self.judge.names
        if plan is not None:
            for frame, line in table.frames(plan.wanted(table.names), self.batch_rows):
                yield _of_frame(frame, line, plan)
            return
        lacking = self.judge.lacking(names.resolve(table.names))
        if lacking:
            raise InputError(f"{self.item.name}: {lacks(lacking, tuple(table.names))}")
        done = 0
        for batch in table.batches(names, self.batch_rows):
            yield batch
            done += batch.rows
            if table.rows:
                self._advance((self.item.size or 0) * min(done, table.rows) // table.rows)

    def _text(self, seen: Sniffed) -> Iterator[RawBatch]:
        item, state = self.item, self.state
        # The kernels leave the interpreter free, so that threads do run beside each other.
        pool = self._stack.enter_context(ThreadPoolExecutor(min(pl.thread_pool_size(), _MOST_THREADS)))
        how = textfiles.Reading(self.judge.names, state, self.batch_rows, pool, self.known.plan, seen.stamp, item.line)
        unknown = item.sha256 is None
        raw = self.raw or Raw(self._stack.enter_context(open_input(item)), limit=item.size, hashing=unknown)
        if unknown:
            self.raw = raw  # that it be asked for its digest
        source = between(pieces(raw, seen.codec), item.start, item.stop)
        text = Text(as_utf8(source, seen.encoding) if seen.encoding else source, begins=not item.start)
        for batch in _parse(text, how, seen):
            yield batch
            self._advance(raw.size)
        state.cut = text.cut or text.problem is not None

    def _advance(self, to: int) -> None:
        """Tell of progress: ``to`` bytes of the file are done."""
        self.observer.advance(to - self.state.told)
        self.state.told = to


def _of_frame(frame: pl.DataFrame, line: Callable[[NDArray[np.int64]], NDArray[np.int64]], plan: Plan) -> RawBatch:
    records = plan.read_columns({name: frame[name] for name in frame.columns})
    return RawBatch(records.columns, records.rows, lambda rows: line(records.owner[rows]), records.clashes)


def _parse(text: Text, how: Reading, seen: Sniffed) -> Iterator[RawBatch]:
    if seen.format == "csv":
        return textfiles.csv(text, how, list(seen.names), seen.delimiter)
    return textfiles.json_values(text, how) if seen.format == "json" else textfiles.json_lines(text, how)
