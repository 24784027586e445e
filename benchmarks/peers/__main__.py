"""Fingerprint and cluster beside what people would use instead: same rows, same threshold, same machine, in one call.

    python benchmarks/peers [LOG] [--python PATH] [--rows 30000] [--runs 3] [--json NEW]

Every tool runs in a process of its own, from texts in memory (or the file that it wants) to clusters, once over a few rows that do not
count. Tools take turns, and settings too: on one core, and as shipped on all. What they found is held against the exact pairs.
A tool that is not installed is named.

The rows are the first distinct prompts of the log: exact repeats, which extractscan drops before all this, would only burden the others.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import settings
from exact import pairs_over, score_flags, score_labels
from shingling import shingles
from table import OURS, Row, as_json, render

HERE = Path(__file__).parent


def prompts(log: str, rows: int) -> list[str]:
    """The first distinct prompts of a log in Parquet or JSON lines."""
    read = pl.scan_parquet if log.endswith(".parquet") else pl.scan_ndjson
    column = read(log).select("prompt").collect()["prompt"].drop_nulls().unique(maintain_order=True)
    return (column.head(rows) if rows else column).to_list()


def simulated(folder: str, rows: int) -> str:
    """A log that ``extractscan simulate`` makes, with about twice as many requests as rows are wanted."""
    command = [sys.executable, "-m", "extractscan", "simulate", folder, "--requests", str(2 * rows or 60_000), "-q"]
    subprocess.run(command, check=True)
    return str(next(Path(folder).glob("requests*.parquet")))


def measure(name: str, python: str, texts: Path, threads: int) -> dict[str, Any]:
    """Run a tool once; ``missing`` or ``failed`` say why there is nothing else."""
    command = [python, str(HERE / "worker.py"), name, str(texts), "--threads", str(threads)]
    environment = dict(os.environ)
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = done.stderr.strip().splitlines() or ["no word"]
        return {"failed": f"exit code {done.returncode}: {last[-1][:200]}"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def interpreters(given: list[str]) -> dict[str, str]:
    """Interpreter of each tool: ``PATH`` is for all but extractscan, ``NAME=PATH`` for one; or the variable EXTRACTSCAN_PEERS_PYTHON."""
    everyone = os.environ.get("EXTRACTSCAN_PEERS_PYTHON", sys.executable)
    chosen: dict[str, str] = {}
    for entry in given:
        name, equals, path = entry.partition("=")
        if equals and name in settings.ADAPTERS:
            chosen[name] = path
        else:
            everyone = entry
    return {name: chosen.get(name, sys.executable if name == OURS else everyone) for name in settings.ADAPTERS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", nargs="?", help="Parquet or JSON lines with a column prompt; a simulated log without")
    parser.add_argument("--rows", type=int, default=30_000, help="distinct prompts; 0 takes all")
    parser.add_argument(
        "--python", action="append", default=[], metavar="[NAME=]PATH", help="interpreter with the peers"
    )
    parser.add_argument("--only", help="tools, by name, with commas; extractscan always runs")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    chosen = [n for n in settings.ADAPTERS if not options.only or n == OURS or n in options.only.split(",")]
    python = interpreters(options.python)
    with tempfile.TemporaryDirectory() as folder:
        log = options.log or simulated(folder, options.rows)
        texts = prompts(log, options.rows)
        path = Path(folder, "texts.jsonl")
        path.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
        load = os.getloadavg()[0]
        cores = {1: "1", 0: f"all {len(os.sched_getaffinity(0))}"}
        runs: dict[tuple[str, int], list[dict[str, Any]]] = {(n, t): [] for n in chosen for t in cores}
        absent: dict[str, str] = {}
        for turn in range(options.runs):
            for (name, threads), answers in runs.items():
                if name in absent:
                    continue
                print(f"{turn + 1}/{options.runs} {name}, {cores[threads]}", file=sys.stderr)
                answer = measure(name, python[name], path, threads)
                if "missing" in answer or "failed" in answer:
                    absent[name] = f"not installed ({answer['missing']})" if "missing" in answer else answer["failed"]
                else:
                    answers.append(answer)
    sets = [frozenset(shingles(text)) for text in texts]
    truth = pairs_over(sets, settings.THRESHOLD)
    counted = [i for i, items in enumerate(sets) if items]
    rows = [
        Row(
            name,
            of[0]["version"],
            of[0]["shingles"],
            cores[threads],
            statistics.median(run["wall"] for run in of),
            statistics.median(run["cpu"] for run in of),
            max(run["peak"] for run in of),
            score_flags(of[0]["flags"], truth, counted)
            if of[0]["flags"]
            else score_labels(of[0]["labels"], truth, counted),
        )
        for (name, threads), of in runs.items()
        if of
    ]
    rows.sort(key=lambda row: (row.cores != "1", row.cpu))
    print(
        f"{len(texts):,} distinct prompts ({sum(map(len, texts)) / max(1, len(texts)):.0f} characters each), "
        f"{len(truth):,} pairs with Jaccard at or over {settings.THRESHOLD}; medians of {options.runs} runs; "
        f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after, on {len(os.sched_getaffinity(0))} cores\n"
    )
    print(render(rows))
    for name, why in absent.items():
        print(f"\n{name}: {why}")
    if options.json:
        found = {"rows": len(texts), "pairs": len(truth), "load": load, "tools": as_json(rows), "absent": absent}
        phases = {f"{n} {cores[t]}": of[0]["phases"] for (n, t), of in runs.items() if of}
        Path(options.json).write_text(json.dumps(found | {"phases": phases}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
