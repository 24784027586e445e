"""Kernels that grow a frame along the tokens of a sheet's prompts: ladders from one end, shared ends, common words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.sorting import place, sort
from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEADY: Final = 8
"""Times from which a word in one prompt is no longer counted."""


@kernel
def commonest(values: NDArray[np.uint32], table: NDArray[np.int64]) -> tuple[np.uint32, int]:
    """Return the commonest value (the least of equals) and its count.

    ``table`` (slots, 2), a power of two of slots and over twice as many as there are values, counts by open addressing; it is
    handed over empty (zero counts) and given back empty.
    """
    mask = table.shape[0] - 1
    best = np.uint32(0)
    most = 0
    for x in values:
        slot = np.int64(x) & mask
        while table[slot, 1] > 0 and table[slot, 0] != x:
            slot = (slot + 1) & mask
        table[slot, 0] = x
        table[slot, 1] += 1
        count = table[slot, 1]
        if count > most or (count == most and x < best):
            most = count
            best = x
    # A slot is found along its chain: to empty the table, walk each chain to its end.
    for x in values:
        slot = np.int64(x) & mask
        while table[slot, 1] > 0:
            table[slot, 1] = 0
            slot = (slot + 1) & mask
    return best, most


@kernel
def ladder(
    items: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    support: int,
    back: bool,
    min_words: float,
    max_depth: int,
    max_frames: int,
    group: NDArray[np.int64],
    first_group: int,
    short_words: float,
    short_share: float,
    members: NDArray[np.int64],
    short: NDArray[np.int64],
    scratch: NDArray[np.uint32],
    table: NDArray[np.int64],
) -> int:
    """Assign ``group`` (by position in ``items``; -1 is free) from ``first_group`` on; returns the next free number.

    ``members``, ``short`` and ``scratch`` are as long as ``items``.
    """
    number = first_group
    for _ in range(4 * max_frames):
        size = 0
        for m in range(items.size):
            if group[m] == -1:
                members[size] = m
                size += 1
        if size < support or number - first_group >= max_frames:
            break
        depth = 0
        words = 0.0
        saved = 0
        while depth < max_depth:
            used = 0
            for k in range(size):
                i = items[members[k]]
                if offsets[i + 1] - offsets[i] > depth:
                    scratch[used] = tokens[offsets[i + 1] - 1 - depth] if back else tokens[offsets[i] + depth]
                    used += 1
            best, most = commonest(scratch[:used], table)
            need = support
            if words >= min_words:
                need = max(support, (size + 1) // 2)
            if most < need:
                break
            kept = 0
            for k in range(size):
                m = members[k]
                i = items[m]
                if offsets[i + 1] - offsets[i] > depth:
                    t = tokens[offsets[i + 1] - 1 - depth] if back else tokens[offsets[i] + depth]
                    if t == best:
                        members[kept] = m
                        kept += 1
            size = kept
            depth += 1
            words += 0.5 if best & np.uint32(1) else 1.0
            if words >= short_words and size >= short_share * items.size:
                short[:size] = members[:size]
                saved = size
        if depth == 0:
            break
        if words < min_words and saved >= support:
            members[:saved] = short[:saved]
            size = saved
            words = min_words
        # Too short: set aside, no frame of this direction goes through here.
        mark = number if words >= min_words else -2
        for k in range(size):
            group[members[k]] = mark
        if mark == number:
            number += 1
    for m in range(items.size):
        if group[m] == -2:
            group[m] = -1
    return number


@kernel
def shared_end(
    members: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    back: bool,
    max_depth: int,
    skip: int,
) -> int:
    """Number of tokens at one end that nine members in ten share position by position, beyond ``skip`` at the other end."""
    depth = 0
    while depth < max_depth:
        # The only candidate is the majority (Boyer and Moore 1981): found in one pass, counted in a second.
        candidate = np.uint32(0)
        lead = 0
        for i in members:
            if offsets[i + 1] - offsets[i] > depth + skip:
                t = tokens[offsets[i + 1] - 1 - depth] if back else tokens[offsets[i] + depth]
                if lead == 0:
                    candidate = t
                lead += 1 if t == candidate else -1
        most = 0
        for i in members:
            if offsets[i + 1] - offsets[i] > depth + skip:
                t = tokens[offsets[i + 1] - 1 - depth] if back else tokens[offsets[i] + depth]
                if t == candidate:
                    most += 1
        if most * 10 < members.size * 9:
            break
        depth += 1
    return depth


@kernel
def _count_words(
    text: NDArray[np.uint32],
    number: int,
    room: int,
    known: int,
    table: NDArray[np.int32],
    words: NDArray[np.uint32],
    last: NDArray[np.int32],
    had: NDArray[np.int32],
) -> int:
    """Count text ``number`` (from 1) in ``had`` for each of its words; returns how many words are known.

    Words are numbered by open addressing in ``table`` (0 is free); a new one is taken while fewer than ``room`` are known.
    """
    mask = table.size - 1
    for word in text:
        slot = np.int64(word >> np.uint32(1)) & mask  # the lowest bit is a mark
        while table[slot] > 0 and words[table[slot] - 1] != word:
            slot = (slot + 1) & mask
        k = int(table[slot]) - 1
        if k < 0:
            if known >= room:
                continue
            k = known
            words[k] = word
            last[k] = 0
            had[k] = 0
            known += 1
            table[slot] = known
        if last[k] != number:
            last[k] = number
            had[k] += 1
    return known


@kernel
def common_words(
    members: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    least: float,
    out: NDArray[np.uint32],
) -> int:
    """Write the sorted tokens that occur in at least the share ``least`` of the members; returns how many.

    ``out`` needs room for the members' mean number of tokens divided by ``least``. A word that is common is missing from few members:
    it is in one of the first few, and what is not is never looked at again.
    """
    n = members.size
    needed = int(least * n)
    while needed < least * n:
        needed += 1
    first = min(n - needed + 1, n)
    room = 0
    for i in members[:first]:
        room += offsets[i + 1] - offsets[i]
    slots = 16
    while slots < 2 * room:
        slots *= 2
    table = np.zeros(slots, np.int32)
    words = np.empty(room, np.uint32)
    last = np.empty(room, np.int32)
    had = np.empty(room, np.int32)
    known = 0
    for m in range(first):
        text = tokens[offsets[members[m]] : offsets[members[m] + 1]]
        known = _count_words(text, m + 1, room, known, table, words, last, had)
    # Those that can still be common, in a table of their own, which is small.
    left = 0
    for k in range(known):
        if had[k] + n - first >= needed:
            words[left] = words[k]
            last[left] = last[k]
            had[left] = had[k]
            left += 1
    slots = 16
    while slots < 2 * left:
        slots *= 2
    table = table[:slots]
    table[:] = 0
    for k in range(left):
        slot = np.int64(words[k] >> np.uint32(1)) & (slots - 1)
        while table[slot] > 0:
            slot = (slot + 1) & (slots - 1)
        table[slot] = k + 1
    if left > 0:
        for m in range(first, n):
            text = tokens[offsets[members[m]] : offsets[members[m] + 1]]
            _count_words(text, m + 1, left, left, table, words, last, had)
    count = 0
    for k in range(left):
        if had[k] >= least * n:
            out[count] = words[k]
            count += 1
    sort(out[:count])
    return count


@kernel
def steady_words(
    members: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    front: int,
    back: int,
    least: float,
    words: NDArray[np.uint32],
) -> int:
    """Keep those of the sorted ``words`` that are a template's, at the start of ``words``; returns how many.

    A template says its words equally often each time, in at least the share ``least`` of the members; the grammar of long payloads
    does not. What stands in the shared ``front`` or ``back`` tokens of as many members is the template's anyhow.
    """
    total = words.size
    times = np.zeros((total, STEADY + 1), np.int64)
    ends = np.zeros(total, np.int64)
    now = np.zeros(total, np.int64)
    at_end = np.zeros(total, np.bool_)
    for i in members:
        now[:] = 0
        at_end[:] = False
        low = offsets[i]
        high = offsets[i + 1]
        for j in range(low, high):
            k = place(words, tokens[j])
            if k >= 0:
                now[k] += 1
                if j < low + front or j >= high - back:
                    at_end[k] = True
        for k in range(total):
            times[k, min(now[k], STEADY)] += 1
            ends[k] += at_end[k]
    kept = 0
    for k in range(total):
        if max(times[k, 1:STEADY].max(), ends[k]) >= least * members.size:
            words[kept] = words[k]
            kept += 1
    return kept
