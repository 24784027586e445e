"""How ``score`` grows: against a bare scan and hash, with its memory, by size and stage, in one run.

    python benchmarks/scale.py [--sizes 100000,300000,1000000] [--memory 6G] [--json NEW] [--compare OLD]
    python benchmarks/scale.py --log LOG ...        a log of one's own instead of grown ones

Logs are made by ``grow.py`` once and kept in ``--folder``; a smaller size is a prefix of a larger one, file by file or by row.
Each size is measured by whole processes in turn: the bare one (Polars scans the prompt column and hashes it), then ``score`` with
its stages timed. Ratios and exponents are of processor seconds beside those of wall clock, which on a shared machine say more. The
growth exponent between two sizes is log(t2 / t1) / log(n2 / n1), over what the process takes beyond an empty one (imports, kernels).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

from grow import grow

BARE = "import sys, polars as pl; print(pl.scan_parquet(sys.argv[1:]).select(pl.col('prompt').hash().sum()).collect().item())"
STAGES = Path(__file__).with_name("stages.py")
EMPTY = 1000
"""Rows of the log by which imports and the loading of kernels are measured."""


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def timed(command: list[str]) -> tuple[str, float, float]:
    """Run to the end; what it printed, and seconds of wall clock and processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def parts(folder: Path, paths: list[Path], rows: int) -> list[str]:
    """Files that hold the first ``rows`` rows; where a file is cut, its beginning is written once."""
    out: list[str] = []
    left = rows
    for path in paths:
        height = pl.scan_parquet(path).select(pl.len()).collect().item()
        if left >= height:
            out.append(str(path))
            left -= height
        elif left > 0:
            piece = folder / "cut" / f"{path.stem}-{left}.parquet"
            if not piece.exists():
                piece.parent.mkdir(exist_ok=True)
                # Whole accounts rather than their first days: every so many-th account.
                frame = pl.read_parquet(path)
                chosen = frame["account_id"].unique().sort()
                share = math.ceil(chosen.len() * left / height)
                frame.filter(pl.col("account_id").is_in(chosen.head(share).implode())).write_parquet(
                    piece, compression="zstd", compression_level=1, row_group_size=100_000
                )
            out.append(str(piece))
            left = 0
        if not left:
            break
    return out


def measure(logs: list[str], options: argparse.Namespace) -> dict[str, Any]:
    run = [sys.executable, str(STAGES), *logs, "--jobs", str(options.jobs)]
    if options.memory:
        run += ["--memory", options.memory]
    bare, score = [], []
    for _ in range(options.runs):
        _, wall, cpu = timed([sys.executable, "-c", BARE, *logs])
        bare.append((cpu, wall))
        printed, wall, cpu = timed(run)
        score.append((cpu, wall, json.loads(printed)))
    best = min(score, key=lambda s: s[0])
    return {
        **best[2],
        "score_cpu": best[0],
        "score_wall": min(s[1] for s in score),
        "bare_cpu": min(b[0] for b in bare),
        "bare_wall": min(b[1] for b in bare),
    }


def exponent(small: dict[str, Any], large: dict[str, Any], key: str, less: float) -> float:
    a, b = max(small[key] - less, 1e-3), max(large[key] - less, 1e-3)
    return math.log(b / a) / math.log(large["rows"] / small["rows"])


def show(result: dict[str, Any]) -> None:
    sizes = result["sizes"]
    empty = result["empty"]
    names = (("requests", 12), ("bare cpu", 10), ("score cpu", 11), ("ratio", 7), ("wall ratio", 12), ("peak MiB", 10))
    print("".join(f"{name:>{width}}" for name, width in (*names, ("mapped MiB", 12), ("exponent", 10))))
    last = None
    for row in sizes:
        grown = "" if last is None else f"{exponent(last, row, 'score_cpu', empty['score_cpu']):.2f}"
        print(
            f"{row['rows']:>12,}{row['bare_cpu']:>10.2f}{row['score_cpu']:>11.2f}{row['score_cpu'] / row['bare_cpu']:>7.1f}"
            f"{row['score_wall'] / row['bare_wall']:>12.1f}{row['peak'] / 2**20:>10.0f}{row['mapped'] / 2**20:>12.0f}{grown:>10}"
        )
        last = row
    print()
    stages = [stage["stage"] for stage in sizes[-1]["stages"]]
    print(f"{'stage':<24}" + "".join(f"{row['rows']:>12,} cpu{'peak MiB':>10}{'in no file':>11}" for row in sizes))
    for k, name in enumerate(stages):
        cells = (row["stages"][k] for row in sizes)
        columns = (f"{cell['cpu']:>16.2f}{cell['peak'] / 2**20:>10.0f}{cell['held'] / 2**20:>11.0f}" for cell in cells)
        print(f"{name:<24}" + "".join(columns))


def compare(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Ratios of two runs: seconds are set beside the bare process of their own run, since machines differ."""
    print(f"\n{'requests':>12}{'ratio before':>14}{'ratio now':>11}{'peak before':>13}{'peak now':>10}")
    before = {row["rows"]: row for row in old["sizes"]}
    for row in new["sizes"]:
        then = before.get(row["rows"])
        if then is not None:
            print(
                f"{row['rows']:>12,}{then['score_cpu'] / then['bare_cpu']:>14.1f}{row['score_cpu'] / row['bare_cpu']:>11.1f}"
                f"{then['peak'] / 2**20:>13.0f}{row['peak'] / 2**20:>10.0f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000,300000,1000000")
    parser.add_argument("--log", nargs="+", help="measure these files, and no grown ones")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/extractscan-scale"))  # noqa: S108
    parser.add_argument("--memory")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="NEW")
    parser.add_argument("--compare", type=Path, metavar="OLD")
    options = parser.parse_args()
    if options.log:
        logs = [options.log]
    else:
        sizes = sorted(int(size) for size in options.sizes.split(","))
        paths = grow(options.folder, sizes[-1])
        logs = [parts(options.folder, paths, size) for size in sizes]
    first = parts(options.folder, [Path(logs[0][0])], EMPTY) if not options.log else logs[0]
    empty = measure(first, options) if not options.log else {"score_cpu": 0.0}
    result = {"empty": empty, "sizes": [measure(each, options) for each in logs]}
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    if options.compare:
        compare(json.loads(options.compare.read_text(encoding="utf-8")), result)


if __name__ == "__main__":
    main()
