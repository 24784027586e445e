"""tors: shingles, signatures and bands in Rust, text by text; candidates are not verified."""

from __future__ import annotations

import settings
import tors
from outcome import Outcome
from preparing import as_list

PACKAGE = "tors"
SHINGLES = "word 3-grams, its own"
prepare = as_list
NOTHING = 2**64 - 1


def run(texts: list[str], threads: int) -> Outcome:
    del threads
    rows, signatures = [], []
    for i, text in enumerate(texts):
        signature = tors.minhash_signature(text, num_perm=settings.NUM_PERM, shingle_size=3)
        if signature[0] != NOTHING:
            rows.append(i)
            signatures.append(signature)
    met = tors.lsh_candidates(signatures, bands=settings.BANDS, rows=settings.ROWS)["pairs"]
    return Outcome(pairs=((rows[i], rows[j]) for i, j in met))
