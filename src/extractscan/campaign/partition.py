"""Whether the members of a group avoid one another's payloads: a shared-out list, or independent draws from one source.

Zero overlap alone says little: it depends on how large the source is. What is compared is the overlap seen with the one that
independent draws would give, where the size of the source is known from

* outsiders, who draw on it too and meet the members at some rate;
* experience: even odds that there is no common source at all, else one of a thousand to ten million items, every order of
  magnitude as likely;
* the payloads' own make-up: where they fill a grid of slots, a chain of their words shows how soon two draws must coincide.

Outsiders are not trusted wholly: one of them may be a chance acquaintance, so that evidence grows with their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import logsumexp

from extractscan.coverage.coincidence import LEFT, coincidence, log_counts, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from extractscan.campaign.overlap import Overlap
    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts

SHARES_LEFT: Final = np.r_[0.0, np.logspace(-6.0, np.log10(LEFT), 9)]
"""Shares of the coincidences of independent draws that may be left where a list is shared out: how much is retried is unknown."""
SHARED_OUT: Final = 0.5
"""Operators who share out a list; the others let every account draw for itself."""
SOURCES: Final = np.logspace(3.0, 7.0, 41)
"""Sizes of a source about which nothing is known: the collections that are published have a thousand to ten million items."""
OPEN: Final = 0.5
"""Groups whose members draw on no common source: what customers send is their own, and however much of it meets says nothing. So that
members avoid one another says less than a bit, unless outsiders, or the payloads' own make-up, say that draws would meet."""
TRUST: Final = 4.0
"""Odds that an outsider who shares several payloads with a group draws on the source as its members do, and is no chance
acquaintance."""
OUTSIDERS_TRUSTED: Final = 4
"""Outsiders beyond which more of them do not make their rate any surer: all of them may have what customers sent, each of his own, out
of one collection that was published. One group in sixteen is granted that."""

GLANCE: Final = 256
SAMPLE: Final = 2048
"""Payloads of a half of a group that its chain is estimated from, or on: at first, and where these promise anything."""


def partition_bits(overlap: Overlap, grid: float = 0.0) -> float:
    """Log2 likelihood ratio of one operator's accounts against independent draws from one source.

    ``grid`` is the probability that two payloads of different members coincide, by their make-up (0 if it tells nothing). Both
    likelihoods of the overlap are averaged over what the size of the source may be. At the least -1: half of all operators
    (``SHARED_OUT``) are taken to let every account draw for itself.
    """
    if overlap.pairs <= 0.0:
        return 0.0
    rates = np.r_[0.0, 1.0 / SOURCES]
    weights = np.r_[OPEN, np.full(SOURCES.size, (1.0 - OPEN) / SOURCES.size)]
    if overlap.expected > 0.0:
        rates = np.r_[rates, overlap.expected / overlap.pairs]
        weights = np.r_[weights, TRUST * min(overlap.outsiders, OUTSIDERS_TRUSTED)]
    # A chain of words mixes more freely than people fill slots: it is a lower bound of the rate at which draws coincide.
    mean = overlap.pairs * np.maximum(rates, grid)
    left = mean[:, None] * SHARES_LEFT
    if mean[0] < 1.0:  # without a source, or a make-up, there is no mean: what was seen is as likely as anything
        mean[0] = left[0] = overlap.inside
    logs = np.log(weights / weights.sum())
    independent = float(logsumexp(logs + log_counts(overlap.inside, mean)))
    shared_out = float(logsumexp(logs[:, None] + log_counts(overlap.inside, left))) - float(np.log(SHARES_LEFT.size))
    ratio = np.logaddexp(np.log(SHARED_OUT) + shared_out - independent, np.log(1.0 - SHARED_OUT))
    return float(ratio / np.log(2.0))


class Meetings:
    """How soon the payloads of two accounts coincide by chance, by their make-up alone (see ``coverage.coincidence``)."""

    def __init__(self, streams: Streams, prompts: Texts) -> None:
        """Take the items of all streams and their tokens."""
        items = streams.items
        self._stream = items["stream"].to_numpy()
        self._text, self._front, self._back = (items[name].to_numpy() for name in ("prompt", "front", "back"))
        self._payload = items["payload"].to_numpy()
        self.smallest = np.full(streams.table.height, np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(self.smallest, self._stream, self._payload)
        self._prompts = prompts

    def _words(self, streams: NDArray[np.int64], sample: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        spans = [np.arange(*np.searchsorted(self._stream, [s, s + 1])) for s in streams]
        rows = np.concatenate(spans) if spans else np.zeros(0, np.int64)
        _, first = np.unique(self._payload[rows], return_index=True)  # in an order that time does not know
        rows = rows[first[:sample]]
        begin = self._prompts.offsets[self._text[rows]] + self._front[rows]
        end = self._prompts.offsets[self._text[rows] + 1] - self._back[rows]
        return words_of(begin, end, self._payload[rows], self._prompts)

    def foresee(self, groups: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> None:
        """Groups of which ``probability`` will be asked: nothing to prepare here."""

    def halves(self, streams: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
        """Half of its group, 0 or 1, that each stream is in: by the members' smallest payload hashes, by number would be by name."""
        smallest = np.full(int(owner.max()) + 1, np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(smallest, owner, self.smallest[streams])
        half: NDArray[np.int64] = np.unique(smallest, return_inverse=True)[1][owner] % 2
        return half

    def looks(self, streams: NDArray[np.int64], owner: NDArray[np.int64]) -> Iterator[float]:
        """The probability as a glance finds it, then as a sample does."""
        half = self.halves(streams, owner)
        for sample in (GLANCE, SAMPLE):
            yield coincidence(self._words(streams[half == 0], sample), self._words(streams[half == 1], sample))

    def probability(self, streams: NDArray[np.int64], owner: NDArray[np.int64], overlap: Overlap) -> float:
        """Probability that payloads of two members coincide, at the least; ``owner`` numbers the member of each stream.

        It is worth a long look only where it promises more coincidences than the ``overlap`` shows: nothing else can speak for
        a partition.
        """
        if not streams.size:
            return 0.0
        found = 0.0
        for found in self.looks(streams, owner):
            if found * overlap.pairs <= overlap.inside + 1.0:
                return found
        return found
