"""Conversations to what was asked and what was answered, turn by turn."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from extractscan.logs import messages
from extractscan.logs.jsonsplit import elements, owners
from extractscan.logs.spans import ABSENT, STRING
from extractscan.logs.textspans import raw, take

SCHEMA: Final = {"row": pl.Int64(), "prompt": pl.String(), "response": pl.String()}


def turns(column: pl.Series) -> pl.DataFrame:
    """Take arrays of messages (JSON text) apart: a row of ``SCHEMA`` for each turn, ``row`` being the position in ``column``.

    A turn is a message of the user and the first answer to it, if there is one. Arrays of plain texts are taken as the user and
    the model in turn. What is no array gives no row.
    """
    buf, start, end = raw(column)
    spoken = messages.turns(buf, start, end).select(pl.col("@owner").alias("row"), "prompt", "response")
    counts, first, last, kind = elements(buf, start, end)
    owner = owners(counts)
    texts, _ = take(buf, first, last, np.where(kind == STRING, kind, ABSENT).astype(np.uint8))
    bare = pl.DataFrame({"row": owner.astype(np.int64), "text": texts}).with_columns(
        place=pl.int_range(pl.len()).over("row")
    )
    asked = (
        bare.with_columns(response=pl.col("text").shift(-1).over("row"))
        .filter((pl.col("place") % 2 == 0) & pl.col("text").is_not_null())
        .select("row", pl.col("text").alias("prompt"), "response")
    )
    return pl.concat([spoken, asked.cast(SCHEMA)]).sort("row", maintain_order=True).cast(SCHEMA)  # type: ignore[arg-type]
