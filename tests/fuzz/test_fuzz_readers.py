"""Spoiled files: the readers raise what the user can mend, count what they leave out, and say the same twice."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tomllib

import polars as pl
import pyarrow as pa
import pytest
import zstandard
from fuzzing import CHANGES, JSON, NAMES, PLACES, RECORDS, acting, count, fuzz, some, spoiled, with_text
from hypothesis import given
from hypothesis import strategies as st
from logs_help import Heard, jsonl, row
from reading import GROUPED, check

from extractscan.errors import ExtractscanError
from extractscan.logs.inspection import inspect_logs
from extractscan.report import inspection

ROWS = [row(k, model="m", response=f"said {k}", input_tokens=k, temperature=0.5) for k in range(4)]
TALK = [row(k, messages=[{"role": "user", "content": f"asked {k}"}]) for k in range(3)]


def _csv(separator=","):
    out = io.BytesIO()
    pl.DataFrame([{**r, "prompt": f'line\none, "{k}"'} for k, r in enumerate(ROWS)]).write_csv(out, separator=separator)
    return out.getvalue()


def _record_lines(name):
    return jsonl(*RECORDS[name])


PLAIN = {
    "jsonl": jsonl(*ROWS),
    "talk": jsonl(*TALK),
    "json": json.dumps(ROWS).encode(),
    "csv": _csv(),
    "semicolons": _csv(";"),
    "utf-16": jsonl(*ROWS).decode().encode("utf-16"),
}
PACKED = {
    "gz": gzip.compress(PLAIN["jsonl"], mtime=0),
    "two gz": gzip.compress(PLAIN["jsonl"], mtime=0) * 2,
    "bz2": bz2.compress(PLAIN["jsonl"]),
    "zst": zstandard.compress(PLAIN["jsonl"]),
    "csv gz": gzip.compress(PLAIN["csv"], mtime=0),
}
TEXT = {**PLAIN, **PACKED, **{name: _record_lines(name) for name in RECORDS}}


def _columnar():
    frame = pl.DataFrame(ROWS)
    nested = pl.DataFrame(TALK)
    out = {}
    for name, table in (("plain", frame), ("nested", nested), ("spend", pl.DataFrame(RECORDS["litellm-spendlogs"]))):
        held = io.BytesIO()
        table.write_parquet(held)
        out[f"{name} parquet"] = held.getvalue()
        for kind in ("zstd", "uncompressed"):
            held = io.BytesIO()
            table.write_ipc(held, compression=kind)
            out[f"{name} arrow {kind}"] = held.getvalue()
    held = io.BytesIO()
    small = frame.with_columns(pl.col("account_id").cast(pl.Categorical))
    small.write_parquet(held, row_group_size=2, compression="snappy", statistics=False)
    out["groups parquet"] = held.getvalue()
    held = io.BytesIO()
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    with pa.ipc.new_stream(held, table.schema) as writer:
        writer.write_table(table)
    out["stream"] = held.getvalue()
    return out


COLUMNAR = _columnar()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "log"


@fuzz("text", 60)
@given(st.sampled_from(sorted(TEXT)), CHANGES, st.booleans())
def test_spoiled_text(place, name, changes, complete):
    count("text")
    place.write_bytes(spoiled(TEXT[name], changes))
    check(place, complete=complete)


@fuzz("columnar", 20)
@given(st.sampled_from(sorted(COLUMNAR)), CHANGES)
def test_spoiled_columns(place, name, changes):
    count("columnar")
    place.write_bytes(spoiled(COLUMNAR[name], changes))
    check(place)


@fuzz("records", 40)
@given(st.sampled_from(sorted(RECORDS)), st.data())
def test_absurd_records(place, name, data):
    good = json.dumps(RECORDS[name][0])
    lines = [good]
    change = st.tuples(st.sampled_from(PLACES[name]), JSON, st.booleans())
    for path, absurd, twice in data.draw(some("records", change, most=1)):
        text = with_text(RECORDS[name][0], path, absurd)
        lines += [text[:-1] + "," + text[1:] if twice else text, good]  # a member may come twice
    bad = lines[1::2]
    count("records", len(bad))
    place.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))
    frame, summary = check(place, rows=2 if len(bad) == 1 else 7, complete=False)
    assert summary is not None
    if name != GROUPED and not any("\n" in text or "\r" in text for text in bad):
        # The good records are read, whatever stands between them.
        assert {q.line for q in summary.quarantine} <= {2 * k + 2 for k in range(len(bad))}
        assert frame.height + len(summary.quarantine) >= len(bad) + 1


SIGNS = st.sampled_from(
    ["user", "account", "created", "messages", "prompt", "request", "response", "choices", "a.b", "id"]
)
SHAPES = st.lists(st.tuples(SIGNS | NAMES, JSON), min_size=1, max_size=5).map(
    lambda members: "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"
)


@fuzz("shapes", 40)
@given(st.lists(SHAPES, min_size=1, max_size=3))
def test_unknown_shapes(place, lines):
    count("shapes")
    place.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    try:
        found = inspect_logs([str(place)], observer=Heard())
    except ExtractscanError:
        return
    json.dumps(inspection.document(found), allow_nan=False)
    for line in inspection.lines(found):
        assert not acting(line, allowed="")
    for file in found.files:
        # The mapping to begin with is one that can be begun with.
        tomllib.loads(file.starter)
