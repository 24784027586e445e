"""Which words neighbouring prompts of a stream share, in one pass over its tokens.

A word knows in which of the last few prompts it was. So the words that two neighbours have in common are counted when the second of
them is read, and no two prompts are ever held against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.sorting import sort
from extractscan.jit import kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE: Final = 512
"""Distinct prompts of a stream that text statistics look at: enough to bound their error at a few per cent."""
WORDS: Final = 64
"""Tokens of a payload that they look at."""
LAGS: Final = 3
"""Neighbours in time that burstiness compares a prompt with."""
CHAIN_WORDS: Final = 5
"""Distinct words of a payload from which being contained in the next one says something."""
LAST, HAD, RECENT, SHARED = range(4)
"""What is known of a word: see ``_text_statistics``."""
RARE: Final = 0.1
"""A word is a topic word of a stream when at most this share of the stream's prompts have it."""


@kernel
def _slots(values: int) -> int:
    """Slots of a table for so many values: a power of two, twice as many at the least."""
    slots = 16
    while slots < 2 * values:
        slots *= 2
    return slots


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
    """Fill ``out`` (streams, 5), see ``text_statistics``.

    The words of a stream are numbered as they come, by open addressing in ``table``, and of each is known: the prompt that had it last,
    how many had it, a bit for each of the ``lags`` prompts before the last one that had it too, and how many pairs of prompts
    not farther apart have it.
    """
    most = 1
    for s in range(bounds.size - 1):
        most = max(most, min(bounds[s + 1] - bounds[s], sample) * words)
    table = np.zeros(_slots(most), np.int32)
    places = np.empty(most, np.int32)
    word_of = np.empty(most, np.uint32)
    state = np.empty((most, 4), np.int32)
    pairs = np.empty(most, np.uint32)
    common = np.zeros(lags + 1, np.int64)
    sizes = np.zeros(sample, np.int64)
    grew = np.zeros(sample, np.bool_)
    for s in range(bounds.size - 1):
        lo = bounds[s]
        n = min(bounds[s + 1] - lo, sample)
        mask = _slots(n * words) - 1  # a small stream stays in a small part of the table, and that in the cache
        pair_at = 0
        total = 0
        known = 0
        for m in range(n):
            i = prompts[lo + m]
            begin = offsets[i] + front[lo + m]
            end = offsets[i + 1] - back[lo + m]
            total += end - begin
            end = min(end, begin + words)
            own = 0
            common[:] = 0
            for j in range(begin, end):
                word = tokens[j]
                if j + 1 < end:
                    pairs[pair_at] = np.uint32(word * np.uint32(0x9E3779B1)) ^ tokens[j + 1]
                    pair_at += 1
                slot = np.int64(word >> np.uint32(1)) & mask  # the lowest bit is a mark
                while table[slot] > 0 and word_of[table[slot] - 1] != word:
                    slot = (slot + 1) & mask
                k = int(table[slot]) - 1
                if k < 0:
                    word_of[known] = word
                    state[known, LAST] = m
                    state[known, HAD] = 1
                    state[known, RECENT] = 0
                    state[known, SHARED] = 0
                    places[known] = slot
                    known += 1
                    table[slot] = known
                    own += 1
                    continue
                apart = m - state[k, LAST]
                if apart == 0:
                    continue
                own += 1
                # The prompt that had it last moves as far back as prompts have come since.
                recent = ((state[k, RECENT] << 1) | 1) << (min(apart, lags + 1) - 1) & ((1 << lags) - 1)
                state[k, LAST] = m
                state[k, HAD] += 1
                state[k, RECENT] = recent
                for lag in range(1, lags + 1):
                    common[lag] += (recent >> (lag - 1)) & 1
                    state[k, SHARED] += (recent >> (lag - 1)) & 1
            sizes[m] = own
            grew[m] = False
            for lag in range(1, min(lags, m) + 1):
                before = sizes[m - lag]
                if before >= chain_words and own > before and common[lag] * 10 >= before * 9:
                    grew[m - lag] = True
        out[s, 2] = total / n
        sort(pairs[:pair_at])
        for j in range(pair_at):
            if j == 0 or pairs[j] != pairs[j - 1]:
                out[s, 3] += 1
        seen = 0
        chance = 0.0
        # Words that are neither in one prompt only nor in many: they carry topics.
        ceiling = max(2.0, rare * n)
        for k in range(known):
            table[places[k]] = 0
            had = state[k, HAD]
            if 2 <= had <= ceiling:
                seen += int(state[k, SHARED])
                chance += had * (had - 1.0) / 2.0
        if n < 2 or known == 0:
            continue
        neighbours = 0
        for lag in range(1, lags + 1):
            neighbours += max(n - lag, 0)
        out[s, 0] = seen
        out[s, 1] = chance * neighbours / (n * (n - 1) / 2.0)
        out[s, 4] = np.count_nonzero(grew[: n - 1]) / (n - 1)


def text_statistics(
    bounds: NDArray[np.int64],
    prompts: NDArray[np.int64],
    front: NDArray[np.int64],
    back: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    *,
    jobs: int = 1,
) -> NDArray[np.float64]:
    """Measure the first ``SAMPLE`` items of each stream, and the first ``WORDS`` tokens of each payload; float64 (streams, 5).

    Items ``bounds[s]`` to ``bounds[s + 1]`` (int64, at least one) are those of stream ``s``: texts ``prompts`` of the CSR form
    ``offsets``, ``tokens``, of whose tokens ``front`` and ``back`` belong to a frame. The columns: topic words that neighbours in time
    share, and how many they would in random order; mean tokens of a payload; distinct pairs of neighbouring words; the share of payloads
    that one of the next ``LAGS`` contains and adds to.
    """
    out = np.zeros((bounds.size - 1, 5))

    def part(start: int, stop: int) -> None:
        _text_statistics(
            bounds[start : stop + 1],
            prompts,
            front,
            back,
            offsets,
            tokens,
            SAMPLE,
            WORDS,
            LAGS,
            RARE,
            CHAIN_WORDS,
            out[start:stop],
        )

    share(part, pieces(np.minimum(np.diff(bounds), SAMPLE) + 1, 8 * jobs), jobs)
    return out
