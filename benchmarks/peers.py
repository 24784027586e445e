"""Fingerprint and cluster against datasketch and rensa, on the same rows and threshold, with the pairs that each finds.

The peers get word 3-gram shingles made in Python, as their users make them, over the same normalised text; both index 128
permutations at the same threshold. The pairs at or over the threshold are counted by exact Jaccard over those shingles, so that
speed is not bought with recall.
"""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

THRESHOLD = 0.8
WORD = re.compile(r"\w+")
DIGITS = re.compile(r"\d+")


def shingles(text: str) -> set[str]:
    words = WORD.findall(DIGITS.sub("0", text.lower()))
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


def with_datasketch(texts: list[str]) -> set[tuple[int, int]]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    candidates = set()
    for i, text in enumerate(texts):
        items = shingles(text)
        if not items:
            continue
        sketch = MinHash(num_perm=128)
        sketch.update_batch([s.encode() for s in items])
        candidates.update((j, i) for j in index.query(sketch))
        index.insert(i, sketch)
    return candidates


def with_rensa(texts: list[str]) -> set[tuple[int, int]]:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=16)
    candidates = set()
    for i, text in enumerate(texts):
        items = shingles(text)
        if not items:
            continue
        sketch = RMinHash(num_perm=128, seed=42)
        sketch.update(list(items))
        candidates.update((j, i) for j in index.query(sketch))
        index.insert(i, sketch)
    return candidates


def with_extractscan(texts: list[str], jobs: int) -> set[tuple[int, int]]:
    from extractscan.cluster.candidates import verified_pairs
    from extractscan.fingerprint.minhash import shingle
    from extractscan.fingerprint.tokens import tokenise

    tokens = tokenise(pl.Series(texts), jobs=jobs)
    pairs = verified_pairs(shingle(tokens.offsets, tokens.values, jobs=jobs), THRESHOLD, jobs=jobs)
    return set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log")
    parser.add_argument(
        "--rows", type=int, default=50_000, help="distinct prompts, in the order of the log; 0 takes all"
    )
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    column = pl.read_parquet(arguments.log, columns=["prompt"])["prompt"].drop_nulls().unique(maintain_order=True)
    texts = (column.head(arguments.rows) if arguments.rows else column).to_list()
    with_extractscan(texts[:1000], arguments.jobs)  # kernels are loaded
    tools: list[tuple[str, Callable[[list[str]], set[tuple[int, int]]]]] = [
        ("extractscan", lambda t: with_extractscan(t, arguments.jobs)),
        ("rensa", with_rensa),
        ("datasketch", with_datasketch),
    ]
    results = {}
    for name, tool in tools:
        start = time.perf_counter()
        try:
            results[name] = (tool(texts), time.perf_counter() - start)
        except ImportError as missing:
            print(f"{name}: not installed ({missing})")
    sets = {}
    every = set().union(*(pairs for pairs, _ in results.values()))
    for i in {i for pair in every for i in pair}:
        sets[i] = shingles(texts[i])
    true = {(i, j) for i, j in every if len(sets[i] & sets[j]) >= THRESHOLD * len(sets[i] | sets[j]) > 0}
    base = results["extractscan"][1]
    print(f"{len(texts)} distinct prompts, threshold {THRESHOLD}; {len(true)} true pairs found by any")
    for name, (pairs, seconds) in results.items():
        found = len(pairs & true) / max(1, len(true))
        print(
            f"{name:12s} {seconds:8.2f} s  {seconds / base:7.1f} x ours  pairs {len(pairs):9,}  of the true {found:.3f}"
        )


if __name__ == "__main__":
    main()
