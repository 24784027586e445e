"""Streams: what is scored.

An account's requests fall into

* one stream for each frame family that it uses (``family`` >= 0),
* its unframed single-turn requests (``SINGLE``),
* its unframed conversations (``CONVERSATION``),
* its single requests with next to nothing in them (``NEAR_EMPTY``).

An account's own score is that of its worst stream, so that cover traffic does not dilute a harvest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.coverage.frames import without
from extractscan.coverage.openers import natural_groups
from extractscan.coverage.sheets import framed_sheets
from extractscan.coverage.units import families_of_units, units_of
from extractscan.fingerprint.tallies import distinct_values
from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.sheets import Sheets
    from extractscan.coverage.units import Units
    from extractscan.fingerprint.requests import Fingerprints

SINGLE: Final = -1
CONVERSATION: Final = -2
NEAR_EMPTY: Final = -3

MOSTLY: Final = 0.5
MOSTLY_MIN: Final = 10
"""Share of an account's requests, and their number, from which near-empty turns are no small talk."""
FEW_WORDS: Final = 1
"""Most tokens of a prompt that asks nothing."""

ONE_TURN: Final = 5
"""Conversations of one turn for each longer one up to which an account is taken to converse in all of them. In published chat logs
well over half of all conversations have one turn; five in six is the cautious side of that."""


VARIED: Final = 0.5
VARIED_MIN: Final = 5
"""Distinct system prompts for each request of a stream, and their number, from which they are part of the payload."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Streams of all accounts, their items and their requests.

    ``table`` has a row a stream, sorted by account and family: ``stream`` (int64, row number), ``account``, ``family`` (int64;
    ``SINGLE``, ``CONVERSATION``, ``NEAR_EMPTY`` or a frame family), ``requests``. ``items`` has a row for each distinct prompt of a stream:
    ``stream``, ``account``, ``prompt``, ``times`` (requests), ``front`` and ``back`` (tokens that belong to the frame), ``payload`` (uint64
    hash of the tokens between), sorted by stream and first use. ``requests`` are the fingerprints' rows that have a
    prompt, with ``stream`` and ``item`` (row in ``items``), in order of time. ``frame_words`` maps a family to the size of its
    skeleton.
    """

    table: pl.DataFrame
    items: pl.DataFrame
    requests: pl.DataFrame
    frame_words: dict[int, int]


@kernel
def payload_hashes(
    prompts: NDArray[np.int64],
    front: NDArray[np.int64],
    back: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
) -> NDArray[np.uint64]:
    """FNV-1a over the tokens of each payload."""
    out = np.empty(prompts.size, np.uint64)
    for i in range(prompts.size):
        h = np.uint64(0xCBF29CE484222325)
        for j in range(offsets[prompts[i]] + front[i], offsets[prompts[i] + 1] - back[i]):
            h = np.uint64((h ^ np.uint64(tokens[j])) * np.uint64(0x100000001B3))
        out[i] = h
    return out


def _turns(requests: pl.DataFrame, first: int | None) -> pl.Series:
    """Whether each request is part of conversing; false where the log does not tell. ``first`` is the log's first turn.

    A request converses when its turn is beyond the log's first (0 in some logs, 1 in others) or its conversation has several
    requests. For an account that holds conversations, those of one turn are conversing too (people ask once and leave)
    unless they are by far the most: then the ids are decoration on single requests.
    """
    several = (pl.col("conversation_id").is_not_null() & (pl.len().over("account", "conversation_id") > 1)) | (
        pl.col("turn") > pl.lit(first, pl.Int64)
    ).fill_null(value=False)
    marked = requests.select("account", "conversation_id", several.alias("several"))
    held = (
        marked.filter(pl.col("conversation_id").is_not_null())
        .group_by("account", "conversation_id")
        .agg(pl.col("several").any())
        .group_by("account")
        .agg(pl.col("several").sum().alias("long"), (~pl.col("several")).sum().alias("short"))
        .select("account", ((pl.col("long") > 0) & (pl.col("short") <= ONE_TURN * pl.col("long"))).alias("converses"))
    )
    return marked.join(held, on="account", how="left", maintain_order="left").select(
        (
            pl.col("several") | (pl.col("conversation_id").is_not_null() & pl.col("converses").fill_null(value=False))
        ).alias("turns")
    )["turns"]


def _with_systems(
    payload: NDArray[np.uint64],
    system: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    stream: NDArray[np.int64],
    requests: NDArray[np.int64],
) -> NDArray[np.uint64]:
    """Payloads of items, to which the system prompt belongs where a stream changes it from request to request.

    What changes is no frame: a role-play grid may have all of its slots in the system prompt.
    """
    width = int(system.max(initial=-1)) + 2
    pairs = distinct_values(stream * width + system + 1)
    distinct = np.bincount(pairs // width, weights=pairs % width > 0, minlength=requests.size)
    varied = (distinct >= VARIED_MIN) & (distinct >= VARIED * requests)
    # By the hash of the system prompt, which is the same whatever else is in the log; none mixes nothing in.
    mixed = payload ^ np.r_[hashes, np.uint64(0)][system] * np.uint64(0x9E3779B97F4A7C15)
    return np.where(varied[stream], mixed, payload)


def find_streams(prints: Fingerprints, *, jobs: int = 1) -> Streams:
    """Split every account's requests into streams."""
    sheets = framed_sheets(prints, jobs=jobs)
    sheets = replace(sheets, frames=without(sheets.frames, natural_groups(sheets, prints.prompts)))
    units = units_of(sheets, prints.systems)
    turn = sheets.requests["turn"].min()
    first = turn if isinstance(turn, int) else None
    return streams_of(sheets, units, families_of_units(units), prints, first_turn=first)


def streams_of(
    sheets: Sheets, units: Units, family_of_unit: NDArray[np.int64], prints: Fingerprints, *, first_turn: int | None
) -> Streams:
    """Streams by the families of units; ``first_turn`` is the log's first turn, None if it has none."""
    requests, prompts, item, frames = sheets.requests, sheets.prompts, sheets.item, sheets.frames
    texts = prints.prompts
    words: dict[int, int] = {}
    for family, size in zip(family_of_unit.tolist(), np.diff(units.skeleton_offsets).tolist(), strict=True):
        if family >= 0:
            words[family] = max(size, words.get(family, 0))

    # From here on by stream: an item splits where its requests do (unframed, in and outside conversations). What is as long as the log
    # is let go as soon as it has served.
    turns = _turns(requests, first_turn).to_numpy()
    family = family_of_unit[units.of_item][item]
    family = np.where(family >= 0, family, np.where(turns, CONVERSATION, SINGLE))
    account = requests["account"].to_numpy().astype(np.int64)
    few = np.diff(texts.offsets)[requests["prompt"].to_numpy()] <= FEW_WORDS
    # People say *ok* now and then in a conversation; who says hardly anything else is not conversing.
    mostly = np.bincount(account, weights=few) >= np.maximum(MOSTLY * np.bincount(account), MOSTLY_MIN)
    family = np.where(few & (~turns | mostly[account]), NEAR_EMPTY, family)
    width = int(family.max(initial=0)) + 4
    keys = account * width + family + 3
    del account, family, few
    stream_keys, stream, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    table = pl.DataFrame(
        {
            "stream": np.arange(stream_keys.size),
            "account": (stream_keys // width).astype(np.uint32),
            "family": stream_keys % width - 3,
            "requests": sizes.astype(np.int64),
        }
    )
    np.multiply(stream, prompts.size + 1, out=keys)
    keys += item
    pairs, first, number, sent = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    del keys
    order = np.lexsort((first, pairs // (prompts.size + 1)))  # by stream and first use: requests are in order of time
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    requests = requests.with_columns(
        pl.Series("turns", turns), pl.Series("stream", stream.astype(np.int64)), pl.Series("item", place[number])
    )
    del turns, stream, number, place, first
    of_stream, sheet_item = np.divmod(pairs[order], prompts.size + 1)
    sent = sent[order].astype(np.int64)
    del pairs, order
    payload = payload_hashes(prompts, frames.front, frames.back, texts.offsets, texts.tokens)[sheet_item]
    items = pl.DataFrame(
        {
            "stream": of_stream,
            "account": table["account"].to_numpy()[of_stream],
            "prompt": prompts[sheet_item],
            "times": sent,
            "front": frames.front[sheet_item],
            "back": frames.back[sheet_item],
            "payload": _with_systems(payload, sheets.system[sheet_item], prints.systems.hashes, of_stream, sizes),
        }
    )
    return Streams(table, items, requests, words)
