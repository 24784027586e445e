"""Streams: what is scored.

An account's requests fall into

* one stream for each frame family that it uses (``family`` >= 0),
* its unframed single-turn requests (``SINGLE``),
* its unframed conversations (``CONVERSATION``).

An account's own score is that of its worst stream, so that cover traffic does not dilute a harvest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.coverage.families import families
from extractscan.coverage.frames import Frames, find_frames
from extractscan.fingerprint.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints

SINGLE: Final = -1
CONVERSATION: Final = -2

ONE_TURN: Final = 3
"""Conversations of one turn for each longer one up to which an account is taken to converse in all of them."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Streams of all accounts, their items and their requests.

    ``table`` has a row a stream, sorted by account and family: ``stream`` (int64, row number), ``account``, ``family`` (int64;
    ``SINGLE``, ``CONVERSATION`` or a frame family), ``requests``. ``items`` has a row for each distinct prompt of a stream:
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
def _payload_hashes(
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


def _skeletons(
    units: pl.DataFrame, frames: Frames, prints: Fingerprints
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Skeleton of each unit: the words of its system prompt and of its inline frame, sorted and distinct, in CSR form."""
    systems = prints.systems
    parts: list[NDArray[np.uint32]] = []
    for system, group in units.select("system", "group").iter_rows():
        words = systems.tokens[systems.offsets[system] : systems.offsets[system + 1]] if system >= 0 else None
        inline = frames.skeleton[frames.skeleton_offsets[group] : frames.skeleton_offsets[group + 1]]
        if words is None:
            parts.append(inline if group >= 0 else np.empty(0, np.uint32))
        else:
            parts.append(np.unique(np.concatenate([words, inline]) if group >= 0 else words))
    sizes = np.array([p.size for p in parts], np.int64)
    return np.r_[np.int64(0), np.cumsum(sizes)], np.concatenate(parts) if parts else np.empty(0, np.uint32)


def _turns(requests: pl.DataFrame) -> pl.Series:
    """Whether each request is part of conversing; false where the log does not tell.

    A request converses when its turn is beyond the first or its conversation has several requests. For an account that holds
    conversations, those of one turn are conversing too (people ask once and leave) unless they are by far the most: then the
    ids are decoration on single requests.
    """
    several = (pl.col("conversation_id").is_not_null() & (pl.len().over("account", "conversation_id") > 1)) | (
        pl.col("turn") > 0
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


def find_streams(prints: Fingerprints) -> Streams:
    """Split every account's requests into streams."""
    requests = prints.requests.filter(pl.col("prompt") >= 0)
    sheet_items = (
        requests.group_by("account", "system", "prompt")
        .agg(pl.len().alias("times"))
        .sort("account", "system", "prompt")
    )
    sheet_change = sheet_items.select(
        ((pl.col("account") != pl.col("account").shift()) | (pl.col("system") != pl.col("system").shift())).fill_null(
            value=True
        )
    ).to_series()
    bounds = np.r_[sheet_change.arg_true().to_numpy().astype(np.int64), np.int64(sheet_items.height)]
    prompts = sheet_items["prompt"].to_numpy()
    frames = find_frames(bounds, prompts, prints.prompts.offsets, prints.prompts.tokens)
    sheet_items = sheet_items.with_columns(
        pl.Series("group", frames.group), pl.Series("front", frames.front), pl.Series("back", frames.back)
    )
    units = (
        sheet_items.group_by("account", "system", "group").agg(pl.col("times").sum()).sort("account", "system", "group")
    )
    skeleton_offsets, skeletons = _skeletons(units, frames, prints)
    family = families(skeleton_offsets, skeletons, units["times"].to_numpy().astype(np.int64))
    units = units.with_columns(
        pl.Series("family", family), pl.Series("words", np.diff(skeleton_offsets), dtype=pl.Int64)
    )
    frame_words = dict(
        units.filter(pl.col("family") >= 0).group_by("family").agg(pl.col("words").max()).sort("family").iter_rows()
    )
    keys = ["account", "system", "prompt"]
    sheet_items = sheet_items.join(
        units.select("account", "system", "group", "family"),
        on=["account", "system", "group"],
        how="left",
        maintain_order="left",
    ).with_columns(
        pl.Series(
            "payload",
            _payload_hashes(prompts, frames.front, frames.back, prints.prompts.offsets, prints.prompts.tokens),
        )
    )
    requests = requests.with_columns(_turns(requests)).join(
        sheet_items.select(*keys, "family", "front", "back", "payload"), on=keys, how="left", maintain_order="left"
    )
    requests = requests.with_columns(
        pl.when(pl.col("family") >= 0)
        .then(pl.col("family"))
        .when(pl.col("turns"))
        .then(CONVERSATION)
        .otherwise(SINGLE)
        .alias("family")
    )
    table = (
        requests.group_by("account", "family")
        .agg(pl.len().cast(pl.Int64).alias("requests"))
        .sort("account", "family")
        .with_row_index("stream")
        .with_columns(pl.col("stream").cast(pl.Int64))
    )
    requests = requests.join(
        table.select("account", "family", "stream"), on=["account", "family"], how="left", maintain_order="left"
    ).with_row_index("place")
    items = (
        requests.group_by("stream", "prompt", "system")
        .agg(
            pl.col("account").first(),
            pl.len().cast(pl.Int64).alias("times"),
            pl.col("front").first(),
            pl.col("back").first(),
            pl.col("payload").first(),
            pl.col("place").min(),
        )
        .sort("stream", "place")
        .with_row_index("item")
    )
    requests = requests.join(
        items.select("stream", "prompt", "system", "item"),
        on=["stream", "prompt", "system"],
        how="left",
        maintain_order="left",
    )
    return Streams(table, items.drop("place"), requests.drop("place"), frame_words)
