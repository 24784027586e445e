"""How alike the text of senders is: of any labelled log, simulated or real. No detector takes part.

    python benchmarks/detection/likeness.py LOG.parquet LABELS.csv [--half 30] [--most 60]

For each archetype and script: cosine of idf-weighted profiles of words (pairs of characters where a script does not part words;
each prompt counts a word once) between two halves of one account, and between accounts. ``--half`` prompts are in a half, exact
duplicates left out. With one row for each data set as an account, it measures collections.
"""

from __future__ import annotations

import argparse
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl

WIDE = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
SCRIPTS = (("wide", WIDE), ("arabic", r"\p{Arabic}"), ("other", r"."))
_WORD = re.compile(r"[^\W\d]+")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


def words(text: str) -> set[str]:
    """Return the different words of a prompt."""
    out: set[str] = set()
    for word in _WORD.findall(text.lower()):
        out |= {word[at : at + 2] for at in range(max(1, len(word) - 1))} if _WIDE.search(word) else {word}
    return out


def likeness(senders: list[list[str]], half: int) -> tuple[list[float], list[float]]:
    """Return the cosines within each sender and between all pairs of them."""
    sets = [[words(text) for text in texts[: 2 * half]] for texts in senders]
    number = {word: at for at, word in enumerate(sorted({word for texts in sets for text in texts for word in text}))}
    seen = np.zeros(len(number))
    profiles = np.zeros((len(sets), 2, len(number)))
    for sender, texts in enumerate(sets):
        for at, text in enumerate(texts):
            columns = [number[word] for word in text]
            seen[columns] += 1
            profiles[sender, at % 2, columns] += 1
    profiles *= np.log(2 * half * len(sets) / np.maximum(seen, 1))
    profiles /= np.maximum(np.linalg.norm(profiles, axis=2, keepdims=True), 1e-12)
    within = [float(first @ second) for first, second in profiles]
    between = [float(profiles[a, 0] @ profiles[b, 1]) for a, b in combinations(range(len(sets)), 2)]
    return within, between


def main() -> None:
    """Print the quartiles for each archetype and script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--half", type=int, default=30)
    parser.add_argument("--most", type=int, default=60, help="accounts of an archetype and script")
    options = parser.parse_args()
    script = pl.coalesce(
        pl.when(pl.col("prompt").str.contains(pattern)).then(pl.lit(name)) for name, pattern in SCRIPTS
    )
    table = (
        pl.scan_parquet(options.log)
        .select("account_id", "prompt")
        .drop_nulls()
        .join(pl.scan_csv(options.labels).select("account_id", "archetype"), on="account_id")
        .unique(["account_id", "prompt"])
        .sort("account_id", "prompt")
        .group_by("archetype", "account_id", maintain_order=True)
        # Sorted prompts would put like beside like: a hash scatters them over the halves.
        .agg(pl.col("prompt").sort_by(pl.col("prompt").hash(1)), script.mode().first().alias("script"))
        .filter(pl.col("prompt").list.len() >= 2 * options.half)
        .sort("archetype", "script", "account_id")
        .collect()
    )
    print(f"{'archetype':<28} {'script':<7} accounts  within (quartiles)   between (quartiles)")
    for (archetype, name), rows in table.group_by("archetype", "script", maintain_order=True):
        senders = rows["prompt"].head(options.most).to_list()
        if len(senders) < 3:
            continue
        parts = [
            " ".join(f"{x:.2f}" for x in np.quantile(part, (0.25, 0.5, 0.75)))
            for part in likeness(senders, options.half)
        ]
        print(f"{archetype:<28} {name:<7} {len(senders):>8}  {parts[0]:<20} {parts[1]}")


if __name__ == "__main__":
    main()
