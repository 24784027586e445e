"""Logs in an object store, over HTTP from a server on loopback."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import time

import polars as pl
import pytest
import zstandard
from logs_help import Heard, jsonl, read, row
from s3_help import ObjectServer, credentials

from extractscan.errors import InputError
from extractscan.logs import objects, stores
from extractscan.logs.choose import AccountFrom, FormatOptions
from extractscan.logs.discover import discover
from extractscan.logs.uris import is_remote, parse_place

ROWS = [row(i) for i in range(60)]


def parquet(rows):
    out = io.BytesIO()
    pl.DataFrame(rows).write_parquet(out, row_group_size=4)
    return out.getvalue()


def arrow(rows):
    out = io.BytesIO()
    pl.DataFrame(rows).write_ipc(out)
    return out.getvalue()


FILES = {
    "2026/04/01/a.jsonl": jsonl(*ROWS[:10]),
    "2026/04/01/b.jsonl.gz": gzip.compress(jsonl(*ROWS[10:20])),
    "2026/04/02/c.zst": zstandard.ZstdCompressor().compress(jsonl(*ROWS[20:30])),
    "2026/04/02/no-extension": bz2.compress(jsonl(*ROWS[30:40])),
    "2026/04/03/d.parquet": parquet(ROWS[40:50]),
    "2026/04/03/tenant=x/e.arrow": arrow(ROWS[50:60]),
    "2026/04/03/_SUCCESS": b"",
    "2026/04/03/.part": b"half",
}
LOGS = sorted(name for name in FILES if not name.rpartition("/")[2].startswith((".", "_")))


@pytest.fixture(name="server")
def _server(monkeypatch):
    server = ObjectServer()
    server.put("logs", FILES)
    with server.running() as url:
        credentials(monkeypatch, url)
        yield server


def names(*inputs):
    return [item.name for item in discover([str(i) for i in inputs], Heard().warn)]


def test_objects_are_read_as_files_are(server, tmp_path):
    for name, data in FILES.items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    here, local, _ = read(tmp_path)
    there, remote, warnings = read("s3://logs/2026")
    assert not warnings
    assert there.sort("timestamp").equals(here.sort("timestamp"))
    assert [f.path for f in remote.files] == [f"s3://logs/{name}" for name in LOGS]
    assert [(f.format, f.sha256, f.size, f.rows_kept) for f in remote.files] == [
        (f.format, f.sha256, f.size, f.rows_kept) for f in local.files
    ]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", LOGS),
        ("2026/", LOGS),
        ("2026/04/01", LOGS[:2]),
        ("2026/04/0[12]/*", LOGS[:4]),
        ("2026/04/0[!12]/**", LOGS[4:]),
        ("**/*.gz", LOGS[1:2]),
        ("**/tenant=*/*.arrow", LOGS[5:]),
        ("2026/04/0?/?.*", LOGS[:3] + LOGS[4:5]),
        ("2026/04/03/d.parquet", LOGS[4:5]),
        ("2026/04/03/t*", LOGS[5:]),
        ("2026/04/03/.*", ["2026/04/03/.part"]),
    ],
)
def test_prefixes_and_patterns(server, pattern, found):
    assert names(f"s3://logs/{pattern}") == [f"s3://logs/{name}" for name in found]


def test_an_object_that_is_reached_twice_is_there_once(server, tmp_path):
    (tmp_path / "x").write_bytes(FILES[LOGS[0]])
    assert len(names("s3://logs/2026", "s3a://logs/2026/04/01/a.jsonl", "s3://logs/**/*.jsonl", tmp_path)) == 7


def test_keys_are_taken_as_they_stand(server):
    server.put("logs", {"odd/we ird+%20?#é.jsonl": jsonl(row(1)), "odd/dir/": b"", "odd/a//b": b"x"})
    frame, summary, _ = read("s3://logs/odd")
    assert frame.height == 1
    assert [f.path for f in summary.files] == ["s3://logs/odd/a//b", "s3://logs/odd/we ird+%20?#é.jsonl"]
    assert "empty part" in summary.quarantine[0].reason
    assert read("s3://logs/odd/we ird+%20?#é.jsonl")[0].height == 1


@pytest.mark.parametrize("codec", ["plain", "gz"])
def test_a_large_object_comes_in_parts(server, monkeypatch, codec):
    monkeypatch.setattr(objects, "PART", 5_000)
    monkeypatch.setattr(objects, "SMALL", 100)
    data = jsonl(*(row(i, prompt=f"{i} {i * 7919} {'words ' * (i % 7)}") for i in range(3000)))
    server.put("logs", {"big": gzip.compress(data) if codec == "gz" else data, "table": parquet(ROWS)})
    frame, _, _ = read("s3://logs/big")
    assert frame["request_id"].to_list() == [f"r{i}" for i in range(3000)]
    assert sum(path == "/logs/big" and asked is not None for _, path, asked in server.requests) >= 10
    assert read("s3://logs/table")[0].height == len(ROWS)


def test_the_account_may_be_in_the_key(server):
    server.put("logs", {"by/tenant=acme/x": jsonl({"timestamp": 1775000000, "prompt": "p"})})
    frame, _, _ = read("s3://logs/by", formats=FormatOptions(account=AccountFrom("path", "tenant")))
    assert frame["account_id"].to_list() == ["acme"]


def bedrock(i, **output):
    return {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-04-01T00:00:00Z", "accountId": "1",
        "identity": {"arn": "arn:aws:iam::1:role/a"}, "region": "us-east-1", "requestId": f"q{i}", "operation": "InvokeModel",
        "modelId": "anthropic.claude",
        "input": {"inputContentType": "application/json", "inputBodyJson": {"messages": [{"role": "user", "content": f"p{i}"}]}},
        "output": {"outputContentType": "application/json", **output},
    }  # fmt: skip


def test_bodies_of_their_own_are_looked_for_in_the_store(server):
    top = "pre/AWSLogs/1/BedrockModelInvocationLogs/us-east-1/2026/04/01/00"
    body = gzip.compress(json.dumps({"content": [{"type": "text", "text": "long answer"}]}).encode())
    lines = [bedrock(i, outputBodyS3Path=f"s3://logs/{top}/data/q{i}_output.json.gz") for i in range(2)]
    server.put("br", {f"{top}/l.json.gz": gzip.compress(jsonl(*lines)), f"{top}/data/q0_output.json.gz": body})
    frame, _, warnings = read("s3://br/pre")
    assert sorted(frame["response"].to_list(), key=str) == [None, "long answer"]
    assert frame.filter(pl.col("truncated"))["request_id"].to_list() == ["q1"]
    assert any("1 bodies" in w for w in warnings)


def test_a_reference_in_a_local_log_asks_no_store(server, tmp_path):
    (tmp_path / "l.json").write_bytes(jsonl(bedrock(0, outputBodyS3Path="s3://logs/data/q0_output.json.gz")))
    read(tmp_path / "l.json")
    assert not server.requests


# --- what goes wrong ---------------------------------------------------------------------------------------------------


def problem(*inputs):
    begun = time.monotonic()
    with pytest.raises(InputError) as caught:
        read(*inputs)
    assert time.monotonic() - begun < 20
    text = str(caught.value)
    assert "Error" not in text
    assert "\x1b" not in text
    return text


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://nowhere/x", "s3://nowhere/ does not exist: no such bucket"),
        ("s3://nowhere", "s3://nowhere/ does not exist: no such bucket"),
        ("s3://logs/2027", "no object is named s3://logs/2027, nor lies under s3://logs/2027/"),
        ("s3://logs/2026/04/0", "no object is named"),
        ("s3://logs/*.csv", "nothing matches s3://logs/*.csv"),
        ("s3://key:secret@logs/x", "a s3:// URI holds a bucket and a key only"),
        ("s3:///x", "names no bucket"),
        ("https://host/x", "https:// is not read"),
    ],
)
def test_what_is_not_there(server, uri, said):
    text = problem(uri)
    assert said in text
    assert "secret" not in text


def test_access_that_is_denied(server, monkeypatch):
    server.faults["a.jsonl"] = 403
    assert "check AWS_ACCESS_KEY_ID" in problem("s3://logs/2026/04/01/a.jsonl")
    frame, summary, _ = read("s3://logs/2026")  # one of many: like a file without permission
    assert frame.height == 50
    assert [(q.file, q.reason) for q in summary.quarantine] == [
        ("s3://logs/2026/04/01/a.jsonl", "cannot be read: access denied")
    ]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    stores._opened.cache_clear()
    assert "s3://logs/2026: access denied: check" in problem("s3://logs/2026")


def test_public_buckets_need_no_key(server, monkeypatch):
    server.put("public", {"x": jsonl(row(1))})
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    assert read("s3://public/x")[0].height == 1


def test_an_object_that_is_gone_when_its_turn_comes(server):
    server.faults["b.jsonl.gz"] = 404
    frame, summary, warnings = read("s3://logs/2026/04/01")
    assert frame.height == 10
    assert "s3://logs/2026/04/01/b.jsonl.gz cannot be read: no such object" in warnings
    assert summary.quarantine[0].reason == "cannot be read: no such object"


@pytest.mark.parametrize(("fault", "said"), [(503, "HTTP status 503"), ("cut", "the connection failed or broke off")])
@pytest.mark.parametrize("small", [True, False])
def test_a_store_that_fails_ends_the_run(server, monkeypatch, fault, said, small):
    monkeypatch.setattr(stores, "ATTEMPTS", 2)
    stores._opened.cache_clear()
    if not small:
        monkeypatch.setattr(objects, "SMALL", 0)
    server.faults["c.zst"] = fault
    text = problem("s3://logs/2026")
    assert text.startswith("s3://logs/2026/04/02/c.zst: ")
    assert said in text
    assert "AWS_ENDPOINT_URL (http://127.0.0.1:" in text


def test_a_store_that_says_nothing(server, monkeypatch):
    monkeypatch.setattr(stores, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(stores, "ATTEMPTS", 1)
    stores._opened.cache_clear()
    server.faults["a.jsonl"] = "stall"
    assert "no answer in time" in problem("s3://logs/2026/04/01/a.jsonl")


def test_no_connection(monkeypatch):
    credentials(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr(stores, "ATTEMPTS", 1)
    stores._opened.cache_clear()
    assert "the connection failed or broke off" in problem("s3://logs/x")


# --- how places are named ----------------------------------------------------------------------------------------------


def test_uris():
    place = parse_place("abfss://box@acct.dfs.core.windows.net/a b/c%20d")
    assert (place.kind, place.bucket, place.account, place.key) == ("az", "box", "acct", "a b/c%20d")
    assert place.uri == "abfss://box@acct.dfs.core.windows.net/a b/c%20d"
    assert parse_place("gcs://b").path == "b"
    assert not is_remote("s3/x")
    assert not is_remote("C:/x")


def test_the_environment_decides_how_a_store_is_reached():
    def how(uri, **environment):
        return stores.access(parse_place(uri), environment)

    assert how("s3://b/k").bucket == "b"  # no region is named: the bucket's is asked for
    found = how("s3://b/k", AWS_REGION="eu-west-1", AWS_ENDPOINT_URL="http://x", AWS_ENDPOINT_URL_S3="http://y")
    assert (found.region, found.endpoint, found.bucket, found.anonymous) == ("eu-west-1", "http://y", "", False)
    assert how("gs://b/k", GOOGLE_SKIP_SIGNATURE="true").anonymous
    assert how("az://b/k", AZURE_STORAGE_ACCOUNT="a", AZURE_STORAGE_SAS_TOKEN="?s").sas == "s"  # noqa: S106
    assert how("abfss://b@a.dfs.core.windows.net/k").account == "a"
    with pytest.raises(InputError, match="AZURE_STORAGE_ACCOUNT_NAME"):
        how("az://b/k")
