from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

import jsonschema
import numpy as np
import polars as pl
import pytest
from case_help import CARD, EMAIL, HOSTILE, KEY, make_case, rows, write_log
from hypothesis import given
from hypothesis import strategies as st

from extractscan.case import layout
from extractscan.case.explain import explain, find_account
from extractscan.case.links import rarity, shared
from extractscan.case.nearness import containment, csr
from extractscan.case.read import open_case
from extractscan.case.settling import BY_FAMILY, BY_GATE, NOTHING, settled_by
from extractscan.case.waterfall import waterfall
from extractscan.errors import InputError, UsageError
from extractscan.fingerprint.tokens import tokenise
from extractscan.report import schemas
from extractscan.report.atlas import atlas, version
from extractscan.report.sparkline import sparkline, thinned
from extractscan.verdict.explain import INNOCENT, UNGATED, innocent_explanation
from extractscan.verdict.findings import Evidence, Gate


@pytest.fixture(scope="module")
def case(made):
    return open_case(made.folder)


@pytest.fixture(scope="module")
def shard(case):
    return explain(case, find_account(case, "shard-3", None))


def test_every_document_meets_the_schema_and_every_waterfall_ends_at_the_bits(case):
    validator = jsonschema.Draft202012Validator(schemas.schema("explain"))
    for account in case.accounts():
        document = explain(case, account)
        validator.validate(document)
        steps = document["waterfall"]
        assert (steps[-1]["total"] if steps else 0.0) == pytest.approx(account["bits"], abs=1e-4)
        assert sum(s["bits"] for s in steps) == pytest.approx(account["bits"], abs=1e-4)
        assert [s["decided"] for s in document["streams"]].count(True) == 1
        decided = document["streams"][0]
        assert decided["bits"] == pytest.approx(account["bits"], abs=1e-4)
        assert (decided["kind"], decided["decided"]) == (account["stream"], True)


def test_what_is_said_of_a_shard(shard):
    assert shard["campaign"]["accounts"] == 8
    assert [each["account_id"] for each in shard["linked"]] == [f"shard-{i}" for i in (0, 1, 2, 4, 5, 6, 7)]
    assert all(each["same_campaign"] for each in shard["linked"])
    assert [(f["accounts"], f["share"]) for f in shard["frames"]] == [(8, 1.0)]
    assert shard["bits_percentile"] > 50
    assert shard["curve"][-1]["requests"] == 30
    assert sum(shard["rhythm"]["hours"]) == sum(shard["rhythm"]["weekdays"]) == 30
    assert shard["atlas"]["techniques"][0]["id"] == "AML.T0024.002"


def test_rhythm_is_that_of_the_calendar(case):
    document = explain(case, find_account(case, HOSTILE, None))
    times = [datetime.fromisoformat(str(r["timestamp"])) for r in rows() if r["account_id"] == HOSTILE]
    assert document["rhythm"]["hours"] == np.bincount([t.hour for t in times], minlength=24).tolist()
    assert document["rhythm"]["weekdays"] == np.bincount([t.weekday() for t in times], minlength=7).tolist()


def test_a_caps_and_gates_waterfall():
    evidence = [
        {"signal": "a", "family": "pattern", "bits": 2.0, "assessed": True},
        {"signal": "b", "family": "pattern", "bits": 90.0, "assessed": True},
        {"signal": "c", "family": "load", "bits": -1.0, "assessed": True},
        {"signal": "d", "family": "timing", "bits": 0.0, "assessed": False},
    ]
    steps = waterfall(evidence, [{"gate": "benchmark", "factor": 0.5}])
    cap = steps[0].bits
    assert [(s.kind, s.name) for s in steps] == [("family", "pattern"), ("family", "load"), ("gate", "benchmark")]
    assert steps[0].before_cap == 92.0
    assert steps[0].signals == ("b", "a")
    assert steps[-1].total == pytest.approx((cap - 1.0) / 2)
    below = waterfall(evidence[2:], [])
    assert (below[-1].kind, below[-1].total) == ("floor", 0.0)


def test_everything_that_can_be_innocent_can_be_settled():
    assert set(BY_GATE) == set(INNOCENT)
    assert set(BY_FAMILY) == set(UNGATED)


GATES = st.builds(Gate, st.sampled_from(sorted(INNOCENT)), st.sampled_from([0.2, 0.5]), st.just(""))
EVIDENCE = st.builds(
    Evidence,
    st.just("signal"),
    st.sampled_from(sorted(UNGATED)),
    st.none(),
    st.sampled_from([-1.0, 0.0, 1.0, 2.0]),
    st.just(value=True),
    st.just(""),
)


@given(st.lists(EVIDENCE, max_size=4), st.lists(GATES, max_size=3))
def test_what_would_settle_is_of_the_explanation_that_is_given(evidence, gates):
    explained = innocent_explanation(evidence, gates)
    settled = settled_by([asdict(e) for e in evidence], [asdict(g) for g in gates])
    known = {INNOCENT[k]: BY_GATE[k] for k in INNOCENT} | {UNGATED[k]: BY_FAMILY[k] for k in UNGATED}
    assert settled == known.get(explained, NOTHING)


def test_atlas_is_data_of_one_version():
    found = atlas(found=True, campaign=True)
    assert found["version"] == version() == "5.6.0"
    assert {t["id"] for t in atlas(found=True, campaign=False)["techniques"]} < {t["id"] for t in found["techniques"]}
    assert atlas(found=False, campaign=False)["techniques"] == []


def test_rarity_and_what_is_shared():
    assert rarity(np.array([1, 10, 100]), 100).tolist() == pytest.approx([1.0, 0.5, 0.0])
    features = pl.DataFrame(
        {"account": [0, 0, 1, 2, 2, 3], "feature": [1, 2, 1, 1, 2, 9], "weight": [1.0] * 6},
        schema_overrides={"account": pl.UInt32},
    )
    found = dict(shared(features, 0, 100).select("account", "strength").iter_rows())
    three, two = 1 - np.log(3) / np.log(100), 1 - np.log(2) / np.log(100)
    assert found == pytest.approx({1: three / 2, 2: (three + two) / 2})
    assert shared(features, 7, 100).is_empty()


def test_containment_of_a_text_in_prompts():
    prompts = pl.Series(["the quick brown fox jumps over the lazy dog", "nothing of that is in here at all", "brown"])
    tokens = tokenise(prompts)
    lists = pl.Series([tokens.values[a:b].tolist() for a, b in zip(tokens.offsets, tokens.offsets[1:], strict=False)])
    assert csr(lists)[1].tolist() == tokens.values.tolist()
    assert containment("quick brown fox jumps", lists).tolist() == [1.0, 0.0, 0.0]
    assert containment("quick brown fox sleeps", lists).tolist() == [0.5, 0.0, 0.0]
    assert containment("brown", lists).tolist() == [1.0, 0.0, 1.0]
    assert containment("in here", lists).tolist() == [0.0, 1.0, 0.0]
    assert containment("dog nothing", lists).tolist() == [0.0, 0.0, 0.0]
    assert containment("", lists).tolist() == [0.0, 0.0, 0.0]


def test_sparklines():
    assert sparkline([0, 1, 4, 8], unicode=True) == " ▂▅█"
    assert sparkline([0, 0], unicode=False) == "  "
    assert sparkline([], unicode=True) == ""
    assert thinned([1, 2, 3, 4, 5], 2) == [6, 9]


def test_the_command_shows_no_text_unless_asked(made, log, call):
    plain = call("explain", made.folder, HOSTILE)
    assert plain.code == 0
    assert "write to" not in plain.out
    asked = call("explain", made.folder, HOSTILE, "--show-text")
    assert "write to [e-mail] with [key] and [card] number" in asked.out
    raw = call("explain", made.folder, HOSTILE, "--show-text", "--raw-text", "-f", "json")
    document = json.loads(raw.out)
    jsonschema.Draft202012Validator(schemas.schema("explain")).validate(document)
    assert f"write to {EMAIL} with {KEY} and {CARD} number" in document["clusters"][0]["texts"][0]
    named = call("explain", made.folder, HOSTILE, "--show-text", "--logs", log.parent)
    assert named.out == asked.out


@pytest.mark.parametrize("rank", [1, 5, 21])
@pytest.mark.parametrize("form", ["table", "json"])
def test_by_rank(made, call, rank, form):
    ran = call("explain", made.folder, "--rank", rank, "--format", form)
    assert (ran.code, ran.err) == (0, "")
    if form == "json":
        assert json.loads(ran.out)["account"]["rank"] == rank


def test_who_is_not_there(made, call, case):
    ran = call("explain", made.folder, "shard")
    assert ran.code == 2
    assert "shard-0" in ran.err
    assert call("explain", made.folder, "\x1b[31m").code == 2
    assert call("explain", made.folder, "--rank", 99).code == 2
    assert call("explain", made.folder).code == 2
    assert call("explain", made.folder, "shard-0", "--raw-text").code == 2
    with pytest.raises(UsageError):
        find_account(case, "nobody", None)


def test_logs_are_read_again_as_they_were_read(tmp_path, call):
    log = tmp_path / "log.jsonl"
    nameless = [{k: v for k, v in row.items() if k != "account_id"} for row in rows() if row["account_id"] == HOSTILE]
    write_log(log, nameless)
    assert call("score", log, "--case", tmp_path / "case", "--account-from", "constant=tenant", "-q").code == 0
    told = json.loads((tmp_path / "case" / "run.json").read_text())["configuration"]
    assert (told["account_from"], told["log_format"], told["mappings"]) == ("constant=tenant", None, [])
    assert "write to [e-mail]" in call("explain", tmp_path / "case", "tenant", "--show-text").out


def test_a_log_that_has_changed_is_not_read(tmp_path, call):
    log = tmp_path / "log.jsonl"
    write_log(log, rows())
    case = make_case(tmp_path / "case", [log])
    log.write_bytes(log.read_bytes().replace(b"write to", b"WRITE TO"))
    ran = call("explain", case.folder, "shard-0", "--show-text")
    assert ran.code == 3
    assert "changed" in ran.err
    assert call("explain", case.folder, "shard-0", "--show-text", "--logs", log).code == 3
    assert call("explain", case.folder, "shard-0").code == 0, "all but text is in the case"


@pytest.mark.parametrize("name", [layout.STREAMS, layout.ACCOUNTS, layout.PROMPTS, layout.EVIDENCE])
def test_a_damaged_case_is_no_traceback(made, copy, call, name):
    size = (copy / name).stat().st_size
    (copy / name).write_bytes(b"x" * size)
    assert call("explain", copy, "shard-0").code == 3
    whole = (made.folder / name).read_bytes()
    (copy / name).write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    assert call("explain", copy, "shard-0").code == 3
    (copy / name).unlink()
    assert call("explain", copy, "shard-0").code == 3


def test_an_account_without_prompts(tmp_path):
    write_log(
        tmp_path / "log",
        [{"timestamp": i, "account_id": "a", "model": "m"} for i in range(1_772_000_000, 1_772_000_003)],
    )
    case = open_case(make_case(tmp_path / "case", [tmp_path / "log"]).folder)
    document = explain(case, find_account(case, "a", None))
    jsonschema.Draft202012Validator(schemas.schema("explain")).validate(document)
    assert (document["streams"], document["curve"], document["clusters"]) == ([], [], [])
    with pytest.raises(InputError):
        open_case(tmp_path)
