"""Commands over logs in an object store, by the real command."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from commandline import run

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "requests.parquet"


def _server_module():
    """``s3_help`` lies with the tests of reading; a second import of it there does no harm."""
    path = Path(__file__).parents[1] / "logs" / "s3_help.py"
    spec = importlib.util.spec_from_file_location("s3_help", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("s3_help", module)
    spec.loader.exec_module(module)
    return module


s3 = _server_module()


@pytest.fixture(scope="module")
def store():
    server = s3.ObjectServer()
    server.put("bucket", {"logs/2026/requests.parquet": SAMPLE.read_bytes(), "logs/2026/_SUCCESS": b""})
    with server.running() as url:
        yield server, s3.environment(url)


def test_a_case_of_a_store(store, tmp_path, monkeypatch, call):
    server, environment = store
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = call("score", "s3://bucket/logs", "--case", tmp_path / "case", "-f", "json", "-q")
    assert ran.code == 0, ran.err
    local = call("score", SAMPLE, "-f", "json", "-q")
    remote, here = json.loads(ran.out), json.loads(local.out)
    assert remote["accounts"] == here["accounts"]
    assert remote["campaigns"] == here["campaigns"]
    told = json.loads((tmp_path / "case" / "run.json").read_bytes())["inputs"]
    assert [(one["path"], one["sha256"], one["size"]) for one in told] == [
        ("s3://bucket/logs/2026/requests.parquet", here["run"]["files"][0]["sha256"], SAMPLE.stat().st_size)
    ]

    asked = len(server.requests)
    ran = call("verify", tmp_path / "case")
    assert ran.code == 0
    ran = call("clusters", tmp_path / "case", "--show-text")
    assert ran.code == 3
    assert "is in a store, which is not asked unless --logs names it" in ran.err
    assert len(server.requests) == asked  # no store is asked that the command does not name

    ran = call("verify", tmp_path / "case", "s3://bucket/logs", "-f", "json")
    assert (ran.code, json.loads(ran.out)["logs_checked"]) == (0, 1)
    assert call("verify", tmp_path / "case", SAMPLE).code == 0  # a copy is the same log
    assert call("clusters", tmp_path / "case", "--show-text", "--logs", "s3://bucket/logs").code == 0

    server.faults["requests.parquet"] = 403
    ran = call("verify", tmp_path / "case", "s3://bucket/logs", "s3://nowhere/x", "-f", "json")
    assert ran.code == 1
    found = {(d["kind"], d["path"], d["detail"]) for d in json.loads(ran.out)["differences"]}
    assert ("unreadable", "s3://bucket/logs/2026/requests.parquet", "access denied") in found
    assert ("unreadable", "s3://nowhere/x", "s3://nowhere/ does not exist: no such bucket") in found


def test_what_is_wrong_with_a_store_is_said(tmp_path):
    ran = run("score", "s3://bucket/logs", **s3.environment("http://127.0.0.1:9"))
    assert ran.code == 3
    assert "s3://bucket/logs: the connection failed or broke off" in ran.err
