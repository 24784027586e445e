"""Time stamps of every usual form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.logs.schema import TIMESTAMP
from extractscan.logs.times import parse

T = datetime(2026, 4, 1, 0, 0, 16, tzinfo=UTC)

FORMS = [
    ("2026-04-01T00:00:16Z", T),
    ("2026-04-01T00:00:16", T),
    ("2026-04-01 00:00:16", T),
    ("2026-04-01T00:00:16.250000+00:00", T + timedelta(milliseconds=250)),
    ("2026-04-01T02:00:16+02:00", T),
    ("2026-03-31T23:00:16-0100", T),
    ("2026-04-01t00:00:16z", T),
    ("2026-04-01 00:00:16 +00:00", T),
    ("2026-04-01 00:00:16 UTC", T),
    ("2026-04-01 00:00:16,250", T + timedelta(milliseconds=250)),
    ("2026-04-01T00:00:16.123456789123Z", T + timedelta(microseconds=123456)),
    ("  2026-04-01T00:00:16Z ", T),
    ("2026-04-01T00:01", T + timedelta(seconds=44)),
    ("2026-04-01", T - timedelta(seconds=16)),
    ("2026/04/01 00:00:16", T),
    ("01/Apr/2026:00:00:16 +0000", T),
    ("Wed, 01 Apr 2026 00:00:16 GMT", T),
    ("1775001616", T),
    ("1775001616.25", T + timedelta(milliseconds=250)),
    ("1775001616000", T),
    ("1775001616000000", T),
    ("1775001616000000001", T),
    ("1.775001616e9", T),
    (None, None),
    ("", None),
    ("yesterday", None),
    ("1999-12-31T23:59:59Z", None),
    ("2100-01-01T00:00:00Z", None),
    ("2026-13-01", None),
    ("12", None),
    ("-1775001616", None),
    ("nan", None),
    ("1e400", None),
]


@pytest.mark.parametrize(("text", "time"), FORMS)
def test_one_form(text, time):
    assert parse(pl.Series([text], dtype=pl.String)).to_list() == [time]


@given(st.lists(st.sampled_from(FORMS), max_size=120))
@settings(max_examples=30, deadline=None)
def test_forms_mixed_in_any_order(pairs):
    times = parse(pl.Series([text for text, _ in pairs], dtype=pl.String))
    assert times.dtype == TIMESTAMP
    assert times.to_list() == [time for _, time in pairs]


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([T]),
        pl.Series([T]).cast(pl.Datetime("ns", "UTC")),
        pl.Series([T]).dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ms"),
        pl.Series([T.replace(tzinfo=None)]),
        pl.Series([T.isoformat()], dtype=pl.Categorical),
        pl.Series([1775001616]),
        pl.Series([1775001616], dtype=pl.UInt32),
        pl.Series([1775001616.0]),
        pl.Series([1775001616000]),
        pl.Series([1775001616000.0]),
        pl.Series([1775001616000000], dtype=pl.UInt64),
        pl.Series([1775001616000000000]),
        pl.Series(["1775001616"]).cast(pl.Decimal(20, 3)),
    ],
)
def test_typed_columns(series):
    assert parse(series).to_list() == [T]


def test_dates_and_columns_that_hold_no_time():
    assert parse(pl.Series([date(2026, 4, 1), None])).to_list() == [T - timedelta(seconds=16), None]
    assert parse(pl.Series([True])).to_list() == [None]
    assert parse(pl.Series([[1]])).to_list() == [None]
    assert parse(pl.Series([float("nan"), float("inf"), 1e300, -1.0])).to_list() == [None] * 4
    assert parse(pl.Series([2**63], dtype=pl.UInt64)).to_list() == [None]


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)
@settings(max_examples=60, deadline=None)
def test_iso_text_of_any_zone(naive, zone):
    moment = naive.replace(tzinfo=zone)
    assert parse(pl.Series([moment.isoformat(), moment.isoformat(" ")])).to_list() == [moment] * 2
    assert parse(pl.Series([naive.isoformat()])).to_list() == [naive.replace(tzinfo=UTC)]
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse(pl.Series([micros, micros * 1000])).to_list() == [moment] * 2
