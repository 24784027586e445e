from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import jsonschema
import numpy as np
import polars as pl
import pytest
from case_help import EMAIL, FRAME, HOSTILE, START, make_case, rows, tree, write_log
from hypothesis import given
from hypothesis import strategies as st

from extractscan.case.campaigns import campaigns
from extractscan.case.clusters import clusters, like, matching
from extractscan.case.read import open_case
from extractscan.case.select import Selection, selected
from extractscan.case.timeline import long_rows, timeline
from extractscan.errors import UsageError
from extractscan.progress import Silent
from extractscan.report import schemas


@pytest.fixture(scope="module")
def case(made):
    return open_case(made.folder)


def valid(name, document):
    jsonschema.Draft202012Validator(schemas.schema(name)).validate(document)
    return document


def moment(row):
    return datetime.fromisoformat(str(row["timestamp"]))


@given(
    st.sets(st.sampled_from(["shard-1", "person-03", HOSTILE]), max_size=2),
    st.sets(st.sampled_from(["large-1", "small-1"]), max_size=1),
    st.none() | st.integers(0, 4000),
    st.none() | st.integers(0, 4000),
)
def test_a_selection_is_what_a_plain_filter_gives(case, accounts, models, since, until):
    since, until = (None if m is None else START + timedelta(minutes=m) for m in (since, until))
    wanted = [
        r
        for r in rows()
        if (not accounts or r["account_id"] in accounts)
        and (not models or r["model"] in models)
        and (since is None or moment(r) >= since)
        and (until is None or moment(r) < until)
    ]
    found = selected(case, Selection(tuple(accounts), tuple(models), None, since, until))
    assert found.height == len(wanted)
    assert found["time_us"].to_list() == sorted(int(moment(r).timestamp()) * 1_000_000 for r in wanted)


def test_campaigns_are_those_of_the_report_with_what_was_selected(case, made):
    document = valid("campaigns", campaigns(case, Selection()))
    assert [c["campaign_id"] for c in document["campaigns"]] == [c.campaign_id for c in made.findings.campaigns]
    [campaign] = document["campaigns"]
    assert campaign["selected_requests"] == campaign["requests"] == sum(campaign["days"]) == 240
    assert sum(m["requests"] for m in campaign["models"]) == 240
    one = campaigns(case, Selection(accounts=("shard-3",), models=("large-1",)))["campaigns"][0]
    assert 0 < one["selected_requests"] <= 30
    assert [m["model"] for m in one["models"]] == ["large-1"]
    assert campaigns(case, Selection(accounts=("person-01",)))["campaigns"] == []


def test_clusters_are_counted_as_the_log_has_them(case):
    document = valid("clusters", clusters(case, Selection(), top=10_000))
    assert document["found"] == len(document["clusters"])
    assert sum(c["requests"] for c in document["clusters"]) == len(rows())
    assert [c["rank"] for c in document["clusters"]] == list(range(1, document["found"] + 1))
    by_accounts = [c["accounts"] for c in clusters(case, Selection(), by="accounts")["clusters"]]
    assert by_accounts == sorted(by_accounts, reverse=True)
    for each in document["clusters"]:
        assert (each["least_similarity"] is None) == (each["least_similar_pair"] == [])
        assert each["least_similarity"] is None or each["least_similarity"] >= 0.65
    of_one = clusters(case, Selection(accounts=("shard-2",)), top=1000)
    assert sum(c["requests"] for c in of_one["clusters"]) == 30


def test_like_finds_a_prompt_by_a_part_of_it_and_needs_no_log(case):
    prompt = str(next(r for r in rows() if r["account_id"] == "shard-5")["prompt"])
    words = prompt.removeprefix(FRAME).split()
    found = clusters(case, Selection(), likeness=like(case, " ".join(words[2:12]).upper(), 0.99))
    best = found["clusters"][0]
    assert best["likeness"] == 1.0
    assert valid("clusters", found)["found"] < 5
    assert like(case, "nothing like this is in the log at all", 0.5).is_empty()


def test_grep_is_what_a_search_in_the_log_gives(case):
    labels = matching(case, r"write to \S+@example", [], Silent())
    document = clusters(case, Selection(), only=labels, top=100)
    wanted = [r for r in rows() if EMAIL in str(r["prompt"])]
    assert sum(c["requests"] for c in document["clusters"]) == len(wanted)
    with pytest.raises(UsageError, match="no regular expression"):
        matching(case, "(", [], Silent())


@pytest.mark.parametrize("by", ["campaign", "account", "model", "all"])
@pytest.mark.parametrize("every", [None, "hour", "day", "week"])
def test_timelines_count_every_request_once(case, by, every):
    document = valid("timeline", timeline(case, Selection(), by=by, every=every, top=1000))
    assert sum(r["requests"] for r in document["rows"]) == len(rows())
    for row in document["rows"]:
        assert len(row["counts"]) == document["buckets"]
        assert sum(row["counts"]) == row["requests"]
        assert max(row["counts"]) == row["peak"]
    assert sum(r["requests"] for r in long_rows(document)) == len(rows())
    if every == "week":
        assert datetime.fromisoformat(document["start"]).weekday() == 0
    if by == "all":
        hours = {"hour": 1, "day": 24, "week": 168}[document["every"]]
        start = datetime.fromisoformat(document["start"])
        expected = np.bincount([int((moment(r) - start).total_seconds() // 3600) // hours for r in rows()])
        assert document["rows"][0]["counts"] == expected.tolist()


def test_empty_selections(case):
    none = Selection(since=datetime(2030, 1, 1, tzinfo=UTC))
    assert valid("timeline", timeline(case, none))["rows"] == []
    assert valid("clusters", clusters(case, none))["clusters"] == []
    assert valid("campaigns", campaigns(case, none))["campaigns"] == []
    assert long_rows(timeline(case, none)) == []


COMMANDS = ("campaigns", "clusters", "timeline")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_the_commands_in_every_format(made, call, command, form):
    before = tree(made.folder)
    ran = call(command, made.folder, "--format", form, "--top", 3)
    assert (ran.code, ran.err) == (0, "")
    if form == "json":
        document = valid(command, json.loads(ran.out))
        lines = call(command, made.folder, "--format", "jsonl", "--top", 3).out.splitlines()
        assert [json.loads(line) for line in lines] == document[command if command != "timeline" else "rows"]
    if form == "csv":
        assert list(csv.DictReader(io.StringIO(ran.out)))
    empty = call(command, made.folder, "--format", form, "--since", "2030-01-01")
    assert empty.code == 0
    assert tree(made.folder) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_refused(made, call, command, tmp_path):
    for wrong in (
        ("--account", "nobody\x1b"), ("--model", "gpt"), ("--since", "yesterday"),
        ("--since", "2026-03-05", "--until", "2026-03-04"), ("-o", made.folder / "x"), ("--top", "0"),
    ):  # fmt: skip
        assert call(command, made.folder, *wrong).code == 2, wrong
    assert call(command, tmp_path).code == 3


def test_names_that_are_hostile_are_shown_harmless(made, call):
    ran = call("timeline", made.folder, "--by", "account", "--account", HOSTILE)
    assert ran.code == 0
    assert "\\x1b[31m" in ran.out
    cells = call("timeline", made.folder, "--by", "account", "--account", HOSTILE, "-f", "csv").out
    assert all(not row["key"].startswith(("=", "+", "@")) for row in csv.DictReader(io.StringIO(cells)))


def test_text_only_when_asked(made, call):
    assert "write to" not in call("clusters", made.folder, "--grep", "write to").out
    shown = call("clusters", made.folder, "--grep", "write to", "--show-text")
    assert "write to [e-mail] with [key] and [card] number" in shown.out
    raw = call("clusters", made.folder, "--grep", "write to", "--show-text", "--raw-text", "-f", "csv")
    assert EMAIL in raw.out
    assert call("clusters", made.folder, "--raw-text").code == 2
    assert call("clusters", made.folder, "--logs", "x").code == 2
    assert call("clusters", made.folder, "--like", "x", "--at-least", "0").code == 2
    assert call("clusters", made.folder, "--grep", "(").code == 2


def test_a_timeline_of_ten_years_in_hours_is_refused(tmp_path, call):
    some = [
        {"timestamp": t, "account_id": "a", "prompt": "x y z"} for t in ("2016-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    ]
    write_log(tmp_path / "log", some)
    made = make_case(tmp_path / "case", [tmp_path / "log"])
    assert call("timeline", made.folder, "--every", "hour").code == 2
    assert call("timeline", made.folder).code == 0
    assert pl.read_parquet(made.folder / "fingerprints/names.parquet").is_empty()
