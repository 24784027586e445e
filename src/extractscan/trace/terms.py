"""Terms of texts, shingles or words, and what each is worth.

A term weighs by how rare it is::

    weight(s) = ln 1 / max(share of the items that have s, share of the log's accounts that sent s)

so that neither the template of a data set nor an idiom of the log's senders makes a match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from extractscan.fingerprint.minhash import SHINGLE, _shingle, _shingle_sets
from extractscan.fingerprint.texts import KEPT_TOKENS
from extractscan.jit import inline, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Texts

WORD: Final = 1
"""Width of a word, in tokens; that of a shingle is ``minhash.SHINGLE``."""
BUCKET_BITS: Final = 20


def buckets_of(terms: NDArray[np.uint32] | NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where in sorted ``terms`` those begin that open with each ``BUCKET_BITS`` bits, and where all end (int64, one more than openings)."""
    first = np.arange(1 << BUCKET_BITS, dtype=np.uint64) << np.uint64(8 * terms.itemsize - BUCKET_BITS)
    # In the type of the terms: a search for another would copy them.
    return np.asarray(np.r_[np.searchsorted(terms, first.astype(terms.dtype)), terms.size], np.int64)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Distinct terms, sorted (uint32), and where to look for one by its first bits (see ``buckets_of``)."""

    terms: NDArray[np.uint32]
    buckets: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[np.uint32]) -> tuple[Self, NDArray[np.int64], NDArray[np.int64]]:
        """Return the vocabulary of ``values``, the position of each value in it, and how often each term is there."""
        terms, ids, counts = np.unique(values, return_inverse=True, return_counts=True)
        return cls(terms, buckets_of(terms)), ids.astype(np.int64), counts.astype(np.int64)


@inline
def term(tokens: NDArray[np.uint32], at: int, width: int) -> np.uint32:
    """The word or the shingle that begins at a token."""
    if width == WORD:
        return np.uint32(tokens[at])
    return np.uint32(_shingle(tokens[at], tokens[at + 1], tokens[at + 2]))


@inline
def find(
    value: np.uint32 | np.uint64, terms: NDArray[np.uint32] | NDArray[np.uint64], buckets: NDArray[np.int64]
) -> int:
    """Position of a value in sorted ``terms`` of its type, -1 if it is not there; ``buckets`` are those of ``buckets_of``."""
    bucket = np.int64(np.uint64(value) >> np.uint64(8 * terms.itemsize - BUCKET_BITS))
    low = buckets[bucket]
    high = buckets[bucket + 1]
    while low < high:
        middle = (low + high) >> 1
        if terms[middle] < value:
            low = middle + 1
        else:
            high = middle
    if low < buckets[bucket + 1] and terms[low] == value:
        return int(low)
    return -1


def shingle_sets(texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Distinct sorted shingles of n texts, all that their tokens give, in CSR form: offsets (int64, n + 1) and values (uint32)."""
    n = len(texts)
    ends = np.zeros(n + 1, np.int64)
    values = np.empty(int(np.maximum(np.diff(texts.offsets) - SHINGLE + 1, 0).sum()), np.uint32)
    used = _shingle_sets(np.arange(n), texts.offsets, texts.tokens, KEPT_TOKENS, values, ends, np.zeros(n, np.int64))
    return ends, values[:used]


@kernel
def _spread(
    account: NDArray[np.int64],
    text: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    width: int,
    terms: NDArray[np.uint32],
    buckets: NDArray[np.int64],
    accounts: NDArray[np.int64],
    texts: NDArray[np.int64],
) -> None:
    last = np.full(terms.size, -1, np.int64)
    for k in range(account.size):
        for j in range(offsets[text[k]], offsets[text[k] + 1] - width + 1):
            v = find(term(tokens, j, width), terms, buckets)
            if v >= 0:
                texts[v] += 1
                if last[v] != account[k]:
                    last[v] = account[k]
                    accounts[v] += 1


def spread_over_accounts(
    account: NDArray[np.int64], text: NDArray[np.int64], log: Texts, width: int, vocabulary: Vocabulary
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the accounts that sent each term, and how often they did in all.

    ``account`` and ``text`` are distinct pairs of an account and a text of ``log`` that it sent, by account.
    """
    accounts = np.zeros(vocabulary.terms.size, np.int64)
    texts = np.zeros(vocabulary.terms.size, np.int64)
    _spread(account, text, log.offsets, log.tokens, width, vocabulary.terms, vocabulary.buckets, accounts, texts)
    return accounts, texts


def weights(carriers: NDArray[np.int64], of: int, accounts: NDArray[np.int64], among: int) -> NDArray[np.float64]:
    """Weight of terms: ``carriers`` of ``of`` items have each, ``accounts`` of ``among`` accounts sent it.

    One is added to what the shares are of, so that a weight stays over 0: with one item all terms weigh the same.
    """
    shares = np.maximum(carriers / (of + 1), accounts / (among + 1))
    return np.asarray(-np.log(shares))


def surprises(texts: NDArray[np.int64], among: int, carriers: NDArray[np.int64], of: int) -> NDArray[np.float64]:
    """Surprise in nats of meeting a term by coincidence.

    ``texts`` of ``among`` texts of the log have it, and ``carriers`` of ``of`` items, one of which is the item that is compared and says
    nothing of how common the term is.
    """
    shares = np.maximum(np.maximum(texts, 1) / (among + 1), np.maximum(carriers - 1, 0) / (of + 1))
    return np.asarray(-np.log(np.minimum(shares, 1.0)))


def enough(items: int, texts: int) -> float:
    """Surprise in nats that a match must hold: fewer than one match of that kind is then expected by coincidence in the whole comparison.

    The expectation is ``items * texts * exp(-surprise)``, as for local alignments (Karlin and Altschul 1990, PNAS 87:2264).
    """
    return float(np.log(max(items, 1)) + np.log(max(texts, 1)))
