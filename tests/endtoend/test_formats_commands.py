"""``inspect``, ``convert`` and ``score`` over logs of gateways."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "logs"))
from lookalikes import SAID, SHAPES

from extractscan.logs.schema import CANONICAL


def write(path, records):
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.fixture
def bucket(tmp_path):
    folder = tmp_path / "bucket"
    folder.mkdir()
    write(folder / "a.jsonl", SHAPES["litellm-spendlogs"][0] * 3)
    write(folder / "b", SHAPES["bedrock"][0])
    write(folder / "c.json", [{"req": {"body": {"messages": []}}, "who": {"user_id": "u"}}])
    return folder


def test_inspect_as_json(call, bucket):
    ran = call("inspect", str(bucket), "--format", "json", "-q")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert list(found) == ["files", "gaps", "not_assessed"]
    assert [(f["format"], f["runner_up"], f["rows"], f["quarantined"]) for f in found["files"]] == [
        ("litellm-spendlogs jsonl", "table", 3, 0),
        ("bedrock jsonl", "table", 1, 0),
        ("unknown", None, 0, 0),
    ]
    for file in found["files"]:
        assert set(file) == {"path", "format", "runner_up", "rows", "quarantined", "coverage"}
        assert set(file["coverage"]) == set(CANONICAL)
    assert found["files"][0]["coverage"]["prompt"] == 1.0
    assert found["files"][0]["coverage"]["plan"] == 0.0


def test_inspect_as_a_table_with_a_mapping_to_begin_with(call, bucket):
    ran = call("inspect", str(bucket))
    text = ran.out.decode()
    assert ran.code == 0
    assert "litellm-spendlogs jsonl" in text
    assert "1 file read as bedrock (next best: table)" in ran.err
    assert 'request = "req.body"' in text
    assert 'account_id = "who.user_id"' in text
    assert SAID["prompt"] not in text


def test_the_starter_mapping_is_one(call, bucket, tmp_path):
    from extractscan.logs.inspection import suggest
    from extractscan.logs.mapping import load

    path = tmp_path / "start.toml"
    path.write_text(
        suggest([{"req": {"messages": []}, "who": {"user_id": "u", "ts": 1}, "odd.key": 1, 'q"\n': 2}]),
        encoding="utf-8",
    )
    assert load(path).fields["account_id"].paths == ("who.user_id",)


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl"])
def test_convert(call, bucket, tmp_path, name):
    ran = call("convert", str(bucket / "a.jsonl"), str(bucket / "b"), "-o", str(tmp_path / name))
    assert (ran.code, ran.out) == (0, b"")
    path = tmp_path / name
    if name.endswith("parquet"):
        table = pl.read_parquet(path)
    else:
        table = pl.DataFrame([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    assert list(table.columns) == list(CANONICAL)
    assert table["prompt"].to_list() == [SAID["prompt"]] * 4
    again = call("convert", str(path), "-o", "-", "--format", "jsonl", "-q")
    assert [json.loads(line)["response"] for line in again.out.splitlines()] == [SAID["response"]] * 4
    refused = call("convert", str(bucket / "b"), "-o", str(path))
    assert refused.code == 2
    assert "--clobber" in refused.err


def test_score_reads_a_gateways_log(call, bucket):
    ran = call("score", str(bucket / "a.jsonl"), str(bucket / "b"), "--format", "json")
    assert ran.code == 0
    report = json.loads(ran.out)
    assert {a["account_id"] for a in report["accounts"]} == {"acct-1", SHAPES["bedrock"][1]["account_id"]}


def test_an_unknown_shape_names_the_ways_out(call, bucket):
    ran = call("score", str(bucket / "c.json"))
    assert ran.code == 3
    for way in ("--mapping", "--column", "inspect"):
        assert way in ran.err


def test_gaps_are_found_and_nights_are_none():
    from datetime import UTC, datetime, timedelta

    from extractscan.logs.inspection import find_gaps

    start = datetime(2026, 3, 2, tzinfo=UTC)
    hours = [start + timedelta(hours=h) for h in range(24 * 7)]
    kept = [h for h in hours if 8 <= h.hour < 20 and not (h.day == 5 and 10 <= h.hour < 13)]
    found = find_gaps(pl.DataFrame({"hour": kept, "n": [30] * len(kept)}))
    assert [(g.start.isoformat(), g.end.isoformat()) for g in found] == [
        ("2026-03-05T10:00:00+00:00", "2026-03-05T13:00:00+00:00")
    ]
    assert found[0].expected == 90
