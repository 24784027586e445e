"""Shared by the tests of reading."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from extractscan.logs.read import read_logs
from extractscan.logs.schema import CANONICAL

SAMPLES = Path(os.environ.get("EXTRACTSCAN_SAMPLES") or Path(__file__).parents[3] / "shared" / "formats")
"""Where records lie that real systems wrote; they are no part of this repository."""

START = datetime(2026, 4, 1, tzinfo=UTC)


class Heard:
    """An observer that remembers."""

    def __init__(self):
        self.warnings = []
        self.steps = 0
        self.stages = []
        self.notes = []

    def stage(self, name, total=None):
        self.stages.append((name, total))

    def advance(self, steps=1):
        self.steps += steps

    def note(self, message):
        self.notes.append(message)

    def warn(self, message):
        self.warnings.append(message)


def read(*inputs, **options):
    """Read everything: frame, summary, warnings."""
    heard = Heard()
    reader = read_logs([str(i) for i in inputs], observer=heard, **options)
    frames = []
    for batch in reader.batches():
        assert batch.frame.schema == pl.Schema(CANONICAL)
        frames.append(batch.frame)
    return pl.concat(frames), reader.summary, heard.warnings


def row(i=0, **more):
    """One request as a JSON object's dict."""
    return {
        "request_id": f"r{i}",
        "timestamp": (START + timedelta(seconds=i)).isoformat(),
        "account_id": f"a{i % 3}",
        "prompt": f"prompt {i}",
        **more,
    }


def jsonl(*rows):
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode("utf-8", "surrogatepass")


def write(path, records):
    """Write records as JSON lines; the path."""
    path.write_bytes(jsonl(*records))
    return path
