"""Conversations to what was asked and what was answered, turn by turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.logs.jsonscan import project
from extractscan.logs.jsonsplit import elements
from extractscan.logs.messages import _ASSISTANT, _MESSAGE_KEYS, _USER, _roles, parts_text
from extractscan.logs.spans import ARRAY, STRING
from extractscan.logs.textspans import raw, spread, take

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA: Final = {"row": pl.Int64(), "prompt": pl.String(), "response": pl.String()}


def turns(column: pl.Series) -> pl.DataFrame:
    """Take arrays of messages (JSON text) apart: a row of ``SCHEMA`` for each turn, ``row`` being the position in ``column``.

    A turn is a message of the user and the answer that follows it at once, if one does; an answer that follows no question
    is a turn too. Arrays of plain texts are taken as the user and the model in turn. What is no array gives no row.
    """
    buf, start, end = raw(column)
    counts, first, last, element = elements(buf, start, end)
    owner = np.repeat(np.arange(len(counts)), np.maximum(counts, 0))
    bare = element == STRING
    spans = project(buf, first, last, _MESSAGE_KEYS)
    begun = np.r_[True, owner[1:] != owner[:-1]] if owner.size else np.zeros(0, np.bool_)
    place = np.arange(owner.size) - np.maximum.accumulate(np.where(begun, np.arange(owner.size), 0))
    role = np.where(bare, np.where(place % 2 == 0, _USER, _ASSISTANT), _roles(buf, spans))
    texts = _texts(buf, first, last, bare, spans.start[1], spans.end[1], spans.kind[1])
    table = pl.DataFrame({"row": owner.astype(np.int64), "role": role.astype(np.int64), "text": texts}).filter(
        pl.col("role").is_in([_USER, _ASSISTANT]) & pl.col("text").is_not_null()
    )
    same = pl.col("row") == pl.col("row").shift(-1)
    answered = same & (pl.col("role") == _USER) & (pl.col("role").shift(-1) == _ASSISTANT)
    table = table.with_columns(
        prompt=pl.when(pl.col("role") == _USER).then("text"),
        response=pl.when(answered.fill_null(value=False))
        .then(pl.col("text").shift(-1))
        .otherwise(pl.when(pl.col("role") == _ASSISTANT).then("text")),
        taken=(answered.fill_null(value=False)).shift(1).fill_null(value=False),
    )
    return table.filter(~pl.col("taken")).select(pl.col(n).cast(t) for n, t in SCHEMA.items())


def _texts(
    buf: NDArray[np.uint8],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    bare: NDArray[np.bool_],
    start: NDArray[np.int32],
    end: NDArray[np.int32],
    kind: NDArray[np.uint8],
) -> pl.Series:
    plain, _ = take(
        buf,
        np.where(bare, first, start),
        np.where(bare, last, end),
        np.where(bare | (kind == STRING), STRING, 0).astype(np.uint8),
    )
    listed = np.flatnonzero((kind == ARRAY) & ~bare)
    if not listed.size:
        return plain
    parts = spread(listed, parts_text(buf, start[listed], end[listed]), plain.len())
    return plain.to_frame("a").with_columns(parts.alias("b")).select(pl.coalesce("a", "b").alias("text"))["text"]
