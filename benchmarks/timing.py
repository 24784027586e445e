"""Whole processes timed in turn, and their ratio run by run."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time


def run(command: list[str]) -> tuple[float, float]:
    """Run to the end; seconds of wall clock and of processor."""
    # As after an installation, which compiles modules: both processes keep their bytecode.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name: str, ours: list[str], theirs: list[str], runs: int) -> None:
    """Print the ratios ours / theirs of alternating runs, after one run of each that does not count."""
    run(ours)
    run(theirs)
    pairs = [(run(ours), run(theirs)) for _ in range(runs)]
    for kind, i in (("wall", 0), ("cpu", 1)):
        ratios = sorted(a[i] / b[i] for a, b in pairs)
        print(
            f"{name}: {kind} ratio median {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f}; "
            f"ours {statistics.median(a[i] for a, _ in pairs):.2f} s, beside it {statistics.median(b[i] for _, b in pairs):.2f} s)"
        )
