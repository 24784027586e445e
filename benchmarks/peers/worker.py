"""One peer in a process of its own: ``python worker.py NAME TEXTS.jsonl --threads N`` prints what it took and found, as JSON.

It runs under the peer's interpreter, which need not have extractscan, so that everything here is the standard library. Reading the texts
and a first run over a few of them (kernels are compiled, modules loaded) are not measured.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import settings
from outcome import labels_of

WARM = 300


def cpu() -> float:
    """Seconds of processor of this process, of its children that have ended, and of all below it that live (pools, fork servers)."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    ticks = 0
    below = {os.getpid()}
    # A process has a larger number than its parent, but for the rare time that numbers start again.
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        with contextlib.suppress(OSError):
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) in below:
                below.add(int(stat.parent.name))
                ticks += sum(map(int, fields[11:15]))
    return sum(usage.ru_utime + usage.ru_stime for usage in both) + ticks / os.sysconf("SC_CLK_TCK")


def peak() -> int:
    """Largest resident bytes of this process, or of the largest of its children."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=settings.ADAPTERS)
    parser.add_argument("texts")
    parser.add_argument(
        "--threads", type=int, default=0, help="1: one processor and one thread; 0: as the tool is shipped"
    )
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    threads = options.threads or len(os.sched_getaffinity(0))
    if threads == 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        os.environ.update(dict.fromkeys(settings.THREAD_LIMITS, "1"))
    with Path(options.texts).open(encoding="utf-8") as lines:
        texts = [json.loads(line) for line in lines]
    # What a tool prints belongs on standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        adapter = importlib.import_module(f"adapters.{settings.ADAPTERS[options.name]}")
        version = importlib.metadata.version(adapter.PACKAGE)
    except ImportError as missing:
        json.dump({"missing": str(missing)}, out)
        return
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        first, whole = Path(folder, "first"), Path(folder, "whole")
        first.mkdir()
        whole.mkdir()
        adapter.run(adapter.prepare(texts[:WARM], first, threads), threads)
        prepared = adapter.prepare(texts, whole, threads)
        before, cpu_before, start = peak(), cpu(), time.perf_counter()
        outcome = adapter.run(prepared, threads)
        wall, seconds = time.perf_counter() - start, cpu() - cpu_before
        reached = peak()
    labels = outcome.labels
    if outcome.pairs is not None:
        labels = labels_of(outcome.pairs, len(texts))
    json.dump(
        {
            "version": version,
            "shingles": adapter.SHINGLES,
            "wall": wall,
            "cpu": seconds,
            "peak": reached,
            "before": before,
            "phases": outcome.phases,
            "labels": labels,
            "flags": outcome.flags,
        },
        out,
    )
    out.close()


if __name__ == "__main__":
    main()
