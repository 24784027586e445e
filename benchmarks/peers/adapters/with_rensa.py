"""rensa: R-MinHash of whole sets by its batch functions, and all queries of its index at once."""

from __future__ import annotations

import time

import settings
from outcome import Outcome
from preparing import as_list
from rensa import RMinHash, RMinHashLSH
from shingling import shingle_sets

PACKAGE = "rensa"
SHINGLES = "word 3-grams, in Python"
prepare = as_list


def run(texts: list[str], threads: int) -> Outcome:
    del threads
    start = time.process_time()
    rows, sets = shingle_sets(texts)
    middle = time.process_time()
    sketches = RMinHash.from_token_sets(sets, num_perm=settings.NUM_PERM, seed=42)
    index = RMinHashLSH(threshold=settings.THRESHOLD, num_perm=settings.NUM_PERM, num_bands=settings.BANDS)
    index.insert_many(sketches)
    met = index.query_all(sketches)
    end = time.process_time()
    pairs = ((rows[j], rows[i]) for i, others in enumerate(met) for j in others if j < i)
    return Outcome(pairs=pairs, phases={"shingles": middle - start, "sketch and index": end - middle})
