"""datatrove: the three steps of its MinHash pipeline, from JSON lines to clusters."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import settings
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import JsonlReader
from outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "datatrove"
SHINGLES = "word 3-grams, its own, in Python"


def prepare(texts: list[str], folder: Path, threads: int) -> tuple[Path, list[int]]:
    """One file for each worker; its first row is needed to count rows again."""
    (folder / "texts").mkdir()
    starts = [len(texts) * k // threads for k in range(threads + 1)]
    for k in range(threads):
        with (folder / "texts" / f"{k:03d}.jsonl").open("w", encoding="utf-8") as out:
            for i in range(starts[k], starts[k + 1]):
                # A text of white space alone would be left out by the reader, and rows would shift.
                print(json.dumps({"id": str(i), "text": texts[i] if texts[i].strip() else "."}), file=out)
    return folder, starts


def run(prepared: tuple[Path, list[int]], threads: int) -> Outcome:
    folder, starts = prepared
    config = MinhashConfig(n_grams=3, num_buckets=settings.BANDS, hashes_per_bucket=settings.ROWS)
    signatures, buckets = str(folder / "signatures"), str(folder / "buckets")
    steps = [
        ([JsonlReader(str(folder / "texts")), MinhashDedupSignature(signatures, config=config)], threads),
        ([MinhashDedupBuckets(signatures, buckets, config=config)], settings.BANDS),
        ([MinhashDedupCluster(buckets, str(folder / "removed"), config=config, save_cluster_id=True)], 1),
    ]
    for k, (pipeline, tasks) in enumerate(steps):
        LocalPipelineExecutor(
            pipeline, tasks=tasks, workers=min(tasks, threads), logging_dir=str(folder / f"logs{k}")
        ).run()
    pairs = []
    for file in sorted((folder / "buckets").glob("*.dups")):
        for left, i, right, j in struct.iter_unpack("<4I", file.read_bytes()):
            pairs.append((starts[left] + i, starts[right] + j))
    return Outcome(pairs=pairs)
