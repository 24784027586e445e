"""Which responses of a log recur in a data set.

Of a response the fingerprints keep the ``SKETCH`` smallest hashes of its runs of five tokens. A response of the data set that holds the
whole response of the log holds all of these runs; one that was cut or reworded holds part of them. A run weighs by how
rare it is among the data set's responses and among the log's accounts (see ``terms``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.fingerprint.replies import COLUMNS, RUN, run_hash
from extractscan.jit import kernel
from extractscan.trace.terms import buckets_of, find, surprises, weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.tokens import Tokens

ALIKE: Final = 0.5
"""Share of a sketch, by weight, that must recur for a match: each run of five outlives a light rewording more often than not."""
FEWEST: Final = 2
"""Runs that a sketch must have, and share: no turn of phrase makes a match."""
PART: Final = 0.25
"""Share from which a pair is kept at all: one run of four. Less is no likeness."""
SCALE: Final = 1 << 20
MOST_PAIRS: Final = 100_000
"""Pairs of a response and an item that one run may bring together; a run that would bring more tells nobody apart."""
FOUND: Final = {
    "sketch": pl.Int64(),
    "r": pl.Int64(),
    "response": pl.Float64(),
    "runs": pl.Int64(),
    "surprise": pl.Float64(),
}
"""Columns of what ``find_responses`` finds."""


@kernel
def _hits(
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    run: int,
    wanted: NDArray[np.uint64],
    buckets: NDArray[np.int64],
) -> tuple[list[np.int64], list[np.int64]]:
    """Responses of the data set and positions in ``wanted`` (sorted run hashes) of the runs that they hold."""
    out_item = [np.int64(0) for _ in range(0)]
    out_run = [np.int64(0) for _ in range(0)]
    seen = np.full(wanted.size, -1, np.int64)
    for i in range(offsets.size - 1):
        for at in range(offsets[i], offsets[i + 1] - run + 1):
            place = find(run_hash(tokens, at, run), wanted, buckets)
            if place >= 0 and seen[place] != i:
                seen[place] = i
                out_item.append(np.int64(i))
                out_run.append(np.int64(place))
    return out_item, out_run


def distinct_sketches(requests: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sketches of the log with at least ``FEWEST`` runs, each once, as rows ``sketch`` and ``COLUMNS``; and of each request its sketch.

    The second table has ``sketch`` (Int64, null where a request has no response, or one too short), a row a request.
    """
    enough = pl.col(COLUMNS[FEWEST - 1]) != 0
    requests = requests.select(pl.col(COLUMNS).cast(pl.UInt64))
    distinct = requests.filter(enough).unique().sort(COLUMNS).with_row_index("sketch")
    distinct = distinct.with_columns(pl.col("sketch").cast(pl.Int64))
    of_request = requests.join(distinct, on=COLUMNS, how="left", maintain_order="left").select("sketch")
    return distinct, of_request


def find_responses(items: Tokens, sketches: pl.DataFrame, held: pl.DataFrame, accounts: int) -> pl.DataFrame:
    """Find the sketches of the log of which at least ``PART`` recurs in a response of the data set.

    ``sketches`` is the first table of ``distinct_sketches``; ``held`` the distinct pairs ``account``, ``sketch`` of the log's ``accounts``.
    Returns rows of ``FOUND``: ``r`` is the position in ``items``, ``response`` the share that recurs, in [0, 1], ``runs`` how many do, and
    ``surprise`` in nats how unlikely that is by coincidence.
    """
    long = (
        sketches.unpivot(COLUMNS, index="sketch", value_name="run").filter(pl.col("run") != 0).select("sketch", "run")
    )
    runs = long.select("run").unique().sort("run").with_row_index("number")
    wanted = runs["run"].to_numpy()
    if not wanted.size or not len(items):
        return pl.DataFrame(schema=FOUND)
    item, number = _hits(items.offsets, items.values, RUN, wanted, buckets_of(wanted))
    hits = pl.DataFrame({"item": np.array(item, np.int64), "number": np.array(number, np.int64)})
    long = long.join(runs.with_columns(pl.col("number").cast(pl.Int64)), on="run").select("sketch", "number")
    sent = held.join(long, on="sketch").select("account", "number").unique().group_by("number").len("sent")
    carried = hits.group_by("number").len("carried")
    table = (
        runs.select(pl.col("number").cast(pl.Int64))
        .join(sent, on="number", how="left")
        .join(carried, on="number", how="left")
        .sort("number")
        .select(pl.col("sent").fill_null(0), pl.col("carried").fill_null(0))
    )
    often = long.group_by("number").len().sort("number")["len"].to_numpy().astype(np.int64)
    # A run that no item has is as rare as one that a single item has.
    carriers = table["carried"].to_numpy().astype(np.int64)
    weight = weights(np.maximum(carriers, 1), len(items), table["sent"].to_numpy().astype(np.int64), accounts)
    texts = sketches.height
    weighed = pl.DataFrame(
        {
            "number": np.arange(weight.size),
            # Whole numbers, so that a sum does not hang on its order.
            "weight": np.round(weight * SCALE).astype(np.int64),
            "surprise": np.round(surprises(often, texts, carriers, len(items)) * SCALE).astype(np.int64),
            "hot": carriers * often > MOST_PAIRS,
        }
    )
    long = long.join(weighed, on="number").filter(~pl.col("hot"))
    whole = long.group_by("sketch").agg(pl.col("weight").sum().alias("whole"))
    return (
        hits.join(long.drop("hot"), on="number")
        .group_by("sketch", "item")
        .agg(pl.len().cast(pl.Int64).alias("runs"), pl.col("weight", "surprise").sum())
        .join(whole, on="sketch")
        .with_columns(response=(pl.col("weight") / pl.col("whole")).clip(0.0, 1.0))
        .filter(pl.col("response") >= PART - 1e-9)
        .select("sketch", pl.col("item").alias("r"), "response", "runs", pl.col("surprise") / SCALE)
        .cast(FOUND)  # type: ignore[arg-type]
        .sort("sketch", "r")
    )


def comparable(items: Tokens) -> NDArray[np.bool_]:
    """Whether a response of the data set is long enough to be known again."""
    return np.asarray(np.diff(items.offsets) >= RUN + FEWEST - 1)
