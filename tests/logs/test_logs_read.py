"""The same rows give the same canonical frame from every format, however they are split."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs_help import START, Heard, jsonl, read, row
from polars.testing import assert_frame_equal

from extractscan.errors import UsageError
from extractscan.logs.read import read_logs
from extractscan.logs.schema import CANONICAL

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
WHOLE = st.integers(0, 2**53)
REAL = st.floats(0, 1e6, allow_nan=False).map(lambda x: round(x, 3))

ROW = st.fixed_dictionaries(
    {
        "request_id": NAME,
        "timestamp": st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda t: t.replace(tzinfo=UTC)),  # noqa: DTZ001
        "account_id": NAME,
        "user_agent": st.none() | NAME,
        "conversation_id": st.none() | NAME,
        "turn": st.none() | WHOLE,
        "system": st.none() | TEXT,
        "prompt": st.none() | TEXT,
        "response": st.none() | TEXT,
        "temperature": st.none() | REAL,
        "max_tokens": st.none() | WHOLE,
        "stream": st.none() | st.booleans(),
        "latency_ms": st.none() | REAL,
    },
)
SCHEMA = {
    name: CANONICAL[name]
    for name in (
        "request_id", "timestamp", "account_id", "user_agent", "conversation_id", "turn", "system", "prompt", "response",
        "temperature", "max_tokens", "stream", "latency_ms",
    )
}  # fmt: skip


def written(frame, folder):
    """The rows in every format: name to file."""
    paths = {name: folder / name for name in ("p", "a", "s", "j", "n", "c", "t")}
    frame.write_parquet(paths["p"])
    frame.write_ipc(paths["a"])
    frame.write_ipc_stream(paths["s"])
    plain = frame.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    rows = plain.to_dicts()
    paths["n"].write_bytes(jsonl(*rows))
    paths["j"].write_text(json.dumps(rows, indent=1))
    plain.write_csv(paths["c"], quote_style="non_numeric")
    plain.write_csv(paths["t"], separator="\t")
    text = paths["n"].read_bytes()
    for name, pack in (("g", gzip.compress), ("z", zstandard.ZstdCompressor().compress), ("b", bz2.compress)):
        paths[name] = folder / name
        paths[name].write_bytes(pack(text))
    paths["w"] = folder / "w"
    paths["w"].write_bytes(text.decode().encode("utf-16"))
    return paths


@given(st.lists(ROW, min_size=1, max_size=8))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_format_gives_the_same_frame(tmp_path_factory, rows):
    frame = pl.DataFrame(rows, schema=SCHEMA)
    expected = frame.select(
        [frame[name] if name in SCHEMA else pl.lit(None, kind).alias(name) for name, kind in CANONICAL.items()]
    )
    for name, path in written(frame, tmp_path_factory.mktemp("formats")).items():
        got, summary, _ = read(path)
        assert_frame_equal(got, expected, check_exact=True), name
        assert (summary.rows_read, summary.rows_kept) == (len(rows), len(rows))
        assert summary.present["prompt"] == frame["prompt"].count()


@given(st.lists(ROW, min_size=2, max_size=12), st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_split_over_files_gives_the_same_rows(tmp_path_factory, rows, data):
    rows = [{k: v for k, v in r.items() if v is not None and (k != "request_id" or i % 2)} for i, r in enumerate(rows)]
    for r in rows:
        r["timestamp"] = r["timestamp"].isoformat()
    folder = tmp_path_factory.mktemp("split")
    (folder / "whole.jsonl").write_bytes(jsonl(*rows))
    parts = folder / "parts"
    parts.mkdir()
    order = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    for i, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
        (parts / str(i)).write_bytes(jsonl(*order[a:b]))
    one = read(folder / "whole.jsonl")[0]
    several = read(parts)[0]
    key = list(CANONICAL)
    assert_frame_equal(one.sort(key, nulls_last=True), several.sort(key, nulls_last=True))


def test_batches_are_bounded_and_their_size_changes_nothing(tmp_path):
    rows = [row(i, response=None if i % 7 else "x" * i) for i in range(1000)]
    frame = pl.DataFrame(rows)
    frame.write_parquet(tmp_path / "a", row_group_size=150)
    frame.write_parquet(tmp_path / "f", row_group_size=20)
    frame.write_parquet(tmp_path / "g")
    frame.write_ipc(tmp_path / "b")
    frame.write_csv(tmp_path / "c")
    (tmp_path / "d").write_bytes(jsonl(*rows))
    (tmp_path / "e").write_text(json.dumps(rows))
    whole = read(tmp_path / "a")[0]
    assert whole.height == 1000
    for name in "abcdefg":
        reader = read_logs([str(tmp_path / name)], observer=Heard(), batch_rows=64)
        frames = [batch.frame for batch in reader.batches()]
        assert max(f.height for f in frames) <= 64
        assert_frame_equal(pl.concat(frames), whole)


def test_standard_input_text_and_parquet(tmp_path, monkeypatch):
    text = jsonl(row(1), row(2))
    out = io.BytesIO()
    pl.DataFrame([row(1), row(2)]).write_parquet(out)
    frames = []
    for data in (text, gzip.compress(text), out.getvalue()):
        monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": io.BytesIO(data)}))
        frame, summary, _ = read("-")
        assert summary.files[0].size == len(data)
        assert len(summary.files[0].sha256) == 64
        frames.append(frame)
    assert_frame_equal(frames[0], frames[1])
    assert_frame_equal(frames[0], frames[2])


def test_a_named_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    import threading

    writer = threading.Thread(target=lambda: pipe.write_bytes(jsonl(row(1))))
    writer.start()
    assert read(pipe)[0]["request_id"].to_list() == ["r1"]
    writer.join()


def test_hash_and_size_of_files(tmp_path):
    import hashlib

    for name, data in (("a", jsonl(row(1))), ("b", gzip.compress(jsonl(row(2))))):
        (tmp_path / name).write_bytes(data)
        file = read(tmp_path / name)[1].files[0]
        assert (file.sha256, file.size) == (hashlib.sha256(data).hexdigest(), len(data))


def test_window(tmp_path):
    (tmp_path / "a").write_bytes(jsonl(*[row(i) for i in range(10)]))
    frame, summary, _ = read(
        tmp_path / "a", since=START + timedelta(seconds=2), until=(START + timedelta(seconds=5)).replace(tzinfo=None)
    )
    assert frame["request_id"].to_list() == ["r2", "r3", "r4"]
    assert (summary.rows_read, summary.rows_kept, summary.rows_outside_window) == (10, 3, 7)


def test_keys_first_seen_late_are_not_lost(tmp_path):
    rows = [row(i) for i in range(5000)] + [row(5000, user_agent="late", metadata={"x": 1})]
    (tmp_path / "a").write_bytes(jsonl(*rows))
    assert read(tmp_path / "a")[0]["user_agent"].to_list()[-1] == "late"


def test_names_in_other_spellings_and_order_of_preference(tmp_path):
    (tmp_path / "a").write_bytes(
        jsonl(
            {
                "Request ID": "r",
                "startTime": 1775001616,
                "User-Id": "u",
                "user": "v",
                "usage.promptTokens": 3,
                "Client.IP": "1.2.3.4",
            },
            {
                "id": "s",
                "@timestamp": "1775001616123",
                "user": "v",
                "api_key": "k",
                "latency_seconds": 1.5,
                "query": "q",
            },
            {
                "uuid": "t",
                "created": 1775001616.5,
                "api_key": "k",
                "user": "",
                "completion": "c",
                "payment_fingerprint": "p",
            },
        ),
    )
    frame, _, _ = read(tmp_path / "a")
    expected = {
        "request_id": ["r", "s", "t"],
        "account_id": ["u", "v", "k"],
        "api_key_id": [None, "k", "k"],
        "input_tokens": [3, None, None],
        "ip": ["1.2.3.4", None, None],
        "latency_ms": [None, 1500.0, None],
        "prompt": [None, "q", None],
        "response": [None, None, "c"],
        "payment_id": [None, None, "p"],
    }
    assert frame.select(*expected).to_dict(as_series=False) == expected
    assert frame["timestamp"].dt.epoch("ms").to_list() == [1775001616000, 1775001616123, 1775001616500]


def test_the_user_names_a_column(tmp_path):
    pl.DataFrame([{**row(1), "Who Pays": "me"}]).write_parquet(tmp_path / "a")
    (tmp_path / "b").write_bytes(jsonl({**row(1), "Who Pays": "me"}))
    for name in "ab":
        assert read(tmp_path / name, columns={"account_id": "Who Pays"})[0]["account_id"].to_list() == ["me"]
    with pytest.raises(UsageError, match="no canonical column"):
        read(tmp_path / "a", columns={"acount": "x"})


def test_names_beyond_ascii(tmp_path):
    values = {"Größe Ä": "me", "账户": "other", **row(1)}
    (tmp_path / "a").write_text(json.dumps(values))
    (tmp_path / "b").write_text(json.dumps(values, ensure_ascii=False))
    pl.DataFrame([values]).write_csv(tmp_path / "c")
    for name in "abc":
        frame = read(tmp_path / name, columns={"account_id": "账户", "plan": "größe Ä"})[0]
        assert frame.select("account_id", "plan").rows() == [("other", "me")], name


def test_a_log_without_prompts_is_read(tmp_path):
    (tmp_path / "a").write_bytes(jsonl({"timestamp": 1775001616, "account": "a", "model": "m"}))
    frame, summary, _ = read(tmp_path / "a")
    assert frame["prompt"].to_list() == [None]
    assert summary.present["prompt"] == 0
    assert frame["request_id"][0].startswith("req_")


def test_made_request_ids_depend_on_content_alone(tmp_path):
    rows = [{k: v for k, v in row(i).items() if k != "request_id"} for i in range(4)]
    (tmp_path / "a").write_bytes(jsonl(*rows))
    pl.DataFrame(rows[::-1]).write_parquet(tmp_path / "b")
    one, two = read(tmp_path / "a")[0], read(tmp_path / "b")[0]
    assert one["request_id"].n_unique() == 4
    assert_frame_equal(one.sort("timestamp"), two.sort("timestamp"))


CHAT = [
    {"role": "system", "content": "S"},
    {"role": "user", "content": "first \\ \x1b"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": "second"},
]
PARTS = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "one"},
            {"type": "image_url", "image_url": {}},
            {"type": "text", "text": "two"},
        ],
    }
]


def test_messages_give_system_prompt_and_turn(tmp_path):
    base = {"timestamp": 1775001616, "account": "a"}
    rows = [
        {**base, "messages": CHAT, "completion": "r"},
        {**base, "messages": json.dumps(CHAT)},
        {**base, "messages": PARTS},
        {**base, "input": CHAT[1:2]},
        {**base, "prompt": "own", "messages": CHAT},
        {**base, "messages": "not an array"},
        {
            **base,
            "system": [{"type": "text", "text": "x"}],
            "messages": [*CHAT, {"role": "assistant", "content": "done"}],
        },
    ]
    (tmp_path / "a").write_bytes(jsonl(*rows))
    frame, _, warnings = read(tmp_path / "a")
    expected = {
        "system": ["S", "S", None, None, "S", None, "x"],
        "prompt": ["second", "second", "one\ntwo", "first \\ \x1b", "own", None, "second"],
        "response": ["r", None, None, None, None, None, "done"],
        "turn": [1, 1, 0, 0, 1, None, 1],
    }
    assert frame.select(*expected).to_dict(as_series=False) == expected
    assert frame["conversation_id"].is_not_null().to_list() == [True, True, False, False, True, False, True]
    assert frame["conversation_id"][0] == frame["conversation_id"][1]
    assert any("1 values of messages" in w for w in warnings)


def test_messages_in_parquet_columns(tmp_path):
    base = {"timestamp": START, "account": "a"}
    pl.DataFrame([{**base, "messages": CHAT}]).write_parquet(tmp_path / "a")
    pl.DataFrame([{**base, "messages": json.dumps(CHAT)}]).write_parquet(tmp_path / "b")
    pl.DataFrame([{**base, "messages": json.dumps(CHAT)}]).write_csv(tmp_path / "c")
    frames = [read(tmp_path / name)[0] for name in "abc"]
    assert frames[0]["prompt"].to_list() == ["second"]
    assert_frame_equal(frames[0], frames[1])
    assert_frame_equal(frames[0], frames[2])


def test_typed_columns_of_parquet(tmp_path):
    pl.DataFrame(
        {
            "created": pl.Series([datetime(2026, 4, 1), None], dtype=pl.Datetime("ns")),  # noqa: DTZ001
            "account": pl.Series([17.0, 18.0]),
            "plan": pl.Series(["a", "b"], dtype=pl.Categorical),
            "temperature": pl.Series([float("nan"), 1], dtype=pl.Float32),
            "n": pl.Series([1, 2], dtype=pl.UInt8),
            "logprobs": pl.Series([5, 0]),
            "tool_calls": pl.Series([["x", "y"], []]),
            "response": pl.Series([b"bytes", b"\xff"]),
        },
    ).write_parquet(tmp_path / "a")
    frame, summary, _ = read(tmp_path / "a")
    assert frame.height == 1
    assert frame.select("account_id", "plan", "temperature", "n", "logprobs", "tool_calls", "response").rows() == [
        ("17", "a", None, 1, True, 2, "bytes"),
    ]
    assert [(q.line, q.reason) for q in summary.quarantine] == [(2, "no time stamp")]


def test_progress_reaches_its_total(tmp_path):
    (tmp_path / "a").write_bytes(jsonl(row(1)))
    pl.DataFrame([row(2)]).write_parquet(tmp_path / "b")
    pl.DataFrame([row(3)]).write_ipc(tmp_path / "c")
    heard = Heard()
    list(read_logs([str(tmp_path)], observer=heard).batches())
    assert heard.stages == [("read", sum(f.stat().st_size for f in tmp_path.iterdir()))]
    assert heard.steps == heard.stages[0][1]


def test_the_evaluation_log():
    path = Path(__file__).parents[3] / "shared/eval/dev/logs.parquet"
    if not path.exists():
        pytest.skip("the evaluation log is not here")
    frame, summary, warnings = read(path.parent)
    assert frame.height == summary.rows_read == 403_415
    assert summary.present["payment_id"] == 403_415
    assert any("labels.csv" in w and "passed over" in w for w in warnings)
