"""The sample log as a case, by the real command, and every command over it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from commandline import run

from extractscan.report import schemas

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_logs" / "requests.parquet"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case") / "case"
    ran = run("score", SAMPLE, "--case", folder, "--format", "json")
    assert ran.code == 0
    assert (folder / "report.json").read_bytes() == ran.out
    return folder, ran.err.split("run.json: ")[1].strip()


def test_a_case_of_the_sample_log_is_what_it_was(case):
    folder, seal = case
    ran = run("verify", folder, SAMPLE, "--seal", seal, "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["intact"]


@pytest.mark.parametrize(
    "arguments",
    [("explain", "--rank", "1"), ("campaigns",), ("clusters", "--top", "5"), ("timeline", "--by", "account")],
    ids=lambda arguments: arguments[0],
)
def test_documents_of_the_sample_log_meet_their_schemas(case, call, arguments):
    command, *options = arguments
    ran = call(command, case[0], *options, "--format", "json")
    assert ran.code == 0
    jsonschema.Draft202012Validator(schemas.schema(command)).validate(json.loads(ran.out))
    assert call(command, case[0], *options).code == 0


@pytest.mark.parametrize("page", ["src/extractscan/cli/clusters.py", "docs/case.md"])
def test_the_example_of_a_likeness_finds_something_in_the_sample(case, call, page):
    (phrase,) = re.findall(r'clusters \S+ --like "([^"]+)"', (ROOT / page).read_text(encoding="utf-8"))
    found = json.loads(call("clusters", case[0], "--like", phrase, "--format", "json").out)
    assert len(found["clusters"]) >= 5
    assert all(cluster["likeness"] == 1.0 for cluster in found["clusters"])


def test_another_process_with_other_threads_writes_the_same_bytes(case, tmp_path):
    folder, seal = case
    ran = run(
        "score",
        SAMPLE,
        "--case",
        tmp_path / "again",
        "--jobs",
        "1",
        "-o",
        tmp_path / "report",
        PYTHONHASHSEED="7",
        TZ="Asia/Tokyo",
    )
    assert ran.err.split("run.json: ")[1].strip() == seal
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "invocation.json":
            assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert call_diff(folder, tmp_path / "again")["accounts"] == []


def call_diff(old, new):
    return json.loads(run("diff", old, new, "--format", "json").out)
