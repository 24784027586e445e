from __future__ import annotations

import json

import polars as pl
import pytest

from extractscan.errors import UsageError
from extractscan.simulate import write
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import LABELS, LogFormat, write_log

SMALL = Settings(requests=400, attacks=("hydra_cot",), benign=("real_person", "coding_agent"))


@pytest.mark.parametrize("log_format", LogFormat)
def test_bytes_are_deterministic(tmp_path, log_format):
    first = write_log(SMALL, tmp_path / "a", log_format)
    second = write_log(SMALL, tmp_path / "b", log_format)
    assert [path.name for path in first.files] == [path.name for path in second.files]
    assert all((tmp_path / "b" / path.name).read_bytes() == path.read_bytes() for path in first.files)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a", tmp_path / "b"]  # nothing temporary is left


def test_other_seed_other_bytes(tmp_path):
    write_log(SMALL, tmp_path / "a")
    write_log(Settings(seed=2, requests=400, attacks=("hydra_cot",), benign=("real_person",)), tmp_path / "b")
    accounts = [set(pl.read_parquet(tmp_path / name / "requests.parquet")["account_id"]) for name in "ab"]
    assert not accounts[0] & accounts[1]


def test_jsonl_holds_the_same_rows(tmp_path):
    write_log(SMALL, tmp_path / "a")
    write_log(SMALL, tmp_path / "b", LogFormat.jsonl)
    table = pl.read_parquet(tmp_path / "a" / "requests.parquet")
    lines = [json.loads(line) for line in (tmp_path / "b" / "requests.jsonl").read_text("utf-8").splitlines()]
    assert [line["prompt"] for line in lines] == table["prompt"].to_list()
    assert lines[0]["timestamp"].endswith("Z")


def test_litellm_rows(tmp_path):
    settings = Settings(requests=400, attacks=("rubric",), benign=("coding_agent",), responses=True)
    write_log(settings, tmp_path / "a")
    write_log(settings, tmp_path / "b", LogFormat.litellm)
    table = pl.read_parquet(tmp_path / "a" / "requests.parquet")
    rows = [json.loads(line) for line in (tmp_path / "b" / "spendlogs.jsonl").read_text("utf-8").splitlines()]
    assert {row["user"] for row in rows} == set(pl.read_csv(tmp_path / "b" / LABELS)["account_id"])
    messages = [json.loads(row["messages"]) for row in rows]
    assert [each[-1]["role"] for each in messages] == ["user"] * table.height
    assert max(map(len, messages)) > 3  # earlier turns are sent along
    for row, each, prompt in zip(rows, messages, table["prompt"], strict=True):
        assert each[-1]["content"] == prompt or "litellm_truncated skipped" in each[-1]["content"]
        assert row["total_tokens"] == row["prompt_tokens"] + row["completion_tokens"]
        assert json.loads(row["metadata"])["user_agent"]


def test_parts_are_cut_by_time(tmp_path, monkeypatch):
    whole = write_log(SMALL, tmp_path / "a")
    monkeypatch.setattr(write, "STAGED_ROWS", 90)
    monkeypatch.setattr(write.tables, "__defaults__", (None, 90))
    cut = write_log(SMALL, tmp_path / "b")
    parts = [pl.read_parquet(path) for path in cut.files if path.name.startswith("requests-")]
    assert len(parts) >= 4
    assert pl.concat(parts).equals(pl.read_parquet(whole.files[-1]))
    assert cut.requests == whole.requests


def test_refuses_to_overwrite(tmp_path):
    write_log(SMALL, tmp_path)
    before = (tmp_path / "requests.parquet").read_bytes()
    with pytest.raises(UsageError, match="--clobber"):
        write_log(Settings(seed=5, requests=50, benign=("real_person",)), tmp_path)
    assert (tmp_path / "requests.parquet").read_bytes() == before


def test_clobber_replaces_only_what_is_ours(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write_log(SMALL, tmp_path)
    write_log(SMALL, tmp_path, LogFormat.litellm, clobber=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv", "notes.txt", "spendlogs.jsonl"]


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write._Writer, "write", fail)
    with pytest.raises(UsageError, match="No space left"):
        write_log(SMALL, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_target_is_a_file(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        write_log(SMALL, tmp_path / "a")
