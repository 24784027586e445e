"""Whether two streams draw on one distribution of payloads.

A shard of a hundred prompts shares few words with another shard of the same corpus: their raw similarity is low because both
are small samples. The similarity is therefore *disattenuated* (Spearman 1904): each stream's payloads are split into two
halves, and the inner product of word frequencies across streams is divided by that across the halves of each stream,

    r(A, B) = (<A1, B2> + <A2, B1>) / 2 / sqrt(<A1, A2> <B1, B2>),

which is free of the bias from sample size. It is near 1 for shards of one corpus, whatever the language, and lower for
different sources. Words are weighted by their rarity among streams (squared idf).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.sorting import distinct, sort
from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts

DIMENSIONS: Final = 1 << 15
"""Buckets that words are hashed into."""
SAMPLE: Final = 400
"""Payloads of a stream that its word frequencies are taken from."""
WORDS: Final = 128
"""Tokens of a payload that are looked at."""


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
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Word frequencies of both halves of each stream over the union of their buckets, in CSR form.

    Returns row bounds, buckets, and the frequencies of the first and of the second half.
    """
    n = bounds.size - 1
    capacity = 0
    for s in range(n):
        capacity += min(bounds[s + 1] - bounds[s], sample) * words
    capacity = min(capacity, n * dimensions)
    columns = np.empty(capacity, np.int64)
    first = np.empty(capacity, np.float64)
    second = np.empty(capacity, np.float64)
    ends = np.zeros(n + 1, np.int64)
    counts = np.zeros((2, dimensions), np.int64)
    stamp = np.full(dimensions, -1, np.int64)
    touched = np.empty(dimensions, np.uint32)
    scratch = np.empty(words, np.uint32)
    at = 0
    for s in range(n):
        lo = bounds[s]
        size = min(bounds[s + 1] - lo, sample)
        used = 0
        for m in range(size):
            k = order[lo + m]
            i = prompts[k]
            begin = offsets[i] + front[k]
            end = min(offsets[i + 1] - back[k], begin + words)
            half = m & 1
            if end > begin:
                for t in scratch[: distinct(tokens[begin:end], scratch[: end - begin])]:
                    bucket = np.int64(t) & (dimensions - 1)
                    if stamp[bucket] != s:
                        stamp[bucket] = s
                        touched[used] = np.uint32(bucket)
                        used += 1
                        counts[0, bucket] = 0
                        counts[1, bucket] = 0
                    counts[half, bucket] += 1
        sort(touched[:used])
        for bucket in touched[:used]:
            columns[at] = bucket
            first[at] = counts[0, bucket] / max(1, (size + 1) // 2)
            second[at] = counts[1, bucket] / max(1, size // 2)
            at += 1
        ends[s + 1] = at
    return ends, columns[:at].copy(), first[:at].copy(), second[:at].copy()


@kernel
def _weigh(columns: NDArray[np.int64], values: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
    for j in range(columns.size):
        values[j] *= weight[columns[j]]


@kernel
def _similarities(
    ends: NDArray[np.int64], columns: NDArray[np.int64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Disattenuated similarity of all pairs: (n, n), symmetric, 0 where a stream does not even resemble itself."""
    n = ends.size - 1
    dimensions = 0
    for c in columns:
        dimensions = max(dimensions, c + 1)
    own = np.zeros(n)
    for s in range(n):
        for j in range(ends[s], ends[s + 1]):
            own[s] += first[j] * second[j]
    out = np.zeros((n, n))
    a = np.zeros(dimensions)
    b = np.zeros(dimensions)
    for s in range(n):
        for j in range(ends[s], ends[s + 1]):
            a[columns[j]] = first[j]
            b[columns[j]] = second[j]
        if own[s] > 0:
            for t in range(s + 1, n):
                if own[t] > 0:
                    total = 0.0
                    for j in range(ends[t], ends[t + 1]):
                        total += a[columns[j]] * second[j] + b[columns[j]] * first[j]
                    out[s, t] = total / 2.0 / np.sqrt(own[s] * own[t])
                    out[t, s] = out[s, t]
        for j in range(ends[s], ends[s + 1]):
            a[columns[j]] = 0.0
            b[columns[j]] = 0.0
    return out


class Corpora:
    """Compares the payload distributions of units (sets of streams) of one log.

    Words are weighted by their rarity among ``reference`` units, so that every comparison in a log uses one scale: weights taken
    from the few units of one comparison would leave nothing of what these have in common.
    """

    def __init__(self, streams: Streams, prompts: Texts, reference: list[NDArray[np.int64]]) -> None:
        """Take the items of ``streams`` and the weights from ``reference``, a list of arrays of stream numbers."""
        items = streams.items
        self._stream = items["stream"].to_numpy()
        self._payload = items["payload"].to_numpy()
        self._text, self._front, self._back = (items[name].to_numpy() for name in ("prompt", "front", "back"))
        self._prompts = prompts
        _, columns, _, _ = self._word_frequencies(reference)
        spread = np.bincount(columns, minlength=DIMENSIONS)
        self._weight = np.log((2.0 + len(reference)) / (1.0 + spread))

    def _word_frequencies(
        self, units: list[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        bounds = [0]
        order: list[NDArray[np.int64]] = []
        for unit in units:
            spans = [np.searchsorted(self._stream, [s, s + 1], side="left") for s in unit]
            rows = np.concatenate([np.arange(a, b) for a, b in spans])
            # By payload hash: an order that time does not know, and the same payload once.
            _, first = np.unique(self._payload[rows], return_index=True)
            order.append(rows[first])
            bounds.append(bounds[-1] + first.size)
        return _halves(
            np.array(bounds, np.int64),
            self._text,
            self._front,
            self._back,
            np.concatenate(order).astype(np.int64) if order else np.zeros(0, np.int64),
            self._prompts.offsets,
            self._prompts.tokens,
            SAMPLE,
            WORDS,
            DIMENSIONS,
        )

    def similarity(self, units: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the similarity of n units, float64 (n, n), diagonal 0; 0 for one that does not even resemble itself."""
        ends, columns, first, second = self._word_frequencies(units)
        _weigh(columns, first, self._weight)
        _weigh(columns, second, self._weight)
        return _similarities(ends, columns, first, second)
