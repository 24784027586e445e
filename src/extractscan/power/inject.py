"""Campaigns into a log: rows, texts and accounts that nothing but what the campaign does gives away.

* Settings and output lengths of every request are those of a random automated request of the log, accounts being equally likely, so
  that they speak neither for nor against an injected account.
* An account has an organisation, a payment, an address and an end user of its own where the log's accounts have one: nothing of
  this kind ties a campaign together.
* Times are spread over the days of the log with its own hours of the day.
* Cover is whole conversations of the log's own accounts, begun at another time.

Accounts and values that come new sort after the log's own, so that the log's rows keep their order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.fingerprint.replies import COLUMNS as REPLIES
from extractscan.fingerprint.requests import Fingerprints, Texts
from extractscan.power.csr import Ragged, gather, stack
from extractscan.power.supply import DAY_US

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from extractscan.power.draft import Draft
    from extractscan.power.supply import Supply

OWN: Final = ("org_id", "payment_id", "ip", "end_user")
"""Columns in which an injected account has a value of its own."""
JITTER_US: Final = 1_800_000_000
"""Half an hour either way: no injected request is sent at the very moment of one of the log's."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A log with campaigns in it; the accounts of campaign ``i`` are ``accounts[bounds[i]:bounds[i + 1]]`` (numbers, all new)."""

    prints: Fingerprints
    first_account: int
    bounds: NDArray[np.int64]

    def accounts_of(self, campaign: int) -> NDArray[np.int64]:
        """Account numbers of a campaign."""
        return self.first_account + np.arange(self.bounds[campaign], self.bounds[campaign + 1])


def inject(prints: Fingerprints, supply: Supply, drafts: Sequence[Draft], rng: np.random.Generator) -> Injected:
    """Put campaigns into a log, and take the accounts out that lent to them."""
    bounds = np.r_[np.int64(0), np.cumsum([d.loads.size for d in drafts])].astype(np.int64)
    known = prints.accounts.len()
    texts = stack([d.texts for d in drafts])
    prompts, old_place, new_place = _with_texts(prints.prompts, texts, rng)
    log = prints.requests.with_columns(_moved(pl.col("prompt"), prints.requests["prompt"], old_place))
    log = log.cast({"prompt": prints.requests.schema["prompt"]})
    owner = known + np.repeat(np.arange(int(bounds[-1])), np.concatenate([d.loads for d in drafts]))
    account_row = _automated_rows(supply, int(bounds[-1]), rng)
    harvest = _harvest(log, supply, owner, known, account_row, new_place, texts.lengths, rng)
    parts = [harvest]
    fresh = _beyond(log, "conversation_id") + owner.size
    if any(d.cover.size for d in drafts):
        parts.append(_covers(log, supply, drafts, bounds[:-1] + known, known, account_row, fresh, rng))
    lenders = np.unique(supply.source_account[np.concatenate([d.sources for d in drafts])])
    kept = log.filter(~pl.col("account").is_in(pl.Series(lenders, dtype=pl.UInt32).implode()))
    requests = pl.concat([kept, *parts]).sort("time_us", "account", maintain_order=True)
    return Injected(
        replace(prints, requests=requests, prompts=prompts, accounts=_named(prints.accounts, int(bounds[-1]))),
        known,
        bounds,
    )


def _named(accounts: pl.Series, more: int) -> pl.Series:
    """Account ids with new ones after them: an id sorts after that of which it is the longer."""
    last = accounts[-1] if accounts.len() else ""
    return pl.concat([accounts, pl.Series([f"{last}~{i:08d}" for i in range(more)], dtype=pl.String)])


def _with_texts(
    texts: Texts, new: Ragged, rng: np.random.Generator
) -> tuple[Texts, NDArray[np.int64], NDArray[np.int64]]:
    """Texts with new ones in the order of their hashes; the place of each old and of each new one.

    Hashes of new texts are drawn: no text stands behind them, and all that is asked of a hash is to be its text's alone.
    """
    hashes = rng.integers(0, 1 << 64, len(new), dtype=np.uint64)
    while np.unique(hashes).size < hashes.size or np.isin(hashes, texts.hashes).any():
        hashes = rng.integers(0, 1 << 64, len(new), dtype=np.uint64)
    both = np.concatenate([texts.hashes, hashes])
    order = np.argsort(both, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    starts = np.concatenate([texts.offsets[:-1], texts.tokens.size + new.offsets[:-1]])
    ends = np.concatenate([texts.offsets[1:], texts.tokens.size + new.offsets[1:]])
    laid = gather(np.concatenate([texts.tokens, new.tokens]), starts[order], ends[order])
    # Characters are not known of tokens: as many for each as the log's texts have.
    mean = texts.chars.sum() / max(texts.tokens.size, 1)
    chars = np.concatenate([texts.chars, np.rint(new.lengths * mean).astype(np.int64)])[order]
    old = len(texts)
    return Texts(both[order], laid.offsets, laid.tokens, chars), place[:old], place[old:]


def _moved(column: pl.Expr, held: pl.Series, place: NDArray[np.int64]) -> pl.Expr:
    """Positions of texts after new ones came between; -1 stays."""
    at = held.to_numpy()
    moved = np.where(at >= 0, place[np.maximum(at, 0)], -1) if place.size else at
    return pl.lit(pl.Series(moved)).alias(column.meta.output_name())


def _automated_rows(supply: Supply, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Random automated requests of the log: an account, then one of its requests."""
    first, sizes = supply.automated_bounds[:-1], np.diff(supply.automated_bounds)
    who = rng.integers(sizes.size, size=count)
    return supply.automated[first[who] + (rng.random(count) * sizes[who]).astype(np.int64)]


def _moments(supply: Supply, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Times within the log's span: a day with traffic, and about the time of day of a random request."""
    out = np.empty(count, np.int64)
    open_rows = np.arange(count)
    for _ in range(64):  # the first and the last day are rarely whole: what falls outside is drawn again
        size = open_rows.size
        out[open_rows] = (
            rng.choice(supply.days, size)
            + (rng.choice(supply.clock, size) + rng.integers(-JITTER_US, JITTER_US, size)) % DAY_US
        )
        open_rows = open_rows[(out[open_rows] < supply.first_us) | (out[open_rows] > supply.last_us)]
        if not open_rows.size:
            break
    return np.clip(out, supply.first_us, supply.last_us)


def _codes(values: NDArray[np.int64], present: pl.Expr) -> pl.Expr:
    return pl.when(present).then(pl.lit(pl.Series(values, dtype=pl.UInt32)))


def _beyond(log: pl.DataFrame, name: str) -> int:
    """Least code that the log does not use."""
    highest = log[name].max()
    return int(highest) + 1 if isinstance(highest, int) else 0


def _own(log: pl.DataFrame, owner: NDArray[np.int64], known: int, account_row: NDArray[np.int64]) -> list[pl.Expr]:
    """What an account has for itself: new codes where its pattern has one, and its pattern's program."""
    pattern = log[account_row[owner - known].tolist()]
    own = [_codes(_beyond(log, name) + owner - known, pl.lit(pattern[name].is_not_null())).alias(name) for name in OWN]
    return [*own, pl.lit(pattern["user_agent"]).alias("user_agent")]


def _harvest(
    log: pl.DataFrame,
    supply: Supply,
    owner: NDArray[np.int64],
    known: int,
    account_row: NDArray[np.int64],
    prompt: NDArray[np.int64],
    tokens: NDArray[np.int64],
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Rows of the campaigns' own requests."""
    rows: pl.DataFrame = log[_automated_rows(supply, owner.size, rng).tolist()]
    pattern = log[account_row[owner - known].tolist()]
    conversation = _beyond(log, "conversation_id") + np.arange(owner.size)
    size = pl.Series(np.rint(tokens * supply.tokens_per_word).astype(np.int64))
    return rows.with_columns(
        pl.Series("account", owner, dtype=pl.UInt32),
        pl.Series("time_us", _moments(supply, owner.size, rng)),
        pl.Series("prompt", prompt).cast(log.schema["prompt"]),
        pl.lit(-1, log.schema["system"]).alias("system"),
        pl.when(pl.lit(pattern["turn"].is_not_null())).then(log["turn"].min()).cast(log.schema["turn"]).alias("turn"),
        pl.when(pl.col("input_tokens").is_not_null())
        .then(pl.lit(size))
        .cast(log.schema["input_tokens"])
        .alias("input_tokens"),
        # Who numbers conversations numbers all of them, so that this goes by the account.
        _codes(conversation, pl.lit(pattern["conversation_id"].is_not_null())).alias("conversation_id"),
        # No response was given: what is kept of the pattern's belongs to another prompt.
        *(pl.lit(0, log.schema[name]).alias(name) for name in REPLIES),
        *_own(log, owner, known, account_row),
    )


def _covers(
    log: pl.DataFrame,
    supply: Supply,
    drafts: Sequence[Draft],
    first_account: NDArray[np.int64],
    known: int,
    account_row: NDArray[np.int64],
    fresh: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Rows of cover traffic: conversations of the log, under new ids, begun at another time."""
    at = np.concatenate([d.cover for d in drafts])
    owner = np.concatenate(
        [
            first + np.repeat(np.arange(d.loads.size), np.diff(d.cover_bounds))
            for first, d in zip(first_account, drafts, strict=True)
        ]
    )
    rows: pl.DataFrame = log[supply.talk[at].tolist()]
    _, talk = np.unique(np.stack([owner, supply.talk_conversation[at]]), axis=1, return_inverse=True)
    talk = talk.ravel()
    time_us = rows["time_us"].to_numpy()
    begin = np.full(int(talk.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(begin, talk, time_us)
    end = np.zeros(begin.size, np.int64)
    np.maximum.at(end, talk, time_us)
    start = np.maximum(np.minimum(_moments(supply, begin.size, rng), supply.last_us - (end - begin)), supply.first_us)
    return rows.with_columns(
        pl.Series("account", owner, dtype=pl.UInt32),
        pl.Series("time_us", time_us - begin[talk] + start[talk]),
        _codes(fresh + talk, pl.col("conversation_id").is_not_null()).alias("conversation_id"),
        *_own(log, owner, known, account_row),
    )
