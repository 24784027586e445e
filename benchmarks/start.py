"""How fast the command line answers: ``extractscan --help`` against importing typer."""

from __future__ import annotations

import sys

from timing import compare

if __name__ == "__main__":
    compare(
        "--help / import typer",
        [sys.executable, "-m", "extractscan", "--help"],
        [sys.executable, "-c", "import typer"],
        11,
    )
