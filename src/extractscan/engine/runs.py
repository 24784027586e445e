"""What makes two distributed runs the same, so that one may go on where the other stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from extractscan._version import __version__
from extractscan.cluster.components import RADIUS, THRESHOLD
from extractscan.fingerprint.minhash import BANDS, KEPT_SHINGLES, ROWS, SEED, SHINGLE
from extractscan.fingerprint.requests import KEPT_TOKENS

if TYPE_CHECKING:
    from extractscan.engine.tasks import Reading
    from extractscan.logs.discover import Input


def run_key(units: list[list[Input]], reading: Reading) -> str:
    """A name of 32 hexadecimal digits for a run.

    It is made of the files (path, size and time of change: their contents are not read twice), how they are read, the version
    of extractscan, and the constants of fingerprints and clusters.
    """
    files = [[asdict(item), _changed(item.path)] for unit in units for item in unit]
    constants = [THRESHOLD, RADIUS, BANDS, ROWS, SEED, SHINGLE, KEPT_SHINGLES, KEPT_TOKENS]
    how = json.dumps([__version__, constants, files, asdict(reading)], default=str, sort_keys=True)
    return hashlib.sha256(how.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _changed(path: str | None) -> int | None:
    """When a file was changed, in nanoseconds; None if nobody knows."""
    try:
        return None if path is None else Path(path).stat().st_mtime_ns
    except OSError:
        return None
