"""Conversations: which requests belong to one, and which only carry on what an earlier request has begun.

An agent that works through a task sends the task once and then, turn by turn, what its tools answered. What it was asked for is the
task; one such run is one request of its sender's, however many turns it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.units import Units

ONE_TURN: Final = 5
"""Conversations of one turn for each longer one up to which an account is taken to converse in all of them. In published chat logs
well over half of all conversations have one turn; five in six is the cautious side of that."""
RUNS: Final = 5
LONG: Final = 10
"""Conversations of an account under which they may be a list that is sent in one or a few, and the mean number of their turns above
which they are taken for that: people take a few turns, and a handful of an agent's runs hardly matters."""
NEVER_FIRST: Final = 0.1
"""Share of its conversations that a frame opens, up to which it is what later turns look like, and no way to ask."""


def conversing(requests: pl.DataFrame, first: int | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each request converses, and whether it is a later turn; false where the log does not tell.

    ``requests`` are in order of time; ``first`` is the log's first turn, None if it has none. A request converses when its turn is
    beyond the log's first (0 in some logs, 1 in others) or its conversation has several requests. For an account that holds
    conversations, those of one turn are conversing too (people ask once and leave) unless they are by far the most: then the ids are
    decoration on single requests.
    """
    named = pl.col("conversation_id").is_not_null()
    beyond = (pl.col("turn") > pl.lit(first, pl.Int64)).fill_null(value=False)
    several = (named & (pl.len().over("account", "conversation_id") > 1)) | beyond
    later = (named & (pl.int_range(pl.len()).over("account", "conversation_id") > 0)) | beyond
    marked = requests.select("account", "conversation_id", several.alias("several"), later.alias("later"))
    held = (
        marked.filter(named)
        .group_by("account", "conversation_id")
        .agg(pl.col("several").any())
        .group_by("account")
        .agg(pl.col("several").sum().alias("long"), (~pl.col("several")).sum().alias("short"))
        .select("account", ((pl.col("long") > 0) & (pl.col("short") <= ONE_TURN * pl.col("long"))).alias("converses"))
    )
    joined = marked.join(held, on="account", how="left", maintain_order="left")
    talks = joined.select(pl.col("several") | (named & pl.col("converses").fill_null(value=False))).to_series()
    return talks.to_numpy(), joined["later"].to_numpy()


def carried_on(
    requests: pl.DataFrame, unit: NDArray[np.int64], units: Units, talks: NDArray[np.bool_], later: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether each request only carries on a run that an earlier one began; ``unit`` is its unit.

    Unless an account has few conversations, and these are so long that they look like one list (see ``LONG``), that are

    * the requests of a frame that hardly ever opens one: what a tool's answers have in common;
    * later turns without a frame of their own under a system prompt that is the same in all turns.

    A later turn whose frame opens conversations too is one more item of a list.
    """
    out = np.zeros(requests.height, bool)
    rows = np.flatnonzero(talks & requests["conversation_id"].is_not_null().to_numpy())
    if not rows.size or not later[rows].any():
        return out
    account = requests["account"].to_numpy()[rows].astype(np.int64)
    talk = pl.DataFrame({"account": account, "conversation": requests["conversation_id"].gather(rows)})
    number = talk.select(pl.struct("account", "conversation").rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    long = np.bincount(number) > 1
    begun = np.bincount(account[~later[rows] & long[number]], minlength=int(account.max()) + 1)
    turns = np.bincount(account[long[number]], minlength=begun.size)
    runs = (begun >= RUNS) | (turns <= LONG * begun)
    own = unit[rows]
    total = units.account.size
    pairs = np.unique(own * (int(number.max()) + 1) + number) // (int(number.max()) + 1)
    opened = np.bincount(own[~later[rows] & long[number]], minlength=total)
    follows = (units.group >= 0) & (opened <= NEVER_FIRST * np.bincount(pairs, minlength=total))
    plain = (units.group < 0) & (units.system >= 0)
    out[rows] = runs[account] & long[number] & (follows[own] | (plain[own] & later[rows]))
    return out
