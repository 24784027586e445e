"""Time stamps of any usual form to UTC microseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import polars as pl

from extractscan.logs.schema import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""A time outside is taken for an error: ``EARLIEST <= t < LATEST``."""

_EARLIEST: Final = int(EARLIEST.timestamp()) * 1_000_000
_LATEST: Final = int(LATEST.timestamp()) * 1_000_000
_SAMPLE: Final = 50
_USUAL: Final = 3
"""So many of the first forms are tried alone: one of them fits most logs to the last row."""

_FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
)


def parse(values: pl.Series) -> pl.Series:
    """Read time stamps; null where there is none, or none that can be read or lies in 2000 to 2100.

    Text is ISO 8601 (a space for the T, a missing zone meaning UTC and a decimal comma are allowed), the Apache and the
    mail form, or a number. A number is an epoch in seconds, milli-, micro- or nanoseconds, told apart value by value
    by magnitude, which within the years allowed is never ambiguous.
    """
    kind = values.dtype
    if isinstance(kind, pl.Categorical | pl.Enum):
        values, kind = values.cast(pl.String), pl.String()
    if isinstance(kind, pl.Datetime):
        zoned = values.dt.replace_time_zone("UTC") if kind.time_zone is None else values.dt.convert_time_zone("UTC")
        times = zoned.dt.cast_time_unit("us")
    elif kind == pl.Date:
        times = values.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    elif kind.is_numeric():
        times = _epoch(values)
    elif kind == pl.String:
        times = _text(values)
    else:
        return pl.Series(values.name, [None], dtype=TIMESTAMP).new_from_index(0, len(values))
    micros = times.cast(pl.Int64)
    low, high = cast("int | None", micros.min()), cast("int | None", micros.max())
    if low is None or high is None or (low >= _EARLIEST and high < _LATEST):
        return times
    return times.to_frame("t").select(pl.when(pl.col("t").is_between(EARLIEST, LATEST, closed="left")).then("t"))["t"]


def _epoch(values: pl.Series) -> pl.Series:
    """Numbers since 1970 to times. Integers stay integers; floats are rounded to the microsecond."""
    v = pl.col("v")
    if values.dtype.is_integer():
        exact = values.cast(pl.Int64, strict=False)
        scaled = (
            pl.when(v < 100_000_000_000)
            .then(v * 1_000_000)
            .when(v < 100_000_000_000_000)
            .then(v * 1_000)
            .when(v < 100_000_000_000_000_000)
            .then(v)
            .otherwise(v // 1_000)
        )
    else:
        exact = values.cast(pl.Float64, strict=False)
        scaled = (
            pl.when(v < 1e11)
            .then(v * 1e6)
            .when(v < 1e14)
            .then(v * 1e3)
            .when(v < 1e17)
            .then(v)
            .otherwise(v / 1e3)
            .round()
        )
    positive = pl.when((v > 0) & (v < 9e18)).then(scaled)
    return exact.to_frame("v").select(positive.cast(pl.Int64, strict=False).cast(TIMESTAMP))["v"]


def _text(values: pl.Series) -> pl.Series:
    """Text to times. Each way is tried on what the ways before it left; they never read one text differently."""
    from extractscan.logs.isotimes import usual  # noqa: PLC0415 (a compiled kernel, of no use where times are no texts)

    times = usual(values)
    if times.null_count() == values.null_count():
        return times
    times = _fill(times, values, _forms)
    times = _fill(times, values, _numbers)
    return _fill(times, values, lambda left: _forms(_tidy(left)))


def _fill(times: pl.Series, values: pl.Series, way: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """``times`` with what ``way`` makes of the values that have none yet."""
    todo = times.is_null() & values.is_not_null()
    if not todo.any():
        return times
    if todo.all():
        return way(values)
    return times.scatter(todo.arg_true(), way(values.filter(todo)))


def _tidy(text: pl.Series) -> pl.Series:
    """Variants of ISO 8601 brought to its usual form."""
    return (
        text.str.strip_chars()
        .str.to_uppercase()
        .str.replace(r"\s*(UTC|GMT)$", "+00:00")
        .str.replace(r"^(\d{4})[-/](\d{2})[-/](\d{2})", "$1-$2-$3")
        .str.replace(r"^(\d{4}-\d{2}-\d{2})[ T]+", "${1}T")
        .str.replace(r"(:\d{2}),(\d)", "$1.$2")
        .str.replace(r"(\.\d{9})\d+", "$1")
        .str.replace(r"^(\d{4}.*[:.\d])\s+([-+]\d{2}:?\d{2}|Z)$", "$1$2")
        .str.replace(r"^([A-Z]{3}, .*)\+00:00$", "$1 +0000")
    )


def _numbers(text: pl.Series) -> pl.Series:
    whole, real = text.cast(pl.Int64, strict=False), text.cast(pl.Float64, strict=False)
    pair = pl.DataFrame({"whole": _epoch(whole), "real": _epoch(real)})
    return pair.select(pl.coalesce("whole", "real").alias("t"))["t"]


def _forms(values: pl.Series) -> pl.Series:
    """Try the known forms, that which fits most of a sample first: the order changes the time taken, not the result."""
    sample = values.drop_nulls().head(_SAMPLE)
    for form in _FORMATS[:_USUAL]:
        if not _try(sample, form).null_count():
            times = _try(values, form)
            if times.null_count() == values.null_count():
                return times
            break
    fits = sorted((-int(_try(sample, form).is_not_null().sum()), i) for i, form in enumerate(_FORMATS))
    times = pl.Series(values.name, [None], dtype=TIMESTAMP).new_from_index(0, len(values))
    for _, i in fits:
        times = _fill(times, values, partial(_try, form=_FORMATS[i]))
    return times


def _try(values: pl.Series, form: str) -> pl.Series:
    times = values.str.to_datetime(form, strict=False, exact=True, time_unit="us")
    if times.dtype.time_zone is None:  # type: ignore[attr-defined]
        times = times.dt.replace_time_zone("UTC")
    return times
