from __future__ import annotations

import json
import shutil

import jsonschema
import pytest
from case_help import tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractscan.case import layout
from extractscan.case.verify import verify_case
from extractscan.progress import Silent
from extractscan.report import schemas


def verify(folder, *logs, seal=None):
    found = verify_case(folder, [str(log) for log in logs], seal=seal, observer=Silent())
    jsonschema.Draft202012Validator(schemas.schema("verify")).validate(found.document())
    return found


def named(found):
    return [(d.kind, d.subject, d.path) for d in found.differences]


def test_nothing_has_changed(made, log):
    found = verify(made.folder, log, seal=made.seal.upper())
    assert found.intact
    assert (found.files_checked, found.logs_checked, found.seal) == (len(layout.FILES), 1, made.seal)


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_is_named(made, tmp_path, data):
    folder = tmp_path / "case"
    if not folder.exists():
        shutil.copytree(made.folder, folder)
    name = data.draw(st.sampled_from([f for f in layout.FILES if f != layout.QUARANTINE]))
    before = (folder / name).read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    change = data.draw(st.integers(1, 255))
    (folder / name).write_bytes(before[:at] + bytes([before[at] ^ change]) + before[at + 1 :])
    try:
        assert named(verify(folder)) == [("changed", "case", name)]
    finally:
        (folder / name).write_bytes(before)


def test_files_that_are_gone_or_came_are_named(copy):
    (copy / layout.GATES).unlink()
    (copy / "fingerprints" / "more").write_text("x")
    (copy / layout.REPORT).write_bytes(b"")
    assert named(verify(copy)) == [
        ("missing", "case", layout.GATES),
        ("changed", "case", layout.REPORT),
        ("added", "case", "fingerprints/more"),
    ]


def test_a_link_is_not_the_file(copy, made):
    (copy / layout.GATES).unlink()
    (copy / layout.GATES).symlink_to(made.folder / layout.GATES)
    assert named(verify(copy)) == [("missing", "case", layout.GATES)]


def test_a_manifest_written_anew_is_seen_by_the_seal(copy, made):
    run = json.loads((copy / layout.RUN).read_text())
    run["configuration"]["rate"] = 0.5
    (copy / layout.RUN).write_text(json.dumps(run))
    assert named(verify(copy)) == [("changed", "case", layout.RUN)]
    assert len(verify(copy, seal=made.seal).differences) == 2
    run["files"] = [f for f in run["files"] if f["path"] != layout.GATES]
    (copy / layout.RUN).write_text(json.dumps(run))
    assert ("added", "case", layout.GATES) in named(verify(copy))


def test_logs_are_known_by_content(made, log, tmp_path):
    (tmp_path / "moved.jsonl").write_bytes(log.read_bytes())
    assert verify(made.folder, tmp_path / "moved.jsonl").intact
    (tmp_path / "readme.txt").write_text("no log")
    inside = verify(made.folder, tmp_path)
    assert inside.intact
    assert [p.rsplit("/", 1)[1] for p in inside.unread] == ["readme.txt"]
    other = tmp_path / "other" / log.name
    other.parent.mkdir()
    other.write_bytes(log.read_bytes()[:-1])
    assert named(verify(made.folder, other)) == [("changed", "log", str(other))]
    assert [d[0] for d in named(verify(made.folder, tmp_path / "readme.txt"))] == ["missing", "added"]


@pytest.mark.parametrize("form", ["table", "json"])
def test_the_command(made, copy, log, call, form, tmp_path):
    good = call("verify", made.folder, log, "--format", form)
    assert good.code == 0
    (copy / layout.EVIDENCE).write_bytes(b"\x1b[31m")
    bad = call("verify", copy, "--format", form, "-o", tmp_path / "found")
    assert (bad.code, bad.out) == (1, "")
    assert layout.EVIDENCE in (tmp_path / "found").read_text()
    assert call("verify", made.folder, "--seal", "nonsense").code == 2
    assert call("verify", made.folder, "-o", made.folder / "x").code == 2
    assert call("verify", made.folder, "-").code == 3
    assert call("verify", made.folder, "/no/such/log").code == 3
    assert layout.RUN in tree(made.folder)
