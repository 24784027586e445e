"""Large logs out of a simulated one: as many copies of its population as are asked for, each with words and accounts of its own.

    python benchmarks/grow.py FOLDER --requests 10000000 [--chars 400] [--seed-requests 100000]

``simulate`` makes some fifteen thousand requests a second; this makes half a million. A simulated log is the seed. In every
copy the accounts, keys and ids get the copy's number; of the vocabulary, words of about the same frequency change places, so that
frames and corpora differ from copy to copy while the log's vocabulary does not grow; prompts are filled up with sentences of
the same vocabulary to the mean length asked for, equal prompts with equal ones. Exact duplicates, near-duplicates, frames, conversations,
loads and times stay as the seed has them; one prompt in twenty is the same in all copies. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

IDS = ("request_id", "account_id", "org_id", "end_user", "api_key_id", "payment_id", "ip", "conversation_id")
WORDS = 1500
"""Words that change places: the commonest of more than three letters."""
BAND = 50
"""Words of neighbouring frequency among which each changes places."""
POOL = 1 << 16
"""Sentences that prompts are filled up with."""
COMMON = 20
"""One prompt in so many is the same in all copies."""


def vocabulary(prompts: pl.Series) -> list[str]:
    words = prompts.unique().sort().str.extract_all(r"\b[a-z]{4,}\b").explode().drop_nulls()
    counts = words.value_counts().sort("count", words.name, descending=[True, False])
    return counts[words.name].head(WORDS).to_list()


def sentences(words: list[str], rng: np.random.Generator) -> pl.Series:
    """Sentences of 8 to 15 words, drawn by Zipf's law."""
    share = 1.0 / np.arange(2, len(words) + 2)
    drawn = np.array(words)[rng.choice(len(words), (POOL, 15), p=share / share.sum())]
    return pl.Series([" ".join(row[: 8 + i % 8]) + "." for i, row in enumerate(drawn)])


def copy(seed: pl.DataFrame, number: int, words: list[str], pool: pl.Series, chars: int) -> pl.DataFrame:
    """One copy of the seed."""
    rng = np.random.default_rng(number)
    places = np.concatenate(
        [rng.permutation(np.arange(a, min(a + BAND, len(words)))) for a in range(0, len(words), BAND)]
    )
    moved = [" " + words[i] for i in places]
    old = [" " + w for w in words]
    own = pl.col("mark") % COMMON != 0
    fill = pl.concat_str([pl.lit(" ") + pl.Series(f"s{k}", _drawn(seed["mark"], number, k, pool)) for k in range(8)])
    # A prompt keeps its own length, and takes more up to a length that its text decides, spread around the mean.
    short = (0.4 + (pl.col("mark") // 1024 % 1024) / 853.0) * chars - pl.col("prompt").str.len_chars()
    return (
        seed.with_columns(fill.alias("fill"))
        .with_columns(
            prompt=pl.concat_str(
                pl.when(own).then(pl.col("prompt").str.replace_many(old, moved)).otherwise("prompt"),
                pl.when(own & (short > 20)).then(pl.col("fill").str.slice(0, short.clip(0))).otherwise(pl.lit("")),
            ),
            system=pl.col("system").str.replace_many(old, moved),
            **{name: pl.col(name) + f"-{number:04d}" for name in IDS},
        )
        .drop("fill", "mark")
    )


def _drawn(mark: pl.Series, number: int, k: int, pool: pl.Series) -> pl.Series:
    mixed = (mark.to_numpy() + np.uint64(number * 8 + k)) * np.uint64(0x9E3779B97F4A7C15)
    return pool.gather(((mixed >> np.uint64(40)) % np.uint64(POOL)).astype(np.int64))


def _marks(prompts: pl.Series) -> pl.Series:
    """A number of each text that no version of a library changes: its place among the sorted texts, mixed."""
    place = prompts.rank("dense").fill_null(0).to_numpy().astype(np.uint64)
    return pl.Series("mark", (place * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(20))


def grow(folder: Path, requests: int, chars: int = 400, seed_requests: int = 100_000, seed: int = 1) -> list[Path]:
    """Write the log in files of half a million requests; returns their paths. A folder that is complete is left as it is."""
    done = folder / "done"
    if done.exists():
        return sorted(folder.glob("*.parquet"))
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "seed"
    seed_requests = min(seed_requests, requests)
    command = [
        sys.executable,
        "-m",
        "extractscan",
        "simulate",
        str(made),
        "--requests",
        str(seed_requests),
        "--seed",
        str(seed),
    ]
    subprocess.run([*command, "-q", "--clobber", "--no-progress"], check=True)
    first = pl.concat([pl.read_parquet(p) for p in sorted(made.glob("*.parquet"))])
    for path in made.iterdir():
        path.unlink()
    made.rmdir()
    first = first.with_columns(_marks(first["prompt"]))
    words = vocabulary(first["prompt"])
    pool = sentences(words, np.random.default_rng(seed))
    paths: list[Path] = []
    held: list[pl.DataFrame] = []
    rows = left = 0
    left = requests
    number = 0
    while left > 0:
        part = copy(first, number, words, pool, chars).head(left)
        held.append(part)
        rows += part.height
        left -= part.height
        number += 1
        if rows >= 500_000 or left <= 0:
            paths.append(folder / f"requests-{len(paths):03d}.parquet")
            # Rows of a log stand in the order of time, not of customers.
            pl.concat(held).sort("timestamp", "request_id").write_parquet(
                paths[-1], compression="zstd", compression_level=1, row_group_size=100_000
            )
            held, rows = [], 0
    done.touch()
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--chars", type=int, default=400)
    parser.add_argument("--seed-requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begin = time.perf_counter()
    paths = grow(options.folder, options.requests, options.chars, options.seed_requests, options.seed)
    size = sum(p.stat().st_size for p in paths)
    print(
        f"{options.requests:,} requests in {len(paths)} files, {size / 1e9:.2f} GB, {time.perf_counter() - begin:.0f} s"
    )


if __name__ == "__main__":
    main()
