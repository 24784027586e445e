"""Values found in records, as spans of bytes: chosen, opened where they are JSON inside a string, taken as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.canonical import coalesce
from extractscan.logs.jsongrammar import skip_space
from extractscan.logs.spans import ABSENT, ARRAY, GOOD, OBJECT, PLAIN, QUOTED, STRING, Spans, offsets, readable
from extractscan.logs.textspans import raw, spread, take, unescaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

SSE: Final = 9
"""Kind of a text that is a stream of server-sent events."""

_OPENINGS: Final = 3
"""How many strings may be wrapped around each other."""


@dataclass(frozen=True, slots=True)
class Values:
    """One value a row: ``buf[start:end]`` of a ``kind`` of ``spans`` (ABSENT: none). ``rank``: how good its source is."""

    buf: NDArray[np.uint8]
    start: NDArray[Any]
    end: NDArray[Any]
    kind: NDArray[np.uint8]
    rank: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.kind)

    def any(self) -> bool:
        """Whether any row has a value."""
        return bool(self.kind.any())

    def at(self, rows: NDArray[Any]) -> Values:
        """Those of ``rows``."""
        return Values(
            self.buf, self.start[rows], self.end[rows], self.kind[rows], None if self.rank is None else self.rank[rows]
        )

    def only(self, chosen: NDArray[np.bool_]) -> Values:
        """With no value where ``chosen`` is false."""
        return Values(self.buf, self.start, self.end, np.where(chosen, self.kind, ABSENT).astype(np.uint8), self.rank)

    def spread(self, where: NDArray[Any], rows: int) -> Values:
        """The same values as those of the rows ``where`` (ascending) of ``rows``; the other rows have none."""
        if len(where) == rows:
            return self
        start, end, kind = np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows, np.uint8)
        start[where], end[where], kind[where] = self.start, self.end, self.kind
        rank = None
        if self.rank is not None:
            rank = np.full(rows, 255, np.uint8)
            rank[where] = self.rank
        return Values(self.buf, start, end, kind, rank)

    def of_kind(self, *kinds: int) -> NDArray[np.int64]:
        """Rows whose value is of one of ``kinds``."""
        return np.flatnonzero(among(self.kind, kinds))

    def unescaped(self) -> Values:
        """The same texts with escapes undone, as plain texts of another buffer."""
        buf, start, end = unescaped(self.buf, self.start, self.end, self.kind)
        kind = np.where(self.kind == ABSENT, ABSENT, PLAIN).astype(np.uint8)
        return Values(buf, start, end, kind, self.rank)

    def text(self) -> pl.Series:
        """As text: strings unescaped, anything else as it is written."""
        return take(self.buf, self.start, self.end, np.where(self.kind == SSE, PLAIN, self.kind).astype(np.uint8))[0]


def cell(spans: Spans, name: str) -> Values | None:
    """The values of one cell in the good rows; None if there are none, or no such cell."""
    if name not in spans.slots:
        return None
    i = spans.slots.index(name)
    kind = spans.kind[i]
    if not kind.any():
        return None
    if (spans.status != GOOD).any():
        kind = np.where(spans.status == GOOD, kind, ABSENT).astype(np.uint8)
    return Values(spans.buf, spans.start[i], spans.end[i], kind, spans.rank[i])


def of_series(series: pl.Series, rank: int = 0) -> Values:
    """A String series as values."""
    buf, start, end = raw(series)
    kind = np.full(len(series), PLAIN, np.uint8)
    if series.null_count():
        kind[series.is_null().to_numpy()] = ABSENT
    return Values(buf, start, end, kind, np.full(len(series), rank, np.uint8))


def among(kind: NDArray[np.uint8], kinds: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each kind is one of ``kinds``; ``np.isin`` takes many times as long over so few."""
    table = np.zeros(256, np.bool_)
    table[list(kinds)] = True
    return table[kind]


def best(sources: Sequence[Values]) -> list[Values]:
    """The same values, each row's only in the source where its rank is lowest (of equals: the first source)."""
    if len(sources) < 2:
        return list(sources)
    ranks = np.stack(
        [np.where(v.kind == ABSENT, 256, 0 if v.rank is None else v.rank.astype(np.int16)) for v in sources]
    )
    chosen = ranks.argmin(axis=0)
    return [v.only(chosen == k) for k, v in enumerate(sources)]


def text_of(sources: Sequence[Values]) -> pl.Series:
    """The best text of each row."""
    parts = [v.text() for v in best(sources)]
    return coalesce(parts)


def opened(values: Values) -> list[Values]:
    """The same rows with strings unescaped and looked into, in one or more sources that share no row.

    Kinds are then OBJECT, ARRAY, SSE, PLAIN (a text), or a scalar as it was. A string within a string is opened too.
    """
    out: list[Values] = []
    for _ in range(_OPENINGS):
        closed = among(values.kind, (STRING, QUOTED))
        plain = values.kind == PLAIN
        if not closed.any() and not plain.any():
            break
        rest = values.only(~closed & ~plain)
        if rest.any():
            out.append(rest)
        if plain.any():
            looked = _peeked(values.only(plain))
            again = looked.kind == STRING
            ready = looked.only(~again)
            if ready.any():
                out.append(ready)
            if again.any() and not closed.any():
                values = looked.only(again)
                continue
            if again.any():
                out.append(_as_plain(looked.only(again)))
        if not closed.any():
            return out
        where = np.flatnonzero(closed)
        values = values.at(where).unescaped().spread(where, len(values))
    if values.any():
        out.append(_as_plain(_peeked(values) if (values.kind == PLAIN).any() else values))
    return out


def _as_plain(values: Values) -> Values:
    kind = np.where(among(values.kind, (STRING, QUOTED)), PLAIN, values.kind).astype(np.uint8)
    return Values(values.buf, values.start, values.end, kind, values.rank)


def _peeked(values: Values) -> Values:
    start, end = offsets(values.start).copy(), offsets(values.end).copy()
    kind = values.kind.copy()
    _peek(readable(values.buf), start, end, kind)
    return Values(values.buf, start, end, kind, values.rank)


@leaf
def _peek(buf: Any, start: Any, end: Any, kind: Any) -> None:
    """What plain texts may be, told by their first and last bytes."""
    for row in range(len(start)):
        if kind[row] != PLAIN:
            continue
        i, stop = skip_space(buf, start[row], end[row]), end[row]
        while stop > i and buf[stop - 1] <= 32:
            stop -= 1
        if stop - i < 2:
            continue
        c, last = buf[i], buf[stop - 1]
        if c == 123 and last == 125:
            kind[row] = OBJECT
        elif c == 91 and last == 93:
            kind[row] = ARRAY
        elif c == 34 and last == 34:
            start[row], end[row], kind[row] = i + 1, stop - 1, STRING
        elif stop - i > 6 and (
            (c == 100 and buf[i + 1] == 97 and buf[i + 2] == 116 and buf[i + 3] == 97 and buf[i + 4] == 58)
            or (
                c == 101
                and buf[i + 1] == 118
                and buf[i + 2] == 101
                and buf[i + 3] == 110
                and buf[i + 4] == 116
                and buf[i + 5] == 58
            )
        ):
            kind[row] = SSE


class Gathered:
    """Columns that several sources fill, each some rows of it."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._parts: dict[str, list[pl.Series]] = {}

    def add(self, slot: str, where: NDArray[Any], values: pl.Series | None) -> None:
        """Add ``values`` at the rows ``where``; what was there before comes first."""
        if values is None or values.null_count() == len(values):
            return
        whole = len(where) == self.rows
        self._parts.setdefault(slot, []).append(values if whole else spread(where, values, self.rows))

    def add_all(self, where: NDArray[Any], columns: dict[str, pl.Series]) -> None:
        """Add several columns."""
        for slot, values in columns.items():
            self.add(slot, where, values)

    def columns(self) -> dict[str, pl.Series]:
        """What there is, by slot."""
        return {slot: coalesce(parts) for slot, parts in self._parts.items()}
