"""A run of log files to canonical requests, batch by batch: which files, in which order, and their totals."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from typing import TYPE_CHECKING, Self, TypeAlias

from extractscan.errors import InputError
from extractscan.jit import JSON, NESTED, tell_if_cold
from extractscan.logs.accept import accepted
from extractscan.logs.choose import FormatOptions
from extractscan.logs.discover import Input, discover
from extractscan.logs.ending import conclude, require_slots, tell_values
from extractscan.logs.judge import Judge
from extractscan.logs.opened import OpenFile
from extractscan.logs.quarantine import Quarantine
from extractscan.logs.result import FileSummary, ReadSummary, RequestBatch
from extractscan.logs.schema import CANONICAL
from extractscan.logs.setup import ReadOptions, utc
from extractscan.logs.sides import grouped, side_roles, side_table
from extractscan.logs.sniff import HEAD, Sniffed, sniff
from extractscan.logs.sources import bodies, heads, open_input
from extractscan.logs.state import FileState, Known
from extractscan.logs.streams import DamagedError, Raw
from extractscan.memory import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from extractscan.logs.canonical import RawBatch
    from extractscan.logs.state import Unread
    from extractscan.progress import Observer

Looked: TypeAlias = tuple[Input, Raw | None, Known]
"""A file, the open pipe if it is one, and what it is."""


def read_logs(
    inputs: Sequence[str],
    *,
    observer: Observer,
    since: datetime | None = None,
    until: datetime | None = None,
    max_bad_rows: float | None = None,
    batch_rows: int = BATCH_ROWS,
    columns: Mapping[str, str] | None = None,
    formats: FormatOptions | None = None,
    complete: bool = True,
) -> LogReader:
    """Prepare to read ``inputs``: files, folders, globs, or ``-`` for standard input.

    ``since <= timestamp < until`` is kept (a time without a zone is UTC). ``max_bad_rows`` is a count (int), a share of
    all rows (float under 1), or None for any number. ``columns`` maps a canonical column to the source column to take
    for it in place of the usual names; in a format with nested records, to the path. ``formats`` is what the user says about
    formats. Unless ``complete``, requests may lack an account or a time stamp, and files that lack them are read.

    Raises InputError if there is nothing to read, UsageError for bad ``columns`` or ``formats``.
    """
    options = ReadOptions(utc(since), utc(until), max_bad_rows, batch_rows, dict(columns or {}), complete)
    return LogReader(discover(inputs, observer.warn), options, formats or FormatOptions(), observer)


class LogReader:
    """The reading of one run. Draw ``batches()`` once; ``summary`` is complete after the last.

    Readers of runs in parts are made of its steps: ``recognised``, ``read_all``, ``read_file``; what came of each file goes to
    ``add``, what of one cannot be opened to ``failed``. ``present`` counts the requests that have a value, by canonical column.
    """

    def __init__(self, files: list[Input], options: ReadOptions, formats: FormatOptions, observer: Observer) -> None:
        """Raises UsageError for bad ``formats``."""
        self.files = files
        self.options = options
        self.formats = formats
        self.observer = observer
        self.judge = Judge(formats, options.columns, observer, complete=options.complete)
        self.quarantine = Quarantine()
        self.present: Counter[str] = Counter()
        self.summary = ReadSummary(quarantine=self.quarantine.entries)
        self._sides: dict[str, pl.DataFrame] = {}

    @classmethod
    def over(
        cls,
        files: list[Input],
        *,
        observer: Observer,
        columns: Mapping[str, str] | None = None,
        formats: FormatOptions | None = None,
    ) -> Self:
        """Prepare to read files that were found already, all of them, however many rows are bad."""
        options = ReadOptions(None, None, None, BATCH_ROWS, dict(columns or {}), complete=True)
        return cls(files, options, formats or FormatOptions(), observer)

    @property
    def setup(self) -> tuple[list[Input], ReadOptions, FormatOptions]:
        """What is read, and how."""
        return self.files, self.options, self.formats

    @property
    def unread(self) -> list[Unread]:
        """Files that were passed over although they may be logs."""
        return self.judge.unread

    def batches(self) -> Iterator[RequestBatch]:
        """The good requests, file by file in order of path, at most ``batch_rows`` at a time.

        Raises InputError: at once for a named file that cannot be opened, or is a log without accounts or time stamps;
        at the end if more rows are bad than allowed, or none was good.
        """
        with contextlib.ExitStack() as stack:
            yield from self.read_all(self.recognised(stack), stack)
        self.conclude()

    # --- the run ------------------------------------------------------------------------------------------------------

    def recognised(self, stack: contextlib.ExitStack) -> list[Looked]:
        """Look at all files: those to read, in their order. Pipes stay open until ``stack`` is closed. Raises as ``batches`` does."""
        sizes = [item.size for item in self.files if item.size is not None]
        self.observer.stage("read", sum(sizes) if len(sizes) == len(self.files) else None)
        looked = [
            (i, *self.recognise(i, stack, head)) for i, head in zip(self.files, heads(self.files, HEAD), strict=True)
        ]
        known = self.judge.wanted([(item, raw, seen) for item, raw, seen in looked if seen is not None])
        self.judge.tell_formats([seen for _, _, seen in known])
        for kernels in {
            NESTED if k.plan is not None else JSON for _, _, k in known if k.plan is not None or k.seen.is_json
        }:
            tell_if_cold(kernels, self.observer.note)
        return known

    def read_all(self, known: list[Looked], stack: contextlib.ExitStack) -> Iterator[RequestBatch]:
        """Read the files, those first that others refer to. Raises InputError as ``batches`` does at once."""
        roles = side_roles(k for _, _, k in known)
        sides = [(role, *one) for role, one in zip(roles, known, strict=True) if role]
        others = [one for role, one in zip(roles, known, strict=True) if not role]
        fetched = stack.enter_context(
            contextlib.closing(bodies([item for _, item, _, _ in sides] + [item for item, _, _ in others]))
        )
        parts: dict[str, list[pl.DataFrame]] = {}
        for role, item, raw, seen in sides:
            parts.setdefault(role, []).extend(self._read_side(item, _held(raw, fetched), seen))
        self._sides = {role: side_table(tables) for role, tables in sorted(parts.items())}
        for item, raw, seen in others:
            yield from self.read_file(item, _held(raw, fetched), seen)

    def conclude(self) -> None:
        """End the run: complete ``summary``, and say what is to be said. Raises InputError as ``batches`` does at the end."""
        self.summary.present = {name: self.present[name] for name in CANONICAL}
        conclude(
            self.summary,
            self.quarantine,
            self.observer,
            max_bad_rows=self.options.max_bad_rows,
            passed_over=self.judge.passed_over,
            may_be_empty=not self.options.complete,
        )

    # --- one file -----------------------------------------------------------------------------------------------------

    def recognise(
        self, item: Input, stack: contextlib.ExitStack, head: bytes | Exception | None = None
    ) -> tuple[Raw | None, Known | None]:
        """Recognise a file, by its ``head`` if that was fetched already; None for one that is passed over.

        A pipe is left open until ``stack`` is closed: its head can be had only once. Raises InputError as ``batches`` does at once.
        """
        try:
            if item.lake is not None:
                return None, self.judge.judge(item, Sniffed(item.lake))
            if item.piped:
                raw = Raw(
                    open_input(item) if item.path is None else stack.enter_context(open_input(item)), hashing=True
                )
                return raw, self.judge.judge(item, sniff(raw.peek(HEAD), self.judge.names))
            if isinstance(head, Exception):
                raise head
            with open_input(item) if head is None else io.BytesIO(head) as file:
                return None, self.judge.judge(item, sniff(Raw(file).peek(HEAD), self.judge.names))
        except OSError as error:
            self.failed(item, f"cannot be read: {(error.strerror or 'input/output error').lower()}")
        except DamagedError as error:
            # A columnar file without a schema: nothing of it can be read.
            self._lost(item, "damaged", str(error))
        return None, None

    def failed(self, item: Input, reason: str) -> None:
        """A file cannot be opened. Raises InputError if the user named it."""
        if item.named:
            raise InputError(f"{item.name} {reason}")
        self.observer.warn(f"{item.name} {reason}")
        self._lost(item, "unreadable", reason)

    def _lost(self, item: Input, label: str, reason: str) -> None:
        state = FileState(item.name, self.quarantine)
        state.bad(None, reason)
        self._done(item, label, state, "", item.size or 0)

    def read_file(self, item: Input, raw: Raw | None, known: Known) -> Iterator[RequestBatch]:
        """The good requests of one file; ``raw`` are its bytes where they are at hand already. Raises as ``batches`` does at once."""
        with self._opened(item, raw, known) as file:
            for frame in accepted(file, self.options, self.formats.account, self._sides):
                for name in CANONICAL:
                    self.present[name] += frame.height - frame[name].null_count()
                yield RequestBatch(item.name, frame)
        require_slots(file)

    def _read_side(self, item: Input, raw: Raw | None, known: Known) -> list[pl.DataFrame]:
        """The side table of a file whose records are no requests."""
        held: list[RawBatch] = []
        with self._opened(item, raw, known) as file:
            for batch in file.open():
                file.state.slots.update(batch.columns)
                if batch.rows:
                    held.append(batch)
        table = grouped(held)
        return [table] if table.height else []

    @contextlib.contextmanager
    def _opened(self, item: Input, raw: Raw | None, known: Known) -> Iterator[OpenFile]:
        """A file to be read in the body, which may stop where the file is damaged; what came of it is told afterwards."""
        first = len(self.quarantine.entries)
        state = FileState(item.name, self.quarantine)
        with OpenFile(item, known, raw, state, self.judge, self.observer, self.options.batch_rows) as file:
            try:
                yield file
            except DamagedError as error:
                rows = state.rows_read
                state.bad(None, f"{error}; rows after the first {rows:,} are lost" if rows else str(error))
            except OSError as error:
                state.bad(None, f"reading failed: {(error.strerror or 'input/output error').lower()}")
            self.quarantine.order(first)
            sha256, size = file.digest()
        self.observer.advance(max(size - state.told, 0))
        self._done(item, file.known.label, state, sha256, size, file.known.found.next_best)
        tell_values(file)

    def _done(self, item: Input, label: str, state: FileState, sha256: str, size: int, other: str = "") -> None:
        rows = state.rows_read, state.rows_kept, state.rows_bad
        self.add(FileSummary(item.name, label, sha256, size, *rows, other), state)

    def add(self, done: FileSummary, state: FileState) -> None:
        """Count a file that has been read to its end, or cannot be read."""
        self.summary.files.append(done)
        self.summary.rows_read += state.rows_read
        self.summary.rows_kept += state.rows_kept
        self.summary.rows_outside_window += state.rows_outside
        self.summary.rows_quarantined += state.rows_bad


def _held(raw: Raw | None, fetched: Iterator[bytes | None]) -> Raw | None:
    """The next input, if its bytes are here already."""
    body = next(fetched)
    return raw if body is None else Raw(io.BytesIO(body), hashing=True)
