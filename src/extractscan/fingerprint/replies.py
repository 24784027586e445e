"""What is kept of a response: enough to know it again inside a later prompt, and its form.

Of each response the ``SKETCH`` smallest hashes of its runs of ``RUN`` tokens are kept (a bottom-k sketch, Broder 1997). A prompt
that holds the whole response holds all of these runs; one that quotes part of it holds that part of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.fingerprint.tokens import tokenise
from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN: Final = 5
"""Tokens of a run: five in a row are seldom common to texts that do not quote one another."""
SKETCH: Final = 4
"""Runs that are kept."""
COLUMNS: Final = tuple(f"reply_{i}" for i in range(SKETCH))
"""The columns of a sketch, uint64; 0 where a response has fewer runs or there is none."""

TAGGED: Final = r"(?s)^\s*<[\p{L}_-]{2,24}>.+</[\p{L}_-]{2,24}>\s*<[\p{L}_-]{2,24}>"
"""A section in a tag of its own, and another after it: the form in which a reasoning trace and an answer are asked for."""


@kernel
def run_hash(tokens: NDArray[np.uint32], at: int, run: int) -> np.uint64:
    """Hash of the ``run`` tokens from ``at``, never 0."""
    h = np.uint64(0xCBF29CE484222325)
    for i in range(at, at + run):
        h = np.uint64((h ^ np.uint64(tokens[i])) * np.uint64(0x100000001B3))
    # FNV mixes low bits last: the smallest hashes must not depend on the last token alone.
    h = np.uint64((h ^ (h >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15))
    return np.uint64(h | np.uint64(1))


@kernel
def _sketches(offsets: NDArray[np.int64], tokens: NDArray[np.uint32], run: int, out: NDArray[np.uint64]) -> None:
    """Fill ``out`` (texts, SKETCH) with each text's smallest distinct run hashes, ascending."""
    size = out.shape[1]
    for i in range(offsets.size - 1):
        held = 0
        for at in range(offsets[i], offsets[i + 1] - run + 1):
            h = run_hash(tokens, at, run)
            if held == size and h >= out[i, size - 1]:
                continue
            place = held
            while place > 0 and out[i, place - 1] > h:
                place -= 1
            if place > 0 and out[i, place - 1] == h:
                continue
            if held < size:
                held += 1
            for j in range(held - 1, place, -1):
                out[i, j] = out[i, j - 1]
            out[i, place] = h


def sketch_replies(response: pl.Series, jobs: int = 1) -> pl.DataFrame:
    """Sketch each response: ``COLUMNS`` and ``tagged`` (bool, null where there is no response), a row a response."""
    given = response.drop_nulls()
    if not given.len():
        return pl.DataFrame(
            {c: pl.Series([0], dtype=pl.UInt64).new_from_index(0, response.len()) for c in COLUMNS}
        ).with_columns(tagged=pl.lit(None, pl.Boolean))
    distinct = given.unique()
    tokens = tokenise(distinct, jobs=jobs)
    sketches = np.zeros((distinct.len(), SKETCH), np.uint64)
    _sketches(tokens.offsets, tokens.values, RUN, sketches)
    table = pl.DataFrame({"response": distinct, **{c: sketches[:, i] for i, c in enumerate(COLUMNS)}}).with_columns(
        pl.col("response").str.contains(TAGGED).alias("tagged")
    )
    return (
        response.rename("response")
        .to_frame()
        .join(table, on="response", how="left", maintain_order="left")
        .select(pl.col(*COLUMNS).fill_null(0), "tagged")
    )
