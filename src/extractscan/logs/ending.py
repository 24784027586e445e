"""What is said when all has been read, and whether what was read may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.errors import InputError
from extractscan.logs.quarantine import WARN_SHARE, enforce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.logs.quarantine import Quarantine
    from extractscan.logs.result import ReadSummary
    from extractscan.progress import Observer


def conclude(
    summary: ReadSummary,
    quarantine: Quarantine,
    observer: Observer,
    *,
    max_bad_rows: float | None,
    passed_over: Sequence[str],
    may_be_empty: bool,
) -> None:
    """Warn of files that are the same, and of many bad rows. Raises InputError if there are too many, or no good one at all."""
    same: dict[str, str] = {}
    for file in summary.files:
        if file.sha256 and file.rows_kept and same.setdefault(file.sha256, file.path) != file.path:
            observer.warn(f"{same[file.sha256]} and {file.path} are the same; their requests count once")
    enforce(quarantine, summary.rows_read, max_bad_rows)
    if not summary.rows_kept and not may_be_empty:
        raise InputError(_nothing(summary, quarantine, passed_over))
    bad = summary.rows_quarantined
    if bad > WARN_SHARE * summary.rows_read:
        share = bad / summary.rows_read
        observer.warn(f"{bad:,} of {summary.rows_read:,} rows ({share:.1%}) cannot be read: {quarantine.first()}")


def _nothing(summary: ReadSummary, quarantine: Quarantine, passed_over: Sequence[str]) -> str:
    """Why a run has no request at all."""
    if summary.rows_outside_window:
        return f"no requests in the time asked for ({summary.rows_outside_window:,} lie outside)"
    reasons = [*([quarantine.first()] if quarantine.count else []), *passed_over[:3]]
    empty = [file.path for file in summary.files if file.format.startswith("empty")]
    if empty and not reasons:
        reasons = [f"{', '.join(empty[:3])} {'is' if len(empty) == 1 else 'are'} empty"]
    return "no readable requests" + (f": {'; '.join(reasons)}" if reasons else "")
