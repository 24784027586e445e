"""extractscan's own fingerprints and clusters, from a column of text to labels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl
from outcome import Outcome

from extractscan.cluster.components import cluster_texts
from extractscan.fingerprint.tokens import tokenise

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "extractscan"
SHINGLES = "word 3-grams, its own"


def prepare(texts: list[str], folder: Path, threads: int) -> pl.Series:
    del folder, threads
    return pl.Series(texts)


def run(texts: pl.Series, threads: int) -> Outcome:
    start = time.process_time()
    tokens = tokenise(texts, jobs=threads)
    middle = time.process_time()
    clusters = cluster_texts(tokens.offsets, tokens.values, jobs=threads)
    end = time.process_time()
    return Outcome(
        labels=clusters.label.tolist(), phases={"tokens": middle - start, "sketch and cluster": end - middle}
    )
