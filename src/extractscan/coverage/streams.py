"""Streams: what is scored.

An account's requests fall into

* one stream for each frame family that it uses (``family`` >= 0),
* its unframed single-turn requests (``SINGLE``),
* its unframed conversations (``CONVERSATION``),
* its single requests with next to nothing in them (``NEAR_EMPTY``),
* the later turns of its runs (``CARRIED_ON``): what its tools answered, which nobody has asked for.

An account's own score is that of its worst stream, so that cover traffic does not dilute a harvest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.coverage.frames import without
from extractscan.coverage.openers import natural_groups
from extractscan.coverage.runs import carried_on, conversing
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
CARRIED_ON: Final = -4
TURNS: Final = (CONVERSATION, CARRIED_ON)
"""Families of streams that are turns of conversations and hold no requests of their own."""

MOSTLY: Final = 0.5
MOSTLY_MIN: Final = 10
"""Share of an account's requests, and their number, from which near-empty turns are no small talk."""
FEW_WORDS: Final = 1
"""Most tokens of a prompt that asks nothing."""
ASKS_NOTHING: Final = 10
"""Near-empty requests from which a stream is more than a ping."""
SAME_NOTHING: Final = 4
"""Requests of an account for each distinct prompt of so few words from which they ask nothing: words that differ each time are payloads,
the answers of a quiz or the entries of a dictionary."""

VARIED: Final = 0.5
VARIED_MIN: Final = 5
"""Distinct system prompts for each request of a stream, and their number, from which they are part of the payload."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Streams of all accounts, their items and their requests.

    ``table`` has a row a stream, sorted by account and family: ``stream`` (int64, row number), ``account``, ``family`` (int64;
    one of the above, or a frame family), ``requests``. ``items`` has a row for each distinct prompt of a stream:
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


def _the_same(account: NDArray[np.int64], item: NDArray[np.int64], total: int) -> NDArray[np.bool_]:
    """Whether each account's requests of a few words are so often the same that they ask nothing."""
    pairs = distinct_values(account * (int(item.max(initial=0)) + 1) + item)
    distinct = np.bincount(pairs // (int(item.max(initial=0)) + 1), minlength=total)
    return np.bincount(account, minlength=total) >= SAME_NOTHING * distinct


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
    return streams_of(sheets, units, families_of_units(units), prints)


def streams_of(sheets: Sheets, units: Units, family_of_unit: NDArray[np.int64], prints: Fingerprints) -> Streams:
    """Streams by the families of units."""
    requests, prompts, item, frames = sheets.requests, sheets.prompts, sheets.item, sheets.frames
    texts = prints.prompts
    words: dict[int, int] = {}
    for family, size in zip(family_of_unit.tolist(), np.diff(units.skeleton_offsets).tolist(), strict=True):
        if family >= 0:
            words[family] = max(size, words.get(family, 0))

    # From here on by stream: an item splits where its requests do (unframed, in and outside conversations). What is as long as the log
    # is let go as soon as it has served.
    turns, later = conversing(requests)
    unit = units.of_item[item]
    family = family_of_unit[unit]
    family = np.where(family >= 0, family, np.where(turns, CONVERSATION, SINGLE))
    account = requests["account"].to_numpy().astype(np.int64)
    sizes = np.diff(texts.offsets)[requests["prompt"].to_numpy()]
    few = sizes <= FEW_WORDS
    few &= (family < 0) | _the_same(account[few], item[few], int(account.max(initial=-1)) + 1)[account]
    # People say *ok* now and then in a conversation; who says hardly anything else is not conversing.
    mostly = np.bincount(account, weights=few) >= np.maximum(MOSTLY * np.bincount(account), MOSTLY_MIN)
    family = np.where(few & (~turns | mostly[account]), NEAR_EMPTY, family)
    # What is not framed converses or does not, whatever follows what.
    family = np.where((family >= 0) & carried_on(requests, unit, units, sizes, turns, later), CARRIED_ON, family)
    width = int(family.max(initial=0)) + 1 - CARRIED_ON
    keys = account * width + family - CARRIED_ON
    del account, family, few, unit, later
    stream_keys, stream, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    table = pl.DataFrame(
        {
            "stream": np.arange(stream_keys.size),
            "account": (stream_keys // width).astype(np.uint32),
            "family": stream_keys % width + CARRIED_ON,
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
