"""Batches to one table of requests, in little memory: what waits is compact, and is put together column by column.

Everything is independent of how rows were ordered, batched and split over files, and of how much waited on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.fingerprint.numbering import numbered
from extractscan.fingerprint.replies import COLUMNS as REPLIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from extractscan.fingerprint.shelf import Place, Shelf

WHOLE: Final = ("turn", "input_tokens", "output_tokens", "max_tokens", "n", "status")
"""Columns of whole numbers: 32 bits where these are enough for all of the log's values."""
_SMALL: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Coded:
    """A column of one batch as codes into its own distinct values."""

    values: pl.Series
    codes: Place


def _encode(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Distinct values of a text column, and the position of each row's among them (uint32, null where absent)."""
    if column.null_count() == column.len():
        return column.head(0), pl.Series([None], dtype=pl.UInt32).new_from_index(0, column.len())
    given = column.drop_nulls()
    firsts, numbers = numbered(given.hash().to_numpy())
    codes = pl.Series(numbers.view(np.uint32))
    if given.len() < column.len():
        places = np.zeros(column.len(), np.int64)
        present = column.is_not_null()
        places[present.to_numpy()] = np.arange(given.len())
        codes = pl.select(pl.when(present).then(codes.gather(places)))[codes.name]
    return given.gather(firsts), codes


def _shrunk(column: pl.Series) -> pl.Series:
    """Whole numbers in 32 bits, where they fit."""
    top, bottom = column.max(), column.min()
    fits = top is None or (int(top) <= _SMALL and int(bottom or 0) >= -_SMALL)  # type: ignore[arg-type]
    return column.cast(pl.Int32) if fits else column


def _is_wide(column: pl.Series) -> bool:
    return column.dtype in (pl.Int64, pl.UInt64)


class _Names:
    """The values of one text column over all batches."""

    def __init__(self) -> None:
        self._parts: list[_Coded] = []

    def add(self, column: pl.Series, shelf: Shelf) -> None:
        values, codes = _encode(column)
        self._parts.append(_Coded(values, shelf.put(codes)))

    def finish(self, shelf: Shelf) -> tuple[pl.Series, pl.Series]:
        """Distinct values in order, and each row's rank among them (uint32, null where absent)."""
        values = pl.concat([part.values for part in self._parts]).unique().sort()
        columns = []
        while self._parts:
            part = self._parts.pop(0)
            # By search: to join, a table of all of the log's values would be made for every part.
            ranks = values.search_sorted(part.values).cast(pl.UInt32)
            columns.append(ranks.gather(shelf.column(part.codes)))
        return values, pl.concat(columns, rechunk=True)


class RowMerger:
    """Rows of batches, put away column by column."""

    def __init__(self, columns: Sequence[str], names: Sequence[str], shelf: Shelf) -> None:
        """``columns`` are carried as they are, ``names`` become codes."""
        self._shelf = shelf
        self._columns: dict[str, list[Place]] = {name: [] for name in (*columns, "request_id", "prompt", "system")}
        self._names = {name: _Names() for name in ("account_id", *names)}
        self.height = 0

    def add(self, rows: pl.DataFrame, prompt: NDArray[np.int32], system: NDArray[np.int32]) -> None:
        """Put the rows of a batch away; ``prompt`` and ``system`` are positions among its texts, -1 where there is none."""
        self.height += rows.height
        for name, places in self._columns.items():
            if name == "prompt" or name == "system":
                places.append(self._shelf.put(prompt if name == "prompt" else system))
                continue
            column = rows[name].rechunk()
            if name in WHOLE:
                column = _shrunk(column)
            if name in REPLIES and not column.max():
                column = column.cast(pl.UInt8)  # most logs have no text of responses
            places.append(self._shelf.put(column))
        for name, held in self._names.items():
            held.add(rows[name], self._shelf)

    def take(self, name: str) -> pl.Series:
        """Take one of the columns, over all batches."""
        parts = [self._shelf.column(place) for place in self._columns.pop(name)]
        kind = max(parts, key=_is_wide).dtype
        parts = [part.cast(kind) for part in parts]
        return pl.concat(parts, rechunk=True).alias(name)

    def take_texts(self, name: str, positions: list[NDArray[np.int32]]) -> NDArray[np.int32]:
        """Take ``prompt`` or ``system``, each batch's positions replaced by those that ``positions`` has for them; -1 stays."""
        out = np.empty(self.height, np.int32)
        at = 0
        for place, known in zip(self._columns.pop(name), positions, strict=True):
            local = self._shelf.array(place)
            out[at : at + local.size] = np.r_[known, np.int32(-1)][local]
            at += local.size
        return out

    def take_names(self, name: str) -> tuple[pl.Series, pl.Series]:
        """Take a text column: its values in order, and the rank of each row's."""
        values, ranks = self._names.pop(name).finish(self._shelf)
        return values.alias(name), ranks.alias(name)


def time_order(
    time: NDArray[np.int64], account: NDArray[np.uint32], accounts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows by time and account, and those positions of that order that share both with a neighbour."""
    least = int(time.min(initial=0)) if time.size else 0
    spread = int(time.max(initial=0)) - least + 1 if time.size else 1
    if spread * max(accounts, 1) < 2**63:
        key = (time - least) * max(accounts, 1) + account
        order = np.argsort(key)
        key = key[order]
        same = key[1:] == key[:-1]
    else:
        order = np.lexsort((account, time))
        same = (time[order[1:]] == time[order[:-1]]) & (account[order[1:]] == account[order[:-1]])
    tied = np.zeros(order.size, bool)
    tied[1:] |= same
    tied[:-1] |= same
    return order, np.flatnonzero(tied)
