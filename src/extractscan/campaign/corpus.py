"""Whether two streams draw on one distribution of payloads.

A shard of a hundred prompts shares few words with another shard of the same corpus: their raw similarity is low because both
are small samples. The similarity is therefore *disattenuated* (Spearman 1904): each stream's payloads are split into two
halves, and the inner product of word frequencies across streams is divided by that across the halves of each stream,

    r(A, B) = (<A1, B2> + <A2, B1>) / 2 / sqrt(<A1, A2> <B1, B2>),

which is free of the bias from sample size. It is near 1 for shards of one corpus, whatever the language, and lower for
different sources. Words are weighted by their rarity among streams (squared idf).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import polars as pl

from extractscan.campaign.frequencies import all_pairs, weighted
from extractscan.campaign.likeness import Matrix, Sketched
from extractscan.campaign.sketches import candidates
from extractscan.fingerprint.sorting import sort
from extractscan.jit import kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.campaign.frequencies import Frequencies
    from extractscan.campaign.likeness import Likeness
    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts

DIMENSIONS: Final = 1 << 15
"""Buckets that words are hashed into."""
SAMPLE: Final = 400
"""Payloads of a stream that its word frequencies are taken from."""
WORDS: Final = 128
"""Tokens of a payload that are looked at."""
ALL_PAIRS: Final = 512
"""Units up to which every pair is compared in full, which takes about a second; above, sketches choose the pairs."""
PIECE: Final = 1 << 14
"""Payloads whose words are counted at a time: what is set aside for their words is 42 MB."""


LAST, WORD, FIRST, SECOND = range(4)
"""What is known of a bucket: see ``_halves``."""


@kernel
def _among(tokens: NDArray[np.uint32], token: np.uint32) -> bool:
    for other in tokens:  # noqa: SIM110 (numba)
        if other == token:
            return True
    return False


@kernel
def _halves(
    bounds: NDArray[np.int64],
    prompts: NDArray[np.int64],
    front: NDArray[np.int64],
    back: NDArray[np.int64],
    order: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    sample: int,
    words: int,
    dimensions: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Word frequencies of both halves of each stream over the union of their buckets, in CSR form.

    Returns row bounds, buckets, and the frequencies of the first and of the second half.
    """
    n = bounds.size - 1
    capacity = 0
    for s in range(n):
        capacity += min(bounds[s + 1] - bounds[s], sample) * words
    capacity = min(capacity, n * dimensions)
    columns = np.empty(capacity, np.int32)
    first = np.empty(capacity, np.float64)
    second = np.empty(capacity, np.float64)
    ends = np.zeros(n + 1, np.int64)
    # Of each bucket: the payload that had it last (from 1, over all streams), a word of that, and how many of both halves had it.
    state = np.zeros((dimensions, 4), np.int32)
    touched = np.empty(dimensions, np.uint32)
    at = 0
    payload = 0
    for s in range(n):
        lo = bounds[s]
        earlier = payload
        size = min(bounds[s + 1] - lo, sample)
        used = 0
        for m in range(size):
            k = order[lo + m]
            i = prompts[k]
            begin = offsets[i] + front[k]
            end = min(offsets[i + 1] - back[k], begin + words)
            half = m & 1
            payload += 1
            for j in range(begin, end):
                bucket = np.int64(tokens[j]) & (dimensions - 1)
                word = np.int32(
                    tokens[j] >> np.uint32(1)
                )  # what buckets do not tell apart differs above the lowest bit
                if state[bucket, LAST] == payload:
                    if state[bucket, WORD] == word or _among(tokens[begin:j], tokens[j]):
                        continue
                else:
                    if state[bucket, LAST] <= earlier:
                        touched[used] = np.uint32(bucket)
                        used += 1
                        state[bucket, FIRST] = 0
                        state[bucket, SECOND] = 0
                    state[bucket, LAST] = payload
                    state[bucket, WORD] = word
                state[bucket, FIRST + half] += 1
        sort(touched[:used])
        for bucket in touched[:used]:
            columns[at] = bucket
            first[at] = state[bucket, FIRST] / max(1, (size + 1) // 2)
            second[at] = state[bucket, SECOND] / max(1, size // 2)
            at += 1
        ends[s + 1] = at
    return ends, columns[:at].copy(), first[:at].copy(), second[:at].copy()


Counted: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]"
"""Word frequencies of units in CSR form: row bounds, buckets, frequencies of the first half and of the second."""


def count_words(
    sizes: NDArray[np.int64],
    chosen: NDArray[np.int64],
    text: NDArray[np.int64],
    front: NDArray[np.int64],
    back: NDArray[np.int64],
    prompts: Texts,
    jobs: int,
) -> Counted:
    """Count the words of units: ``chosen`` are rows of items, ``sizes`` of them a unit, in the order that decides halves."""
    bounds = np.r_[0, np.cumsum(sizes)].astype(np.int64)

    def part(start: int, stop: int) -> Counted:
        return _halves(
            bounds[start : stop + 1],
            text,
            front,
            back,
            chosen,
            prompts.offsets,
            prompts.tokens,
            SAMPLE,
            WORDS,
            DIMENSIONS,
        )

    most = 1 + int(bounds[-1]) // PIECE
    parts = share(part, pieces(sizes + 1, most), jobs)
    if not parts:
        return np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0), np.zeros(0)
    ends = np.r_[0, np.cumsum(np.concatenate([np.diff(p[0]) for p in parts]))].astype(np.int64)
    columns, first_half, second_half = (np.concatenate([p[k] for p in parts]) for k in (1, 2, 3))
    return ends, columns, first_half, second_half


def middle(similarity: NDArray[np.float64]) -> float:
    """Median over pairs of a matrix of similarities."""
    return float(np.median(similarity[np.triu_indices(similarity.shape[0], 1)]))


def _cores() -> int:
    return pl.thread_pool_size()  # which --jobs decides, and the machine where nobody did


class Corpora:
    """Compares the payload distributions of units (sets of streams) of one log.

    Words are weighted by their rarity among ``reference`` units, so that every comparison in a log uses one scale: weights taken
    from the few units of one comparison would leave nothing of what these have in common. Results do not depend on ``jobs``,
    the number of threads, by default as many as Polars has.
    """

    def __init__(
        self, streams: Streams, prompts: Texts, reference: list[NDArray[np.int64]], jobs: int | None = None
    ) -> None:
        """Take the items of ``streams`` and the weights from ``reference``, a list of arrays of stream numbers."""
        items = streams.items
        self._stream = items["stream"].to_numpy()
        self._payload = items["payload"].to_numpy()
        self._text, self._front, self._back = (items[name].to_numpy() for name in ("prompt", "front", "back"))
        self._prompts = prompts
        self._jobs = jobs or _cores()
        self._weigh(reference)

    def _weigh(self, reference: list[NDArray[np.int64]]) -> None:
        counted = self._word_frequencies(reference)
        spread = np.bincount(counted[1], minlength=DIMENSIONS)
        self._weight = np.log((2.0 + len(reference)) / (1.0 + spread))
        self._reference = reference
        # Kept, because they are what a log's units are compared by, and took a walk through all of their words.
        self._known = weighted(*counted, self._weight)

    def _word_frequencies(self, units: list[NDArray[np.int64]]) -> Counted:
        sizes = np.zeros(len(units), np.int64)
        order: list[NDArray[np.int64]] = []
        for number, unit in enumerate(units):
            begins, stops = (np.searchsorted(self._stream, unit, side=side) for side in ("left", "right"))
            rows = np.concatenate([np.arange(a, b) for a, b in zip(begins, stops, strict=True)])
            # By payload hash: an order that time does not know, and the same payload once.
            _, first = np.unique(self._payload[rows], return_index=True)
            order.append(rows[first[:SAMPLE]])
            sizes[number] = order[-1].size
        chosen = np.concatenate(order).astype(np.int64) if order else np.zeros(0, np.int64)
        return count_words(sizes, chosen, self._text, self._front, self._back, self._prompts, self._jobs)

    def likenesses(self, groups: list[list[NDArray[np.int64]]]) -> list[float]:
        """Median similarity of the units of each group, two or more."""
        return [middle(self.similarity(units)) for units in groups]

    def _frequencies(self, units: list[NDArray[np.int64]]) -> Frequencies:
        return self._known if units is self._reference else weighted(*self._word_frequencies(units), self._weight)

    def similarity(self, units: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the similarity of n units, float64 (n, n), diagonal 0; 0 for one that does not even resemble itself.

        All pairs are compared; ``compare`` is for many units.
        """
        return all_pairs(self._frequencies(units), self._jobs)

    def compare(self, units: list[NDArray[np.int64]], threshold: float) -> Likeness:
        """Compare units of which similar ones, from ``threshold``, are looked for: all pairs, or above ``ALL_PAIRS`` units by sketches."""
        f = self._frequencies(units)
        if f.size <= ALL_PAIRS:
            return Matrix(all_pairs(f, self._jobs), threshold)
        return Sketched(f, candidates(f, threshold, self._jobs), threshold, self._jobs)
