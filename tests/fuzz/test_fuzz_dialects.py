"""Bodies of every shape: a body is read as if it stood alone, the same each time, and gives valid text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from fuzzing import JSON, WORDS, count, fuzz, some
from hypothesis import given
from hypothesis import strategies as st

from extractscan.logs.cells import of_series
from extractscan.logs.dialects.body import read_request, read_response

EVENTS = st.lists(
    st.sampled_from(["data: ", "data:", "event: x\n", "data: [DONE]\n\n", ": note\n", "\r\n", "\n\n", "id: 1\n"])
    | JSON,
    max_size=8,
)
STREAMS = EVENTS.map(lambda parts: "data: {" + "".join(parts)) | EVENTS.map("\n\ndata: ".join) | EVENTS.map(
    lambda parts: "event: a\ndata: " + "".join(parts)
)  # fmt: skip


def readable(text):
    """As the readers hand text on: valid Unicode."""
    return text.encode("utf-8", "replace").decode()


def agree(texts, apart):
    """Together, in another order, or each of the parts that begin at ``apart`` alone, the readers find the same."""
    series = pl.Series(texts, dtype=pl.String)
    for reader in (read_request, read_response):
        together = reader(of_series(series))
        again = reader(of_series(series.reverse()))
        assert together.keys() == again.keys()
        for name, column in together.items():
            assert len(column) == len(texts), name
            assert column.equals(again[name].reverse()), name
            if column.dtype == pl.String():
                for value in column.cast(pl.Binary).drop_nulls():
                    value.decode("utf-8")
        for first, last in pairwise([0, *apart, len(texts)]):
            alone = reader(of_series(series[first:last]))
            assert alone.keys() <= together.keys()
            for name, column in together.items():
                part = column[first:last]
                assert alone[name].equals(part) if name in alone else part.null_count() == len(part), name


def cuts(data, texts):
    """Where to take ``texts`` apart: everywhere if they are few, else at one place."""
    return range(1, len(texts)) if len(texts) < 4 else [data.draw(st.integers(1, len(texts) - 1))]


@fuzz("bodies", 80)
@given(some("bodies", st.none() | (JSON | WORDS).map(readable), most=3), st.data())
def test_bodies(texts, data):
    count("bodies", len(texts))
    agree(texts, cuts(data, texts))


@fuzz("streams", 40)
@given(some("streams", STREAMS.map(readable), most=2), st.data())
def test_streams(texts, data):
    count("streams", len(texts))
    agree(texts, cuts(data, texts))


def test_a_slice_of_a_series_is_read_from_its_start():
    texts = pl.Series(["x" * 50, '{"prompt":"a"}', None, '{"prompt":"b"}'])[1:]
    assert read_request(of_series(texts))["prompt"].to_list() == ["a", None, "b"]
    assert np.array_equal(of_series(texts).kind > 0, [True, False, True])
