"""What a night costs beside a full run, in reading and fingerprinting, in one call.

    python benchmarks/nightly.py LOG [--format jsonl|parquet] [--files 100] [--runs 3]

LOG (Parquet) is cut by time into so many files; all but the last are in a standing case already. Timed are, in turn:

* *full*: reading and fingerprinting all files, as ``score`` does;
* *night*: what ``update`` does in its place: opening the ledger, looking at every file, hashing, reading and fingerprinting the one that is
  new, writing its fingerprints, and opening those of all nights;
* *merge*: putting all fingerprints in order, which both do, on the same rows.

Printed are the medians in seconds of processor and wall clock, and the ratio of night to full, run by run.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from extractscan.case.write import Invocation
from extractscan.engine.load import LogSource, united
from extractscan.fingerprint.requests import fingerprint, merge
from extractscan.progress import Silent
from extractscan.standing import ledger as ledgers
from extractscan.standing.intake import Intake
from extractscan.standing.packs import rows_of, without_parts
from extractscan.standing.pointer import read_pointer
from extractscan.standing.update import Wishes, update
from extractscan.threads import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

READING = {"columns": {}, "mappings": [], "log_format": None, "account_from": None}


def timed(work: Callable[[], object]) -> tuple[float, float, object]:
    """Seconds of processor and of wall clock, and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    out = work()
    return time.process_time() - cpu, time.perf_counter() - wall, out


def cut(log: Path, folder: Path, files: int, form: str) -> list[Path]:
    """Write the log as so many files, in the order of time."""
    frame = pl.read_parquet(log).sort("timestamp")
    paths = []
    for number in range(files):
        part = frame[frame.height * number // files : frame.height * (number + 1) // files]
        paths.append(folder / f"{number:04}.{form}")
        if form == "parquet":
            part.write_parquet(paths[-1])
        else:
            part.write_ndjson(paths[-1])
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--format", choices=["jsonl", "parquet"], default="jsonl")
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        logs, case = Path(top) / "logs", Path(top) / "case"
        logs.mkdir()
        paths = cut(options.log, logs, options.files, options.format)
        held = Path(top) / paths[-1].name
        paths[-1].rename(held)
        source = LogSource((str(logs),))
        now = datetime.now(UTC)
        time.sleep(2.1)  # files that have just changed are hashed again, which is no usual night
        update(case, source, Wishes(READING), Invocation((), "", now, now), observer=Silent(), jobs=options.jobs)
        held.rename(paths[-1])
        pointer = read_pointer(case)
        if pointer is None:
            raise SystemExit("the first night left no case")

        def full() -> list:
            reader = source.open(Silent())
            return list(in_turn(fingerprint, united(reader.batches()), options.jobs))

        def night() -> list:
            ledger = ledgers.open_ledger(case, pointer)
            Intake(ledger, case / "prints", Silent(), night=2, jobs=options.jobs).take(
                source, clock_ns=time.time_ns(), refuse=False
            )
            return without_parts(rows_of(case / "prints", ledger.prints, ledger.counting_parts()))

        ratios, fulls, nights, merges = [], [], [], []
        for number in range(options.runs + 1):
            whole, some = timed(full), timed(night)
            put = timed(lambda some=some: merge(copy.copy(some[2])))
            if number:  # the first warms up
                fulls.append(whole)
                nights.append(some)
                merges.append(put)
                ratios.append((some[0] / whole[0], some[1] / whole[1]))
        rows = put[2].requests.height
        size = sum(path.stat().st_size for path in paths) / 1e6
        prints = sum(path.stat().st_size for path in (case / "prints").iterdir()) / 1e6
        print(
            f"{rows:,} requests in {options.files} files, {size:.0f} MB of {options.format}; "
            f"fingerprints {prints:.0f} MB, {prints * 1e6 / rows:.0f} bytes a request"
        )
        for name, runs in (("full", fulls), ("night", nights), ("merge", merges)):
            print(
                f"{name:<6} cpu {statistics.median(r[0] for r in runs):.3f} s, wall {statistics.median(r[1] for r in runs):.3f} s"
            )
        for kind, at in (("cpu", 0), ("wall", 1)):
            some = sorted(ratio[at] for ratio in ratios)
            print(f"night / full, {kind}: median {statistics.median(some):.2%} (from {some[0]:.2%} to {some[-1]:.2%})")


if __name__ == "__main__":
    main()
