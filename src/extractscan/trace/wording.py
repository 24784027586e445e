"""How many of an item's words stand close together in a text of the log.

Two fillings of one template ("a speech about X, to be held in Y") share most runs of three words and differ in the words that matter.
A light rewording is the other way round: runs break, words stay. So a pair that shares runs is held against the item's words, as often
as each is there and by weight (see ``terms``: what matters in a text is rare), in the stretch of the log's text that holds most of them.
The stretch is a quarter longer than the item: words of a long text that merely come up somewhere say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.jit import kernel
from extractscan.trace.terms import WORD, Vocabulary, find, spread_over_accounts, weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Texts

STRETCH: Final = 1.25
"""Length of the stretch over that of the item: room for a word put in after every fourth."""


@kernel
def _kept(
    log: NDArray[np.int64],
    item: NDArray[np.int64],
    log_offsets: NDArray[np.int64],
    log_tokens: NDArray[np.uint32],
    terms: NDArray[np.uint32],
    buckets: NDArray[np.int64],
    weight: NDArray[np.float64],
    offsets: NDArray[np.int64],
    words: NDArray[np.int64],
    stretch: float,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` for pairs sorted by ``log``; ``words`` are positions in ``terms``."""
    wanted = np.zeros(terms.size, np.int64)
    inside = np.zeros(terms.size, np.int64)
    text = np.zeros(0, np.int64)
    for k in range(log.size):
        if k == 0 or log[k - 1] != log[k]:
            start = log_offsets[log[k]]
            text = np.empty(log_offsets[log[k] + 1] - start, np.int64)
            for j in range(text.size):
                text[j] = find(log_tokens[start + j], terms, buckets)
        part = words[offsets[item[k]] : offsets[item[k] + 1]]
        whole = 0.0
        for v in part:
            wanted[v] += 1
            whole += weight[v]
        room = int(part.size * stretch) + 1
        held = 0.0
        best = 0.0
        for j in range(text.size):
            v = text[j]
            if v >= 0:
                inside[v] += 1
                if inside[v] <= wanted[v]:
                    held += weight[v]
            if j >= room:
                v = text[j - room]
                if v >= 0:
                    if inside[v] <= wanted[v]:
                        held -= weight[v]
                    inside[v] -= 1
            best = max(best, held)
        for v in text[max(text.size - room, 0) :]:
            if v >= 0:
                inside[v] = 0
        for v in part:
            wanted[v] = 0
        out[k] = min(best / whole, 1.0) if whole > 0.0 else 0.0


def words_kept(
    log_of: NDArray[np.int64],
    item_of: NDArray[np.int64],
    items: Texts,
    log: Texts,
    account: NDArray[np.int64],
    text: NDArray[np.int64],
    accounts: int,
) -> NDArray[np.float64]:
    """Share in [0, 1] of an item's words, by weight, that stand close together in a text, for pairs sorted by ``log_of``.

    ``account`` and ``text`` are the distinct pairs of an account of ``accounts`` and a text that it sent, by account.
    """
    out = np.zeros(log_of.size)
    if not out.size:
        return out
    vocabulary, words, _ = Vocabulary.of(items.tokens)
    owner = np.repeat(np.arange(len(items)), np.diff(items.offsets))
    pairs = np.unique(owner * np.int64(vocabulary.terms.size) + words)
    carriers = np.bincount(pairs % vocabulary.terms.size, minlength=vocabulary.terms.size)
    sent, _ = spread_over_accounts(account, text, log, WORD, vocabulary)
    weight = weights(carriers, len(items), sent, accounts)
    _kept(
        log_of, item_of, log.offsets, log.tokens, vocabulary.terms, vocabulary.buckets, weight, items.offsets, words,
        STRETCH, out,
    )  # fmt: skip
    return out
