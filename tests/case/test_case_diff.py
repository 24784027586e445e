from __future__ import annotations

import csv
import io
import json

import jsonschema
import pytest
from case_help import make_case, rows, write_log
from hypothesis import given
from hypothesis import strategies as st

from extractscan.case.diff import _change, _continued, diff
from extractscan.case.read import open_case
from extractscan.report import schemas
from extractscan.verdict.findings import SEVERITIES


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """Two shards gone, one came, people as before."""
    folder = tmp_path_factory.mktemp("later")
    some = [r for r in rows() if r["account_id"] not in ("shard-0", "shard-1")]
    some = [{**r, "account_id": "shard-new"} if r["account_id"] == "shard-2" else r for r in some]
    write_log(folder / "log.jsonl", some)
    return make_case(folder / "case", [folder / "log.jsonl"])


def test_a_case_does_not_differ_from_itself(made):
    case = open_case(made.folder)
    document = diff(case, case)
    assert (document["accounts"], document["campaigns"], document["remarks"]) == ([], [], [])
    assert document["unchanged_accounts"] == sum(a.severity != "none" for a in made.findings.accounts)


def test_what_became_of_shards(made, later):
    document = diff(open_case(made.folder), open_case(later.folder))
    jsonschema.Draft202012Validator(schemas.schema("diff")).validate(document)
    changes = {a["account_id"]: a["change"] for a in document["accounts"]}
    assert changes["shard-new"] == "new"
    assert [changes[f"shard-{i}"] for i in (0, 1, 2)] == ["gone"] * 3
    [campaign] = document["campaigns"]
    assert campaign["old_id"] != campaign["new_id"]
    assert (campaign["joined"], campaign["left"]) == (["shard-new"], ["shard-0", "shard-1", "shard-2"])
    back = diff(open_case(later.folder), open_case(made.folder))
    swapped = {"new": "gone", "gone": "new", "risen": "fallen", "fallen": "risen"}
    assert {a["account_id"]: swapped[a["change"]] for a in back["accounts"]} == changes


GRADE = st.sampled_from(SEVERITIES)
STANDING = st.none() | st.builds(lambda s, b: {"severity": s, "bits": b}, GRADE, st.floats(0, 20))


@given(STANDING, STANDING, st.floats(0, 3))
def test_changes_are_mirrored(was, now, least):
    mirror = {"new": "gone", "gone": "new", "risen": "fallen", "fallen": "risen", None: None}
    assert mirror[_change(was, now, least)] == _change(now, was, least)


MEMBERS = st.lists(st.sets(st.sampled_from("abcdefgh"), min_size=1), max_size=4)


@given(MEMBERS, MEMBERS)
def test_every_campaign_is_paired_at_most_once(old, new):
    def disjoint(sets):
        taken, out = set(), []
        for some in sets:
            if some - taken:
                out.append({"accounts": sorted(some - taken)})
            taken |= some
        return out

    was, now = disjoint(old), disjoint(new)
    pairs = list(_continued(was, now))
    assert [p[0] for p in pairs if p[0]] == was
    assert sorted(str(p[1]) for p in pairs if p[1]) == sorted(map(str, now))
    for a, b in pairs:
        if a in now:
            assert a == b, "the same members are the same campaign"


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_the_command(made, later, call, form):
    ran = call("diff", made.folder, later.folder, "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert "shard-new" in ran.out
    if form == "csv":
        assert len(list(csv.DictReader(io.StringIO(ran.out)))) == len(
            diff(open_case(made.folder), open_case(later.folder))["accounts"]
        )
    if form == "jsonl":
        assert all(json.loads(line)["change"] for line in ran.out.splitlines())
    assert call("diff", made.folder, made.folder, "--format", form).code == 0


def test_what_is_refused(made, call, tmp_path):
    assert call("diff", made.folder, tmp_path).code == 3
    assert call("diff", made.folder, made.folder, "--least", "-1").code == 2
    assert call("diff", made.folder, made.folder, "--least", "nan").code == 2
    assert call("diff", made.folder, made.folder, "-o", made.folder / "x").code == 2
