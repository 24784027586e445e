"""Fields of records as columns: words and units understood, and what follows from several of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from extractscan.logs import times
from extractscan.logs.canonical import as_json, coalesce, null_if
from extractscan.logs.cells import Gathered, Values
from extractscan.logs.dialects.body import scalars
from extractscan.logs.jsonsplit import elements
from extractscan.logs.mapping import ADDED_READ, ADDED_WRITE, ENDED, Field
from extractscan.logs.spans import ARRAY, OBJECT

_UNITS: Final = {"epoch_s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


def over(first: pl.Series | None, other: pl.Series | None) -> pl.Series:
    """The first value of each row that is there and not blank."""
    if first is None or other is None:
        found = other if first is None else first
        if found is None:
            raise ValueError("nothing to choose from")
        return found
    if not first.null_count() and (first.dtype != pl.String or not (first == "").any()):
        return first
    there = first.is_not_null()
    if first.dtype == pl.String:
        there &= (first != "").fill_null(value=False)
    return first.zip_with(there, other)


def worded(series: pl.Series, slot: str, how: Field) -> pl.Series:
    """Words replaced by what they stand for; times of a stated unit made plain."""
    if how.words:
        series = series.replace(how.words)
    if slot in ("timestamp", ENDED) and how.unit in _UNITS:
        number = series.cast(pl.Float64, strict=False) if how.unit == "epoch_s" else None
        whole = series.cast(pl.Int64, strict=False)
        factor = _UNITS[how.unit]
        scaled = (number * factor).round() if number is not None else (whole * factor if factor >= 1 else whole // 1000)
        return scaled.cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC"))
    return series


def counted(sources: list[Values]) -> pl.Series:
    """Lists as how many elements they have; plain values as they are."""
    out = Gathered(len(sources[0]))
    for values in sources:
        listed = values.of_kind(ARRAY)
        if len(listed):
            counts, *_ = elements(values.buf, values.start[listed], values.end[listed])
            out.add("n", listed, pl.Series(counts, dtype=pl.Int64).cast(pl.String))
        plain = scalars(values)
        out.add("n", np.arange(len(values)), plain)
    return out.columns().get("n", pl.Series([None], dtype=pl.String).new_from_index(0, out.rows))


def first_word(values: Values) -> pl.Series:
    """The first text in a list: ``["stop"]``, or a list of attribute values."""
    some = np.isin(values.kind, (ARRAY, OBJECT))
    text = values.only(some).text()
    return text.str.extract(r'"stringValue"\s*:\s*"([^"\\]*)"').fill_null(text.str.extract(r'^\[\s*"([^"\\]*)"'))


def as_text(series: pl.Series) -> pl.Series | None:
    """A column as text, nested ones as JSON; None for numbers, times and truth values, which are good as they are."""
    kind = series.dtype
    if kind == pl.String:
        return series
    if kind == pl.Binary:
        from extractscan.logs.textspans import decode  # noqa: PLC0415

        return decode(series)
    if isinstance(kind, pl.Categorical | pl.Enum):
        return series.cast(pl.String)
    if isinstance(kind, pl.Struct):
        return null_if(series.struct.json_encode(), series.is_null())
    return as_json(series) if kind.is_nested() else None


def marked(columns: dict[str, list[pl.Series]], marks: tuple[str, ...]) -> pl.Series | None:
    """Whether a text of each row holds one of ``marks``; null where it does not."""
    found = None
    for slot in ("prompt", "system", "response"):
        for series in columns.get(slot, []):
            for mark in marks:
                here = series.str.contains(mark, literal=True)
                if here.any():
                    here = here.fill_null(value=False)
                    found = here if found is None else found | here
    return None if found is None else null_if(found, ~found)


def derive(columns: dict[str, list[pl.Series]], rows: int) -> None:
    """Columns that follow from others: a latency from two times, and the cached tokens that a count leaves out."""
    ended = columns.pop(ENDED, None)
    if ended and "timestamp" in columns:
        begin = _timed(columns["timestamp"])
        # The texts are only of use to say why a row has no time.
        columns["timestamp"] = [begin, *(columns["timestamp"] if begin.null_count() else [])]
        took = (_timed(ended).cast(pl.Int64) - begin.cast(pl.Int64)) / 1000
        columns.setdefault("latency_ms", []).append(null_if(took, took < 0))
    added = [columns.pop(slot, None) for slot in (ADDED_READ, ADDED_WRITE)]
    if not any(added) or "input_tokens" not in columns:
        return
    extra = pl.Series([0], dtype=pl.Int64).new_from_index(0, rows)
    for parts in added:
        if parts:
            extra = extra + _number(parts).fill_null(0)
    columns["input_tokens"] = [_number(columns["input_tokens"]) + extra]
    if added[0]:
        columns.setdefault("cached_tokens", []).append(_number(added[0]))


def _timed(parts: list[pl.Series]) -> pl.Series:
    found = times.parse(parts[0])
    for other in parts[1:]:
        if not found.null_count():
            break
        found = found.zip_with(found.is_not_null(), times.parse(other))
    return found


def _number(parts: list[pl.Series]) -> pl.Series:
    return coalesce([part.cast(pl.Float64, strict=False) for part in parts]).cast(pl.Int64, strict=False)
