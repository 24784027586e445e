"""gaoya: shingles, MinHash and index in Rust, from strings, in bulk."""

from __future__ import annotations

import settings
from gaoya.minhash import MinHashStringIndex
from outcome import Outcome
from preparing import as_list

PACKAGE = "gaoya"
SHINGLES = "word 3-grams, its own"
prepare = as_list


def run(texts: list[str], threads: int) -> Outcome:
    del threads
    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=settings.THRESHOLD,
        num_bands=settings.BANDS,
        band_size=settings.ROWS,
        analyzer="word",
        lowercase=True,
        ngram_range=(3, 3),
        id_container="smallvec",
    )
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    met = index.par_bulk_query(texts)
    return Outcome(pairs=((j, i) for i, others in enumerate(met) for j in others if j < i))
