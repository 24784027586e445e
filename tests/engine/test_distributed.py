"""Reading and scoring in parts gives what reading and scoring at once gives, without a cluster."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from polars_engine import PolarsEngine

from extractscan.engine.distributed import ClusterFront, fingerprint_and_cluster
from extractscan.engine.limits import Limits
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.errors import ExtractscanError, InputError, UsageError
from extractscan.logs.choose import FormatOptions, parse_account_from
from extractscan.report.interface import Format
from extractscan.report.write import write_report

SAMPLES = Path(__file__).resolve().parents[2] / "sample_logs"


class Told:
    """An observer that keeps what is said."""

    def __init__(self):
        self.said = []

    def stage(self, name, total=None):
        pass

    def advance(self, steps=1):
        pass

    def warn(self, message):
        self.said.append(message)

    note = warn


def _json(found, path):
    write_report(found, Format.JSON, output=path, clobber=True, top=None)
    return path.read_bytes()


def _both(source, tmp_path, *, pieces=2, unit_bytes=1):
    """Findings, or the error, and what was said: at once and in parts."""
    out = []
    for parted in (False, True):
        told = Told()
        front = None
        if parted:
            work = tmp_path / f"run-{pieces}-{unit_bytes}"
            work.mkdir()

            engine = PolarsEngine(work, pieces=pieces)
            front = ClusterFront(lambda _, engine=engine: engine, Limits(1 << 34, unit_bytes=unit_bytes))

        try:
            found, _ = judge_logs(source, observer=told, front=front)
            out.append((_json(found, tmp_path / "out.json"), told.said))
        except ExtractscanError as error:
            out.append((type(error), str(error)))
    return out


def _row(number, **more):
    return {
        "request_id": f"r{number}",
        "timestamp": f"2026-03-02T10:{number % 60:02}:00Z",
        "account_id": f"a{number % 7}",
        "prompt": f"what is the number {number} in the list of all numbers, and why is it there",
        **more,
    }


def _write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))


@pytest.fixture
def folder(tmp_path):
    logs = tmp_path / "logs"
    for part in range(4):
        _write(logs / f"day-{part}.jsonl", [_row(n) for n in range(30 * part, 30 * part + 40)])
    (logs / "day-1.jsonl").write_text((logs / "day-1.jsonl").read_text() + '{"broken\n')
    (logs / "empty.jsonl").write_text("")
    (logs / "notes.txt").write_text("nothing to see\n")
    _write(logs / "zz-late.jsonl", [_row(n, account_id=None) for n in range(3)])
    return logs


@pytest.mark.parametrize(("pieces", "unit_bytes"), [(1, 1 << 30), (3, 1)])
def test_findings_and_messages_are_the_same(folder, tmp_path, pieces, unit_bytes):
    once, parts = _both(LogSource((str(folder),)), tmp_path, pieces=pieces, unit_bytes=unit_bytes)
    assert parts == once
    assert once[1]


def test_sample_logs_are_the_same(tmp_path):
    once, parts = _both(LogSource((str(SAMPLES / "litellm"),)), tmp_path)
    assert parts == once


@pytest.mark.parametrize(
    "more",
    [
        {"max_bad_rows": 0},
        {"max_bad_rows": 0.5},
        {"columns": {"account_id": "request_id"}},
        {"formats": FormatOptions(account=parse_account_from("constant=me"))},
        {"formats": FormatOptions(log_format="plain table")},
    ],
    ids=["no bad rows", "half", "column", "account", "format"],
)
def test_options_reach_the_tasks(folder, tmp_path, more):
    once, parts = _both(LogSource((str(folder),), **more), tmp_path)
    assert parts == once


def test_a_named_file_that_is_no_log_is_the_same_error(folder, tmp_path):
    source = LogSource((str(folder / "day-0.jsonl"), str(folder / "zz-late.jsonl")))
    once, parts = _both(source, tmp_path)
    assert parts == once


def test_a_log_of_nothing_is_the_same_error(tmp_path):
    _write(tmp_path / "logs" / "a.jsonl", [{**_row(1), "timestamp": "never"}])
    once, parts = _both(LogSource((str(tmp_path / "logs"),)), tmp_path)
    assert once[0] is InputError
    assert parts == once


MAPPING = """
[format]
name = "house"
[detect]
all = ["req", "caller"]
[fields]
timestamp = {path = "when", as = "ms"}
account = "caller.name"
[body]
request = "req.payload"
"""


def test_a_mapping_is_carried_to_the_tasks(tmp_path):
    (tmp_path / "house.toml").write_text(MAPPING)
    for part in range(2):
        records = [
            {
                "req": {"payload": {"messages": [{"role": "user", "content": f"say the number {n} of part {part}"}]}},
                "caller": {"name": f"a{n % 3}"},
                "when": 1772400000000 + 1000 * n,
            }
            for n in range(20)
        ]
        _write(tmp_path / "logs" / f"{part}.jsonl", records)
    formats = FormatOptions(mappings=(str(tmp_path / "house.toml"),))
    once, parts = _both(LogSource((str(tmp_path / "logs"),), formats=formats), tmp_path)
    assert b"a2" in once[0]
    assert parts == once


def test_pipes_stay_on_this_machine(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="other machines"):
        fingerprint_and_cluster(LogSource(("-",)), lambda _: PolarsEngine(tmp_path), Limits(1 << 30), Told())


def test_the_driver_has_a_limit(folder, tmp_path):
    with pytest.raises(ExtractscanError, match="GiB that this machine may"):
        fingerprint_and_cluster(LogSource((str(folder),)), lambda _: PolarsEngine(tmp_path), Limits(1_000), Told())


def test_files_that_refer_to_one_another_are_read_together(tmp_path):
    chat = {"model": "halden-2", "messages": [{"role": "user", "content": "Why is ice slippery, and since when?"}]}
    answer = {"id": "c", "object": "chat.completion", "created": 1772400000, "model": "halden-2"}
    answer["choices"] = [{"index": 0, "message": {"role": "assistant", "content": "Water."}, "finish_reason": "stop"}]
    asked = [{"custom_id": f"q{n}", "method": "POST", "url": "/v1/chat/completions", "body": chat} for n in range(9)]
    said = [
        {"id": f"b{n}", "custom_id": f"q{n}", "error": None,
         "response": {"status_code": 200, "request_id": f"r{n}", "body": answer}}
        for n in range(9)
    ]  # fmt: skip
    _write(tmp_path / "logs" / "a-in.jsonl", asked)
    _write(tmp_path / "logs" / "b-plain.jsonl", [_row(n) for n in range(20)])
    _write(tmp_path / "logs" / "c-out.jsonl", said)
    formats = FormatOptions(account=parse_account_from("constant=me"))
    once, parts = _both(LogSource((str(tmp_path / "logs"),), formats=formats), tmp_path)
    assert isinstance(once[0], bytes)
    assert parts == once
