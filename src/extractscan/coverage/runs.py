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
"""Conversations of several turns from which an account's later turns are told from its first."""
OTHERWISE: Final = 3.0
"""Standard errors by which the lengths of first and of later turns differ where the later ones are of another kind. Items of one list that
is sent in several conversations are of one kind wherever they stand."""
NEVER_FIRST: Final = 0.1
"""Share of its conversations that a frame opens, up to which it is what later turns look like, and no way to ask."""


def conversing(requests: pl.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each request converses, and whether it is a later turn; false where the log does not tell.

    ``requests`` are in order of time. A request converses when its turn is beyond the first of its account's (0 for some clients, 1 for
    others: who counts how must change nothing for the rest) or its conversation has several requests. For an account that holds
    conversations, those of one turn are conversing too (people ask once and leave) unless they are by far the most: then the ids are
    decoration on single requests.
    """
    named = pl.col("conversation_id").is_not_null()
    beyond = (pl.col("turn") > pl.col("turn").min().over("account")).fill_null(value=False)
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


def _of_two_kinds(
    lengths: NDArray[np.float64], later: NDArray[np.bool_], owner: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether the first and the later turns of each owner (0 to n - 1) differ in length, by Welch's t; bool (n).

    ``lengths`` are in ln of tokens. Sums are of whole numbers of thousandths, which add up alike in any order. Source: Welch, B. L. 1947,
    Biometrika 34:28-35.
    """
    total = int(owner.max(initial=-1)) + 1
    whole = np.rint(lengths * 1000.0)
    at = 2 * owner + later
    n = np.bincount(at, minlength=2 * total).astype(np.float64)
    mean = np.bincount(at, weights=whole, minlength=2 * total) / np.maximum(n, 1.0)
    square = np.bincount(at, weights=whole * whole, minlength=2 * total) / np.maximum(n, 1.0)
    error = np.maximum(square - mean * mean, 1.0) / np.maximum(n - 1.0, 1.0)
    t = (mean[::2] - mean[1::2]) / np.sqrt(error[::2] + error[1::2])
    return (np.abs(t) >= OTHERWISE) & (n[::2] >= RUNS) & (n[1::2] >= RUNS)


def carried_on(
    requests: pl.DataFrame,
    unit: NDArray[np.int64],
    units: Units,
    tokens: NDArray[np.int64],
    talks: NDArray[np.bool_],
    later: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether each request only carries on a run that an earlier one began (bool, one a row of ``requests``, in order of time).

    ``unit`` is the unit of each request, ``tokens`` the size of its prompt; ``talks`` and ``later`` are as ``conversing`` gives them. An
    account with at least ``RUNS`` conversations of several turns carries on by

    * the requests of a frame that hardly ever opens one: what a tool's answers have in common;
    * later turns without a frame of their own under a system prompt, if they are of another kind than the first (``OTHERWISE``).

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
    own = unit[rows]
    total = units.account.size
    pairs = np.unique(own * (int(number.max()) + 1) + number) // (int(number.max()) + 1)
    opened = np.bincount(own[~later[rows] & long[number]], minlength=total)
    follows = (units.group >= 0) & (opened <= NEVER_FIRST * np.bincount(pairs, minlength=total))
    plain = (units.group < 0) & (units.system >= 0)
    # What stands alone under a system prompt is compared by account and system prompt.
    alone = np.flatnonzero(plain[own] & long[number])
    sheets, sheet = np.unique(own[alone], return_inverse=True)
    kinds = _of_two_kinds(np.log1p(tokens[rows[alone]].astype(np.float64)), later[rows[alone]], sheet)
    answers = np.zeros(rows.size, bool)
    answers[alone] = kinds[sheet] & later[rows[alone]] if sheets.size else False
    out[rows] = (begun[account] >= RUNS) & long[number] & (follows[own] | answers)
    return out
