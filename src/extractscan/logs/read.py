"""Log files to canonical requests, batch by batch: the one door of this stage."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import polars as pl

from extractscan.errors import InputError
from extractscan.jit import JSON, NESTED, tell_if_cold
from extractscan.logs import textfiles
from extractscan.logs.canonical import RawBatch, to_canonical
from extractscan.logs.choose import FormatOptions
from extractscan.logs.columnar import parquet_rows
from extractscan.logs.discover import Input, discover
from extractscan.logs.ending import conclude
from extractscan.logs.judge import Judge
from extractscan.logs.quarantine import Quarantine
from extractscan.logs.references import resolve
from extractscan.logs.result import FileSummary, ReadSummary, RequestBatch
from extractscan.logs.schema import CANONICAL
from extractscan.logs.setup import ReadOptions, utc
from extractscan.logs.sides import as_batch, grouped, joined, side_table
from extractscan.logs.sniff import HEAD, Sniffed, sniff
from extractscan.logs.sources import bodies, columns_of, heads, lake_digest, open_input, spooled, stream_input
from extractscan.logs.state import FileState, Known
from extractscan.logs.streams import BackgroundDigest, DamagedError, Raw, Text, as_utf8, between, pieces
from extractscan.logs.wording import lacks, lacks_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from extractscan.logs.envelope import Plan
    from extractscan.logs.state import Unread
    from extractscan.logs.textfiles import Reading
    from extractscan.progress import Observer

Looked: TypeAlias = tuple[Input, Raw | None, Known]
"""A file, the open pipe if it is one, and what it is."""

BATCH_ROWS: Final = 250_000
"""Rows of one batch, at the most, unless told otherwise."""

_MOST_THREADS: Final = 8


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
    """The reading of one run. Draw ``batches()`` once; ``summary`` is complete after the last."""

    def __init__(self, files: list[Input], options: ReadOptions, formats: FormatOptions, observer: Observer) -> None:
        self._files = files
        self._judge = Judge(formats, options.columns, observer, complete=options.complete)
        self._formats = formats
        self._account = formats.account
        self._options = options
        self._observer = observer
        self._quarantine = Quarantine()
        self._sides: dict[str, pl.DataFrame] = {}
        self._present: Counter[str] = Counter()
        self._summary = ReadSummary(quarantine=self._quarantine.entries)

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
    def summary(self) -> ReadSummary:
        """What has been read so far."""
        return self._summary

    @property
    def setup(self) -> tuple[list[Input], ReadOptions, FormatOptions]:
        """What is read, and how."""
        return self._files, self._options, self._formats

    @property
    def unread(self) -> list[Unread]:
        """Files that were passed over although they may be logs."""
        return self._judge.unread

    def batches(self) -> Iterator[RequestBatch]:
        """The good requests, file by file in order of path, at most ``batch_rows`` at a time.

        Raises InputError: at once for a named file that cannot be opened, or is a log without accounts or time stamps;
        at the end if more rows are bad than allowed, or none was good.
        """
        with contextlib.ExitStack() as stack:
            yield from self._draw(self._known(stack), stack)
        self._finish()

    def _known(self, stack: contextlib.ExitStack) -> list[Looked]:
        """Look at all files: those to read."""
        sizes = [item.size for item in self._files if item.size is not None]
        self._observer.stage("read", sum(sizes) if len(sizes) == len(self._files) else None)
        looked = [
            (i, *self._look(i, stack, head)) for i, head in zip(self._files, heads(self._files, HEAD), strict=True)
        ]
        known = self._judge.wanted([(item, raw, seen) for item, raw, seen in looked if seen is not None])
        self._judge.tell_formats([seen for _, _, seen in known])
        for kernels in {
            NESTED if k.plan is not None else JSON for _, _, k in known if k.plan is not None or k.seen.is_json
        }:
            tell_if_cold(kernels, self._observer.note)
        return known

    def _draw(self, known: list[Looked], stack: contextlib.ExitStack) -> Iterator[RequestBatch]:
        """Read the files, those first that others refer to."""
        joins = {role for _, _, k in known if k.plan is not None for role in k.plan.format.joins}
        roles = [k.plan.format.role if k.plan is not None else "" for _, _, k in known]
        sides = [(role, *one) for role, one in zip(roles, known, strict=True) if role in joins]
        others = [one for role, one in zip(roles, known, strict=True) if role not in joins]
        fetched = bodies([item for _, item, _, _ in sides] + [item for item, _, _ in others])
        stack.callback(getattr(fetched, "close", lambda: None))
        parts: dict[str, list[pl.DataFrame]] = {}
        for role, item, raw, seen in sides:
            parts.setdefault(role, []).extend(self._read_side(item, _held(raw, fetched), seen))
        self._sides = {role: side_table(tables) for role, tables in sorted(parts.items())}
        for item, raw, seen in others:
            yield from self._read(item, _held(raw, fetched), seen)

    def _read_side(self, item: Input, raw: Raw | None, known: Known) -> list[pl.DataFrame]:
        """The side table of a file whose records are no requests."""
        held: list[RawBatch] = []
        for _ in self._read(item, raw, known, aside=held):
            pass
        table = grouped(held)
        return [table] if table.height else []

    # --- one file -----------------------------------------------------------------------------------------------------

    def _look(
        self, item: Input, stack: contextlib.ExitStack, head: bytes | Exception | None
    ) -> tuple[Raw | None, Known | None]:
        """Recognise a file; None for one that is passed over. A pipe is left open, its head can be had only once."""
        try:
            if item.lake is not None:
                return None, self._judge.judge(item, Sniffed(item.lake))
            if item.piped:
                raw = Raw(
                    open_input(item) if item.path is None else stack.enter_context(open_input(item)), hashing=True
                )
                return raw, self._judge.judge(item, sniff(raw.peek(HEAD), self._judge.names))
            if isinstance(head, Exception):
                raise head
            with open_input(item) if head is None else io.BytesIO(head) as file:
                return None, self._judge.judge(item, sniff(Raw(file).peek(HEAD), self._judge.names))
        except OSError as error:
            self._failed(item, f"cannot be read: {(error.strerror or 'input/output error').lower()}")
        except DamagedError as error:
            # A columnar file without a schema: nothing of it can be read.
            self._quarantine.add(item.name, None, str(error))
            self._add_summary(item, "damaged", "", FileState(item.name, self._quarantine, rows_bad=1))
        return None, None

    def _failed(self, item: Input, reason: str) -> None:
        if item.named:
            raise InputError(f"{item.name} {reason}")
        self._observer.warn(f"{item.name} {reason}")
        self._quarantine.add(item.name, None, reason)
        self._add_summary(item, "unreadable", "", FileState(item.name, self._quarantine, rows_bad=1))

    def _read(
        self,
        item: Input,
        raw: Raw | None,
        known: Known,
        aside: list[RawBatch] | None = None,
    ) -> Iterator[RequestBatch]:
        """Read one file. With ``aside``, its raw batches go there instead of becoming requests."""
        with contextlib.ExitStack() as stack:
            yield from self._opened(item, raw, known, stack, aside)

    def _opened(
        self,
        item: Input,
        raw: Raw | None,
        known: Known,
        stack: contextlib.ExitStack,
        aside: list[RawBatch] | None,
    ) -> Iterator[RequestBatch]:
        state = FileState(item.name, self._quarantine)
        first = len(self._quarantine.entries)
        seen = known.seen
        path, digest, sha256 = item.path, None, item.sha256 or ""
        try:
            if item.place is not None and item.lake is None:
                raw = raw or Raw(stack.enter_context(stream_input(item)), hashing=True)
            elif raw is None and item.lake is None and item.sha256 is None:
                digest = BackgroundDigest(item.path or "", item.size or 0)
            if raw is not None and seen.columnar:
                path = stack.enter_context(spooled(raw))
            if item.piped and seen.columnar:  # its columns are known only now
                known = self._judge.judge(Input(item.name, path, item.named, 0), seen) or known
                self._judge.tell_formats([known])
                seen = known.seen
            if seen.columnar:
                yield from self._batches(item, state, self._columnar(item, path or "", known, state), known.plan, aside)
            elif seen.format == "unknown":
                state.bad(None, "not a log in a format that is known")
            elif seen.format != "empty":
                yield from self._text(item, raw, known, state, aside)
        except DamagedError as error:
            rows = state.rows_read
            state.bad(None, f"{error}; rows after the first {rows:,} are lost" if rows else str(error))
        except OSError as error:
            state.bad(None, f"reading failed: {(error.strerror or 'input/output error').lower()}")
        self._quarantine.order(first)
        with contextlib.suppress(OSError):  # what cannot be read to its end has no digest
            sha256 = digest.result() if digest is not None else raw.digest() if raw is not None else sha256
        size = raw.size if raw is not None else item.size or 0
        if item.lake is not None:
            with contextlib.suppress(OSError):
                sha256, size = lake_digest(item)
        self._observer.advance(max(size - state.told, 0))
        self._add_summary(item, known.label, sha256, state, size, known.found.next_best)
        self._tell(item, known, state)

    def _columnar(self, item: Input, path: str, known: Known, state: FileState) -> Iterator[RawBatch]:
        table = columns_of(item, known.seen.format, path)
        if known.plan is not None:
            for frame, line in table.frames(known.plan.wanted(table.names), self._options.batch_rows):
                yield _of_frame(frame, line, known.plan)
            return
        lacking = self._judge.lacking(self._judge.names.resolve(table.names))
        if lacking:
            raise InputError(f"{item.name}: {lacks(lacking, tuple(table.names))}")
        rows = parquet_rows(path) if known.seen.format == "parquet" else 0
        done = 0
        for batch in table.batches(self._judge.names, self._options.batch_rows):
            yield batch
            done += batch.rows
            if rows:
                self._advance(state, (item.size or 0) * min(done, rows) // rows)

    def _advance(self, state: FileState, to: int) -> None:
        """Tell of progress: ``to`` bytes of the file are done."""
        self._observer.advance(to - state.told)
        state.told = to

    def _text(
        self, item: Input, raw: Raw | None, known: Known, state: FileState, aside: list[RawBatch] | None
    ) -> Iterator[RequestBatch]:
        seen = known.seen
        with contextlib.ExitStack() as stack:
            # The kernels leave the interpreter free, so that threads do run beside each other.
            pool = stack.enter_context(ThreadPoolExecutor(min(pl.thread_pool_size(), _MOST_THREADS)))
            how = textfiles.Reading(
                self._judge.names, state, self._options.batch_rows, pool, known.plan, seen.stamp, item.line
            )
            if raw is None:
                raw = Raw(stack.enter_context(open_input(item)), limit=item.size)
            source = between(pieces(raw, seen.codec), item.start, item.stop)
            text = Text(as_utf8(source, seen.encoding) if seen.encoding else source, begins=not item.start)
            for batch in self._batches(item, state, _parse(text, how, seen), known.plan, aside):
                yield batch
                self._advance(state, raw.size)
            state.cut = text.cut or text.problem is not None

    def _batches(
        self,
        item: Input,
        state: FileState,
        batches: Iterator[RawBatch],
        plan: Plan | None,
        aside: list[RawBatch] | None,
    ) -> Iterator[RequestBatch]:
        if plan is not None and plan.format.group and aside is None:
            table = grouped(batches)
            batches = iter([as_batch(table)] if table.height else [])
        if plan is not None and plan.format.joins and self._sides:
            batches = joined(batches, self._sides, plan.format.joins)
        for batch in batches:
            state.slots.update(batch.columns)
            if not batch.rows:
                continue
            if aside is not None:
                aside.append(batch)
                continue
            if plan is not None and plan.refers and item.path is not None:
                lost = resolve(batch, item)
                if lost:
                    self._observer.warn(f"{item.name}: {lost:,} bodies that lie in other files were not found")
            self._add_account(item, batch)
            done = to_canonical(batch, complete=self._options.complete)
            state.clashes.update(done.clashes)
            if len(done.bad):
                state.bad_rows(done.bad, batch.line, done.reasons)
            frame = self._window(done.frame)
            state.rows_outside += done.frame.height - frame.height
            state.rows_kept += frame.height
            for name in CANONICAL:
                self._present[name] += frame.height - frame[name].null_count()
            if frame.height:
                yield RequestBatch(item.name, frame)

    def _add_account(self, item: Input, batch: RawBatch) -> None:
        """The account that all records of a file have, if the user said so."""
        if self._account is None:
            return
        account = self._account.constant(item.path or item.name)
        if account is not None:
            batch.columns["account_id"] = [pl.Series([account]).new_from_index(0, batch.rows)]

    def _window(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self._options.since is not None:
            frame = frame.filter(pl.col("timestamp") >= self._options.since)
        if self._options.until is not None:
            frame = frame.filter(pl.col("timestamp") < self._options.until)
        return frame

    def _tell(self, item: Input, known: Known, state: FileState) -> None:
        """Say what is worth knowing about a file that was read."""
        seen = known.seen
        if state.texts_repaired:
            self._observer.warn(
                f"{item.name}: {state.texts_repaired:,} values held bytes that are not UTF-8; replaced by U+FFFD"
            )
        for slot, count in sorted(state.clashes.items()):
            self._observer.warn(f"{item.name}: {count:,} values of {slot} are not of its type and are taken as absent")
        lacking = self._judge.lacking(state.slots)
        if known.plan is not None:
            if lacking and state.rows_bad and not state.rows_kept and state.slots:
                message = f"{item.name}: {lacks_in(known.plan.format, lacking)}"
                if item.named:
                    raise InputError(message)
                self._judge.pass_over(message)
            return
        if lacking and seen.is_json and state.rows_read:
            if not seen.names and not state.slots:
                return  # nothing in it was JSON: the quarantine says so
            message = f"{item.name}: {lacks(lacking, seen.names)}"
            if item.named:
                raise InputError(message)
            self._judge.pass_over(message)

    def _add_summary(
        self, item: Input, label: str, sha256: str, state: FileState, size: int | None = None, other: str = ""
    ) -> None:
        size = item.size or 0 if size is None else size
        self._summary.files.append(
            FileSummary(item.name, label, sha256, size, state.rows_read, state.rows_kept, state.rows_bad, other)
        )
        self._summary.rows_read += state.rows_read
        self._summary.rows_kept += state.rows_kept
        self._summary.rows_outside_window += state.rows_outside
        self._summary.rows_quarantined += state.rows_bad

    def _finish(self) -> None:
        self._summary.present = {name: self._present[name] for name in CANONICAL}
        conclude(
            self._summary,
            self._quarantine,
            self._observer,
            max_bad_rows=self._options.max_bad_rows,
            passed_over=self._judge.passed_over,
            may_be_empty=not self._options.complete,
        )


def _held(raw: Raw | None, fetched: Iterator[bytes | None]) -> Raw | None:
    """The next input, if its bytes are here already."""
    body = next(fetched)
    return raw if body is None else Raw(io.BytesIO(body), hashing=True)


def _of_frame(frame: pl.DataFrame, line: Callable[[NDArray[np.int64]], NDArray[np.int64]], plan: Plan) -> RawBatch:
    records = plan.read_columns({name: frame[name] for name in frame.columns})
    return RawBatch(records.columns, records.rows, lambda rows: line(records.owner[rows]), records.clashes)


def _parse(text: Text, how: Reading, seen: Sniffed) -> Iterator[RawBatch]:
    if seen.format == "csv":
        return textfiles.csv(text, how, list(seen.names), seen.delimiter)
    return textfiles.json_values(text, how) if seen.format == "json" else textfiles.json_lines(text, how)
