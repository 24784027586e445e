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

from extractscan.coverage.families import families
from extractscan.coverage.frames import Frames, find_frames, without
from extractscan.fingerprint.numbering import numbered
from extractscan.fingerprint.tallies import distinct_values
from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints, Texts

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
OPENER: Final = 4
"""Tokens at an end of a prompt by which an opener of natural language is told from a frame."""
GENERIC_WORDS: Final = 8
GENERIC_ACCOUNTS: Final = 5
"""A system prompt of fewer words that so many accounts have says nothing about any of them."""
WRITTEN_BY: Final = 2
"""Accounts that write a system prompt's words into their prompts, from which it is a frame: one may be a curiosity."""
NATURAL_USERS: Final = 3
"""Accounts that use an end now and then, without a frame, from which it can be natural language."""


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


@dataclass(frozen=True, slots=True)
class Sheets:
    """Sheets (an account under one system prompt) and their frames.

    ``requests`` are those with a prompt. Of each item, a distinct prompt on a sheet: its ``prompt``, ``times`` sent, ``sheet``, ``system``
    (-1: none) and ``account``; ``item`` is the item of each request. Items are sorted by account, system prompt and prompt.
    """

    requests: pl.DataFrame
    prompts: NDArray[np.int64]
    item: NDArray[np.int64]
    times: NDArray[np.int64]
    sheet: NDArray[np.int64]
    system: NDArray[np.int64]
    account: NDArray[np.int64]
    frames: Frames


@dataclass(frozen=True, slots=True)
class Units:
    """Units of sheets, sorted by sheet and ``group``: one frame on one sheet, or what is unframed there (``group`` -1).

    ``of_item`` is the unit of each item; ``weight`` counts requests; skeletons are the words of the system prompt and of the inline frame,
    sorted and distinct, in CSR form.
    """

    of_item: NDArray[np.int64]
    account: NDArray[np.int64]
    system: NDArray[np.int64]
    group: NDArray[np.int64]
    weight: NDArray[np.int64]
    skeleton_offsets: NDArray[np.int64]
    skeletons: NDArray[np.uint32]


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


def skeletons(
    unit_system: NDArray[np.int64], unit_group: NDArray[np.int64], frames: Frames, systems: Texts
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Skeleton of each unit: the words of its system prompt and of its inline frame, sorted and distinct, in CSR form."""
    parts: list[NDArray[np.uint32]] = []
    of_system: dict[int, NDArray[np.uint32]] = {-1: np.empty(0, np.uint32)}  # many accounts have the same
    for system, group in zip(unit_system.tolist(), unit_group.tolist(), strict=True):
        if system not in of_system:
            of_system[system] = distinct_values(systems.tokens[systems.offsets[system] : systems.offsets[system + 1]])
        words = of_system[system]
        if group >= 0:
            inline = frames.skeleton[frames.skeleton_offsets[group] : frames.skeleton_offsets[group + 1]]
            words = distinct_values(np.concatenate([words, inline])) if words.size else inline
        parts.append(words)
    sizes = np.array([p.size for p in parts], np.int64)
    return np.r_[np.int64(0), np.cumsum(sizes)], np.concatenate(parts) if parts else np.empty(0, np.uint32)


@kernel
def _end_hashes(
    prompts: NDArray[np.int64], offsets: NDArray[np.int64], tokens: NDArray[np.uint32], size: int, back: bool
) -> NDArray[np.uint64]:
    """Hash of the first or last ``size`` tokens of each text; 0 for a shorter one."""
    out = np.zeros(prompts.size, np.uint64)
    for i in range(prompts.size):
        lo = offsets[prompts[i]]
        hi = offsets[prompts[i] + 1]
        if hi - lo < size:
            continue
        start = hi - size if back else lo
        h = np.uint64(0xCBF29CE484222325)
        for j in range(start, start + size):
            h = np.uint64((h ^ np.uint64(tokens[j])) * np.uint64(0x100000001B3))
        out[i] = h
    return out


@kernel
def _senders(number: NDArray[np.int32], account: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    """Count the accounts that have each number, where rows are in the order of accounts."""
    last = np.full(out.size, -1, np.int64)
    for i in range(number.size):
        if last[number[i]] != account[i]:
            last[number[i]] = account[i]
            out[number[i]] += 1


@dataclass(frozen=True, slots=True)
class Ends:
    """First or last tokens of the items of some accounts.

    ``hashes`` (uint64, distinct) of the ends, the accounts that use each at all (``users``) and in a frame (``holders``); and of each item
    that has it in a frame its row (``rows``) and the position of its end among them (``place``).
    """

    hashes: NDArray[np.uint64]
    users: NDArray[np.int64]
    holders: NDArray[np.int64]
    rows: NDArray[np.int64]
    place: NDArray[np.int32]


def ends_of(sheets: Sheets, texts: Texts, *, back: bool) -> Ends:
    """Ends of all items, by accounts that use them."""
    frames, account = sheets.frames, sheets.account
    ends = _end_hashes(sheets.prompts, texts.offsets, texts.tokens, OPENER, back)
    own = (frames.group >= 0) & ((frames.back if back else frames.front) >= OPENER)
    firsts, number = numbered(ends)
    users, holders = np.zeros(firsts.size, np.int64), np.zeros(firsts.size, np.int64)
    rows = np.flatnonzero(own)
    _senders(number, account, users)
    _senders(number[rows], account[rows], holders)
    return Ends(ends[firsts], users, holders, rows, number[rows])


def _natural(sheets: Sheets, texts: Texts) -> NDArray[np.bool_]:
    """Whether each frame group is only an opener (or closing) of natural language.

    The start of a frame is used by those who have the frame. A natural opener (*what is the difference between*) is also used,
    once or twice, by many who have no frame: at least ``NATURAL_USERS``, and as many as have one. A group is natural if every end
    that it shares is. Items are in the order of their accounts.
    """
    groups = sheets.frames.skeleton_offsets.size - 1
    shared = np.zeros(groups, bool)
    foreign = np.ones(groups, bool)
    for back in (False, True) if groups else ():
        ends = ends_of(sheets, texts, back=back)
        loose = ends.users - ends.holders
        common = (loose >= NATURAL_USERS) & (loose >= ends.holders) & (ends.hashes != 0)
        group = sheets.frames.group[ends.rows]
        shared[group] = True
        foreign[group[~common[ends.place]]] = False
    natural: NDArray[np.bool_] = shared & foreign
    return natural


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


def _sheets(
    requests: pl.DataFrame,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sheets (an account under one system prompt) and their distinct prompts.

    Returns the bounds of each sheet in the items, the prompt of each item, the item of each request, and how often each item was
    sent. Items are sorted by account, system prompt and prompt.
    """
    account, system, prompt = (requests[c].to_numpy().astype(np.int64) for c in ("account", "system", "prompt"))
    sheet_key = account * (int(system.max(initial=0)) + 2) + system + 1
    sheets, sheet = np.unique(sheet_key, return_inverse=True)
    keys, item, times = np.unique(
        sheet * (int(prompt.max(initial=0)) + 1) + prompt, return_inverse=True, return_counts=True
    )
    sheet_of_item, prompts = np.divmod(keys, int(prompt.max(initial=0)) + 1)
    bounds = np.searchsorted(sheet_of_item, np.arange(sheets.size + 1)).astype(np.int64)
    return bounds, prompts, item, times


def _first(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the first member of each group, groups being numbered from 0 without gaps."""
    return np.unique(groups, return_index=True)[1]


def _users(key: NDArray[np.int64], account: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of accounts that share the key of each row."""
    used, number = np.unique(key, return_inverse=True)
    width = int(account.max(initial=0)) + 1
    return np.bincount(np.unique(number * width + account) // width, minlength=used.size)[number]


def with_short_frames(
    family: NDArray[np.int64],
    system: NDArray[np.int64],
    group: NDArray[np.int64],
    words: NDArray[np.int64],
    account: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Settle what families cannot: short frames, and system prompts that everybody uses.

    A frame of too few words to be known again elsewhere is its account's own family. A short system prompt alone that many
    accounts use (*You are a helpful assistant*) frames nothing, unless others write the same words into their prompts: that is what one
    does with a template, and not with a setting.
    """
    bare = (system >= 0) & (group < 0) & (words < GENERIC_WORDS)
    inline = np.flatnonzero((system < 0) & (group >= 0) & (family >= 0))
    written = np.unique(family[inline][_users(family[inline], account[inline]) >= WRITTEN_BY])
    everybodys = bare & (family >= 0) & (_users(family, account) >= GENERIC_ACCOUNTS) & ~np.isin(family, written)
    family = np.where(everybodys, SINGLE, family)
    rare = bare & (words > 0) & (_users(system, account) < GENERIC_ACCOUNTS)
    own = (family < 0) & ((group >= 0) | rare)
    family[own] = int(family.max(initial=0)) + 1 + np.flatnonzero(own)
    return family


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


def framed_sheets(prints: Fingerprints, *, jobs: int = 1) -> Sheets:
    """Sheets of all accounts and their frames. What an account has here does not depend on any other."""
    requests = prints.requests
    if requests.height and (requests["prompt"] < 0).any():  # filtering copies, and most logs have a prompt in every row
        requests = requests.filter(pl.col("prompt") >= 0)
    bounds, prompts, item, times = _sheets(requests)
    texts = prints.prompts
    frames = find_frames(bounds, prompts, texts.offsets, texts.tokens, jobs=jobs)
    sheet = np.repeat(np.arange(bounds.size - 1), np.diff(bounds))
    first_item = np.zeros(prompts.size, np.int64)
    first_item[item[::-1]] = np.arange(item.size)[::-1]
    system = requests["system"].to_numpy()[first_item].astype(np.int64)
    account = requests["account"].to_numpy().astype(np.int64)[first_item]
    return Sheets(requests, prompts, item, times, sheet, system, account, frames)


def units_of(sheets: Sheets, systems: Texts) -> Units:
    """Units of sheets: the frames of each, and what is unframed there."""
    frames = sheets.frames
    span = int(frames.group.max(initial=-1)) + 2
    keys, unit = np.unique(sheets.sheet * span + frames.group + 1, return_inverse=True)
    group = keys % span - 1
    first = _first(unit)
    system = sheets.system[first]
    offsets, words = skeletons(system, group, frames, systems)
    weight = np.bincount(unit, weights=sheets.times, minlength=keys.size).astype(np.int64)
    return Units(unit, sheets.account[first], system, group, weight, offsets, words)


def families_of_units(units: Units) -> NDArray[np.int64]:
    """Family of each unit, -1 where it has none."""
    return with_short_frames(
        families(units.skeleton_offsets, units.skeletons, units.weight),
        units.system,
        units.group,
        np.diff(units.skeleton_offsets),
        units.account,
    )


def find_streams(prints: Fingerprints, *, jobs: int = 1) -> Streams:
    """Split every account's requests into streams."""
    sheets = framed_sheets(prints, jobs=jobs)
    sheets = replace(sheets, frames=without(sheets.frames, _natural(sheets, prints.prompts)))
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
    payload = payload_hashes(prompts, frames.front, frames.back, texts.offsets, texts.tokens)

    # From here on by stream: an item splits where its requests do (unframed, in and outside conversations).
    turns = _turns(requests, first_turn).to_numpy()
    family = family_of_unit[units.of_item][item]
    family = np.where(family >= 0, family, np.where(turns, CONVERSATION, SINGLE))
    account = requests["account"].to_numpy().astype(np.int64)
    few = np.diff(texts.offsets)[requests["prompt"].to_numpy()] <= FEW_WORDS
    # People say *ok* now and then in a conversation; who says hardly anything else is not conversing.
    mostly = np.bincount(account, weights=few) >= np.maximum(MOSTLY * np.bincount(account), MOSTLY_MIN)
    family = np.where(few & (~turns | mostly[account]), NEAR_EMPTY, family)
    width = int(family.max(initial=0)) + 4
    stream_keys, stream, sizes = np.unique(account * width + family + 3, return_inverse=True, return_counts=True)
    table = pl.DataFrame(
        {
            "stream": np.arange(stream_keys.size),
            "account": (stream_keys // width).astype(np.uint32),
            "family": stream_keys % width - 3,
            "requests": sizes.astype(np.int64),
        }
    )
    pair = stream * (prompts.size + 1) + item
    pairs, first, number, sent = np.unique(pair, return_index=True, return_inverse=True, return_counts=True)
    pair_stream, sheet_item = np.divmod(pairs, prompts.size + 1)
    order = np.lexsort((first, pair_stream))  # by stream and first use: requests are in order of time
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    sheet_item = sheet_item[order]
    slots = _with_systems(
        payload[sheet_item], sheets.system[sheet_item], prints.systems.hashes, pair_stream[order], sizes
    )
    items = pl.DataFrame(
        {
            "stream": pair_stream[order],
            "account": account[first[order]].astype(np.uint32),
            "prompt": prompts[sheet_item],
            "times": sent[order].astype(np.int64),
            "front": frames.front[sheet_item],
            "back": frames.back[sheet_item],
            "payload": slots,
        }
    )
    requests = requests.with_columns(
        pl.Series("turns", turns), pl.Series("stream", stream.astype(np.int64)), pl.Series("item", place[number])
    )
    return Streams(table, items, requests, words)
