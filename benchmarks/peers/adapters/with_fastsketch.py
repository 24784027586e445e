"""FastSketchLSH: Fast Similarity Sketching in C++ over shingles made in Python, and its banded index."""

from __future__ import annotations

import time

import settings
from FastSketchLSH import LSH, FastSimilaritySketch
from outcome import Outcome
from preparing import as_list
from shingling import shingle_sets

PACKAGE = "FastSketchLSH"
SHINGLES = "word 3-grams, in Python"
prepare = as_list


def run(texts: list[str], threads: int) -> Outcome:
    start = time.process_time()
    rows, sets = shingle_sets(texts)
    middle = time.process_time()
    matrix = FastSimilaritySketch(size=settings.NUM_PERM, seed=42).batch(sets, num_threads=threads)
    index = LSH(num_perm=settings.NUM_PERM, num_bands=settings.BANDS)
    index.insert(matrix)
    flat, starts = index.query(matrix, format="csr")
    end = time.process_time()
    pairs = (
        (rows[int(j)], rows[i]) for i in range(len(rows)) for j in flat[int(starts[i]) : int(starts[i + 1])] if j < i
    )
    return Outcome(pairs=pairs, phases={"shingles": middle - start, "sketch and index": end - middle})
