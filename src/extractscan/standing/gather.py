"""From the ledger to what judging takes: the fingerprints of all that counts, and what was read, as a run over all of it would say."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.errors import InputError
from extractscan.fingerprint.requests import Merger
from extractscan.fingerprint.store import PART, pick
from extractscan.logs.quarantine import QUARANTINE_KEPT
from extractscan.logs.result import FileSummary, Quarantined, ReadSummary
from extractscan.standing.ledger import CONTINUED, COUNTS, EXPIRED
from extractscan.standing.packs import rows_of, without_parts
from extractscan.standing.window import moment, window_end

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from extractscan.fingerprint.requests import FingerprintBatch, Fingerprints
    from extractscan.memory import Memory
    from extractscan.standing.ledger import Ledger
    from extractscan.standing.window import Span


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that counts: fingerprints, what they were read from, and the window, None where all is taken; ``later`` requests lie after it."""

    prints: Fingerprints
    summary: ReadSummary
    since: datetime | None
    until: datetime | None
    later: int


def gather(
    ledger: Ledger, folder: Path, window: Span | None, keep: Span | None, memory: Memory | None = None
) -> Gathered:
    """Collect what counts, within a window, and let go of what ended before the time that is kept (None: the window).

    Raises ``InputError`` if nothing counts, or fingerprints are damaged.
    """
    batches = rows_of(folder, ledger.prints, ledger.counting_parts())
    since = until = None
    later = 0
    if window is not None and batches:
        times = np.concatenate([b.rows["time_us"].to_numpy() for b in batches])
        until = window_end(times, window)
        since = until - window.length
        later = int((times >= until).sum())
        _expire(ledger, until - max(window.length, 0 if keep is None else keep.length))
        wanted = pl.col(PART).is_in(list(ledger.counting_parts()))
        batches = [pick(b, wanted & pl.col("time_us").is_between(since, until, closed="left")) for b in batches]
    kept = _kept(batches)
    if not sum(kept.values()):
        raise InputError("no readable requests in what the case holds")
    summary = _summary(ledger, kept)
    begin, end = (None if bound is None else moment(bound) for bound in (since, until))
    with contextlib.closing(Merger(memory)) as merger:
        for batch in without_parts(batches):
            merger.add(batch)
        return Gathered(merger.finish(), summary, begin, end, later)


def _expire(ledger: Ledger, limit: int) -> None:
    """Let go of the fingerprints of parts that ended before ``limit``, and of documents that have no other part with rows."""
    for number, part in list(ledger.parts.items()):
        if part.last_us is not None and part.last_us < limit:
            ledger.parts[number] = replace(part, prints=())
    for number, document in ledger.documents.items():
        if document.state in (COUNTS, CONTINUED) and document.sha256:
            held = [ledger.parts[n] for n in document.parts if n in ledger.parts]
            if any(p.rows for p in held) and not any(p.prints for p in held):
                ledger.set_state(number, EXPIRED)


def _kept(batches: list[FingerprintBatch]) -> dict[int, int]:
    """Count the rows of each part."""
    counts: dict[int, int] = {}
    for batch in batches:
        for part, number in batch.rows.group_by(PART).len().iter_rows():
            counts[part] = counts.get(part, 0) + number
    return counts


def _summary(ledger: Ledger, kept: dict[int, int]) -> ReadSummary:
    """Say what was read; a part that two documents share counts with each of them, and once in the whole."""
    summary = ReadSummary()
    for document in ledger.counting():
        parts = [ledger.parts[number] for number in document.parts]
        summary.files.append(
            FileSummary(
                document.path,
                document.format,
                document.sha256,
                document.size,
                sum(p.rows + p.bad for p in parts),
                sum(kept.get(number, 0) for number in document.parts),
                sum(p.bad for p in parts),
                document.runner_up,
            )
        )
        for part in parts:
            room = QUARANTINE_KEPT - len(summary.quarantine)
            summary.quarantine += [Quarantined(document.path, line, reason) for line, reason in part.quarantine[:room]]
    counted = ledger.counting_parts()
    summary.rows_kept = sum(kept.values())
    summary.rows_quarantined = sum(p.bad for p in counted.values())
    summary.rows_outside_window = sum(p.rows for p in counted.values()) - summary.rows_kept
    summary.rows_read = sum(p.rows + p.bad for p in counted.values())
    return summary
