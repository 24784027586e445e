"""What findings are called from night to night, which campaign is which, and that each event is given once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from night_help import lines, night, nights, one_run, results, rows, tree

from extractscan.case.read import open_case
from extractscan.report import schemas
from extractscan.standing.events import events
from extractscan.standing.identity import trace
from extractscan.standing.spool import stage
from extractscan.standing.states import CHANGES, follow, from_bytes, to_bytes

ALL = nights(rows(4))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Findings with a campaign and accounts, to change at will."""
    folder = tmp_path_factory.mktemp("found")
    (folder / "a.jsonl").write_text(lines(rows(4)))
    done = night(folder / "case", folder / "a.jsonl")
    campaign, account = done.found.campaigns[0], done.found.accounts[0]
    assert campaign.severity != "none"
    return replace(done.found, campaigns=(campaign,), accounts=(account,))


def with_(found, members=None, **changed):
    campaign = replace(found.campaigns[0], **changed)
    if members is not None:
        campaign = replace(campaign, accounts=tuple(members), campaign_id="c-" + members[0])
    return replace(found, campaigns=(campaign,), accounts=())


def said(standings, night_):
    """Events of a night without what is of no interest here."""
    return [(e["state"], e["id"], e["severity"], e["bits"]) for e in events(standings, night_, "0" * 64)]


def test_new_risen_unchanged_fallen_closed_and_new_again(found):
    members = [f"m{i}" for i in range(6)]
    story = [
        ("medium", 5.5),
        ("medium", 6.0),
        ("medium", 6.6),
        ("high", 7.2),
        ("high", 7.9),
        ("medium", 6.9),
        ("none", 1.0),
    ]
    states, standings, told = [], [], []
    for number, (severity, bits) in enumerate(story, 1):
        standings = follow(standings, with_(found, members, severity=severity, bits=bits), number)
        assert from_bytes(to_bytes(standings, number, "0" * 64), "it") == standings
        states.append(standings[0].state)
        told += said(standings, number)
    # Half a bit a night is nothing; that it has come to more than one bit since it was new is said.
    assert states == ["new", "unchanged", "risen", "risen", "unchanged", "fallen", "closed"]
    assert [state for state, *_ in told] == ["new", "risen", "risen", "fallen", "closed"]
    standings = follow(standings, with_(found, members), 8)
    assert (standings[0].state, standings[0].key, standings[0].since) == ("new", "c-m0", 1)


def test_a_campaign_keeps_its_id_as_members_come_and_go(found):
    standings = follow([], with_(found, ["m1", "m2", "m3", "m4"]), 1)
    assert standings[0].key == "c-m1"
    standings = follow(standings, with_(found, ["m0", "m2", "m3", "m4", "m5"]), 2)
    assert (standings[0].key, standings[0].in_results, standings[0].state) == ("c-m1", "c-m0", "risen")
    assert (standings[0].joined, standings[0].left) == (("m0", "m5"), ("m1",))
    standings = follow(standings, with_(found, ["m0", "m2", "m3"]), 3)
    assert (standings[0].key, standings[0].state, standings[0].left) == ("c-m1", "fallen", ("m4", "m5"))


def test_merges_and_splits_are_said():
    merged = trace({"a": {"1", "2", "3"}, "b": {"4", "5"}}, {"a", "b"}, {"x": {"1", "2", "3", "4", "5"}})
    assert (merged.lasting, merged.merged_into, merged.split_from) == ({"x": "a"}, {"b": "a"}, {})
    split = trace({"a": {"1", "2", "3", "4", "5"}}, {"a"}, {"x": {"1", "2"}, "y": {"3", "4", "5"}})
    assert (split.lasting, split.split_from, split.merged_into) == ({"x": "x", "y": "a"}, {"x": "a"}, {})
    # The id of the results is taken by another campaign: one is made of the members.
    taken = trace({"x": {"8", "9"}}, {"x"}, {"x": {"1", "2"}})
    assert taken.lasting["x"] not in ("x", "")


GROUPS = st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("0123456789"), min_size=1), max_size=5)


@given(GROUPS, GROUPS, st.randoms())
def test_lasting_ids_are_unique_and_hang_on_no_order(earlier, tonight, dice):
    lineage = trace(earlier, set(earlier), tonight)
    assert lineage.lasting.keys() == tonight.keys()
    assert len(set(lineage.lasting.values())) == len(tonight)
    shuffled = [list(group.items()) for group in (earlier, tonight)]
    for items in shuffled:
        dice.shuffle(items)
    assert trace(dict(shuffled[0]), set(earlier), dict(shuffled[1])) == lineage
    for old in earlier.keys() - set(lineage.lasting.values()):
        assert old not in lineage.split_from
    same = trace(tonight, set(tonight), tonight)
    if len({frozenset(g) for g in tonight.values()}) == len(tonight):
        kept = sum(same.lasting[key] == key for key in tonight)
        disjoint = all(not (a & b) for x, a in tonight.items() for y, b in tonight.items() if x < y)
        assert kept == len(tonight) or not disjoint


def test_states_and_events_are_what_the_schemas_say_and_results_do_not_hang_on_them(tmp_path):
    (tmp_path / "logs").mkdir()
    validators = {
        name: jsonschema.Draft202012Validator(schemas.schema(name)) for name in ("event", "states", "standing")
    }
    given_ids = []
    for number, some in enumerate(ALL, 1):
        (tmp_path / "logs" / f"{number}.jsonl").write_text(lines(some))
        done = night(tmp_path / "case", tmp_path / "logs")
        validators["standing"].validate(json.loads((tmp_path / "case" / "standing.json").read_text()))
        validators["states"].validate(json.loads((tmp_path / "case" / done.pointer.states_path).read_text()))
        spooled = tmp_path / "case" / "spool" / f"{number:06}.jsonl"
        for line in spooled.read_text().splitlines() if spooled.exists() else ():
            event = json.loads(line)
            validators["event"].validate(event)
            assert (event["state"] in CHANGES, event["night"]) == (True, number)
            given_ids.append(event["event_id"])
    assert given_ids
    assert len(set(given_ids)) == len(given_ids)
    assert results(tmp_path / "case", done) == one_run(tmp_path / "one", tmp_path / "logs")


def test_events_that_waited_when_a_run_was_stopped_are_given_once(tmp_path):
    (tmp_path / "a.jsonl").write_text(lines(rows(4)))
    case = tmp_path / "case"
    night(case, tmp_path / "a.jsonl")
    before = tree(case / "spool")
    (name,) = before
    stage(case, 1, before[name].decode())  # as if it had been stopped after the pointer was renamed
    (case / "spool" / name).unlink()
    stage(case, 2, "of a night that never came to hold\n")
    night(case, tmp_path / "a.jsonl")
    assert tree(case / "spool") == before
    (case / "spool" / name).unlink()  # forwarded, and deleted
    night(case, tmp_path / "a.jsonl")
    assert tree(case / "spool") == {}


def test_what_is_allowed_has_no_state_and_is_in_the_results(found, tmp_path):
    (tmp_path / "a.jsonl").write_text(lines(rows(4)))
    first = night(tmp_path / "case", tmp_path / "a.jsonl")
    assert {s.state for s in first.standings} == {"new"}
    done = night(
        tmp_path / "case", tmp_path / "a.jsonl", shown=lambda all_, _: replace(all_, campaigns=(), accounts=())
    )
    assert {s.state for s in done.standings} == {"closed"}
    assert open_case(tmp_path / "case").campaigns()
    shutil.rmtree(tmp_path / "case")
