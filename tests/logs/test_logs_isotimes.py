"""The kernel for usual times reads what it reads as the slow way does, and leaves the rest to it."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extractscan.logs import times
from extractscan.logs.isotimes import usual

FRACTION = st.sampled_from(["", ".", ".1", ".680507", ".999999999", ".0000001", ".1234567891", ",5"])
ZONE = st.sampled_from(["", "Z", "z", "+00:00", "-07:30", "+14:00", "+23:59", "+0100", "+01", " UTC", "-14:60", "Zx"])


@st.composite
def stamps(draw):
    year, month, day = draw(st.integers(1968, 2202)), draw(st.integers(0, 13)), draw(st.integers(0, 32))
    hour, minute, second = draw(st.integers(0, 24)), draw(st.integers(0, 60)), draw(st.integers(0, 61))
    between = draw(st.sampled_from("T t_"))
    return f"{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{draw(FRACTION)}{draw(ZONE)}"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.none() | stamps() | st.text(max_size=4), min_size=1, max_size=30))
@example(["2024-02-29T00:00:00", "2023-02-29T00:00:00", "2100-02-29T00:00:00", "2000-02-29T23:59:59.9Z", "x" * 19, ""])
def test_what_it_reads_the_slow_way_reads_too(texts):
    column = pl.Series("t", texts, dtype=pl.String)
    fast, slow = usual(column), times._forms(column)
    tidied = times._forms(times._tidy(column))
    for text, a, b, c in zip(texts, fast.to_list(), slow.to_list(), tidied.to_list(), strict=True):
        if a is not None:
            assert a == (c if b is None else b), text


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2026-03-02 00:00:58.680507", datetime(2026, 3, 2, 0, 0, 58, 680507, UTC)),
        ("2026-03-02T00:00:58Z", datetime(2026, 3, 2, 0, 0, 58, tzinfo=UTC)),
        ("2026-03-02T00:00:58.1234567-01:30", datetime(2026, 3, 2, 1, 30, 58, 123456, UTC)),
        ("1970-01-01T00:00:00", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-13-02T00:00:58Z", None),
        ("2026-02-30T00:00:58Z", None),
        ("2026-03-02T00:00:60Z", None),
        ("2026-03-02T00:00:58.Z", None),
        ("2026-03-02T00:00:58+01", None),
    ],
)
def test_forms(text, want):
    assert usual(pl.Series([text])).to_list() == [want]
