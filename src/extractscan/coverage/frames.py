"""Frames and payloads: the skeleton that an account's prompts share, and what varies.

For each *sheet* (the distinct prompts of one account under one system prompt) frames are grown greedily, token by token,
first from the front, then from the back, then as a template with gaps:

* a path starts at the commonest first token and follows the commonest next one while its support is enough to be a
  frame; from ``MIN_TOKENS`` on, it goes on only while the next step keeps half of the group, which is where a frame ends
  and payloads begin;
* support is at least ``MIN_SUPPORT`` prompts and ``MIN_SHARE`` of the sheet;
* what no ladder reaches, but shares most of its words (a sweep over slots: fixed words with gaps), is one template group.

The ends of a group are then measured together, so that a prompt's payload is what lies between the shared front and the
shared back. Nothing here knows a word of any language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SUPPORT: Final = 5
"""Prompts that must share a frame. Four alike are within what people do when they rephrase a question."""
MIN_SHARE: Final = 0.05
"""Share of a sheet that must share a frame."""
MIN_TOKENS: Final = 4
"""Tokens of the shortest ladder frame: common openers of natural language (*what is the*) are shorter."""
MAX_DEPTH: Final = 256
"""Longest ladder, in tokens: long system prompts inline are recognised by so much of them."""
MAX_FRAMES: Final = 32
"""Most ladder frames of one sheet and direction."""
TEMPLATE_SHARE: Final = 0.8
"""Share of a group's prompts in which a word must occur to belong to its skeleton."""
TEMPLATE_WORDS: Final = 0.34
"""Share of a prompt's words that must be skeleton for a gapped template: under a third, fixed words are grammar."""

NONE: Final = -1
FRONT: Final = 0
BACK: Final = 1
TEMPLATE: Final = 2


@kernel
def _commonest(values: NDArray[np.uint32]) -> tuple[np.uint32, int]:
    """Return the commonest value (the least of equals) and its count; values are sorted in place."""
    values.sort()
    best = np.uint32(0)
    most = 0
    start = 0
    for i in range(1, values.size + 1):
        if i == values.size or values[i] != values[start]:
            if i - start > most:
                most = i - start
                best = values[start]
            start = i
    return best, most


@kernel
def _ladder(
    items: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    support: int,
    back: bool,
    min_tokens: int,
    max_depth: int,
    max_frames: int,
    group: NDArray[np.int64],
    first_group: int,
) -> int:
    """Assign ``group`` (by position in ``items``; -1 is free) from ``first_group`` on; returns the next free number."""
    free = np.flatnonzero(group == -1)
    number = first_group
    scratch = np.empty(free.size, np.uint32)
    for _ in range(4 * max_frames):
        if free.size < support or number - first_group >= max_frames:
            break
        members = free
        depth = 0
        while depth < max_depth:
            used = 0
            for m in members:
                i = items[m]
                if offsets[i + 1] - offsets[i] > depth:
                    scratch[used] = tokens[offsets[i + 1] - 1 - depth] if back else tokens[offsets[i] + depth]
                    used += 1
            best, most = _commonest(scratch[:used])
            need = support
            if depth >= min_tokens:
                need = max(support, (members.size + 1) // 2)
            if most < need:
                break
            kept = np.empty(most, np.int64)
            at = 0
            for m in members:
                i = items[m]
                if offsets[i + 1] - offsets[i] > depth:
                    t = tokens[offsets[i + 1] - 1 - depth] if back else tokens[offsets[i] + depth]
                    if t == best:
                        kept[at] = m
                        at += 1
            members = kept
            depth += 1
        if depth == 0:
            break
        if depth >= min_tokens:
            for m in members:
                group[m] = number
            number += 1
        else:
            for m in members:
                group[m] = -2  # set aside: no frame of this direction goes through here
        free = free[group[free] == -1]
    group[group == -2] = -1
    return number


@kernel
def _shared_end(
    members: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    back: bool,
    max_depth: int,
    skip: int,
) -> int:
    """Number of tokens at one end that nine members in ten share position by position, beyond ``skip`` at the other end."""
    depth = 0
    scratch = np.empty(members.size, np.uint32)
    while depth < max_depth:
        used = 0
        for i in members:
            if offsets[i + 1] - offsets[i] > depth + skip:
                scratch[used] = tokens[offsets[i + 1] - 1 - depth] if back else tokens[offsets[i] + depth]
                used += 1
        _, most = _commonest(scratch[:used])
        if most * 10 < members.size * 9:
            break
        depth += 1
    return depth


@kernel
def _skeleton(
    members: NDArray[np.int64], offsets: NDArray[np.int64], tokens: NDArray[np.uint32], share: float
) -> NDArray[np.uint32]:
    """Sorted distinct tokens that occur in at least ``share`` of the members."""
    total = 0
    for i in members:
        total += offsets[i + 1] - offsets[i]
    pool = np.empty(total, np.uint32)
    at = 0
    for i in members:
        part = np.unique(tokens[offsets[i] : offsets[i + 1]])
        pool[at : at + part.size] = part
        at += part.size
    pool = pool[:at]
    pool.sort()
    out = [np.uint32(0) for _ in range(0)]
    start = 0
    for j in range(1, at + 1):
        if j == at or pool[j] != pool[start]:
            if j - start >= share * members.size:
                out.append(pool[start])
            start = j
    result = np.empty(len(out), np.uint32)
    for j in range(len(out)):
        result[j] = out[j]
    return result


@kernel
def _frames_of_sheets(
    sheet_offsets: NDArray[np.int64],
    items: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    min_support: int,
    min_share: float,
    min_tokens: int,
    max_depth: int,
    max_frames: int,
    template_share: float,
    template_words: float,
    group_of_item: NDArray[np.int64],
    front_of_item: NDArray[np.int64],
    back_of_item: NDArray[np.int64],
) -> tuple[list[np.int64], list[np.int64], list[NDArray[np.uint32]]]:
    """Find the frames of all sheets; returns for each group its sheet, its kind and its skeleton."""
    sheets = [np.int64(0) for _ in range(0)]
    kinds = [np.int64(0) for _ in range(0)]
    skeletons = [np.empty(0, np.uint32) for _ in range(0)]
    total = 0
    for s in range(sheet_offsets.size - 1):
        lo = sheet_offsets[s]
        hi = sheet_offsets[s + 1]
        part = items[lo:hi]
        support = max(min_support, int(np.ceil(min_share * part.size)))
        if part.size < support:
            continue
        group = np.full(part.size, -1, np.int64)
        fronts = _ladder(part, offsets, tokens, support, False, min_tokens, max_depth, max_frames, group, 0)
        ends = _ladder(part, offsets, tokens, support, True, min_tokens, max_depth, max_frames, group, fronts)
        number = ends
        rest = np.flatnonzero(group == -1)
        if rest.size >= support:
            skeleton = _skeleton(part[rest], offsets, tokens, template_share)
            if skeleton.size >= min_tokens:
                found = 0
                for m in rest:
                    i = part[m]
                    words = offsets[i + 1] - offsets[i]
                    hits = 0
                    for j in range(offsets[i], offsets[i + 1]):
                        at = np.searchsorted(skeleton, tokens[j])
                        if at < skeleton.size and skeleton[at] == tokens[j]:
                            hits += 1
                    if hits >= template_words * words:
                        group[m] = number
                        found += 1
                if found >= support:
                    number += 1
                else:
                    group[group == number] = -1
        for g in range(number):
            members = part[group == g]
            front = _shared_end(members, offsets, tokens, False, max_depth, 0)
            back = _shared_end(members, offsets, tokens, True, max_depth, front)
            for k in range(part.size):
                if group[k] == g:
                    group_of_item[lo + k] = total
                    size = offsets[part[k] + 1] - offsets[part[k]]
                    front_of_item[lo + k] = min(front, size)
                    back_of_item[lo + k] = min(back, size - min(front, size))
            sheets.append(np.int64(s))
            kinds.append(np.int64(0 if g < fronts else 1 if g < ends else 2))
            skeletons.append(_skeleton(members, offsets, tokens, template_share))
            total += 1
    return sheets, kinds, skeletons


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of all sheets.

    For each item (a distinct prompt on a sheet): ``group`` (int64, -1 unframed) and the number of its tokens that belong to
    the shared front and back. For each group: ``sheet``, ``kind`` (``FRONT``, ``BACK``, ``TEMPLATE``) and in CSR form the
    ``skeleton``: the distinct tokens (uint32, sorted) of at least ``TEMPLATE_SHARE`` of its prompts.
    """

    group: NDArray[np.int64]
    front: NDArray[np.int64]
    back: NDArray[np.int64]
    sheet: NDArray[np.int64]
    kind: NDArray[np.int64]
    skeleton_offsets: NDArray[np.int64]
    skeleton: NDArray[np.uint32]


def find_frames(
    sheet_offsets: NDArray[np.int64],
    items: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
) -> Frames:
    """Find the frames of sheets in CSR form: ``items`` are positions of texts whose tokens are ``offsets``, ``tokens``."""
    group = np.full(items.size, NONE, np.int64)
    front = np.zeros(items.size, np.int64)
    back = np.zeros(items.size, np.int64)
    sheets, kinds, skeletons = _frames_of_sheets(
        sheet_offsets,
        items,
        offsets,
        tokens,
        MIN_SUPPORT,
        MIN_SHARE,
        MIN_TOKENS,
        MAX_DEPTH,
        MAX_FRAMES,
        TEMPLATE_SHARE,
        TEMPLATE_WORDS,
        group,
        front,
        back,
    )
    sizes = np.array([s.size for s in skeletons], np.int64)
    return Frames(
        group,
        front,
        back,
        np.array(sheets, np.int64),
        np.array(kinds, np.int64),
        np.r_[np.int64(0), np.cumsum(sizes)],
        np.concatenate(skeletons) if skeletons else np.empty(0, np.uint32),
    )
