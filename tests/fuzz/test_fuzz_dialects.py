"""Bodies of every shape: a body is read as if it stood alone, the same each time, and gives valid text."""

from __future__ import annotations

import numpy as np
import polars as pl
from fuzzing import JSON, WORDS, count, fuzz
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


def agree(texts):
    """Together or alone, the readers find the same."""
    series = pl.Series(texts, dtype=pl.String)
    for reader in (read_request, read_response):
        together = reader(of_series(series))
        again = reader(of_series(series))
        for name, column in together.items():
            assert len(column) == len(texts), name
            assert column.equals(again[name]), name
            if column.dtype == pl.String():
                for value in column.cast(pl.Binary).drop_nulls():
                    value.decode("utf-8")
        for i in range(len(texts)) if len(texts) > 1 else ():
            alone = {k: v[0] for k, v in reader(of_series(series[i : i + 1])).items() if v[0] is not None}
            assert alone == {k: v[i] for k, v in together.items() if v[i] is not None}


@fuzz("bodies", 120)
@given(st.lists(st.none() | (JSON | WORDS).map(readable), min_size=1, max_size=3))
def test_bodies(texts):
    count("bodies")
    agree(texts)


@fuzz("streams", 40)
@given(st.lists(STREAMS.map(readable), min_size=1, max_size=2))
def test_streams(texts):
    count("streams")
    agree(texts)


def test_a_slice_of_a_series_is_read_from_its_start():
    texts = pl.Series(["x" * 50, '{"prompt":"a"}', None, '{"prompt":"b"}'])[1:]
    assert read_request(of_series(texts))["prompt"].to_list() == ["a", None, "b"]
    assert np.array_equal(of_series(texts).kind > 0, [True, False, True])
