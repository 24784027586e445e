"""rensa's fastest way, rho: samples of the shingles' positions, and a flag for each row in place of pairs."""

from __future__ import annotations

import time

import settings
from outcome import Outcome
from preparing import as_list
from rensa import RMinHash, RMinHashLSH
from shingling import shingle_sets

PACKAGE = "rensa"
SHINGLES = "word 3-grams, in Python, sampled"
prepare = as_list


def run(texts: list[str], threads: int) -> Outcome:
    del threads
    start = time.process_time()
    rows, sets = shingle_sets(texts)
    middle = time.process_time()
    matrix = RMinHash.digest_matrix_from_token_sets_rho(sets, num_perm=settings.NUM_PERM, seed=42)
    index = RMinHashLSH(threshold=settings.THRESHOLD, num_perm=settings.NUM_PERM, num_bands=settings.BANDS)
    held = index.query_duplicate_flags_matrix_one_shot(matrix)
    end = time.process_time()
    flags = [False] * len(texts)
    for i, flag in zip(rows, held, strict=True):
        flags[i] = bool(flag)
    return Outcome(flags=flags, phases={"shingles": middle - start, "sketch and index": end - middle})
