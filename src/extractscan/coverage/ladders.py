"""Kernels that grow a frame along the tokens of a sheet's prompts: ladders from one end, shared ends, common words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.sorting import distinct, sort
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
def common_words(
    members: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    least: float,
    out: NDArray[np.uint32],
) -> int:
    """Write the sorted tokens that occur in at least the share ``least`` of the members; returns how many.

    ``out`` needs room for the members' mean number of tokens divided by ``least``.
    """
    total = 0
    for i in members:
        total += offsets[i + 1] - offsets[i]
    pool = np.empty(total, np.uint32)
    at = 0
    for i in members:
        at += distinct(tokens[offsets[i] : offsets[i + 1]], pool[at : at + offsets[i + 1] - offsets[i]])
    sort(pool[:at])
    count = 0
    start = 0
    for j in range(1, at + 1):
        if j == at or pool[j] != pool[start]:
            if j - start >= least * members.size:
                out[count] = pool[start]
                count += 1
            start = j
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
            k = np.searchsorted(words, tokens[j])
            if k < total and words[k] == tokens[j]:
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
