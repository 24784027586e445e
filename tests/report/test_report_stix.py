"""STIX 2.1 bundles: read back strictly by stix2, the same for the same findings, without the clock."""

import json
import sys
from dataclasses import replace

import pytest
from made_up import START, calibrated, campaign, made_up, nothing_found, nothing_read
from test_report_formats import render

from extractscan.errors import UsageError
from extractscan.report.formats import renderer
from extractscan.report.interface import Format
from extractscan.verdict.findings import Findings

stix2 = pytest.importorskip("stix2", reason="the extra stix is not installed")


def objects(findings, **options):
    text = render(findings, Format.STIX, **options)
    stix2.parse(text, allow_custom=False)
    return json.loads(text)["objects"]


def by_type(listed, kind):
    return [each for each in listed if each["type"] == kind]


@pytest.mark.parametrize(
    "findings",
    [made_up(), calibrated(), nothing_found(), nothing_read()],
    ids=["found", "calibrated", "nothing", "empty"],
)
def test_bundles_are_valid_and_complete(findings):
    listed = objects(findings)
    ids = [each["id"] for each in listed]
    assert len(ids) == len(set(ids))
    for each in listed:
        for key, value in each.items():
            if key.endswith(("_ref", "_refs")):
                assert ({value} if isinstance(value, str) else set(value)) <= set(ids)
    assert not by_type(listed, "indicator")


def test_what_a_bundle_holds():
    listed = objects(made_up())
    assert len(by_type(listed, "campaign")) == 2
    assert len(by_type(listed, "note")) == len(by_type(listed, "observed-data")) == 25
    assert len(by_type(listed, "grouping")) == 4  # both campaigns, and the two accounts that are in none
    assert {each["user_id"] for each in by_type(listed, "user-account")} >= {"acct-0024", "lone-harvester"}
    references = [each["external_references"][0]["external_id"] for each in by_type(listed, "attack-pattern")]
    assert sorted(references) == ["AML.T0021", "AML.T0024.002", "AML.T0040"]
    assert len(by_type(listed, "relationship")) == 6
    note = by_type(listed, "note")[0]["content"]
    assert "shared rare frame: +7.25 bits" in note
    assert "innocent explanation: One reseller" in note
    assert len(by_type(objects(made_up(), top=1), "note")) == 3


def test_times_are_of_the_log():
    listed = objects(made_up())
    end = "2026-03-15T23:04:11.250Z"
    assert {each["created"] for each in by_type(listed, "grouping")} == {end}
    assert {each["created"] for each in by_type(listed, "identity") + by_type(listed, "attack-pattern")} == {
        "1970-01-01T00:00:00.000Z"
    }


def test_ids_come_from_content():
    one, again = render(made_up(), Format.STIX), render(made_up(), Format.STIX)
    assert one == again
    run = made_up().run
    other = Findings(replace(run, files=run.files[:1]), made_up().accounts, made_up().campaigns)
    first, second = objects(made_up()), objects(other)
    same = {each["id"] for each in first} & {each["id"] for each in second}
    assert {uid.split("--")[0] for uid in same} == {"identity", "attack-pattern", "user-account"}


def test_extremes():
    odd = campaign(1, "", ["a\ud800", "a\udfff", ""], requests=10**12, first_seen=START, last_seen=START)
    listed = objects(Findings(made_up().run, (), (odd,)))
    assert len(by_type(listed, "user-account")) == 2  # two that differ in nothing that can be written are one
    assert by_type(listed, "observed-data")[0]["number_observed"] == 999_999_999


def test_without_the_package_the_user_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "stix2", None)
    monkeypatch.delitem(sys.modules, "extractscan.report.stix_report", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'extractscan\[stix\]'"):
        renderer(Format.STIX)
