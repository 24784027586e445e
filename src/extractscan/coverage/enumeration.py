"""Whether a stream works through a grid of slots, never asking the same twice.

A sweep over topics, levels and forms, a questionnaire, a role-play grid: prompts that are soon bound to coincide if each were
made up for itself, and do not. Products whose users fill in the same template repeat themselves as chance has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.coverage.coincidence import coincidence, words_of
from extractscan.coverage.streams import payload_hashes

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Texts

SAMPLE: Final = 4096
"""Prompts of a stream that its chain of words is estimated from."""
MIN_PROMPTS: Final = 24
"""Prompts from which a grid can be told."""
DENSE: Final = 0.25
"""Prompts for each distinct pair of neighbouring words: natural text of a few words has fewer, and promises nothing."""


def repeats(
    stream: NDArray[np.int64], items: pl.DataFrame, dense: NDArray[np.bool_], texts: Texts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Repeats of each stream, and how many it would have if every request were made up for itself: float64 (streams).

    ``items`` are those of ``Streams``, ``stream`` their streams. Repeats count requests beyond the first with the same tokens,
    frame included, so that numbers, which are folded, do not pass for different slots. Both are 0 where ``dense`` is false
    or there are too few prompts.
    """
    total = dense.size
    seen, expected = np.zeros(total), np.zeros(total)
    bounds = np.searchsorted(stream, np.arange(total + 1))
    times = items["times"].to_numpy()
    text = items["prompt"].to_numpy()
    for s in np.flatnonzero(dense & (np.diff(bounds) >= MIN_PROMPTS)):
        rows = np.arange(bounds[s], bounds[s + 1])
        nothing = np.zeros(rows.size, np.int64)
        hashes = payload_hashes(text[rows], nothing, nothing, texts.offsets, texts.tokens)
        names, first = np.unique(hashes, return_index=True)
        requests = float(times[rows].sum())
        # Distinct prompts by hash: an order that time does not know, whose halves are alike.
        chosen = text[rows[first[:SAMPLE]]]
        begin, end = texts.offsets[chosen], texts.offsets[chosen + 1]
        names = names[:SAMPLE]
        halves = [words_of(begin[h::2], end[h::2], names[h::2], texts) for h in (0, 1)]
        seen[s] = requests - first.size
        expected[s] = requests * (requests - 1.0) / 2.0 * coincidence(halves[0], halves[1])
    return seen, expected
