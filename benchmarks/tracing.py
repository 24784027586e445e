"""How well a data set is traced: precision and recall over the true accounts, on simulated logs and leaks.

python benchmarks/tracing.py [--requests 20000] [--seeds 21-25] [--only NAME]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from extractscan.fingerprint.requests import Fingerprints, fingerprint, merge
from extractscan.logs.read import read_logs
from extractscan.progress import Silent
from extractscan.simulate.attacks.registry import ATTACKS
from extractscan.simulate.benign.registry import BENIGN
from extractscan.simulate.harvested import Case, harvest
from extractscan.simulate.leak import leak
from extractscan.simulate.settings import Settings
from extractscan.trace.explain import trace
from extractscan.trace.run import find_campaigns
from extractscan.trace.suspect import items

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = {
    "1 account": Case(harvesters=1),
    "20 accounts": Case(harvesters=20),
    "200 accounts": Case(harvesters=200),
    "20 accounts in a frame, 20 twins": Case(harvesters=20, archetype="hydra_cot", twins=20),
    "200 accounts in a frame": Case(harvesters=200, archetype="hydra_cot"),
    "20 accounts, 100 innocents send 20 of 500 public prompts": Case(
        harvesters=20, innocents=100, public=500, public_each=20
    ),
    "20 accounts, 20 innocents send 10 of 300 public prompts": Case(
        harvesters=20, innocents=20, public=300, public_each=10
    ),
}
LANGUAGES = ("en", "zh", "es", "ja", "ar")


def prints_of(log: pl.DataFrame) -> Fingerprints:
    """Fingerprints of a log by way of a file, as the command reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        log.write_parquet(path)
        reader = read_logs([str(path)], observer=Silent())
        return merge([fingerprint(batch.frame, jobs=2) for batch in reader.batches()])


WAYS = ("both", "prompts", "responses")


class Row(NamedTuple):
    """One measurement in a log of ``requests`` and ``accounts``.

    ``named`` are the accounts given as sources; ``low``, ``value`` and ``high`` are the share of the set that is explained, of which half
    is from the log.
    """

    case: str
    seed: int
    requests: int
    accounts: int
    compared: str
    precision: float
    recall: float
    named: int
    wrong: int
    twins_wrong: int
    low: float
    value: float
    high: float
    seconds: float


def measure(name: str, case: Case, seed: int, requests: int) -> Iterator[Row]:
    """Simulate, leak, trace in each way."""
    settings = Settings(
        seed=seed,
        requests=requests,
        languages=LANGUAGES,
        attacks=tuple(a.name for a in ATTACKS),
        benign=tuple(b.name for b in BENIGN if not b.asked),
        responses=True,
    )
    made = harvest(replace(case, settings=settings))
    table = leak(made.taken, made.foreign, items=5_000, seed=seed)
    original = table.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))
    prints = prints_of(made.log)
    campaigns = find_campaigns(prints, jobs=2)
    for compare in WAYS:
        begun = time.perf_counter()
        found = trace(prints, items(original, ()), campaigns, observer=Silent(), compare=compare, jobs=2)
        took = time.perf_counter() - begun
        named = {a.account_id for a in found.accounts if a.source}
        hits = len(named & made.true)
        share = found.explained
        yield Row(
            name,
            seed,
            found.requests,
            found.accounts_in_log,
            compare,
            hits / len(named) if named else 1.0,
            hits / len(made.true),
            len(named),
            len(named) - hits,
            len(named & made.innocent),
            share.low,
            share.value,
            share.high,
            took,
        )


def summary(rows: list[Row]) -> None:
    """Print precision and recall for each seed, as docs/trace.md has them, and what is said of all seeds together."""
    seeds = list(dict.fromkeys(r.seed for r in rows))
    print("\n| case | compared | " + " | ".join(f"seed {seed}" for seed in seeds) + " |")
    print("|---" * (2 + len(seeds)) + "|")
    for name, compare in dict.fromkeys((r.case, r.compared) for r in rows):
        part = [r for r in rows if (r.case, r.compared) == (name, compare)]
        cells = [f"{r.precision:.2f} / {r.recall:.2f}" for r in part]
        print(f"| {name if compare == WAYS[0] else ''} | {compare} | {' | '.join(cells)} |")
    print("\n| compared | precision, least | recall, least | named wrongly | of named | set explained |")
    print("|---|---|---|---|---|---|")
    for compare in WAYS:
        part = [r for r in rows if r.compared == compare]
        print(
            f"| {compare} | {min(r.precision for r in part):.3f} | {min(r.recall for r in part):.3f} | "
            f"{sum(r.wrong for r in part)} | {sum(r.named for r in part):,} | {mean(r.value for r in part):.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seeds", default="21-25")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    rows = []
    print("| " + " | ".join(Row._fields) + " |")
    print("|---" * len(Row._fields) + "|")
    for name, case in CASES.items():
        if given.only in name:
            for seed in range(int(first), int(last or first) + 1):
                for row in measure(name, case, seed, given.requests):
                    rows.append(row)
                    cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in row)
                    print("| " + " | ".join(cells) + " |", flush=True)
    summary(rows)


if __name__ == "__main__":
    main()
