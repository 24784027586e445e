"""How well a data set is traced: precision and recall over the true accounts, on simulated logs and leaks.

python benchmarks/tracing.py [--requests 40000] [--seeds 1-3] [--only NAME]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

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

CASES = {
    "1 account": Case(harvesters=1),
    "20 accounts": Case(harvesters=20),
    "200 accounts": Case(harvesters=200),
    "20 accounts, framed": Case(harvesters=20, archetype="hydra_cot"),
    "200 accounts, framed": Case(harvesters=200, archetype="hydra_cot"),
    "20 accounts, 100 innocents send 20 of 500 public prompts": Case(
        harvesters=20, innocents=100, public=500, public_each=20
    ),
    "200 accounts, 100 innocents send 20 of 500 public prompts": Case(
        harvesters=200, innocents=100, public=500, public_each=20
    ),
}
LANGUAGES = ("en", "zh", "es", "ja", "ar")


def prints_of(log: pl.DataFrame, *, responses: bool) -> Fingerprints:
    """Fingerprints of a log by way of a file, as the command reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        (log if responses else log.with_columns(response=pl.lit(None, pl.String))).write_parquet(path)
        reader = read_logs([str(path)], observer=Silent())
        return merge([fingerprint(batch.frame, jobs=2) for batch in reader.batches()])


def measure(name: str, case: Case, seed: int, requests: int) -> None:
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
    prints = prints_of(made.log, responses=True)
    campaigns = find_campaigns(prints, jobs=2)
    ways = {
        "prompts and responses": (prints, original),
        "prompts": (prints, original.with_columns(response=pl.lit(None, pl.String))),
        "responses": (prints, original.with_columns(prompt=pl.lit(None, pl.String))),
    }
    for way, (log, suspect) in ways.items():
        begun = time.perf_counter()
        found = trace(log, items(suspect, ()), campaigns, observer=Silent(), jobs=2)
        took = time.perf_counter() - begun
        named = {a.account_id for a in found.accounts if a.source}
        hits = len(named & made.true)
        innocent = len(named & made.innocent)
        precision, recall = hits / max(len(named), 1), hits / len(made.true)
        print(
            f"| {name} | {seed} | {way} | {precision:.3f} | {recall:.3f} | {len(named)} | {innocent} | "
            f"{found.explained.value:.3f} | {len(found.cover)} | {took:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--seeds", default="1-3")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    print("| case | seed | compared | precision | recall | named | innocents named | set explained | cover | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, case in CASES.items():
        if given.only in name:
            for seed in range(int(first), int(last or first) + 1):
                measure(name, case, seed, given.requests)


if __name__ == "__main__":
    main()
