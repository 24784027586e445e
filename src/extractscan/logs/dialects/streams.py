"""Streams that were logged as they came, reduced to one answer: server-sent events as text, or events in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from extractscan.jit import kernel
from extractscan.logs import messages, pathscan
from extractscan.logs.cells import Gathered, Values, cell
from extractscan.logs.dialects import EVENT
from extractscan.logs.jsongrammar import skip_space
from extractscan.logs.jsonsplit import elements, owners
from extractscan.logs.paths import Tree, wants
from extractscan.logs.spans import ARRAY, OBJECT, STRING, offsets, readable
from extractscan.logs.textspans import spread
from extractscan.logs.words import Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EVENT: Final = Tree(wants(EVENT))
_SLOTS: Final = tuple(slot for slot in _EVENT.cells if slot not in {"delta", "typed", "type", "whole", "call"})
_FIRST: Final = frozenset({"request_id", "timestamp", "model"})
"""Slots whose first value in a stream counts; of the others it is the last."""

_TEXT_TYPES: Final = Words({"response.output_text.delta": 1})


def from_texts(values: Values) -> dict[str, pl.Series]:
    """Columns of rows that are texts of server-sent events."""
    owner, start, end = _events(readable(values.buf), offsets(values.start), offsets(values.end))
    return _reduced(values.buf, owner, start, end, len(values))


def from_lists(values: Values) -> dict[str, pl.Series]:
    """Columns of rows that are lists of events."""
    counts, start, end, kind = elements(values.buf, values.start, values.end)
    owner = owners(counts)
    objects = kind == OBJECT
    return _reduced(values.buf, owner[objects], start[objects], end[objects], len(values))


def _reduced(
    buf: NDArray[np.uint8], owner: NDArray[Any], start: NDArray[Any], end: NDArray[Any], rows: int
) -> dict[str, pl.Series]:
    spans = pathscan.project(buf, start, end, _EVENT)
    out = Gathered(rows)
    texts: list[tuple[NDArray[Any], pl.Series]] = []
    delta = cell(spans, "delta")
    if delta is not None:
        said = delta.of_kind(STRING)
        texts.append((said, delta.at(said).text()))
        listed = delta.of_kind(ARRAY)
        if len(listed):
            parts = delta.at(listed)
            text, _ = messages.parts_of(parts.buf, parts.start, parts.end)
            given = text.is_not_null()
            texts.append((listed[given.to_numpy()], text.filter(given)))
    typed, sort = cell(spans, "typed"), cell(spans, "type")
    if typed is not None and sort is not None:
        is_text = _TEXT_TYPES.of(sort.buf, sort.start, sort.end, sort.kind) > 0
        spoken = np.flatnonzero(is_text & (typed.kind == STRING))
        texts.append((spoken, typed.at(spoken).text()))
    at = np.concatenate([where for where, _ in texts]) if texts else np.zeros(0, np.int64)
    if len(at):
        order = np.argsort(at, kind="stable")
        pieces = pl.concat([text for _, text in texts]).gather(order)
        out.add("response", np.arange(rows), messages.joined(owner[at[order]], pieces, rows, between=""))
    whole = cell(spans, "whole")
    if whole is not None:
        listed = whole.of_kind(ARRAY)
        _, index = np.unique(owner[listed][::-1], return_index=True)
        listed = np.sort(listed[::-1][index])
        items = whole.at(listed)
        out.add("response", owner[listed], messages.read_spans(items.buf, items.start, items.end)["response"])
    call = cell(spans, "call")
    if call is not None:
        counts = np.bincount(owner[np.flatnonzero(call.kind)], minlength=rows).astype(np.int64)
        out.add("tool_calls", np.arange(rows), messages.positive(counts, 1))
    for slot in _SLOTS:
        found = cell(spans, slot)
        if found is None:
            continue
        there = np.flatnonzero((found.kind != 0) & (found.kind != OBJECT) & (found.kind != ARRAY))
        if slot in _FIRST:
            _, index = np.unique(owner[there], return_index=True)
            chosen = there[index]
        else:
            _, index = np.unique(owner[there][::-1], return_index=True)
            chosen = np.sort(there[::-1][index])
        out.add(slot, np.arange(rows), spread(owner[chosen], found.at(chosen).text(), rows))
    return out.columns()


@kernel
def _scan_events(buf: Any, start: Any, end: Any, owner: Any, first: Any, last: Any, fill: bool) -> int:
    n = 0
    for row in range(len(start)):
        i, stop = start[row], end[row]
        while i < stop:
            eol = i
            while eol < stop and buf[eol] != 10 and buf[eol] != 13:
                eol += 1
            a = skip_space(buf, i, eol)
            if (
                eol - a > 6
                and buf[a] == 100
                and buf[a + 1] == 97
                and buf[a + 2] == 116
                and buf[a + 3] == 97
                and buf[a + 4] == 58
            ):
                a = skip_space(buf, a + 5, eol)
                if a < eol and buf[a] == 123:
                    if fill:
                        owner[n], first[n], last[n] = row, a, eol
                    n += 1
            i = eol + 1
    return n


def _events(
    buf: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, start and end of the JSON of each ``data:`` line."""
    none = np.zeros(0, np.int64)
    count = _scan_events(buf, start, end, none, none, none, False)
    owner, first, last = (np.empty(count, np.int64) for _ in range(3))
    _scan_events(buf, start, end, owner, first, last, True)
    return owner, first, last
