"""Raw batches of one file to its accepted requests: put together, canonical, and within the time asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from extractscan.logs.canonical import to_canonical
from extractscan.logs.references import resolve
from extractscan.logs.sides import as_batch, grouped, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extractscan.logs.canonical import RawBatch
    from extractscan.logs.choose import AccountFrom
    from extractscan.logs.discover import Input
    from extractscan.logs.mapping import Format
    from extractscan.logs.opened import OpenFile
    from extractscan.logs.setup import ReadOptions


def accepted(
    file: OpenFile, options: ReadOptions, account: AccountFrom | None, sides: Mapping[str, pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Open ``file``; its good requests in tables of the canonical columns, none of them empty.

    ``account`` is where accounts are if the user said so; ``sides`` are the side tables by their roles. Counts, bad rows and slots
    go to the file's state. Raises as ``OpenFile.open`` does.
    """
    batches = file.open()
    item, plan, state = file.item, file.known.plan, file.state
    if plan is not None:
        batches = _put_together(batches, plan.format, sides)
    for batch in batches:
        state.slots.update(batch.columns)
        if not batch.rows:
            continue
        if plan is not None and plan.refers and item.path is not None:
            lost = resolve(batch, item)
            if lost:
                file.observer.warn(f"{item.name}: {lost:,} bodies that lie in other files were not found")
        _add_account(batch, item, account)
        done = to_canonical(batch, complete=options.complete)
        state.clashes.update(done.clashes)
        if len(done.bad):
            state.bad_rows(done.bad, batch.line, done.reasons)
        frame = _window(done.frame, options)
        state.rows_outside += done.frame.height - frame.height
        state.rows_kept += frame.height
        if frame.height:
            yield frame


def _put_together(
    batches: Iterator[RawBatch], format_: Format, sides: Mapping[str, pl.DataFrame]
) -> Iterator[RawBatch]:
    """Requests whose parts are several records of this file, or lie in another."""
    if format_.group:
        table = grouped(batches)
        batches = iter([as_batch(table)] if table.height else [])
    return joined(batches, sides, format_.joins) if format_.joins and sides else batches


def _add_account(batch: RawBatch, item: Input, account: AccountFrom | None) -> None:
    """The account that all records of a file have, if the user said so."""
    constant = account.constant(item.path or item.name) if account is not None else None
    if constant is not None:
        batch.columns["account_id"] = [pl.Series([constant]).new_from_index(0, batch.rows)]


def _window(frame: pl.DataFrame, options: ReadOptions) -> pl.DataFrame:
    if options.since is not None:
        frame = frame.filter(pl.col("timestamp") >= options.since)
    if options.until is not None:
        frame = frame.filter(pl.col("timestamp") < options.until)
    return frame
