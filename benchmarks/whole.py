"""The whole process of ``score`` against a bare Polars process that scans and hashes the prompt column."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from timing import compare

BARE = "import sys, polars as pl; print(pl.scan_parquet(sys.argv[1]).select(pl.col('prompt').hash().sum()).collect().item())"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "report.jsonl")
        score = [
            sys.executable,
            "-m",
            "extractscan",
            "score",
            arguments.log,
            "-q",
            "-f",
            "jsonl",
            "-o",
            out,
            "--clobber",
        ]
        compare("score / bare scan and hash", score, [sys.executable, "-c", BARE, arguments.log], arguments.runs)


if __name__ == "__main__":
    main()
