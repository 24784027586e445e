"""Source columns of any type to the canonical table.

A value of the wrong type in an optional column becomes null and is counted; a row without an account or a time stamp
that can be read goes to quarantine.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import polars as pl

from extractscan.logs import times
from extractscan.logs.names import LATENCY_S, MESSAGES, TEXT_SLOTS
from extractscan.logs.schema import CANONICAL, TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

OPENING: Final = "opening"
"""The slot of a conversation's first message, from which its id is made where it has none."""

NO_ACCOUNT: Final = "no account"
NO_TIME: Final = "no time stamp"
BAD_TIME: Final = "the time stamp cannot be read, or lies outside 2000 to 2100"

_MAX_WHOLE: Final = 9.2e18


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Some rows of a source: for each slot the columns that can feed it, best first, all of ``rows`` rows.

    ``line`` tells for row positions where they stand in the file, counted from 1. ``clashes`` counts values by slot that
    were dropped before because they were of no use there (an object where a text belongs).
    """

    columns: dict[str, list[pl.Series]]
    rows: int
    line: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    clashes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Canonical:
    """One batch, converted.

    ``frame`` holds the good rows as CANONICAL; ``bad`` the positions of the others, with ``reasons``; ``clashes`` counts
    values by column that were set to null.
    """

    frame: pl.DataFrame
    bad: NDArray[np.int64]
    reasons: list[str]
    clashes: Counter[str]


def to_canonical(raw: RawBatch, *, complete: bool = True) -> Canonical:
    """Convert one batch; the order of rows is kept. Unless ``complete``, rows may lack an account or a time stamp."""
    clashes = Counter(raw.clashes)
    made: dict[str, pl.Series] = {}
    for slot, kind in CANONICAL.items():
        candidates = raw.columns.get(slot)
        if candidates:
            made[slot] = coalesce([_convert(s, slot, kind, clashes) for s in candidates])
    if LATENCY_S in raw.columns:
        seconds = [_convert(s, "latency_ms", pl.Float64(), clashes) * 1000 for s in raw.columns[LATENCY_S]]
        made["latency_ms"] = coalesce([*([made["latency_ms"]] if "latency_ms" in made else []), *seconds])
    if OPENING in raw.columns:
        made[OPENING] = coalesce(raw.columns[OPENING])
    _add_messages(raw, made, clashes)
    for slot, kind in CANONICAL.items():
        if slot not in made:
            made[slot] = pl.Series([None], dtype=kind).new_from_index(0, raw.rows)
    whole = pl.DataFrame([made[slot].alias(slot) for slot in (*CANONICAL, *(["opening"] if "opening" in made else []))])
    bad = np.empty(0, np.int64)
    reasons: list[str] = []
    if complete and (made["account_id"].null_count() or made["timestamp"].null_count()):
        good = made["account_id"].is_not_null() & made["timestamp"].is_not_null()
        bad = (~good).arg_true().to_numpy().astype(np.int64)
        reasons = _reasons(raw, made, bad)
        whole = whole.filter(good)
    return Canonical(_name_rows(whole), bad, reasons, clashes)


def _reasons(raw: RawBatch, made: dict[str, pl.Series], bad: NDArray[np.int64]) -> list[str]:
    given = np.zeros(raw.rows, np.bool_)
    for series in raw.columns.get("timestamp", []):
        present = series.is_not_null()
        if series.dtype == pl.String:
            present &= series != ""
        given |= present.fill_null(value=False).to_numpy()
    account = made["account_id"].is_not_null().to_numpy()
    return [NO_ACCOUNT if not account[i] else BAD_TIME if given[i] else NO_TIME for i in bad]


def coalesce(candidates: list[pl.Series]) -> pl.Series:
    """The first value of each row that is not null."""
    found = candidates[0]
    for other in candidates[1:]:
        if not found.null_count():
            break
        found = found.zip_with(found.is_not_null(), other)
    return found


def null_if(series: pl.Series, drop: pl.Series) -> pl.Series:
    """Null where ``drop`` is true."""
    if not drop.any():
        return series
    return series.to_frame("v").select(pl.when(~drop.fill_null(value=False)).then("v").alias("v"))["v"]


def _convert(series: pl.Series, slot: str, kind: pl.DataType, clashes: Counter[str]) -> pl.Series:
    """One source column as ``kind``, counting the values that were lost."""
    if series.dtype == pl.Null:
        return series.cast(kind)
    if kind == TIMESTAMP:
        return times.parse(series)
    if kind == pl.String:
        made = _text(series, blank_is_null=slot not in TEXT_SLOTS)
    else:
        series = _blank_to_null(series)
        if slot == "tool_calls" and isinstance(series.dtype, pl.List):
            return series.list.len().cast(pl.Int64)
        made = _WAYS[kind](series)
    lost = made.null_count() - series.null_count()
    if lost > 0 and kind == pl.String and series.dtype == pl.String:
        lost = 0  # only blanks
    if lost > 0:
        clashes[slot] += lost
    return made


def _blank_to_null(series: pl.Series) -> pl.Series:
    return null_if(series, series == "") if series.dtype == pl.String else series


def _text(series: pl.Series, *, blank_is_null: bool) -> pl.Series:
    kind = series.dtype
    if kind == pl.String:
        text = series
    elif kind.is_float():
        # Numbers that are names (an account 1234) come as floats where a column has gaps.
        exact = series.cast(pl.Int64, strict=False)
        integral = (exact.cast(pl.Float64) == series.cast(pl.Float64)).fill_null(value=False)
        text = exact.cast(pl.String).zip_with(integral, series.cast(pl.String))
    elif kind == pl.Binary:
        from extractscan.logs.textspans import decode  # noqa: PLC0415 (compiled kernels, of no use to most tables)

        text = decode(series)
    elif kind.is_nested() or kind == pl.Object:
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(series))
    else:
        text = series.cast(pl.String, strict=False)
    return _blank_to_null(text) if blank_is_null else text


def _real(series: pl.Series) -> pl.Series:
    kind = series.dtype
    if kind == pl.String:
        value = series.cast(pl.Float64, strict=False)
        if value.null_count() == series.null_count() and math.isfinite(value.sum()):
            return value  # numbers to the last one
        series = series.str.strip_chars()
    elif not kind.is_numeric():
        return pl.Series([None], dtype=pl.Float64).new_from_index(0, len(series))
    value = series.cast(pl.Float64, strict=False)
    return null_if(value, ~value.is_finite())


def _whole(series: pl.Series) -> pl.Series:
    """Counts: whole and not negative."""
    if series.dtype.is_integer():
        value = series.cast(pl.Int64, strict=False)
    elif series.dtype == pl.String and _whole_to_the_last(value := series.cast(pl.Int64, strict=False), series):
        return value
    else:
        real = _real(series)
        value = null_if(real, (real != real.floor()) | (real.abs() > _MAX_WHOLE)).cast(pl.Int64, strict=False)
        if series.dtype == pl.String:
            value = coalesce([series.str.strip_chars().cast(pl.Int64, strict=False), value])
    return null_if(value, value < 0)


def _whole_to_the_last(value: pl.Series, series: pl.Series) -> bool:
    """Whether all of ``series`` was read as ``value``, and is not negative."""
    low = cast("int | None", value.min())
    return value.null_count() == series.null_count() and (low is None or low >= 0)


def _flag(series: pl.Series) -> pl.Series:
    kind = series.dtype
    if kind == pl.Boolean:
        return series
    if kind == pl.String:
        plain = series == "true"
        if (plain | (series == "false")).all():
            return plain
        words = {"true": True, "t": True, "yes": True, "false": False, "f": False, "no": False}
        word = series.str.strip_chars().str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
        return coalesce([word, _real(series) != 0])
    return _real(series) != 0


_WAYS: Final = {pl.Int64(): _whole, pl.Float64(): _real, pl.Boolean(): _flag}


def _add_messages(raw: RawBatch, made: dict[str, pl.Series], clashes: Counter[str]) -> None:
    """Fill system, prompt, response and turn from arrays of messages, where no column of their own gives them."""
    if MESSAGES not in raw.columns:
        return
    from extractscan.logs import messages  # noqa: PLC0415 (compiled kernels, of no use to most tables)

    for source in raw.columns.get(MESSAGES, []):
        text = as_json(source)
        if text is None:
            clashes[MESSAGES] += len(source) - source.null_count()
            continue
        read = messages.read(text)
        unreadable = int((text.is_not_null() & ~read["readable"]).sum())
        if unreadable:
            clashes[MESSAGES] += unreadable
        for slot in ("system", "prompt", "response", "turn", "opening"):
            made[slot] = coalesce([made[slot], read[slot]]) if slot in made else read[slot]


def as_json(source: pl.Series) -> pl.Series | None:
    """A column of messages as JSON text; None if it can hold none."""
    if source.dtype == pl.String:
        return source
    if isinstance(source.dtype, pl.List | pl.Array):
        wrapped = source.to_frame("m").select(pl.struct("m").struct.json_encode().alias("j"))["j"]
        return null_if(wrapped.str.slice(5).str.head(-1), source.is_null())
    return None


def _name_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Make the request ids that are missing, and conversation ids for later turns, from content."""
    some = OPENING in frame.columns and frame[OPENING].null_count() < frame.height
    if some and (opened := frame[OPENING].is_not_null() & frame["conversation_id"].is_null()).any():
        made = _ids(frame, ("account_id", "system", "opening"), "conv_", opened)
        frame = frame.with_columns(conversation_id=coalesce([frame["conversation_id"], made]))
    if frame["request_id"].null_count():
        nameless = frame["request_id"].is_null()
        made = _ids(frame, ("account_id", "timestamp", "prompt", "system", "conversation_id", "turn"), "req_", nameless)
        frame = frame.with_columns(request_id=coalesce([frame["request_id"], made]))
    return frame.select(list(CANONICAL))


def _ids(frame: pl.DataFrame, columns: tuple[str, ...], prefix: str, where: pl.Series) -> pl.Series:
    from extractscan.logs.identity import content_ids  # noqa: PLC0415 (compiled kernels, of no use to most tables)
    from extractscan.logs.textspans import spread  # noqa: PLC0415

    some = frame.select(columns).filter(where)
    return spread(where.arg_true().to_numpy(), content_ids(some.get_columns(), prefix), frame.height)
