"""What each stream looks like, in numbers that need no vocabulary.

Everything is measured on token hashes, in any language and script, over at most ``SAMPLE`` distinct prompts of a stream in the
order in which they were first sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.coverage import enumeration
from extractscan.coverage.chaining import returned
from extractscan.coverage.neighbours import SAMPLE, text_statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts

SOON: Final = 60
"""Minutes within which the next sample of a prompt follows."""


def _resampled(requests: pl.DataFrame, total: int) -> NDArray[np.float64]:
    """Share of each stream's requests that repeat the item of the request before, soon after it."""
    stream, item, time = (requests[c].to_numpy() for c in ("stream", "item", "time_us"))
    order = np.argsort(stream, kind="stable")  # requests are in order of time
    stream, item, time = stream[order], item[order], time[order]
    again = (stream[1:] == stream[:-1]) & (item[1:] == item[:-1]) & (time[1:] - time[:-1] <= SOON * 60_000_000)
    repeats = np.bincount(stream[1:][again], minlength=total)
    return repeats / np.maximum(np.bincount(stream, minlength=total), 1)


def tells_turns(requests: pl.DataFrame) -> bool:
    """Whether requests say anything of conversations."""
    return bool((requests["conversation_id"].is_not_null() | requests["turn"].is_not_null()).any())


def profile(streams: Streams, prompts: Texts, *, jobs: int = 1, knows_turns: bool | None = None) -> pl.DataFrame:
    """Measure every stream; one row a stream, in the order of ``streams.table``, of which it keeps the columns.

    ``knows_turns`` says whether the log has turns or conversations, where these are not all of its streams.

    Adds ``prompts`` (distinct), ``payloads`` (distinct), ``conversing`` (share of requests in conversations of several turns, null
    if the log cannot tell), ``topic_words_seen`` and ``topic_words_expected`` (topic words that neighbours in time share, and
    how many they would in random order), ``payload_words`` (mean tokens), ``distinct_word_pairs`` (of the sample), ``chained``
    (share of payloads that grow into one of the next few), ``repeats`` and ``repeats_expected`` (of prompts that fill a grid of
    slots: see ``enumeration``), ``returned`` (share of responses that return in a next prompt, null if unknown), ``tagged`` (share
    of responses that begin with a tagged section, null if unknown), ``resampled`` (share of requests that repeat the stream's
    previous request within ``SOON`` minutes), ``output_tokens`` and ``input_tokens`` (medians), ``highest_temperature``,
    ``harvest_flags`` (share of requests with several samples or log-probabilities), ``end_users``, ``first_us`` and ``last_us``.
    """
    items = streams.items
    stream = items["stream"].to_numpy()
    bounds = np.searchsorted(stream, np.arange(streams.table.height + 1)).astype(np.int64)
    text_of, front, back = (items[name].to_numpy() for name in ("prompt", "front", "back"))
    numbers = text_statistics(bounds, text_of, front, back, prompts.offsets, prompts.tokens, jobs=jobs)
    sampled = np.minimum(np.diff(bounds), SAMPLE)
    repeats, chance = enumeration.repeats(stream, items, sampled >= enumeration.DENSE * numbers[:, 3], prompts)
    requests = streams.requests
    if knows_turns is None:
        knows_turns = tells_turns(requests)
    measured = (
        requests.group_by("stream")
        .agg(
            pl.col("turns").mean().alias("conversing"),
            pl.col("output_tokens").median(),
            pl.col("input_tokens").median(),
            pl.col("temperature").max().alias("highest_temperature"),
            ((pl.col("n") > 1).fill_null(value=False) | pl.col("logprobs").fill_null(value=False))
            .mean()
            .alias("harvest_flags"),
            pl.col("tagged").mean(),
            pl.col("end_user").n_unique().alias("end_users"),
            pl.col("end_user").null_count().alias("without_user"),
            pl.col("time_us").min().alias("first_us"),
            pl.col("time_us").max().alias("last_us"),
        )
        .sort("stream")
        .with_columns(
            pl.when(pl.lit(knows_turns)).then(pl.col("conversing")).alias("conversing"),
            (pl.col("end_users") - (pl.col("without_user") > 0).cast(pl.Int64)).alias("end_users"),
        )
        .drop("without_user")
    )
    distinct = items.group_by("stream").agg(pl.len().alias("prompts"), pl.col("payload").n_unique().alias("payloads"))
    return (
        streams.table.with_columns(
            pl.Series("topic_words_seen", numbers[:, 0]),
            pl.Series("topic_words_expected", numbers[:, 1]),
            pl.Series("payload_words", numbers[:, 2]),
            pl.Series("distinct_word_pairs", numbers[:, 3]),
            pl.Series("chained", numbers[:, 4]),
            pl.Series("repeats", repeats),
            pl.Series("repeats_expected", chance),
            pl.Series("returned", returned(requests, prompts, streams.table.height), nan_to_null=True),
            pl.Series("resampled", _resampled(requests, streams.table.height)),
        )
        .join(measured, on="stream", how="left", maintain_order="left")
        .join(distinct, on="stream", how="left", maintain_order="left")
    )
