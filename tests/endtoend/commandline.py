"""Running the real command, and what holds whatever it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

COMMAND = (sys.executable, "-m", "extractscan")
_OURS = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "POLARS_MAX_THREADS")


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run left."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[bytes]:
        return self.out.splitlines()

    def documents(self) -> list[dict]:
        return [json.loads(line) for line in self.lines]


def environment(**more: str) -> dict[str, str]:
    """The environment without what would change a report; Python's own checks are errors."""
    kept = {
        name: value for name, value in os.environ.items() if name not in _OURS and not name.startswith("EXTRACTSCAN_")
    }
    return {**kept, "PYTHONUTF8": "1", **more}


def polite(ran: Ran) -> Ran:
    """Check what must hold for every run: a code of the contract, no traceback, nothing that steers a terminal."""
    assert ran.code in (0, 1, 2, 3, 130), ran
    for text in (ran.err, ran.out.decode("utf-8", "replace")):
        assert "Traceback" not in text
        assert "internal error" not in text
    assert ran.err.replace("\n", "").isprintable(), ran.err
    assert bool(ran.err.strip()) or ran.code in (0, 1), "a failure without a word"
    return ran


def run(*arguments: object, stdin: bytes | None = None, cwd: object = None, **environ: str) -> Ran:
    """Run ``extractscan`` with its standard streams in pipes."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env=environment(**environ),
        cwd=cwd,
        timeout=300,
        check=False,
    )
    return polite(Ran(done.returncode, done.stdout, done.stderr.decode()))
