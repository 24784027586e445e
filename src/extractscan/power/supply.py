"""What a log can lend to a simulated campaign: payloads, lengths of frames, conversations, request settings and hours.

Only accounts without a finding lend: a campaign made of a real campaign's prompts would be found together with it. Payloads are
*lent*, not copied: while a campaign has them, their account is out of the log. Were it left in, it would meet the campaign in
every payload, and a stranger who draws on the very same source is a sign that the campaign itself did not leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.coverage.streams import CONVERSATION, NEAR_EMPTY, SINGLE, TURNS
from extractscan.power.csr import Ragged, gather
from extractscan.verdict.assess import severity
from extractscan.verdict.findings import SEVERITIES
from extractscan.verdict.report import worst_streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.verdict.assess import Assessment

MIN_TOKENS: Final = 3
"""Tokens of the shortest payload that is lent: *yes* and *thank you* are everybody's."""
MIN_LENT: Final = 12
"""Payloads of the smallest stream that lends: below, it is no source of a kind of text."""
REPEATED: Final = 4
"""Requests for each payload from which a stream is a test or load, not a source."""
MAIN: Final = 0.5
"""Share of its account's requests that a stream must have to lend, since the whole account leaves the log with it."""
FRAME_TOKENS: Final = (6, 200)
"""Tokens of the frames whose length is taken: a sentence of instruction at least, and short enough to leave a payload room."""
DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Supply:
    """All that a log lends.

    ``payloads`` are distinct token sequences that one account alone sent, by source: those of source ``s`` are rows ``bounds[s]`` to
    ``bounds[s + 1]``; ``source_account`` (int64, sources) is its account; ``vocabulary`` are their distinct tokens, sorted. ``frames``
    (int64, (frames, 2)) are the numbers of tokens before and after the payload in the log's frames.

    ``automated`` (int64) are rows of the log's requests that automated senders made, in the order of their accounts, whose rows are
    ``automated_bounds[a]`` to ``automated_bounds[a + 1]``; ``tokens_per_word`` are the model's tokens for each of ours in them (1 where
    the log does not count them). ``talk`` (int64) are rows of unframed conversations, by account and conversation: those of talker
    ``t`` are ``talk_bounds[t]`` to ``talk_bounds[t + 1]``, and ``talk_conversation`` (int64, numbered over the log) stands beside them.

    ``days`` (int64, microseconds of midnight UTC) are those with traffic, ``clock`` (int64) the microsecond of the day of each request
    that has a prompt, ``first_us`` and ``last_us`` the log's span. ``unframed_senders`` and ``framed_senders`` count the streams that a
    campaign without and with a frame is compared with.
    """

    payloads: Ragged
    vocabulary: NDArray[np.uint32]
    bounds: NDArray[np.int64]
    source_account: NDArray[np.int64]
    frames: NDArray[np.int64]
    automated: NDArray[np.int64]
    automated_bounds: NDArray[np.int64]
    talk: NDArray[np.int64]
    talk_bounds: NDArray[np.int64]
    talk_conversation: NDArray[np.int64]
    days: NDArray[np.int64]
    clock: NDArray[np.int64]
    first_us: int
    last_us: int
    tokens_per_word: float
    unframed_senders: int
    framed_senders: int

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Payloads of each source."""
        return np.diff(self.bounds)


def account_ranks(assessment: Assessment, accounts: int) -> NDArray[np.int64]:
    """Severity of each account by its worst stream, as in the findings: position in ``SEVERITIES`` (int64, accounts)."""
    out = np.full(accounts, SEVERITIES.index("none"))
    for account, verdict in worst_streams(assessment).items():
        out[account] = SEVERITIES.index(severity(max(0.0, verdict.bits), verdict.families))
    return out


def supply(prints: Fingerprints, streams: Streams, assessment: Assessment) -> Supply:
    """Find what a log that was scored can lend."""
    total = prints.accounts.len()
    quiet = account_ranks(assessment, total) == SEVERITIES.index("none")
    for campaign in assessment.campaigns:
        quiet[campaign.accounts] = False
    table = assessment.profiles.select("stream", "account", "family", "requests", "payloads").with_columns(
        (pl.col("requests") >= MAIN * pl.col("requests").sum().over("account")).alias("main"),
        pl.Series("quiet", quiet)[assessment.profiles["account"].to_list()],
    )
    lends = table.select(
        pl.col("quiet")
        & pl.col("main")
        & (pl.col("family") > CONVERSATION)
        & (pl.col("payloads") >= MIN_LENT)
        & (pl.col("requests") < REPEATED * pl.col("payloads"))
    ).to_series()
    payloads, bounds, source_account = _payloads(prints, streams, table, lends)
    automated, automated_bounds = _automated(prints, streams, table)
    has_prompt = np.flatnonzero((prints.requests["prompt"] >= 0).to_numpy())
    every = prints.requests["time_us"].to_numpy()
    time_us = every[has_prompt]
    talk, talk_bounds, talk_conversation = _talk(prints, streams, table, has_prompt)
    return Supply(
        payloads,
        np.unique(payloads.tokens),
        bounds,
        source_account,
        _frames(streams, table, lends),
        automated,
        automated_bounds,
        talk,
        talk_bounds,
        talk_conversation,
        np.unique(time_us // DAY_US) * DAY_US,
        time_us % DAY_US,
        int(every.min()) if every.size else 0,
        int(every.max()) if every.size else 0,
        _tokens_per_word(prints, automated),
        table.filter((pl.col("family") == SINGLE) & (pl.col("payloads") >= MIN_LENT)).height,
        table.filter((pl.col("family") >= 0) & (pl.col("payloads") >= MIN_LENT)).height,
    )


def _tokens_per_word(prints: Fingerprints, rows: NDArray[np.int64]) -> float:
    """Median of input tokens over the tokens of prompt and system prompt."""
    held = prints.requests.select("prompt", "system", "input_tokens")[rows.tolist()].drop_nulls("input_tokens")
    if not held.height:
        return 1.0
    words = np.diff(prints.prompts.offsets)[held["prompt"].to_numpy()].astype(np.float64)
    system = held["system"].to_numpy()
    framed = system >= 0
    words[framed] += np.diff(prints.systems.offsets)[system[framed]]
    return float(np.median(held["input_tokens"].to_numpy() / np.maximum(words, 1.0)))


def _payloads(
    prints: Fingerprints, streams: Streams, table: pl.DataFrame, lends: pl.Series
) -> tuple[Ragged, NDArray[np.int64], NDArray[np.int64]]:
    """Payloads that one account alone sent, by the stream that lends them."""
    texts = prints.prompts
    items = streams.items.select("stream", "account", "prompt", "front", "back", "payload")
    own = (
        items.group_by("payload")
        .agg((pl.col("account").min() == pl.col("account").max()).alias("own"))
        .filter("own")
        .select("payload")
    )
    start = texts.offsets[items["prompt"].to_numpy()] + items["front"].to_numpy()
    end = texts.offsets[items["prompt"].to_numpy() + 1] - items["back"].to_numpy()
    lent = (
        items.with_columns(pl.Series("start", start), pl.Series("end", end))
        .filter(lends[items["stream"].to_list()] & (pl.col("end") - pl.col("start") >= MIN_TOKENS))
        .join(own, on="payload", how="semi", maintain_order="left")
        .unique(["stream", "payload"], keep="first", maintain_order=True)
        .sort("stream", "payload")  # in an order that time does not know
        .filter(pl.len().over("stream") >= MIN_LENT)
    )
    stream = lent["stream"].to_numpy()
    sources, first = np.unique(stream, return_index=True)
    return (
        gather(texts.tokens, lent["start"].to_numpy(), lent["end"].to_numpy()),
        np.r_[first, stream.size].astype(np.int64),
        table["account"].to_numpy().astype(np.int64)[sources],
    )


def _frames(streams: Streams, table: pl.DataFrame, lends: pl.Series) -> NDArray[np.int64]:
    """Tokens before and after the payload, of each framed stream that lends."""
    framed = table.filter((pl.col("family") >= 0) & lends).select("stream")
    return (
        streams.items.select("stream", "front", "back")
        .join(framed, on="stream", how="semi", maintain_order="left")
        .unique("stream", keep="first", maintain_order=True)
        .filter((pl.col("front") + pl.col("back")).is_between(*FRAME_TOKENS))
        .sort("stream")
        .select("front", "back")
        .to_numpy()
        .astype(np.int64)
    )


def _automated(
    prints: Fingerprints, streams: Streams, table: pl.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the log's requests that automated senders without a finding made, and the bounds of each account's."""
    kept = table.select(
        pl.col("quiet") & ~pl.col("family").is_in([*TURNS, NEAR_EMPTY]) & (pl.col("payloads") >= MIN_LENT)
    ).to_series()
    if not kept.any():  # a log of small senders: any of them that does not converse will do
        kept = table.select(pl.col("quiet") & ~pl.col("family").is_in(TURNS)).to_series()
    rows = np.flatnonzero((prints.requests["prompt"] >= 0).to_numpy())
    rows = rows[kept.to_numpy()[streams.requests["stream"].to_numpy()]]
    account = prints.requests["account"].to_numpy()[rows]
    order = np.argsort(account, kind="stable")
    _, first = np.unique(account[order], return_index=True)
    return rows[order], np.r_[first, rows.size].astype(np.int64)


def _talk(
    prints: Fingerprints, streams: Streams, table: pl.DataFrame, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of unframed conversations of accounts without a finding, the bounds of each account's, and their conversations."""
    kept = table.select(pl.col("quiet") & (pl.col("family") == CONVERSATION)).to_series().to_numpy()
    talks = prints.requests.select("account", "conversation_id")[rows].with_columns(
        pl.Series("kept", kept[streams.requests["stream"].to_numpy()])
    )
    # Only whole conversations: one that a framed request opens, say, would be copied without its beginning.
    whole = pl.col("conversation_id").is_null() | pl.col("kept").all().over("account", "conversation_id")
    rows = rows[talks.select(pl.col("kept") & whole).to_series().to_numpy()]
    account = prints.requests["account"].to_numpy()[rows].astype(np.int64)
    # Where a log gives no conversation ids, all that an account said is one.
    named = prints.requests["conversation_id"].cast(pl.Int64).fill_null(-1).to_numpy()[rows]
    order = np.lexsort((rows, named, account))  # rows are in order of time
    rows, account, named = rows[order], account[order], named[order]
    new = np.r_[True, (account[1:] != account[:-1]) | (named[1:] != named[:-1])] if rows.size else np.zeros(0, bool)
    first = np.unique(account, return_index=True)[1]
    return rows, np.r_[first, rows.size].astype(np.int64), np.cumsum(new) - 1
