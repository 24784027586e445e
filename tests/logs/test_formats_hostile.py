"""No value, wherever it stands, breaks the reading of a format; a bad row costs only itself."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs_help import read
from lookalikes import SHAPES

from extractscan.logs.canonical import RawBatch, to_canonical
from extractscan.logs.cells import of_series
from extractscan.logs.dialects.body import read_request, read_response
from extractscan.logs.envelope import Plan
from extractscan.logs.mapping import builtin

KEYS = (
    "messages", "role", "content", "parts", "text", "type", "choices", "message", "delta", "output", "input", "system",
    "usage", "prompt_tokens", "candidates", "tool_calls", "conversation", "attributes", "key", "value", "stringValue",
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(
    ["user", "assistant", "{", "[]", "data: {", "data: {}\n\n", '"', "\ud800", "[1]", '{"role":"user"}', "text", "event: x"]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(KEYS), v, max_size=4), max_leaves=14
)
BODIES = st.one_of(VALUES.map(json.dumps), st.text(max_size=12), VALUES.map(lambda v: json.dumps(json.dumps(v))))


@settings(max_examples=250, deadline=None)
@given(st.lists(BODIES | st.none(), min_size=1, max_size=5))
def test_bodies(texts):
    series = pl.Series(texts, dtype=pl.String, strict=False)
    for reader in (read_request, read_response):
        together = reader(of_series(series))
        for name, column in together.items():
            assert len(column) == len(texts), name
        for i in range(len(texts)):
            alone = {k: v[0] for k, v in reader(of_series(series[i : i + 1])).items() if v[0] is not None}
            assert alone == {k: v[i] for k, v in together.items() if v[i] is not None}


def replaced(record, path, value):
    if not path:
        return value
    copy = dict(record) if isinstance(record, dict) else list(record)
    copy[path[0]] = replaced(record[path[0]], path[1:], value)
    return copy


def paths_in(record, here=()):
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, value in items:
        yield (*here, key)
        yield from paths_in(value, (*here, key))


PLANS = {f.name: Plan(f) for f in builtin()}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.data())
def test_records(name, data):
    record = SHAPES[name][0][0]
    path = data.draw(st.sampled_from(sorted(paths_in(record), key=str)))
    spoiled = replaced(record, path, data.draw(VALUES))
    lines = [json.dumps(r).encode() for r in (record, spoiled, record)]
    buf = np.frombuffer(b"\n".join(lines), np.uint8)
    ends = np.cumsum([len(x) + 1 for x in lines]) - 1
    starts = ends - [len(x) for x in lines]
    made = PLANS[name].read_json(buf, starts, ends)
    done = to_canonical(RawBatch(made.columns, made.rows, lambda rows: rows), complete=False)
    whole = PLANS[name].read_json(buf, starts[[0, 2]], ends[[0, 2]])
    good = to_canonical(RawBatch(whole.columns, whole.rows, lambda rows: rows), complete=False)
    kept = done.frame.filter(pl.Series(np.isin(made.owner, (0, 2))))
    texts = ["account_id", "prompt", "system", "response", "model", "input_tokens"]
    assert kept.select(texts).equals(good.frame.select(texts))


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_broken_line_costs_only_itself(name, tmp_path):
    good = json.dumps(SHAPES[name][0][0]).encode()
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join([good, good[:-2], b"\xff\xfe", b"[[[[", good.replace(b"ice", b"\xff\xfe"), good, b""]))
    frame, summary, _ = read(path, complete=False)
    assert {q.line for q in summary.quarantine} == {2, 3, 4}
    wanted = 3 if name != "azure-apim" else 1
    assert frame.filter(pl.col("turn").fill_null(0) == 0).height == wanted
