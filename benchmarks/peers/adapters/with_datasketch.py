"""datasketch: MinHash and MinHashLSH over shingles made in Python, as its documentation shows."""

from __future__ import annotations

import time

import settings
from datasketch import MinHash, MinHashLSH
from outcome import Outcome
from preparing import as_list
from shingling import shingle_sets

PACKAGE = "datasketch"
SHINGLES = "word 3-grams, in Python"
prepare = as_list


def run(texts: list[str], threads: int) -> Outcome:
    del threads
    start = time.process_time()
    rows, sets = shingle_sets(texts)
    middle = time.process_time()
    index = MinHashLSH(threshold=settings.THRESHOLD, num_perm=settings.NUM_PERM)
    pairs = []
    for i, items in zip(rows, sets, strict=True):
        sketch = MinHash(num_perm=settings.NUM_PERM)
        sketch.update_batch([s.encode() for s in items])
        pairs += [(j, i) for j in index.query(sketch)]
        index.insert(i, sketch)
    end = time.process_time()
    return Outcome(pairs=pairs, phases={"shingles": middle - start, "sketch and index": end - middle})
