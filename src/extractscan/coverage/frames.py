"""Frames and payloads: the skeleton that an account's prompts share, and what varies.

For each *sheet* (the distinct prompts of one account under one system prompt) frames are grown greedily, token by token,
first from the front, then from the back, then as a template with gaps:

* a path starts at the commonest first token and follows the commonest next one while its support is enough to be a
  frame; from ``MIN_WORDS`` on, it goes on only while the next step keeps half of the group, which is where a frame ends
  and payloads begin;
* a shorter start is a frame where nearly all of the sheet has it;
* support is at least ``MIN_SUPPORT`` prompts and ``MIN_SHARE`` of the sheet;
* what no ladder reaches, but shares most of its words (a sweep over slots: fixed words with gaps), is one template group.

The ends of a group are then measured together, so that a prompt's payload is what lies between the shared front and the
shared back. Nothing here knows a word of any language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.coverage.ladders import common_words, ladder, shared_end, steady_words
from extractscan.fingerprint.sorting import place
from extractscan.jit import kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SUPPORT: Final = 5
"""Prompts that must share a frame. Four alike are within what people do when they rephrase a question."""
MIN_SHARE: Final = 0.05
"""Share of a sheet that must share a frame."""
MIN_WORDS: Final = 5.0
"""Words of the shortest ladder frame: common openers of natural language (*what is the*) are shorter. A character of a script
without word breaks counts as half a word."""
SHORT_WORDS: Final = 2.0
SHORT_SHARE: Final = 0.8
"""A start of two words is a frame all the same where so large a share of the sheet has it (*Sentiment of:*)."""
MAX_DEPTH: Final = 256
"""Longest ladder, in tokens: long system prompts inline are recognised by so much of them."""
MAX_FRAMES: Final = 32
"""Most ladder frames of one sheet and direction."""
TEMPLATE_SHARE: Final = 0.8
"""Share of a group's prompts in which a word must occur to belong to its skeleton."""
TEMPLATE_WORDS: Final = 0.34
"""Share of a prompt's words that must be skeleton for a gapped template: under a third, fixed words are grammar."""

NONE: Final = -1


@kernel
def _group_sheets(
    sheet_offsets: NDArray[np.int64],
    items: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    min_support: int,
    min_share: float,
    min_words: float,
    max_depth: int,
    max_frames: int,
    template_share: float,
    template_words: float,
    short_words: float,
    short_share: float,
    group: NDArray[np.int64],
    groups_of_sheet: NDArray[np.int64],
) -> None:
    """Assign every item its group, numbered from 0 in each sheet (-1: none), and count the groups of each sheet."""
    longest = 0
    for s in range(sheet_offsets.size - 1):
        longest = max(longest, sheet_offsets[s + 1] - sheet_offsets[s])
    members = np.empty(longest, np.int64)
    short = np.empty(longest, np.int64)
    scratch = np.empty(longest, np.uint32)
    slots = 16
    while slots <= 2 * longest:
        slots *= 2
    table = np.zeros((slots, 2), np.int64)
    for s in range(sheet_offsets.size - 1):
        lo = sheet_offsets[s]
        hi = sheet_offsets[s + 1]
        part = items[lo:hi]
        own = group[lo:hi]
        for m in range(part.size):
            own[m] = -1
        support = max(min_support, int(np.ceil(min_share * part.size)))
        if part.size < support:
            continue
        number = int(groups_of_sheet[s])  # zero, but not a literal, for which the ladder would be compiled twice
        for direction in range(2):
            number = ladder(
                part,
                offsets,
                tokens,
                support,
                direction == 1,
                min_words,
                max_depth,
                max_frames,
                own,
                number,
                short_words,
                short_share,
                members,
                short,
                scratch,
                table,
            )
        size = 0
        words = 0
        for m in range(part.size):
            if own[m] == -1:
                members[size] = part[m]
                words += offsets[part[m] + 1] - offsets[part[m]]
                size += 1
        if size >= support:
            skeleton = np.empty(int(words / (template_share * size)) + 2, np.uint32)
            count = common_words(members[:size], offsets, tokens, template_share, skeleton)
            if count >= min_words:
                found = 0
                for m in range(part.size):
                    if own[m] == -1:
                        i = part[m]
                        hits = 0
                        for j in range(offsets[i], offsets[i + 1]):
                            if place(skeleton[:count], tokens[j]) >= 0:
                                hits += 1
                        if hits > 0 and hits >= template_words * (offsets[i + 1] - offsets[i]):
                            own[m] = number
                            found += 1
                if found >= support:
                    number += 1
                else:
                    for m in range(part.size):
                        if own[m] == number:
                            own[m] = -1
        groups_of_sheet[s] = number


@kernel
def _measure_groups(
    bounds: NDArray[np.int64],
    members: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    max_depth: int,
    template_share: float,
    front: NDArray[np.int64],
    back: NDArray[np.int64],
    room: NDArray[np.int64],
    skeleton: NDArray[np.uint32],
    sizes: NDArray[np.int64],
) -> None:
    """Shared ends and skeleton of each group; the skeleton of group ``g`` goes to ``skeleton[room[g]:]``."""
    for g in range(bounds.size - 1):
        part = members[bounds[g] : bounds[g + 1]]
        front[g] = shared_end(part, offsets, tokens, False, max_depth, 0)
        back[g] = shared_end(part, offsets, tokens, True, max_depth, front[g])
        own = skeleton[room[g] - room[0] :]
        count = common_words(part, offsets, tokens, template_share, own)
        sizes[g] = steady_words(part, offsets, tokens, front[g], back[g], template_share, own[:count])


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of all sheets.

    For each item (a distinct prompt on a sheet): ``group`` (int64, -1 unframed) and the number of its tokens that belong to
    the shared front and back. For each group in CSR form the ``skeleton``: the distinct tokens (uint32, sorted) of at least
    ``TEMPLATE_SHARE`` of its prompts.
    """

    group: NDArray[np.int64]
    front: NDArray[np.int64]
    back: NDArray[np.int64]
    skeleton_offsets: NDArray[np.int64]
    skeleton: NDArray[np.uint32]


def find_frames(
    sheet_offsets: NDArray[np.int64],
    items: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    *,
    jobs: int = 1,
) -> Frames:
    """Find the frames of sheets in CSR form: ``items`` are positions of texts whose tokens are ``offsets``, ``tokens``."""
    sheets = sheet_offsets.size - 1
    group = np.full(items.size, NONE, np.int64)
    groups_of_sheet = np.zeros(sheets, np.int64)

    def assign(start: int, stop: int) -> None:
        _group_sheets(
            sheet_offsets[start : stop + 1],
            items,
            offsets,
            tokens,
            MIN_SUPPORT,
            MIN_SHARE,
            MIN_WORDS,
            MAX_DEPTH,
            MAX_FRAMES,
            TEMPLATE_SHARE,
            TEMPLATE_WORDS,
            SHORT_WORDS,
            SHORT_SHARE,
            group,
            groups_of_sheet[start:stop],
        )

    share(assign, pieces(np.diff(sheet_offsets) + 1, 8 * jobs), jobs)
    first_group = np.r_[np.int64(0), np.cumsum(groups_of_sheet)]
    sheet = np.repeat(np.arange(sheets), np.diff(sheet_offsets))
    group = np.where(group >= 0, group + first_group[sheet], NONE)
    total = int(first_group[-1])
    placed = np.flatnonzero(group >= 0)
    placed = placed[np.argsort(group[placed], kind="stable")]
    bounds = np.searchsorted(group[placed], np.arange(total + 1)).astype(np.int64)
    members = items[placed]
    lengths = np.diff(offsets)
    words = np.add.reduceat(lengths[members], bounds[:-1]) if total else np.zeros(0, np.int64)
    room = np.r_[
        np.int64(0), np.cumsum((words / (TEMPLATE_SHARE * np.maximum(np.diff(bounds), 1))).astype(np.int64) + 2)
    ]
    front, back, sizes = np.zeros(total, np.int64), np.zeros(total, np.int64), np.zeros(total, np.int64)
    buffer = np.zeros(int(room[-1]), np.uint32)

    def measure(start: int, stop: int) -> None:
        _measure_groups(
            bounds[start : stop + 1],
            members,
            offsets,
            tokens,
            MAX_DEPTH,
            TEMPLATE_SHARE,
            front[start:stop],
            back[start:stop],
            room[start : stop + 1],
            buffer[room[start] : room[stop]],
            sizes[start:stop],
        )

    share(measure, pieces(words + 1, 8 * jobs), jobs)
    skeletons = [buffer[room[g] : room[g] + sizes[g]] for g in range(total)]
    has = group >= 0
    item_front, item_back = np.zeros(items.size, np.int64), np.zeros(items.size, np.int64)
    item_front[has] = np.minimum(front[group[has]], lengths[items[has]])
    item_back[has] = np.minimum(back[group[has]], lengths[items[has]] - item_front[has])
    return Frames(
        group,
        item_front,
        item_back,
        np.r_[np.int64(0), np.cumsum(sizes)],
        np.concatenate(skeletons) if skeletons else np.empty(0, np.uint32),
    )


def without(frames: Frames, dropped: NDArray[np.bool_]) -> Frames:
    """Free the items of the dropped groups; group numbers stay."""
    if not dropped.any():
        return frames
    gone = (frames.group >= 0) & dropped[frames.group]
    return Frames(
        np.where(gone, NONE, frames.group),
        np.where(gone, 0, frames.front),
        np.where(gone, 0, frames.back),
        frames.skeleton_offsets,
        frames.skeleton,
    )
