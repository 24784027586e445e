"""What is said when a file or a run has been read, and whether what was read may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.errors import InputError
from extractscan.logs.quarantine import WARN_SHARE, enforce
from extractscan.logs.wording import lacks, lacks_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.logs.opened import OpenFile
    from extractscan.logs.quarantine import Quarantine
    from extractscan.logs.result import ReadSummary
    from extractscan.progress import Observer


def tell_values(file: OpenFile) -> None:
    """Warn of what was repaired or dropped in a file that was read."""
    item, state = file.item, file.state
    if state.texts_repaired:
        file.observer.warn(
            f"{item.name}: {state.texts_repaired:,} values held bytes that are not UTF-8; replaced by U+FFFD"
        )
    for slot, count in sorted(state.clashes.items()):
        file.observer.warn(f"{item.name}: {count:,} values of {slot} are not of its type and are taken as absent")


def require_slots(file: OpenFile) -> None:
    """Say that a file of requests that was read lacks what scoring needs. Raises InputError if it is named."""
    message = _lacking(file)
    if message is None:
        return
    if file.item.named:
        raise InputError(f"{file.item.name}: {message}")
    file.judge.pass_over(f"{file.item.name}: {message}")


def _lacking(file: OpenFile) -> str | None:
    """What a file that was read lacks, if no record can be scored for want of it."""
    known, state = file.known, file.state
    lacking = file.judge.lacking(state.slots)
    if not lacking:
        return None
    if known.plan is not None:
        none_good = state.rows_bad and not state.rows_kept and state.slots
        return lacks_in(known.plan.format, lacking) if none_good else None
    # Without any key nothing in it was JSON: the quarantine says so.
    told = known.seen.is_json and state.rows_read and (known.seen.names or state.slots)
    return lacks(lacking, known.seen.names) if told else None


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
