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
from extractscan.fingerprint.sorting import distinct, find, sort
from extractscan.jit import kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts

SAMPLE: Final = 512
"""Distinct prompts of a stream that text statistics look at: enough to bound their error at a few per cent."""
WORDS: Final = 64
"""Tokens of a payload that they look at."""
LAGS: Final = 3
"""Neighbours in time that burstiness compares a prompt with."""
CHAIN_WORDS: Final = 5
"""Distinct words of a payload from which being contained in the next one says something."""
SOON: Final = 60
"""Minutes within which the next sample of a prompt follows."""
RARE: Final = 0.1
"""A word is a topic word of a stream when at most this share of the stream's prompts have it."""


@kernel
def _text_statistics(
    bounds: NDArray[np.int64],
    prompts: NDArray[np.int64],
    front: NDArray[np.int64],
    back: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    sample: int,
    words: int,
    lags: int,
    rare: float,
    chain_words: int,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (streams, 5).

    Neighbour overlap seen and expected, payload words, distinct word pairs, chained share.
    """
    for s in range(bounds.size - 1):
        lo = bounds[s]
        n = min(bounds[s + 1] - lo, sample)
        # Distinct words of each payload, in one buffer; word pairs (a word and its follower) in another.
        starts = np.zeros(n + 1, np.int64)
        pool = np.empty(n * words, np.uint32)
        pairs = np.empty(n * words, np.uint32)
        at = 0
        pair_at = 0
        total = 0
        for m in range(n):
            i = prompts[lo + m]
            begin = offsets[i] + front[lo + m]
            end = offsets[i + 1] - back[lo + m]
            total += end - begin
            end = min(end, begin + words)
            if end > begin:
                at += distinct(tokens[begin:end], pool[at : at + end - begin])
                for j in range(begin, end - 1):
                    pairs[pair_at] = np.uint32(tokens[j] * np.uint32(0x9E3779B1)) ^ tokens[j + 1]
                    pair_at += 1
            starts[m + 1] = at
        out[s, 2] = total / n
        sort(pairs[:pair_at])
        for j in range(pair_at):
            if j == 0 or pairs[j] != pairs[j - 1]:
                out[s, 3] += 1
        if n < 2 or at == 0:
            continue
        chained = 0
        for m in range(n - 1):
            for lag in range(1, lags + 1):
                if m + lag >= n:
                    break
                mine = starts[m + 1] - starts[m]
                theirs = starts[m + lag + 1] - starts[m + lag]
                if mine < chain_words or theirs <= mine:
                    continue
                p = starts[m]
                q = starts[m + lag]
                common = 0
                while p < starts[m + 1] and q < starts[m + lag + 1]:
                    if pool[p] == pool[q]:
                        common += 1
                        p += 1
                        q += 1
                    elif pool[p] < pool[q]:
                        p += 1
                    else:
                        q += 1
                if common * 10 >= mine * 9:
                    chained += 1
                    break
        out[s, 4] = chained / (n - 1)
        # Words that are neither in one prompt only nor in many: they carry topics.
        ordered = pool[:at].copy()
        sort(ordered)
        ceiling = max(2.0, rare * n)
        topic = np.empty(at, np.uint32)
        topics = 0
        coincidences = 0.0
        start = 0
        for j in range(1, at + 1):
            if j == at or ordered[j] != ordered[start]:
                df = j - start
                if 2 <= df <= ceiling:
                    topic[topics] = ordered[start]
                    topics += 1
                    coincidences += df * (df - 1) / 2.0
                start = j
        known = topic[:topics]
        neighbours = 0
        seen = 0
        for m in range(n):
            for lag in range(1, lags + 1):
                if m + lag >= n:
                    break
                neighbours += 1
                p = starts[m]
                q = starts[m + lag]
                while p < starts[m + 1] and q < starts[m + lag + 1]:
                    if pool[p] == pool[q]:
                        if find(known, pool[p]):
                            seen += 1
                        p += 1
                        q += 1
                    elif pool[p] < pool[q]:
                        p += 1
                    else:
                        q += 1
        out[s, 0] = seen
        out[s, 1] = coincidences * neighbours / (n * (n - 1) / 2.0)


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
    numbers = np.zeros((streams.table.height, 5))
    text_of, front, back = (items[name].to_numpy() for name in ("prompt", "front", "back"))

    def part(start: int, stop: int) -> None:
        _text_statistics(
            bounds[start : stop + 1],
            text_of,
            front,
            back,
            prompts.offsets,
            prompts.tokens,
            SAMPLE,
            WORDS,
            LAGS,
            RARE,
            CHAIN_WORDS,
            numbers[start:stop],
        )

    share(part, pieces(np.minimum(np.diff(bounds), SAMPLE) + 1, 8 * jobs), jobs)
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
