"""Fuzzing shares the makers of look-alike records, hostile strings and made-up findings with their own tests."""

import sys
from pathlib import Path

for folder in ("report", "logs", "fuzz"):
    place = str(Path(__file__).parents[1] / folder)
    if place not in sys.path:
        sys.path.insert(0, place)

from fuzzing import COUNTS  # noqa: E402 -- the path comes first


def pytest_terminal_summary(terminalreporter):
    """Say how many inputs there were."""
    if COUNTS:
        each = ", ".join(f"{name} {count:,}" for name, count in sorted(COUNTS.items()))
        terminalreporter.write_line(f"fuzzed with {sum(COUNTS.values()):,} inputs: {each}")
