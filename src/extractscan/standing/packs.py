"""Fingerprints of tonight's rows onto disk, and those of all nights back: files of many parts, each row with the number of its part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow as pa

from extractscan.case.manifest import sha256_of
from extractscan.errors import InputError
from extractscan.fingerprint.requests import fingerprint
from extractscan.fingerprint.store import PART, pick, read_prints, unite, write_prints
from extractscan.memory import LEAST_ROWS
from extractscan.standing.disk import put_by_content
from extractscan.standing.ledger import Part, Prints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from extractscan.fingerprint.requests import FingerprintBatch
    from extractscan.standing.reading import Came

PACK_ROWS: Final = 250_000
"""Rows from which a file of fingerprints is written: some thirty megabytes."""
ENDING: Final = ".prints"
SEEDS: Final = (1, 2)
"""Of the two hashes of a row whose sums are a part's digest."""


@dataclass(slots=True)
class _Held:
    """What is known of a part while it is read."""

    prints: list[str] = field(default_factory=list)
    first_us: int | None = None
    last_us: int | None = None
    digest: list[int] = field(default_factory=lambda: [0, 0])


class Packer:
    """Fingerprints frames and writes the fingerprints into a folder, many parts to a file."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._folder, self._jobs = folder, jobs
        self._frames: list[pl.DataFrame] = []
        self._numbers: list[pl.Series] = []
        self._rows = 0
        self._batches: list[FingerprintBatch] = []
        self._parts: dict[int, _Held] = {}
        self.written: dict[str, Prints] = {}

    def add(self, part: int, frame: pl.DataFrame) -> None:
        """Add canonical requests of a part."""
        self._frames.append(frame)
        self._numbers.append(pl.Series(PART, [part], dtype=pl.UInt32).new_from_index(0, frame.height))
        self._rows += frame.height
        if self._rows >= LEAST_ROWS:
            self._fingerprint()

    def finish(self, came: Mapping[int, Came]) -> dict[int, Part]:
        """Write what is left; return the parts. Raises ``OSError``."""
        self._fingerprint()
        self._write()
        out = {}
        for number, each in came.items():
            held = self._parts.get(number, _Held())
            out[number] = Part(
                tuple(held.prints),
                each.rows,
                each.bad,
                held.first_us,
                held.last_us,
                (held.digest[0], held.digest[1]),
                each.quarantine,
            )
        return out

    def _fingerprint(self) -> None:
        if not self._rows:
            return
        batch = fingerprint(pl.concat(self._frames), jobs=self._jobs)
        numbers = pl.concat(self._numbers)
        seen = (
            batch.rows.select(
                numbers,
                "time_us",
                *(batch.rows.hash_rows(seed).alias(f"digest_{i}") for i, seed in enumerate(SEEDS)),
            )
            .group_by(PART)
            .agg(
                pl.col("time_us").min().alias("first"),
                pl.col("time_us").max().alias("last"),
                *(pl.col(f"digest_{i}").sum() for i in range(len(SEEDS))),  # of UInt64: modulo 2**64
            )
        )
        for part, first, last, *digest in seen.iter_rows():
            held = self._parts.setdefault(part, _Held())
            held.first_us = first if held.first_us is None else min(held.first_us, first)
            held.last_us = last if held.last_us is None else max(held.last_us, last)
            held.digest = [(a + b) % 2**64 for a, b in zip(held.digest, digest, strict=True)]
        self._batches.append(replace(batch, rows=batch.rows.with_columns(numbers)))
        self._frames, self._numbers, self._rows = [], [], 0
        if sum(b.rows.height for b in self._batches) >= PACK_ROWS:
            self._write()

    def _write(self) -> None:
        if not self._batches:
            return
        batch = unite(self._batches)
        self._batches = []
        sha256, size = put_by_content(self._folder, ENDING, lambda stream: write_prints(batch, stream))
        parts = batch.rows[PART].unique().sort().to_list()
        self.written[sha256] = Prints(size, tuple(parts), stat_of(self._folder / f"{sha256}{ENDING}"))
        for part in parts:
            self._parts[part].prints.append(sha256)


def stat_of(path: Path) -> tuple[int, ...]:
    """Return what the file system says of a file: size, inode, and nanoseconds of the last changes. Raises ``OSError``."""
    status = path.stat()
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def open_prints(folder: Path, sha256: str, known: Prints) -> FingerprintBatch:
    """Read a file of fingerprints. Its hash is taken again where the file system does not say that it is as it was written.

    Raises ``InputError`` for one that is gone or damaged.
    """
    path = folder / f"{sha256}{ENDING}"
    shown = f"{folder.name}/{path.name}"
    try:
        if stat_of(path) != known.stat and sha256_of(path) != sha256:
            raise InputError(f"{shown} is not as it was written; extractscan verify says more")
        with pa.memory_map(str(path)) as source:
            return read_prints(source, shown)
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {(error.strerror or 'input/output error').lower()}") from error


def rows_of(folder: Path, prints: Mapping[str, Prints], parts: Mapping[int, Part]) -> list[FingerprintBatch]:
    """Return the fingerprints of some parts, with the number of each row's. Raises ``InputError`` as ``open_prints``."""
    wanted = sorted({sha256 for part in parts.values() for sha256 in part.prints})
    out = []
    for sha256 in wanted:
        known = prints[sha256]
        batch = open_prints(folder, sha256, known)
        kept = [number for number in known.parts if number in parts]
        out.append(batch if len(kept) == len(known.parts) else pick(batch, pl.col(PART).is_in(kept)))
    return out


def without_parts(batches: Iterable[FingerprintBatch]) -> list[FingerprintBatch]:
    """Return the batches as ``merge`` takes them."""
    return [replace(b, rows=b.rows.drop(PART)) for b in batches]
