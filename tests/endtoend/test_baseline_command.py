"""``score --baseline``: what it adds, takes back and refuses, on logs whose senders are known."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import jsonschema
import pytest
from made_log import HARVESTER, HYDRA, jsonl


def earlier(rows, periods):
    """The innocent part of the log as it was some periods before: other accounts of the same kinds."""
    out = []
    for row in rows:
        if row["account_id"] not in (*HYDRA, HARVESTER):
            moment = datetime.fromisoformat(str(row["timestamp"])) - timedelta(days=30 * periods)
            stamp = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
            out.append({**row, "timestamp": stamp, "account_id": f"{row['account_id']}-{periods}"})
    return out


@pytest.fixture(scope="module")
def clean(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    for periods in range(1, 6):
        (folder / f"{periods}.jsonl").write_bytes(jsonl(earlier(rows, periods)))
    return [folder / f"{periods}.jsonl" for periods in range(1, 6)]


@pytest.fixture(scope="module")
def small(clean, log):
    """Arguments that compare with one clean period."""
    return ["score", log, "--baseline", clean[0]]


def test_a_small_baseline_takes_high_back_and_says_why(small, call, report):
    ran = call(*small, "--format", "json", "--fail-on", "high")
    assert ran.code == 0  # without a baseline the hydra is high
    document = json.loads(ran.out)
    jsonschema.Draft202012Validator(json.loads(call("schema", "report").out)).validate(document)
    before = {each["account_id"]: each for each in report("jsonl").documents()}
    for each in document["accounts"]:
        old = before[each["account_id"]]
        assert each["bits"] == old["bits"]
        assert old["q_value"] is None
        assert 0 < each["p_value"] <= each["q_value"] <= 1
        taken_back = old["severity"] == "high"
        assert each["severity"] == ("medium" if taken_back else old["severity"])
        assert (each["severity_reason"] or "").startswith("high by its bits") == taken_back
    facts = document["run"]["baseline"]
    assert (facts["stated_rate"], facts["periods"], facts["accounts"]) == (0.05, 1, 70)
    assert len(facts["files"]) == 1
    assert "too small" in document["run"]["calibration"]


def test_the_table_shows_q_and_its_meaning(small, call):
    text = " ".join(call(*small).out.decode().split())
    for words in (
        "SCORE Q",
        "high but for its q",
        "is over the stated rate of 0.05",
        "Compared with a baseline of 1 period,",
    ):
        assert words in text
    assert "no error rate is claimed" not in text


def test_high_stays_where_the_stated_rate_allows(log, clean, call):
    several = [word for path in clean for word in ("--baseline", path)]
    ran = call("score", log, *several, "--alpha", "0.6", "--format", "json", "--fail-on", "high")
    document = json.loads(ran.out)
    (campaign,) = document["campaigns"]
    assert campaign["accounts"] == list(HYDRA)
    assert (campaign["severity"], campaign["severity_reason"]) == ("high", None)
    assert campaign["q_value"] <= 0.6
    assert document["run"]["baseline"]["periods"] == 5
    assert ran.code == 1
    assert ran.err.count("\n") == ran.err.count("logprobs") == 1  # only the lone harvester asks for them


def test_a_baseline_unlike_the_log_is_warned_of(log, clean, tmp_path, call):
    few = tmp_path / "few.jsonl"
    rows = [json.loads(line) for line in clean[0].read_bytes().splitlines()]
    few.write_bytes(jsonl([{**row, "output_tokens": None} for row in rows if row["account_id"].startswith("person")]))
    ran = call("score", log, "--baseline", few, "--format", "jsonl")
    assert ran.code == 0
    assert "warning: baseline: columns that only the log or only the baseline has" in ran.err
    assert "output_tokens" in ran.err
    assert "sent more than 2 times as many requests" in ran.err
    assert call("score", log, "--baseline", few, "--format", "jsonl", "--quiet").err == ""


def test_the_log_as_its_own_baseline_finds_nothing_and_says_so(log, call):
    ran = call("score", log, "--baseline", log, "--format", "json", "--fail-on", "high")
    assert ran.code == 0
    assert "compared with themselves" in ran.err
    assert "would be graded high" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--baseline", "-"], 2, "standard input"),
        (["--baseline", "{clean}", "--alpha", "0"], 2, "--alpha"),
        (["--baseline", "{clean}", "--alpha", "1"], 2, "--alpha"),
        (["--baseline", "{clean}", "--alpha", "nan"], 2, "--alpha"),
        (["--baseline", "{clean}", "--baseline", "{clean}"], 2, "given once"),
        (["--baseline", "{clean}.none"], 3, ".none"),
    ],
)
def test_what_cannot_be_is_refused(arguments, code, said, log, clean, call):
    ran = call("score", log, *(each.format(clean=clean[0]) for each in arguments), "--quiet")
    assert (ran.code, ran.out) == (code, b"")
    assert said in ran.err


def test_the_baseline_is_not_overwritten(small, clean, call):
    before = clean[0].read_bytes()
    assert call(*small, "--format", "jsonl", "-o", clean[0], "--clobber").code == 2
    assert clean[0].read_bytes() == before
