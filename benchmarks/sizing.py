"""What a run takes as logs grow: peak memory and the size of a case, by rows and by bytes of text.

Parts of LOG (Parquet: 1, 4 and 16 sixteenths of its rows by default) are scored, each by a process of its own whose peak resident size
the system tells. The last lines are slopes between the smallest and the largest part, which is what a preflight reckons with.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import polars as pl

from extractscan.engine.preflight import need

TEXT = ("prompt", "system_prompt", "response", "text")


def peak_bytes(command: list[str]) -> int:
    """Run to the end; peak resident size in bytes."""
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_maxrss * 1024


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def text_bytes(frame: pl.DataFrame) -> int:
    columns = [name for name in frame.columns if name in TEXT and frame.schema[name] == pl.String]
    return int(sum(frame[name].str.len_bytes().sum() or 0 for name in columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log")
    parser.add_argument("--sixteenths", default="1,4,16")
    parser.add_argument("--jsonl", action="store_true", help="give the same rows as JSON lines")
    parser.add_argument("--jobs", default="2")
    arguments = parser.parse_args()
    whole = pl.read_parquet(arguments.log)
    print("| rows | text | log | peak memory | the preflight said | case | case / log | case a row |")
    print("|---|---|---|---|---|---|---|---|")
    seen = []
    for part in map(int, arguments.sixteenths.split(",")):
        frame = whole.head(whole.height * part // 16)
        with tempfile.TemporaryDirectory() as place:
            log, case = Path(place) / f"log.{'jsonl' if arguments.jsonl else 'parquet'}", Path(place) / "case"
            frame.write_ndjson(log) if arguments.jsonl else frame.write_parquet(log)
            peak = peak_bytes(
                [sys.executable, "-m", "extractscan", "score", str(log), "--case", str(case), "-q", "-j", arguments.jobs,
                 "-f", "jsonl", "-o", str(Path(place) / "report.jsonl")]
            )  # fmt: skip
            told = need([str(log)])
            size, held, text = log.stat().st_size, bytes_in(case), text_bytes(frame)
        seen.append((frame.height, text, peak, held))
        print(
            f"| {frame.height:,} | {text / 1e6:,.1f} MB | {size / 1e6:,.1f} MB | {peak / 1e6:,.0f} MB "
            f"| {told.memory / 1e6:,.0f} MB | {held / 1e6:,.1f} MB | {held / size:.2f} | {held / frame.height:,.0f} B |",
            flush=True,
        )
    (rows0, text0, peak0, held0), (rows1, text1, peak1, held1) = seen[0], seen[-1]
    print(
        f"\npeak memory a further row: {(peak1 - peak0) / (rows1 - rows0):,.0f} B, of {(text1 - text0) / (rows1 - rows0):,.0f} B of text"
    )
    print(f"peak memory without rows: {(peak0 - (peak1 - peak0) / (rows1 - rows0) * rows0) / 1e6:,.0f} MB")
    print(f"case a further row: {(held1 - held0) / (rows1 - rows0):,.0f} B")


if __name__ == "__main__":
    main()
