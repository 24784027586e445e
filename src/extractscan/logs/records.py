"""Records as raw columns: what has come of some, those that lie in lists of a larger one, and several lots as one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.logs.cells import Values, best, opened
from extractscan.logs.jsonsplit import elements, owners
from extractscan.logs.spans import ARRAY, OBJECT

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Records:
    """What has come of some records: raw columns of ``rows`` requests.

    ``owner`` is the record of each request, ``bad`` the records that could not be read with their ``status``.
    """

    columns: dict[str, list[pl.Series]]
    rows: int
    owner: NDArray[np.int64]
    bad: NDArray[np.int64]
    status: NDArray[np.int8]
    clashes: Counter[str] = field(default_factory=Counter)


def objects_in(lists: list[Values]) -> tuple[Values, NDArray[np.int64]]:
    """The elements of the best list of each row that are objects, and the row of each."""
    pieces: list[tuple[Values, NDArray[np.int64]]] = []
    for values in best(lists):
        for part in opened(values):
            where = part.of_kind(ARRAY)
            if not len(where):
                continue
            counts, start, end, kind = elements(part.buf, part.start[where], part.end[where])
            index = where[owners(counts)]
            objects = np.flatnonzero(kind == OBJECT)
            pieces.append((Values(part.buf, start[objects], end[objects], kind[objects]), index[objects]))
    if not pieces:
        none = np.zeros(0, np.int64)
        return Values(np.zeros(0, np.uint8), none, none, np.zeros(0, np.uint8)), none
    if len(pieces) == 1:
        return pieces[0]
    buf = np.concatenate([v.buf.view(np.ndarray) for v, _ in pieces])
    shift = np.cumsum([0, *(len(v.buf) for v, _ in pieces[:-1])])
    start = np.concatenate([np.asarray(v.start, np.int64) + s for (v, _), s in zip(pieces, shift, strict=True)])
    end = np.concatenate([np.asarray(v.end, np.int64) + s for (v, _), s in zip(pieces, shift, strict=True)])
    index = np.concatenate([i for _, i in pieces])
    order = np.argsort(index, kind="stable")
    return Values(buf, start[order], end[order], np.full(len(order), OBJECT, np.uint8)), index[order]


def together(done: list[Records], bad: NDArray[np.int64], status: NDArray[np.int8]) -> Records:
    """Records of several shapes, in the order of the file."""
    if not done:
        return Records({}, 0, np.zeros(0, np.int64), bad, status)
    if len(done) == 1:
        one = done[0]
        return Records(one.columns, one.rows, one.owner, bad, status, one.clashes)
    slots = sorted({slot for records in done for slot in records.columns})
    columns: dict[str, list[pl.Series]] = {}
    owner = np.concatenate([records.owner for records in done])
    order = np.argsort(owner, kind="stable")
    for slot in slots:
        deep = max(len(records.columns.get(slot, [])) for records in done)
        columns[slot] = []
        for k in range(deep):
            pieces = []
            for records in done:
                held = records.columns.get(slot, [])
                kind = next((r.columns[slot][k].dtype for r in done if len(r.columns.get(slot, [])) > k), pl.String())
                pieces.append(
                    held[k] if k < len(held) else pl.Series([None], dtype=kind).new_from_index(0, records.rows)
                )
            columns[slot].append(pl.concat(pieces).gather(order))
    return Records(columns, len(owner), owner[order], bad, status)
