"""Writing a simulated log: in parts, in the order of time, in bounded memory, all or nothing."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from extractscan.errors import UsageError
from extractscan.progress import Silent
from extractscan.simulate.litellm import SpendLogs
from extractscan.simulate.plan import accounts
from extractscan.simulate.registry import ARCHETYPES
from extractscan.simulate.rows import Rows, account_rows
from extractscan.simulate.settings import account_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from extractscan.progress import Observer
    from extractscan.simulate.settings import AccountPlan, Settings

STAGED_ROWS: Final = 250_000
"""Rows that are held in memory at a time."""

LABELS: Final = "labels.csv"

LABEL_SCHEMA: Final = {
    "account_id": pl.String(),
    "label": pl.Int64(),
    "archetype": pl.String(),
    "campaign": pl.String(),
}
"""Columns of the labels: label 1 is an attack, and then ``campaign`` says whose; it is null for benign accounts."""


class LogFormat(StrEnum):
    """Formats of a simulated log."""

    parquet = "parquet"
    jsonl = "jsonl"
    litellm = "litellm"


_STEMS: Final = {
    LogFormat.parquet: ("requests", ".parquet"),
    LogFormat.jsonl: ("requests", ".jsonl"),
    LogFormat.litellm: ("spendlogs", ".jsonl"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: counts of requests, of accounts, of hostile accounts and of campaigns, and the files."""

    requests: int
    accounts: int
    hostile: int
    campaigns: int
    files: tuple[Path, ...]


def labels(settings: Settings, plans: Sequence[AccountPlan]) -> pl.DataFrame:
    """Return account, label, archetype and campaign (null for benign), sorted by account."""
    rows = [
        (account_id(settings, plan), ARCHETYPES[plan.archetype].label, plan.archetype, campaign_of(plan))
        for plan in plans
    ]
    return pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row").sort("account_id")


def campaign_of(plan: AccountPlan) -> str | None:
    """Return the name of the campaign that an account is of."""
    return f"{plan.archetype}_{plan.group}" if ARCHETYPES[plan.archetype].label else None


def account_table(settings: Settings, plan: AccountPlan) -> pl.DataFrame:
    """Return the requests of one account alone, in canonical columns; the same rows as in the whole log."""
    rows = Rows()
    account_rows(settings, plan, rows)
    return rows.table()


def tables(
    settings: Settings, plans: Sequence[AccountPlan], observer: Observer | None = None, rows_each: int = STAGED_ROWS
) -> Iterator[pl.DataFrame]:
    """Yield the requests of ``plans`` in tables of at least ``rows_each`` rows (the last: fewer), by account."""
    rows = Rows()
    for plan in plans:
        before = len(rows)
        account_rows(settings, plan, rows)
        if observer is not None:
            observer.advance(len(rows) - before)
        if len(rows) >= rows_each:
            yield rows.table()
            rows = Rows()
    if len(rows):
        yield rows.table()


def write_log(
    settings: Settings,
    out_dir: Path,
    log_format: LogFormat = LogFormat.parquet,
    *,
    clobber: bool = False,
    observer: Observer | None = None,
) -> Written:
    """Write the log and its labels into ``out_dir``; an interrupted run leaves nothing there.

    Raises ``UsageError`` when files of ours are there and ``clobber`` is not given, or when nothing can be written.
    """
    observer = observer or Silent()
    target = out_dir.absolute()
    _check(target, clobber=clobber)
    plans = accounts(settings)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
            done = Path(name) / "done"
            done.mkdir()
            count = _write_parts(settings, plans, Path(name), done, log_format, observer)
            table = labels(settings, plans)
            table.write_csv(done / LABELS)
            files = _move(done, target)
    except OSError as error:
        raise UsageError(f"cannot write {out_dir}: {error.strerror or error}") from error
    hostile = table.filter(pl.col("label") == 1)
    return Written(count, table.height, hostile.height, hostile["campaign"].n_unique(), files)


def _check(target: Path, *, clobber: bool) -> None:
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder")
    if target.is_dir() and not clobber and _ours(target):
        raise UsageError(f"{target} holds a simulated log already; give --clobber to overwrite it")


def _ours(target: Path) -> list[Path]:
    """Return the files in ``target`` that an earlier run left, of whatever format: the labels are for one log."""
    found = [*target.glob(LABELS)]
    for stem, suffix in _STEMS.values():
        found += [*target.glob(f"{stem}{suffix}"), *target.glob(f"{stem}-[0-9][0-9][0-9][0-9][0-9]{suffix}")]
    return sorted(path for path in found if path.is_file() or path.is_symlink())


def _write_parts(
    settings: Settings,
    plans: Sequence[AccountPlan],
    work: Path,
    done: Path,
    log_format: LogFormat,
    observer: Observer,
) -> int:
    """Write tables by account, then cut them anew by time; return the number of requests."""
    stem, suffix = _STEMS[log_format]
    writer = _Writer(log_format)
    observer.stage("simulate", settings.requests)
    staged: list[Path] = []
    total = 0
    held: pl.DataFrame | None = None
    for table in tables(settings, plans, observer):
        total += table.height
        if held is not None:
            staged.append(_stage(held, work, len(staged)))
        held = table
    if held is None:
        raise UsageError("nothing to write: the log would have no account")
    if not staged:
        writer.write(held, done / f"{stem}{suffix}")
        return total
    staged.append(_stage(held, work, len(staged)))
    del held
    observer.stage("write", len(staged))
    for number, (begin, end) in enumerate(_cuts(staged, total)):
        inside = (pl.col("timestamp") >= begin) & (pl.col("timestamp") < end)
        part = pl.scan_parquet(staged).filter(inside).collect().sort("timestamp", "request_id")
        if part.height:
            writer.write(part, done / f"{stem}-{number:05d}{suffix}")
        observer.advance()
    return total


def _stage(table: pl.DataFrame, work: Path, number: int) -> Path:
    path = work / f"staged-{number:05d}.parquet"
    table.write_parquet(path, compression="lz4", row_group_size=10_000)
    return path


def _cuts(staged: list[Path], total: int) -> list[tuple[datetime, datetime]]:
    """Return half-open intervals of time that hold about ``STAGED_ROWS`` requests each."""
    times = pl.scan_parquet(staged).select("timestamp").collect()["timestamp"].sort()
    parts = -(-total // STAGED_ROWS)
    edges = [times[total * part // parts] for part in range(parts)]
    last = times[-1] + timedelta(microseconds=1)
    edges = sorted({*edges, last})
    return list(itertools.pairwise(edges))


class _Writer:
    """Writes tables, in the order of time, in one format."""

    def __init__(self, log_format: LogFormat) -> None:
        self._format = log_format
        self._spend = SpendLogs()

    def write(self, table: pl.DataFrame, path: Path) -> None:
        if self._format is LogFormat.parquet:
            table.write_parquet(path, compression="zstd", compression_level=9, statistics=True)
        elif self._format is LogFormat.jsonl:
            iso = pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            table.with_columns(iso).write_ndjson(path)
        else:
            with path.open("w", encoding="utf-8", newline="\n") as out:
                out.writelines(self._spend.lines(table))


def _move(done: Path, target: Path) -> tuple[Path, ...]:
    names = sorted(path.name for path in done.iterdir())
    if not target.exists():
        with contextlib.suppress(OSError):  # lost a race for the name: go on file by file
            done.rename(target)
            return tuple(target / name for name in names)
    target.mkdir(exist_ok=True)
    stale = [path for path in _ours(target) if path.name not in names]
    for name in sorted(names, key=lambda name: name == LABELS):  # labels last: they vouch for the rest
        (done / name).replace(target / name)
    for path in stale:
        path.unlink()
    return tuple(target / name for name in names)
