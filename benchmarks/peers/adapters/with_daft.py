"""Daft: ``normalize`` and ``minhash`` over a Parquet file. It has no index; bands are compared by sorting in numpy, as stars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import daft
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import settings
from daft import col
from daft import functions as f
from outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "daft"
SHINGLES = "word 3-grams, its own"


def prepare(texts: list[str], folder: Path, threads: int) -> str:
    del threads
    path = str(folder / "texts.parquet")
    pq.write_table(pa.table({"row": range(len(texts)), "text": texts}), path)
    return path


def run(path: str, threads: int) -> Outcome:
    del threads
    plain = f.normalize(col("text"), remove_punct=True, lowercase=True, nfd_unicode=True, white_space=True)
    table = (
        daft.read_parquet(path)
        .select("row", f.minhash(plain, num_hashes=settings.NUM_PERM, ngram_size=3).alias("signature"))
        .to_arrow()
    )
    rows = table["row"].to_numpy()
    flat = table["signature"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    signatures = np.ascontiguousarray(flat.reshape(len(rows), settings.NUM_PERM))
    pairs = []
    for band in range(settings.BANDS):
        keys = np.ascontiguousarray(signatures[:, band * settings.ROWS : (band + 1) * settings.ROWS])
        one = keys.view(np.dtype((np.void, keys.dtype.itemsize * settings.ROWS))).ravel()
        _, first, which = np.unique(one, return_index=True, return_inverse=True)
        met = first[which] != np.arange(len(rows))
        pairs.append(np.stack([rows[first[which[met]]], rows[met]], axis=1))
    return Outcome(pairs=map(tuple, np.concatenate(pairs).tolist()))
