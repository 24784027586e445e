"""Near-duplicates within a case, measured again from its token hashes: the least similar pair of a cluster, and prompts like a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from extractscan.case import layout
from extractscan.cluster.similarity import jaccard
from extractscan.fingerprint.minhash import KEPT_SHINGLES, SHINGLE, shingle
from extractscan.fingerprint.tokens import tokenise
from extractscan.report.document import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from extractscan.case.read import Case

MEMBERS: Final = 2_000
"""Prompts of a cluster among which its least similar is sought."""


def csr(tokens: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return offsets and values of a column of token lists."""
    lengths = tokens.list.len().to_numpy().astype(np.int64)
    values = tokens.explode(empty_as_null=False).to_numpy().astype(np.uint32)
    return np.r_[np.int64(0), np.cumsum(lengths)], values


def prompts_of(case: Case, labels: Sequence[int]) -> pl.DataFrame:
    """Return the prompts of some clusters, in the order of their numbers: the first of a cluster represents it."""
    prompts = case.scan(layout.PROMPTS).with_row_index("prompt")
    return case.collect(prompts.filter(pl.col("cluster").is_in(list(labels)))).sort("prompt")


def looseness(members: pl.DataFrame) -> dict[str, Any]:
    """Return what documents say of a cluster with these prompts (``hash``, ``tokens``): its name, and how loose it is.

    ``cluster`` is the hash of its representative, ``least_similar_pair`` the hashes of that and of the prompt least similar to it among the
    first ``MEMBERS``, ``least_similarity`` their Jaccard similarity; none and None for a cluster of one.
    """
    looked = members.head(MEMBERS)
    keys = [f"{key:016x}" for key in looked["hash"].to_list()]
    if len(keys) < 2:
        return {"cluster": keys[0], "least_similarity": None, "least_similar_pair": []}
    other, similarity = least_similar(looked["tokens"])
    return {
        "cluster": keys[0],
        "least_similarity": round(similarity, DECIMALS),
        "least_similar_pair": [keys[0], keys[other]],
    }


def least_similar(tokens: pl.Series) -> tuple[int, float]:
    """Return the position of the member that is least similar to the first, of two or more, and the Jaccard similarity.

    Clusters are grown around their representative, the first, so that this is the loosest joint that was accepted.
    """
    sets = shingle(*csr(tokens))
    similarity = [
        float(jaccard(sets.offsets, sets.values, sets.counts, 0, other, KEPT_SHINGLES, 0.0))
        for other in range(1, tokens.len())
    ]
    worst = int(np.argmin(similarity))
    return 1 + worst, similarity[worst]


def containment(text: str, tokens: pl.Series) -> NDArray[np.float64]:
    """Share of the shingles of ``text`` that each prompt holds, in [0, 1]; exact for a prompt of up to ``KEPT_SHINGLES``, else an estimate.

    A text too short for a shingle is compared by its words in their order: 1 where they stand together in the prompt, else 0.
    """
    query = tokenise(pl.Series([text]))
    offsets, values = csr(tokens)
    if query.values.size < SHINGLE:
        return _holds(query.values, offsets, values)
    wanted = np.unique(shingle(query.offsets, query.values).values)
    sets = shingle(offsets, values)
    hits = np.r_[0, np.cumsum(np.isin(sets.values, wanted))]
    found = hits[sets.offsets[1:]] - hits[sets.offsets[:-1]]
    whole = np.full(found.size, float(wanted.size))
    for at in np.flatnonzero(sets.counts > KEPT_SHINGLES):
        # Only its smallest hashes are known: of the text's, those that could be among them count.
        largest = sets.values[sets.offsets[at + 1] - 1]
        whole[at] = max(1, int(np.searchsorted(wanted, largest, side="right")))
    out: NDArray[np.float64] = np.minimum(found / whole, 1.0)
    return out


def _holds(words: NDArray[np.uint32], offsets: NDArray[np.int64], values: NDArray[np.uint32]) -> NDArray[np.float64]:
    if not words.size or values.size < words.size:
        return np.zeros(offsets.size - 1)
    places = values.size - words.size + 1
    match = np.ones(places, bool)
    for k, word in enumerate(words):
        match &= values[k : k + places] == word
    at = np.flatnonzero(match)
    owner = np.searchsorted(offsets, at, side="right") - 1
    inside = at + words.size <= offsets[owner + 1]
    out = np.zeros(offsets.size - 1)
    out[owner[inside]] = 1.0
    return out
