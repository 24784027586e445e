"""Clusters of near-duplicates that do not chain.

Pairs join clusters from the most similar down. Two clusters merge only while their representatives are themselves
alike, so that a path of small steps cannot tie together prompts that have nothing to do with each other; at the end any
member that is too far from its representative is put alone. Each cluster knows its least similar member, which is how an
analyst audits the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.cluster.bands import meeting
from extractscan.cluster.candidates import verified_pairs
from extractscan.cluster.similarity import jaccard
from extractscan.fingerprint.minhash import KEPT_SHINGLES, band_keys, shingle_sets
from extractscan.jit import kernel
from extractscan.memory import Memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.minhash import Shingles

THRESHOLD: Final = 0.8
"""Jaccard similarity at which two prompts are near-duplicates: one word in about thirty changed in a text of 80 words
(a changed word changes three shingles), or a few words added. Broder's original setting for the web was 0.5 for
*roughly the same*; templates with different payloads lie at 0.4 to 0.7 and must stay apart here, because the frame
stage, not this one, is where a template is found."""
RADIUS: Final = 0.65
"""Least similarity of a member to its representative."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Near-duplicate clusters of n texts.

    ``label`` (int64, n) is the position of the cluster's representative, its smallest member; a text alone is its own.
    ``least`` (float64, n) is, at a representative's position, the similarity of the least similar member that was merged (1.0
    alone). ``capped`` counts hot band runs that were not compared pair by pair, ``capped_prompts`` is the largest.
    """

    label: NDArray[np.int64]
    least: NDArray[np.float64]
    capped: int
    capped_prompts: int

    @property
    def total(self) -> int:
        """Number of clusters: of texts that represent themselves."""
        return int(np.count_nonzero(self.label == np.arange(self.label.size)))


@kernel
def _find(parent: NDArray[np.int64], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _join(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    offsets: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.int64],
    radius: float,
    kept: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    n = counts.size
    parent = np.arange(n)
    for k in range(left.size):
        p = _find(parent, left[k])
        q = _find(parent, right[k])
        if p == q:
            continue
        if jaccard(offsets, values, counts, p, q, kept, radius) >= radius:
            parent[max(p, q)] = min(p, q)
    least = np.ones(n)
    label = np.empty(n, np.int64)
    for i in range(n):
        root = _find(parent, i)
        label[i] = root
        if root != i:
            value = jaccard(offsets, values, counts, root, i, kept, radius)
            if value < radius:
                label[i] = i
            elif value < least[root]:
                least[root] = value
    return label, least


def cluster(shingles: Shingles, *, threshold: float = THRESHOLD, radius: float = RADIUS, jobs: int = 1) -> Clusters:
    """Cluster texts by their shingles; texts without a shingle stay alone (exact duplicates went before)."""
    pairs = verified_pairs(shingles, threshold, jobs=jobs)
    label, least = _join(
        pairs.left, pairs.right, shingles.offsets, shingles.values, shingles.counts, radius, KEPT_SHINGLES
    )
    return Clusters(label, least, pairs.capped, pairs.capped_prompts)


def cluster_texts(
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    *,
    threshold: float = THRESHOLD,
    radius: float = RADIUS,
    jobs: int = 1,
    memory: Memory | None = None,
) -> Clusters:
    """Cluster token sequences in CSR form: the same as ``cluster`` over all their shingles.

    Shingle sets, which take as much memory as the tokens, are made only for texts that share a band with another.
    """
    keys = band_keys(offsets, tokens, jobs=jobs, memory=memory)
    texts = meeting(offsets, keys, jobs=jobs)
    known: NDArray[np.uint32] = (memory or Memory()).zeros((keys.shape[0], texts.size), np.uint32)
    for band, row in zip(known, keys, strict=True):
        band[:] = row[texts]
    del keys
    shingles = shingle_sets(texts, offsets, tokens, known, jobs=jobs, memory=memory)
    some = cluster(shingles, threshold=threshold, radius=radius, jobs=jobs)
    label = np.arange(offsets.size - 1)
    least = np.ones(offsets.size - 1)
    label[texts] = texts[some.label]
    least[texts] = some.least
    return Clusters(label, least, some.capped, some.capped_prompts)
