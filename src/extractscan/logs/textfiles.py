"""Readers of the text formats: JSON lines, JSON values, CSV; each gives batches of raw columns and reports bad rows.

Memory is bounded by the size of a chunk, the longest line allowed, and the number of rows of a batch.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import polars as pl

from extractscan.logs import csvscan, jsongrammar, jsonscan, jsonsplit, messages
from extractscan.logs.breaks import line_breaks
from extractscan.logs.canonical import RawBatch
from extractscan.logs.lines import Breaks, Chosen, Counted, Placed, stamped, whole_lines
from extractscan.logs.names import MESSAGES, SLOTS, TEXT_SLOTS, NameTable, fold
from extractscan.logs.spans import ABSENT, ARRAY, GOOD, OBJECT, KeyTable, Spans, as_utf8, key_table
from extractscan.logs.textspans import spread, take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    Lines = Callable[[NDArray[np.int64]], NDArray[np.int64]]

    from extractscan.logs.envelope import Plan
    from extractscan.logs.records import Records
    from extractscan.logs.streams import Text

CHUNK: Final = 16 << 20
"""Bytes of text that are looked at together."""

LINE_MAX: Final = 32 << 20
"""Bytes; a longer line or record is not read."""

TOO_LONG: Final = f"the line is too long (over {LINE_MAX >> 20} MiB)"


_SPLITS: Final = 2
_SPLIT_ROWS: Final = 256
"""A batch of at least so many records is read in so many parts, beside each other, if no other batch is being read."""
_AHEAD: Final = 2
"""Batches that are being read while the records of one are drawn: whole ones cost less than parts of one."""


class Report(Protocol):
    """Takes what a reader could not read, and what else should be said."""

    def bad(self, line: int | None, reason: str) -> None:
        """One bad row."""

    def bad_rows(
        self, rows: NDArray[np.int64], line: Callable[[NDArray[np.int64]], NDArray[np.int64]], reasons: list[str]
    ) -> None:
        """Many bad rows of one batch, by their positions."""

    def repaired(self, values: int) -> None:
        """So many texts held bytes that are not UTF-8."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the readers of text need besides the bytes; ``stamp`` as of a sniffed file.

    Where the bytes are not the first of the file, ``first_line`` is over 1.
    """

    names: NameTable
    report: Report
    batch_rows: int
    pool: Executor | None = None
    plan: Plan | None = None
    stamp: int = 0
    first_line: int = 1


def json_lines(text: Text, how: Reading) -> Iterator[RawBatch]:
    """One object a line. While the records of one chunk are drawn, those of the next ones are already being read."""
    keys = key_table(how.names, SLOTS, TEXT_SLOTS)
    begun: deque[Iterator[RawBatch]] = deque()
    line = how.first_line
    for body, problem in whole_lines(text, CHUNK, LINE_MAX):
        if problem:
            begun.append(_told(how.report, line, problem))
            line += 1
            continue
        buf = as_utf8(body)
        breaks = line_breaks(buf)
        ends = np.append(breaks, len(buf)) if body[-1] != ord("\n") else breaks
        starts = np.empty_like(ends)
        starts[0], starts[1:] = 0, ends[:-1] + 1
        if how.stamp:
            starts += how.stamp * stamped(buf, starts, ends, how.stamp)
        for at in range(0, len(ends), how.batch_rows):
            a, b = starts[at : at + how.batch_rows], ends[at : at + how.batch_rows]
            long = np.flatnonzero(b - a > LINE_MAX)
            b[long] = a[long]
            begun.extend(_told(how.report, line + at + int(i), TOO_LONG) for i in long)
            count = Counted(line + at)
            if how.plan is not None:
                begun.append(_records(buf, a, b, count, how, how.plan, alone=not begun))
            else:
                begun.append(_plain(buf, a, b, count, keys, how))
        line += len(breaks)
        while len(begun) > _AHEAD:
            yield from begun.popleft()
    while begun:
        yield from begun.popleft()


def _told(report: Report, line: int, problem: str) -> Iterator[RawBatch]:
    """Report a bad line when its turn comes."""
    report.bad(line, problem)
    yield from ()


def _plain(
    buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any], line: Lines, keys: KeyTable, how: Reading
) -> Iterator[RawBatch]:
    """Records of a plain table, read when they are drawn."""
    yield _batch(jsonscan.project(buf, starts, ends, keys, how.pool), line, how, jsongrammar.REASONS)


def _records(
    buf: NDArray[np.uint8],
    starts: NDArray[Any],
    ends: NDArray[Any],
    line: Lines,
    how: Reading,
    plan: Plan,
    *,
    alone: bool = True,
) -> Iterator[RawBatch]:
    """Records of a known format, read in parallel from now on; if ``alone``, also some of them beside others."""
    many = how.pool is not None and len(starts) >= _SPLIT_ROWS
    edges = [len(starts) * k // _SPLITS for k in range(_SPLITS + 1)] if many and alone else [0, len(starts)]

    def some(part: tuple[int, int]) -> Records:
        return plan.read_json(buf, starts[slice(*part)], ends[slice(*part)])

    parts = list(pairwise(edges))
    done = how.pool.map(some, parts) if how.pool is not None and many else map(some, parts)
    return _drawn(parts, done, line, how)


def _drawn(parts: list[tuple[int, int]], done: Iterator[Records], line: Lines, how: Reading) -> Iterator[RawBatch]:
    for (first, _), records in zip(parts, done, strict=True):
        if len(records.bad):
            reasons = [jsongrammar.REASONS[int(code)] for code in records.status]
            how.report.bad_rows(records.bad + first, line, reasons)
        yield RawBatch(records.columns, records.rows, Chosen(line, records.owner + first), records.clashes)


def json_values(text: Text, how: Reading) -> Iterator[RawBatch]:
    """An array of objects, or objects one after another, over any number of lines."""
    keys = key_table(how.names, SLOTS, TEXT_SLOTS)
    cut = "the JSON ends too early; the rest is not read"
    tail, line = b"", 1
    for data in text.chunks(CHUNK):
        tail += data
        buf, at = as_utf8(np.frombuffer(tail, np.uint8)), 0
        places = Breaks(buf, line)
        while True:
            starts, ends, at = jsonsplit.values(buf, at, how.batch_rows, last=False)
            if len(starts):
                yield from _json_batch(buf, starts, ends, keys, places, how)
            if len(starts) < how.batch_rows:
                break
        line += tail.count(b"\n", 0, at)
        tail = tail[at:]
        if len(tail) > LINE_MAX:
            how.report.bad(line, f"a value is too long (over {LINE_MAX >> 20} MiB) or has no end; the rest is not read")
            return
    if text.problem is not None:
        how.report.bad(line, text.problem)
        return
    buf = np.frombuffer(tail, np.uint8)
    starts, ends, at = jsonsplit.values(buf, 0, 2, last=True)
    if len(starts):
        yield from _json_batch(buf, starts, ends, keys, Breaks(buf, line), how)
    if at < len(buf):
        how.report.bad(line + tail.count(b"\n", 0, at), cut)


def _json_batch(
    buf: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    keys: KeyTable,
    places: Breaks,
    how: Reading,
) -> Iterator[RawBatch]:
    if how.plan is not None:
        yield from _records(buf, starts, ends, Placed(places, starts), how, how.plan)
        return
    spans = jsonscan.project(buf, starts, ends, keys, how.pool)
    yield _batch(spans, Placed(places, starts), how, jsongrammar.REASONS)


def csv(text: Text, how: Reading, header: list[str], delimiter: str) -> Iterator[RawBatch]:
    """Records under a header, which is the first record."""
    plan = how.plan
    if plan is None:
        fields = csvscan.Fields(header, how.names, SLOTS, TEXT_SLOTS)
    else:
        wanted = tuple(dict.fromkeys(plan.wanted(header)))
        own = NameTable({fold(name): ((name, 0),) for name in wanted}, {})
        fields = csvscan.Fields(header, own, wanted, frozenset())
    tail, line, skipping, headed = b"", how.first_line, False, how.first_line > 1

    def scan(*, last: bool) -> Iterator[RawBatch]:
        nonlocal tail, line, skipping, headed
        buf, at = as_utf8(np.frombuffer(tail, np.uint8)), 0
        places = Breaks(buf, line)
        while True:
            spans, begin, at = csvscan.records(buf, at, fields, delimiter, how.batch_rows, longest=LINE_MAX, last=last)
            if len(begin):
                skip = 0 if headed else 1
                headed = True
                rows, line_of = _rows_from(spans, skip), Placed(places, begin[skip:])
                if plan is None:
                    yield _batch(rows, line_of, how, csvscan.REASONS)
                else:
                    yield _table(rows, line_of, how, plan)
            if len(begin) < how.batch_rows:
                break
        line += tail.count(b"\n", 0, at)
        if at > len(buf) and not last:  # a bad record's first line goes on in the next chunk
            skipping = True
        tail = tail[at:]

    for data in text.chunks(CHUNK):
        if skipping:
            begin = data.find(b"\n") + 1
            if not begin:
                continue
            line, skipping = line + 1, False
            tail = data[begin:]
        else:
            tail += data
        yield from scan(last=False)
        if len(tail) > LINE_MAX:
            how.report.bad(line, TOO_LONG)
            begin = tail.find(b"\n") + 1
            skipping = not begin
            line += bool(begin)
            tail = tail[begin:] if begin else b""
            yield from scan(last=False)
    if text.problem is not None:
        how.report.bad(line, text.problem)
    elif tail:
        text.cut = True
        yield from scan(last=True)


def _table(spans: Spans, line: Lines, how: Reading, plan: Plan) -> RawBatch:
    """Records of a known format in the rows of a table of text."""
    bad = np.flatnonzero(spans.status < GOOD)
    if len(bad):
        how.report.bad_rows(bad, line, [csvscan.REASONS[int(code)] for code in spans.status[bad]])
    kept = np.flatnonzero(spans.status == GOOD)
    table = {}
    for i, name in enumerate(spans.slots):
        table[name], repaired = take(spans.buf, spans.start[i][kept], spans.end[i][kept], spans.kind[i][kept])
        how.report.repaired(repaired)
    records = plan.read_columns(table)
    return RawBatch(records.columns, records.rows, Chosen(line, kept[records.owner]), records.clashes)


def _rows_from(spans: Spans, first: int) -> Spans:
    if first:
        for name in ("start", "end", "kind", "rank"):
            setattr(spans, name, getattr(spans, name)[:, first:])
        spans.status = spans.status[first:]
    return spans


def _batch(
    spans: Spans, line: Callable[[NDArray[np.int64]], NDArray[np.int64]], how: Reading, reasons: dict[int, str]
) -> RawBatch:
    """Columns of the good rows; bad rows are reported, blank ones forgotten."""
    bad = np.flatnonzero(spans.status < GOOD)
    if len(bad):
        how.report.bad_rows(bad, line, [reasons[int(code)] for code in spans.status[bad]])
    kept = np.flatnonzero(spans.status == GOOD)
    everything = len(kept) == len(spans.status)

    def column(i: int) -> _Taken | None:
        kind = spans.kind[i] if everything else spans.kind[i][kept]
        if not kind.any():
            return None
        start, end = (x if everything else x[kept] for x in (spans.start[i], spans.end[i]))
        return _take_slot(spans.slots[i], _Values(spans.buf, start, end, kind))

    every = range(len(spans.slots))
    taken = how.pool.map(column, every) if how.pool is not None and len(kept) >= _SPLIT_ROWS else map(column, every)
    columns: dict[str, list[pl.Series]] = {}
    clashes: Counter[str] = Counter()
    for slot, one in zip(spans.slots, taken, strict=True):
        if one is None:
            continue
        how.report.repaired(one.repaired)
        clashes[slot] += one.dropped
        if one.own:
            columns[slot] = [*one.own, *columns.get(slot, [])]
        if one.messages is not None:
            columns[MESSAGES] = [one.messages]  # the slot of messages comes later, and goes before
    return RawBatch(columns, len(kept), line if everything else Chosen(line, kept), +clashes)


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one slot as spans of ``buf``."""

    buf: NDArray[np.uint8]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    kind: NDArray[np.uint8]

    def text(self, kind: NDArray[np.uint8] | None = None) -> tuple[pl.Series, int]:
        return take(self.buf, self.start, self.end, self.kind if kind is None else kind)

    def at(self, where: NDArray[np.int64]) -> _Values:
        return _Values(self.buf, self.start[where], self.end[where], self.kind[where])


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one slot gave: columns for itself, perhaps one of messages; texts repaired and nested values dropped."""

    own: list[pl.Series]
    messages: pl.Series | None = None
    repaired: int = 0
    dropped: int = 0


def _take_slot(slot: str, values: _Values) -> _Taken:
    """Take the column of one slot.

    Arrays are of use in the slots of prose and as a list of tool calls; other nested values are dropped and counted.
    """
    nested = (values.kind == OBJECT) | (values.kind == ARRAY)
    if slot == MESSAGES or not nested.any():
        texts, repaired = values.text()
        return _Taken([texts], None, repaired)
    rows = len(nested)
    where = np.flatnonzero(values.kind == ARRAY)
    lists = values.at(where)
    own: list[pl.Series] = []
    spoken: pl.Series | None = None
    dropped = int(nested.sum())
    if slot == "tool_calls" and len(where):
        counts, *_ = jsonsplit.elements(lists.buf, lists.start, lists.end)
        own.append(spread(where, pl.Series(counts, dtype=pl.Int64), rows))
        dropped -= len(where)
    elif slot in TEXT_SLOTS and len(where):
        if slot == "prompt":  # perhaps an array of messages under the name of a prompt
            arrays, _ = lists.text()
            readable = messages.read(arrays)["readable"].to_numpy()
            spoken = spread(where[readable], arrays.filter(readable), rows)
            dropped -= int(readable.sum())
            where = where[~readable]
            lists = values.at(where)
        parts = messages.parts_text(lists.buf, lists.start, lists.end)
        own.append(spread(where, parts, rows))
        dropped -= len(parts) - parts.null_count()
    plain, repaired = values.text(np.where(nested, ABSENT, values.kind).astype(np.uint8))
    return _Taken([plain, *own], spoken, repaired, dropped)
