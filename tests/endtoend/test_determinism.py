"""The same requests give the same bytes: in any order, split and format, on any number of threads, however often delivered."""

# ruff: noqa: S311 (dice to shuffle with)
from __future__ import annotations

import functools
import gzip
import io
import itertools
import json
import random
import subprocess
import sys

import polars as pl
import pytest
import zstandard
from commandline import environment
from made_log import jsonl

from extractscan.engine import load as loading
from extractscan.engine import local
from extractscan.progress import Silent
from extractscan.report.document import account_document, campaign_document

ALL_FORMATS = """
import sys
from extractscan.cli.main import run
folder, jobs, *logs = sys.argv[1:]
for form in ("jsonl", "json", "csv", "parquet"):
    sys.argv = ["extractscan", "score", *logs, "--format", form, "-o", f"{folder}/found.{form}", "--jobs", jobs]
    try:
        run()
    except SystemExit as end:
        if end.code:
            raise
"""
"""Every report from one process: what differs between runs is the process."""


def split_over_formats(folder, some):
    """Write rows as files of all formats, of very different sizes."""
    cuts = [0, 1, 40, 700, 1500, 1900, len(some)]
    parts = [some[a:b] for a, b in itertools.pairwise(cuts)]
    whole = {name: pl.String if name == "conversation_id" else None for name in some[0]}
    frames = [pl.DataFrame(part, schema={**whole, "logprobs": pl.Boolean}) for part in parts]
    frames[0].write_csv(folder / "a")
    frames[1].write_ipc(folder / "b")
    frames[2].write_parquet(folder / "c", row_group_size=100)
    frames[3].write_csv(folder / "d.txt", separator="\t")
    (folder / "e").write_text(json.dumps(parts[4], indent=1))
    (folder / "f").write_bytes(zstandard.ZstdCompressor().compress(jsonl(parts[5])))
    return [folder]


def one_file(folder, some):
    (folder / "log").write_bytes(jsonl(some))
    return [folder / "log"]


def one_packed_file(folder, some):
    (folder / "log.json").write_bytes(gzip.compress(jsonl(some)))
    return [folder / "log.json"]


@pytest.fixture(scope="module")
def reports(rows, tmp_path_factory):
    """The reports of three processes that have nothing in common but the requests: a folder each."""
    plans = [
        (one_file, rows, 1, {"POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "0", "TZ": "UTC"}),
        (one_packed_file, random.Random(1).sample(rows, len(rows)), 2, {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}),
        (
            split_over_formats,
            random.Random(2).sample(rows, len(rows)),
            3,
            {"POLARS_MAX_THREADS": "2", "PYTHONHASHSEED": "2", "LC_ALL": "C"},
        ),
    ]
    folders = []
    for write, some, jobs, environ in plans:
        folder, logs = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("in")
        subprocess.run(
            [sys.executable, "-c", ALL_FORMATS, folder, str(jobs), *write(logs, some)],
            check=True, env=environment(**environ), timeout=300,
        )  # fmt: skip
        folders.append(folder)
    return folders


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_order_split_format_threads_and_hash_seed_leave_no_trace(reports, form):
    first, *others = [(folder / f"found.{form}").read_bytes() for folder in reports]
    assert len(first) > 10_000
    for other in others:
        assert other == first


def test_json_differs_in_the_files_alone(reports):
    documents = [json.loads((folder / "found.json").read_bytes()) for folder in reports]
    files = [document["run"].pop("files") for document in documents]
    assert documents[0] == documents[1] == documents[2]
    assert list(map(len, files)) == [1, 1, 6]
    assert [sum(file["rows_kept"] for file in some) for some in files] == [documents[0]["run"]["rows_kept"]] * 3
    texts = [(folder / "found.json").read_text().split('"accounts":[', 1)[1] for folder in reports]
    assert texts[0] == texts[1] == texts[2]


def test_more_jobs_than_any_machine_has_are_no_harm(log, call, report):
    assert call("score", log, "--format", "jsonl", "--jobs", 1_000_000).out == report("jsonl").out


def findings(*logs, jobs=1):
    source = loading.LogSource(tuple(str(log) for log in logs))
    found, _ = local.judge_logs(source, observer=Silent(), jobs=jobs)
    return [account_document(a) for a in found.accounts], [campaign_document(c) for c in found.campaigns], found.run


@pytest.mark.parametrize("batch", [1, 97, 1000])
def test_batches_leave_no_trace(log, monkeypatch, batch, rows):
    whole = findings(log)
    small = log if batch > 1 else log.with_name("small")
    if batch == 1:  # a batch a row is slow
        small.write_bytes(jsonl(rows[:150]))
        whole = findings(small)
    monkeypatch.setattr(loading, "read_logs", functools.partial(loading.read_logs, batch_rows=batch))
    assert findings(small, jobs=2)[:2] == whole[:2]


def test_a_file_given_twice_counts_once(log, tmp_path):
    (tmp_path / "link").symlink_to(log)
    (tmp_path / "hard").hardlink_to(log)
    once = findings(log)
    again = findings(log, str(log.parent) + "/./" + log.name, tmp_path / "link", tmp_path / "hard", tmp_path)
    assert again[:2] == once[:2]
    assert (again[2].rows_read, again[2].rows_duplicate) == (once[2].rows_read, 0)


@pytest.mark.parametrize("ids", [True, False], ids=["request_ids", "no_request_ids"])
def test_rows_delivered_twice_count_once(log, rows, tmp_path, ids):
    some = rows if ids else [{k: v for k, v in row.items() if k != "request_id"} for row in rows]
    (tmp_path / "a.jsonl").write_bytes(jsonl(some))
    once = findings(tmp_path / "a.jsonl")
    if ids:
        assert once[:2] == findings(log)[:2]
    # The same rows again by another shipper: other order, other format, overlapping days.
    overlap = random.Random(3).sample(some[500:], len(some) - 500)
    pl.DataFrame(overlap, infer_schema_length=None).write_parquet(tmp_path / "b.parquet")
    twice = findings(tmp_path / "a.jsonl", tmp_path / "b.parquet")
    assert twice[:2] == once[:2]
    assert twice[2].rows_duplicate == len(overlap)


def test_account_names_and_prompt_bytes_that_normalise_alike_stay_apart(tmp_path):
    """Accounts are what the log says, to the byte; no folding of case or Unicode merges two customers."""
    names = ["K", "k", "\u212a", "é", "e\u0301", "a ", "a"]
    some = [
        {"request_id": f"{i}-{k}", "timestamp": 1_772_000_000 + k, "account_id": name, "prompt": f"question {k}"}
        for i, name in enumerate(names)
        for k in range(3)
    ]
    data = io.BytesIO(jsonl(some))
    (tmp_path / "log").write_bytes(data.getvalue())
    accounts, _, _ = findings(tmp_path / "log")
    assert sorted(each["account_id"] for each in accounts) == sorted(names)
