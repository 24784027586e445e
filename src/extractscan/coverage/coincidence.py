"""How soon independent draws of a text coincide, and how surprising a count of coincidences is.

Texts that fill a grid of slots must soon repeat if they are drawn independently; someone who works through the grid never does.
A chain of words (Markov 1913) is estimated from one half of the texts and read off at the other half: natural language has
steps there that the first half never showed, so that it promises nothing, while a grid shows all of its steps soon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import gammaln

from extractscan.fingerprint.tallies import tallies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Texts

LEFT: Final = 0.02
"""Most of the coincidences of independent draws that is left where a list is worked through: retries and restarts."""
DISPERSION: Final = 10.0
"""Variance of such counts over their mean: texts are not equally popular, so counts vary more than Poisson."""
WORDS: Final = 64
"""Tokens of a text that a chain follows; what is longer never coincides."""
ORDERS: Final = (1, 2)
"""Words that a chain looks back over: one mixes the slots, two have fewer examples; from three on it repeats natural language."""
END: Final = np.uint64(1 << 32)
CUT: Final = np.uint64(1 << 33)
"""Marks that are no token: the end of a text, and of one that is longer."""
MIX: Final = np.uint64(0x9E3779B97F4A7C15)
NEVER: Final = -1e6
"""Log probability of a step that was never shown."""


def log_counts(count: int | NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log probability of a count that is negative binomial with the given means and variance ``DISPERSION`` times as large.

    One count for all means, or one each.
    """
    r = np.maximum(mean, 1e-12) / (DISPERSION - 1.0)
    out: NDArray[np.float64] = (
        gammaln(count + r)
        - gammaln(r)
        - gammaln(count + 1.0)
        - r * np.log(DISPERSION)
        + count * np.log1p(-1.0 / DISPERSION)
    )
    return out


def words_of(
    begin: NDArray[np.int64], end: NDArray[np.int64], names: NDArray[np.uint64], texts: Texts
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Words of the texts at ``begin`` to ``end`` of the tokens, each closed by a mark, and the text (0 to n - 1) of each word.

    ``names`` tells texts that are longer than ``WORDS`` apart.
    """
    whole = np.maximum(end - begin, 0)
    size = np.minimum(whole, WORDS)
    owner = np.repeat(np.arange(begin.size), size + 1)
    place = np.arange(owner.size) - np.repeat(np.cumsum(size + 1) - size - 1, size + 1)
    tokens = texts.tokens if texts.tokens.size else np.zeros(1, np.uint32)  # a log of empty prompts has none
    at = np.minimum(np.repeat(begin, size + 1) + place, tokens.size - 1)
    close = np.where(whole > WORDS, CUT + names, END)
    last = place == np.repeat(size, size + 1)
    return np.where(last, np.repeat(close, size + 1), tokens[at].astype(np.uint64)), owner


def _contexts(words: NDArray[np.uint64], text: NDArray[np.int64], order: int) -> NDArray[np.uint64]:
    """Hash of the ``order`` words before each word of its text."""
    out = np.zeros(words.size, np.uint64)
    for back in range(1, min(order, words.size) + 1):
        before = np.r_[np.full(back, END), words[:-back]]
        same = np.r_[np.zeros(back, bool), text[back:] == text[:-back]]
        out = out * MIX ^ np.where(same, before, END)
    return out


def _chain(
    shown: tuple[NDArray[np.uint64], NDArray[np.int64]], asked: tuple[NDArray[np.uint64], NDArray[np.int64]], order: int
) -> float:
    before, asked_before = _contexts(*shown, order), _contexts(*asked, order)
    starts = tallies(before, asked_before)
    times = tallies(before * MIX ^ shown[0], asked_before * MIX ^ asked[0])
    seen = (times > 0) & (starts > 0)
    logs = np.full(seen.size, NEVER)
    logs[seen] = np.log(times[seen] / starts[seen])
    return float(np.exp(np.bincount(asked[1], weights=logs)).mean())


def coincidence(
    shown: tuple[NDArray[np.uint64], NDArray[np.int64]], asked: tuple[NDArray[np.uint64], NDArray[np.int64]]
) -> float:
    """Probability that two draws coincide, at the least: the mean probability of the asked texts under the shown ones' chain.

    Both are as ``words_of`` gives them. The chain is not smoothed, so that it errs to the low side.
    """
    if not shown[0].size or not asked[0].size:
        return 0.0
    return max(_chain(shown, asked, order) for order in ORDERS)
