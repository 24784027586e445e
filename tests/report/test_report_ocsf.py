"""OCSF events: valid by the published schema, ATLAS by its published data, the same for the same findings."""

import json
import re
from dataclasses import replace

import pytest
from made_up import calibrated, campaign, made_up, nothing_found, nothing_read
from ocsf import PRESENT, SCHEMA, problems
from test_report_formats import render

from extractscan.report import atlas
from extractscan.report.interface import Format
from extractscan.verdict.findings import Findings, Gate

needs_schema = pytest.mark.skipif(not PRESENT, reason="the published OCSF schema is not beside the repository")
ATLAS = SCHEMA.parent / "ATLAS.yaml"


def events(findings, **options):
    return [json.loads(line) for line in render(findings, Format.OCSF, **options).splitlines()]


@needs_schema
@pytest.mark.parametrize("findings", [made_up(), calibrated()], ids=["plain", "calibrated"])
def test_events_meet_the_published_schema(findings):
    for event in events(findings):
        assert problems(event) == []


@needs_schema
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"severity_id": 7}, "severity_id: 7 is not one of"),
        ({"severity": "Fatal"}, "'Fatal' is not 'High'"),
        ({"time": "now"}, "'now' is no timestamp_t"),
        ({"finding_info": {}}, "uid is required"),
        ({"evidences": [{"name": "x"}]}, "at_least_one"),
        ({"evidences": {}}, "a list where"),
        ({"extra": 1}, "extra is unknown"),
        ({"type_uid": 1}, "wrong type_uid"),
        ({"observables": [{"type_id": 5000}]}, "observable"),
    ],
    ids=["enum", "caption", "type", "required", "constraint", "array", "unknown", "type_uid", "observable"],
)
def test_the_validator_sees_faults(change, complaint):
    found = problems({**events(made_up())[0], **change})
    assert any(complaint.replace("timestamp_t", "long_t") in each or complaint in each for each in found), found


def test_one_event_a_finding_campaigns_first():
    out = events(made_up())
    assert [event["finding_info"]["types"][1] for event in out] == ["campaign"] * 2 + ["account"] * 23
    assert {event["class_uid"] for event in out} == {2004}
    assert [event["severity_id"] for event in out[:2]] == [4, 3]
    assert len(events(made_up(), top=3)) == 5
    assert render(nothing_found(), Format.OCSF) == render(nothing_read(), Format.OCSF) == ""


def test_times_are_those_of_the_log():
    first = events(made_up())[2]
    assert first["start_time"] == 1772327051250
    assert first["time"] == first["end_time"] == first["finding_info"]["last_seen_time"]


def test_an_account_points_to_the_event_of_its_campaign():
    out = events(made_up())
    account = out[2]
    assert account["finding_info"]["related_events"][0]["uid"] == out[0]["metadata"]["uid"]
    alone = next(event for event in out if event["observables"][0]["value"] == "lone-harvester")
    assert "related_events" not in alone["finding_info"]
    assert len({event["metadata"]["uid"] for event in out}) == len(out)


def test_the_id_depends_on_subject_and_logs_alone():
    findings = made_up()
    worse = replace(findings, accounts=tuple(replace(each, bits=99.0) for each in findings.accounts))
    assert [e["metadata"]["uid"] for e in events(findings)] == [e["metadata"]["uid"] for e in events(worse)]
    other = replace(findings, run=replace(findings.run, files=findings.run.files[:1]))
    assert events(findings)[0]["metadata"]["uid"] != events(other)[0]["metadata"]["uid"]


def test_evidence_gates_and_members():
    findings = made_up()
    event = events(replace(findings, campaigns=(replace(findings.campaigns[0], gates=(Gate("g", 0.5, "d"),)),)))[0]
    assert [each["name"] for each in event["evidences"][-6:]] == [
        "shared_rare_frame", "task_variety", "partition", "load_evenness", "response_chaining", "g",
    ]  # fmt: skip
    assert event["evidences"][-2]["data"]["value"] is None
    assert len(event["observables"]) == 24
    anomalies = event["anomaly_analyses"][0]["anomalies"]
    assert anomalies[0] == {
        "observation_parameter": "shared_rare_frame", "observation_type": "frames", "observations": [{"value": "0.9812"}],
    }  # fmt: skip


def test_a_huge_campaign_is_cut_and_counted():
    huge = campaign(1, "c", [f"a{number:05}" for number in range(2500)])
    event = events(Findings(made_up().run, (), (huge,)))[0]
    assert event["unmapped"]["accounts"] == 2500
    assert len(event["observables"]) == 1000
    assert problems(event) == []


def test_attacks_name_atlas():
    attacks = events(made_up())[0]["finding_info"]["attacks"]
    assert attacks[0] == {
        "tactic": {"uid": "AML.TA0010", "name": "Exfiltration"},
        "technique": {"uid": "AML.T0024", "name": "Exfiltration via AI Inference API"},
        "version": "5.6.0",
        "sub_technique": {"uid": "AML.T0024.002", "name": "Extract AI Model"},
    }
    assert len(attacks) == 3


@pytest.mark.skipif(not ATLAS.is_file(), reason="the published ATLAS data is not beside the repository")
def test_atlas_ids_are_as_published():
    text = ATLAS.read_text(encoding="utf-8")
    assert f"\nversion: {atlas.version()}\n" in text
    published = dict(re.findall(r"\n *- id: (AML\.[A-Z0-9.]+)\n *name: ['\"]?(.*?)['\"]?\n", text))
    data = atlas._data()
    named = {**data["tactics"], **data["mitigations"], **{k: v["name"] for k, v in data["techniques"].items()}}
    assert named == {uid: published[uid] for uid in named}
    for uid, entry in data["techniques"].items():
        own = entry.get("parent", uid)
        body = re.search(rf"\n  - id: {re.escape(own)}\n(.*?)\n  - id: ", text, re.DOTALL)[1]
        assert entry["tactic"] in body
        assert uid == own or uid.startswith(f"{own}.")
