"""text-dedup: its MinHash pipeline from a Parquet file to a folder, with the clusters that it saves."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import settings
from outcome import Outcome
from text_dedup.config.base import load_config_from_toml
from text_dedup.minhash import main

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "text-dedup"
SHINGLES = "word 3-grams, its own, in Python"
CONFIG = """
[input]
input_type = "local_files"
file_type = "parquet"
read_arguments = {{ path = "parquet", data_files = "{folder}/texts.parquet", split = "train", cache_dir = "{folder}/cache" }}
[algorithm]
algorithm_name = "minhash"
text_column = "text"
num_perm = {num_perm}
threshold = {threshold}
ngram_size = 3
min_length = 3
num_proc = {threads}
[output]
output_dir = "{folder}/out"
save_clusters = true
[debug]
enable_profiling = false
"""


def prepare(texts: list[str], folder: Path, threads: int) -> tuple[Path, int]:
    del threads
    pq.write_table(pa.table({"text": texts}), folder / "texts.parquet")
    return folder, len(texts)


def run(prepared: tuple[Path, int], threads: int) -> Outcome:
    folder, rows = prepared
    (folder / "config.toml").write_text(
        CONFIG.format(folder=folder, num_perm=settings.NUM_PERM, threshold=settings.THRESHOLD, threads=threads),
        encoding="utf-8",
    )
    main(load_config_from_toml(folder / "config.toml"))
    with (folder / "out" / "clusters.pickle").open("rb") as file:
        clusters = pickle.load(file)  # noqa: S301 its own, just written
    return Outcome(labels=[clusters.get(i, -1 - i) for i in range(rows)])
