"""Requests that are spread over several records: put together by a key, within one file or across files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.logs import messages
from extractscan.logs.canonical import RawBatch, coalesce
from extractscan.logs.mapping import JOIN, SAID, SEQUENCE, SPEAKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from extractscan.logs.state import Known

_JOINED: Final = frozenset({"system", "prompt", "response"})
"""Texts that were cut for size go on in the next record."""


def side_roles(known: Iterable[Known]) -> list[str]:
    """For each file of a run, the role of the side table that its records go to; empty where they are requests.

    They are requests too where no other file of the run joins that table.
    """
    plans = [k.plan for k in known]
    joins = {role for plan in plans if plan is not None for role in plan.format.joins}
    return [plan.format.role if plan is not None and plan.format.role in joins else "" for plan in plans]


def as_frame(batch: RawBatch) -> pl.DataFrame:
    """The best value of each slot of a batch, and ``@line``, where it stands in its file."""
    columns = {}
    for slot, parts in batch.columns.items():
        kinds = {part.dtype for part in parts}
        columns[slot] = coalesce(parts if len(kinds) == 1 else [part.cast(pl.String) for part in parts])
    line = batch.line(np.arange(batch.rows)) if batch.rows else np.zeros(0, np.int64)
    return pl.DataFrame({**columns, "@line": pl.Series(line, dtype=pl.Int64)})


def grouped(batches: Iterable[RawBatch]) -> pl.DataFrame:
    """Records of one key as one row, at the line of the first; a record without a key stays by itself.

    Records that each say one thing (``speaker`` and ``said``) become a conversation; texts that were cut go on.
    """
    frames = [as_frame(batch) for batch in batches if batch.rows]
    if not frames:
        return pl.DataFrame()
    table = pl.concat(frames, how="diagonal_relaxed")
    if JOIN not in table.columns:
        return table
    key = pl.coalesce(pl.col(JOIN), pl.format("@{}", pl.col("@line")))
    order = [pl.col(SEQUENCE).cast(pl.Int64, strict=False)] if SEQUENCE in table.columns else []
    table = table.with_columns(key.alias("@key")).sort(*order, "@line", maintain_order=True)
    plain = [c for c in table.columns if c not in ("@key", SPEAKER, SAID, SEQUENCE)]
    made = table.group_by("@key", maintain_order=True).agg(
        pl.col("@line").min(),
        *(
            pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).drop_nulls().str.join("")).first()
            if c in _JOINED and table.schema[c] == pl.String
            else pl.col(c).drop_nulls().first()
            for c in plain
            if c != "@line"
        ),
    )
    if SAID in table.columns and SPEAKER in table.columns:
        made = _spoken(table, made)
    return made.sort("@line").drop("@key")


def _spoken(table: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    position = made.select("@key", pl.int_range(pl.len()).alias("@row"))
    said = table.join(position, on="@key", how="left").sort("@row", maintain_order=True)
    role = said[SPEAKER].str.to_lowercase().replace_strict(messages.ROLE_CODES, default=0, return_dtype=pl.Int32)
    text = said[SAID]
    talk = messages.reduce(
        said["@row"].to_numpy(), role.fill_null(0).to_numpy(), text.is_not_null().to_numpy(), text.gather, made.height
    )
    for slot in ("system", "prompt", "response", "opening", "turn"):
        new = talk[slot]
        made = made.with_columns(coalesce([made[slot], new]) if slot in made.columns else new.alias(slot))
    return made


def as_batch(table: pl.DataFrame) -> RawBatch:
    """A table of ``grouped`` as a batch again."""
    lines = table["@line"].to_numpy() if "@line" in table.columns else np.zeros(0, np.int64)
    columns = {slot: [table[slot]] for slot in table.columns if slot != "@line"}
    return RawBatch(columns, table.height, lambda rows: lines[rows])


def joined(
    batches: Iterable[RawBatch], sides: Mapping[str, pl.DataFrame], roles: tuple[str, ...]
) -> Iterator[RawBatch]:
    """Batches with what the side tables of ``roles`` hold under their keys, where they have no value of their own."""
    tables = [sides[role] for role in roles if role in sides and JOIN in sides[role].columns]
    for batch in batches:
        keys = batch.columns.get(JOIN)
        if keys and batch.rows:
            wanted = pl.DataFrame({JOIN: coalesce(keys).cast(pl.String)})
            for table in tables:
                found = wanted.join(table, on=JOIN, how="left", maintain_order="left")
                for slot in found.columns:
                    if slot not in (JOIN, "@line") and found[slot].null_count() < batch.rows:
                        batch.columns.setdefault(slot, []).append(found[slot])
        yield batch


def side_table(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """One side table of several files: one row a key."""
    table = pl.concat(parts, how="diagonal_relaxed")
    if JOIN not in table.columns:
        return table
    return (
        table.filter(pl.col(JOIN).is_not_null())
        .with_columns(pl.col(JOIN).cast(pl.String))
        .unique(JOIN, keep="first", maintain_order=True)
    )
