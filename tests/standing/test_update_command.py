"""The command: what it prints in every format, what it takes, its exit codes; and that other commands read a standing case."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace

import jsonschema
import pyarrow.parquet as pq
import pytest
from night_help import lines, night, nights, rows, tree

from extractscan.cli.main import run
from extractscan.errors import InputError, UsageError
from extractscan.report import night_words as words
from extractscan.report import schemas
from extractscan.report.interface import Format
from extractscan.standing.options import reading
from extractscan.standing.pointer import read_pointer

HOSTILE = "evil\x1b[31m\u202e=cmd|'/c'!A1[/]<script>"
DAYS = [
    [{**row, "account_id": HOSTILE} if row["account_id"] == "shard-3" else row for row in day]
    for day in nights(rows(4))
]


@pytest.fixture
def call(monkeypatch, capfdbinary):
    """The command without the cost of a process."""

    def called(*arguments):
        monkeypatch.setattr(sys, "argv", ["extractscan", *map(str, arguments)])
        monkeypatch.delenv("EXTRACTSCAN_DEBUG", raising=False)
        capfdbinary.readouterr()
        code = 0
        try:
            run()
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        text = err.decode()
        assert "Traceback" not in text
        assert "internal error" not in text, text
        assert text.replace("\n", "").isprintable()
        return SimpleNamespace(code=code, raw=out, out=out.decode(errors="replace"), err=text)

    return called


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """A case after one night, with the logs of two; there is a finding that rises on the second."""
    top = tmp_path_factory.mktemp("command")
    (top / "logs").mkdir()
    (top / "logs" / "0.jsonl").write_text(lines(DAYS[0]))
    night(top / "case", top / "logs")
    for number in (1, 2, 3):
        (top / "logs" / f"{number}.jsonl").write_text(lines(DAYS[number]))
    return top


@pytest.fixture
def case(second, tmp_path):
    shutil.copytree(second / "case", tmp_path / "case")
    return tmp_path / "case"


@pytest.mark.parametrize("form", [f.value for f in Format])
def test_the_digest_in_every_format(second, case, call, form):
    ran = call("update", case, second / "logs", "-f", form, "--only", "new", "--only", "risen", "--only", "unchanged")
    assert ran.code == 0
    assert "night 2 of" in ran.err
    if form != "parquet":
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
        assert "<script>" not in ran.out.split("<main>")[-1].split("</main>")[0] or form not in ("html", "markdown")
    match form:
        case "json":
            document = json.loads(ran.out)
            jsonschema.Draft202012Validator(schemas.schema("night")).validate(document)
            assert HOSTILE in {entry["id"] for entry in document["accounts"]}
            assert document["delivered"]["new"] == 3
        case "jsonl":
            validator = jsonschema.Draft202012Validator(schemas.schema("event"))
            entries = [json.loads(line) for line in ran.out.splitlines()]
            for entry in entries:
                validator.validate(entry)
            assert [entry["kind"] for entry in entries][:2] == ["campaign", "account"]
        case "csv":
            table = list(csv.DictReader(io.StringIO(ran.out)))
            assert {row["state"] for row in table} <= {"new", "risen", "unchanged"}
        case "parquet":
            table = pq.read_table(io.BytesIO(ran.raw)).to_pylist()
            assert HOSTILE in {row["id"] for row in table}
        case "ocsf":
            events = [json.loads(line) for line in ran.out.splitlines()]
            assert {event["activity_name"] for event in events} <= {"Create", "Update"}
            assert len({event["metadata"]["uid"] for event in events}) == len(events)
        case "stix":
            assert json.loads(ran.out)["type"] == "bundle"
        case _:
            assert "Night 2" in ran.out
            assert "Campaigns" in ran.out


def test_ocsf_of_what_closes(second, case, call):
    done = call("update", case, second / "logs", "-f", "ocsf", "--spool", "ocsf", "-q")
    assert done.code == 0
    spooled = (case / "spool" / "000002.jsonl").read_text()
    assert sorted(spooled.splitlines()) == sorted(done.out.splitlines())
    jumped = [{**row, "timestamp": str(row["timestamp"]).replace("2026-03", "2026-06")} for row in DAYS[0]]
    jumped = [{**row, "request_id": f"j{number}", "account_id": f"other-{number}"} for number, row in enumerate(jumped)]
    later = case.parent / "later.jsonl"
    later.write_text(lines(jumped))
    done = call("update", case, later, "-f", "ocsf", "--window", "30d", "--only", "closed", "-q")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert events
    for event in events:
        assert (event["activity_id"], event["type_uid"], event["status"]) == (3, 200403, "No longer found")
    subjects = {event["finding_info"]["uid"] for event in events}
    assert subjects >= {json.loads(line)["finding_info"]["uid"] for line in spooled.splitlines()}
    assert call("verify", case).code == 0


def test_only_and_fail_on_look_at_the_same(second, case, call):
    ran = call("update", case, second / "logs", "--only", "new", "--fail-on", "high", "-f", "json", "-q")
    document = json.loads(ran.out)
    worst = {entry["severity"] for entry in document["campaigns"] + document["accounts"]}
    assert ran.code == (1 if "high" in worst else 0)
    quiet = call("update", case, second / "logs", "--fail-on", "low", "-q")
    assert (quiet.code, quiet.out) == (0, "")  # nothing is new, nothing has risen
    again = call("update", case, second / "logs", "--fail-on", "low")
    assert again.code == 0
    assert "No finding is new or risen or fallen or closed." in again.out
    assert call("update", case, second / "logs", "--only", "unchanged", "--fail-on", "low", "-q").code == 1
    assert call("update", case, second / "logs", "--full", "--fail-on", "low", "-q").code == 1


def test_the_full_report_is_that_of_score(second, case, call):
    ran = call("update", case, second / "logs", "--full", "-f", "json", "-q")
    assert ran.out == call("score", second / "logs", "-f", "json", "-q").out


def test_other_commands_read_a_standing_case(second, case, call, tmp_path):
    call("update", case, second / "logs", "-q")
    call("score", second / "logs", "--case", tmp_path / "one", "-q")
    ran = call("explain", case, "shard-1")
    assert (ran.code, "shard-1" in ran.out) == (0, True)
    shown = call("explain", case, "shard-1", "--show-text")
    assert "Think step by step" in shown.out
    for command in ("campaigns", "clusters", "timeline"):
        ours, theirs = call(command, case, "-f", "csv"), call(command, tmp_path / "one", "-f", "csv")
        assert (ours.code, ours.out) == (0, theirs.out)
    ran = call("diff", tmp_path / "one", case)
    assert (ran.code, "No finding has changed" in ran.out) == (0, True)
    ran = call("verify", case, second / "logs")
    assert (ran.code, "Nothing has changed" in ran.out) == (0, True)
    before = tree(case)
    ran = call("campaigns", case, "-o", case / "nights" / "x.csv", "-f", "csv")
    assert ran.code == 2
    assert tree(case) == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--window", "30"], 2, "30d, 72h or 4w"),
        (["--window", "0d"], 2, "30d, 72h or 4w"),
        (["--window", "3d", "--keep", "2d"], 2, "shorter than --window"),
        (["--keep", "2d"], 2, "needs --window"),
        (["--full", "--only", "new"], 2, "choose one"),
        (["--column", "prompt=text"], 2, "begun with"),
        (["--log-format", "litellm-spendlogs"], 2, "begun with"),
        (["--account-from", "constant=me"], 2, "begun with"),
        (["--mapping", "nowhere.toml"], 2, "cannot be read"),
        (["--allow", "nowhere.toml"], 2, "nowhere.toml"),
        (["--only", "old"], 2, "old"),
        (["-f", "xml"], 2, "xml"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_what_it_does_not_take(second, case, call, arguments, code, says):
    before = {name: data for name, data in tree(case).items() if name != "lock"}
    ran = call("update", case, second / "logs", *arguments)
    assert (ran.code, says in ran.err) == (code, True), ran.err
    assert {name: data for name, data in tree(case).items() if name != "lock"} == before


def test_too_many_bad_rows_leave_the_case_as_it_was(second, case, call, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text(lines(DAYS[1]) + "no json\n" * 20)
    before = {name: data for name, data in tree(case).items() if name != "lock"}
    ran = call("update", case, bad, "--max-bad-rows", "1%")
    assert (ran.code, "bad.jsonl" in ran.err) == (3, True)
    assert {name: data for name, data in tree(case).items() if name != "lock"} == before
    assert call("update", case, bad, "-q").code == 0


def test_a_column_is_kept(call, tmp_path):
    log = tmp_path / "a.jsonl"
    renamed = [{"who": row["account_id"], **{k: v for k, v in row.items() if k != "account_id"}} for row in DAYS[0]]
    log.write_text(lines(renamed))
    assert call("update", tmp_path / "case", log, "--column", "account_id=who", "-q").code == 0
    log.write_text(lines(renamed) + lines([{**renamed[0], "request_id": "x"}]))
    ran = call("update", tmp_path / "case", log)
    assert (ran.code, "1 file that grew; 1 request read." in ran.out) == (0, True), ran.out


def test_a_mapping_may_be_moved_and_not_changed(second, tmp_path):
    was, moved = tmp_path / "m.toml", tmp_path / "moved.toml"
    was.write_text("name = 'mine'")
    none = {"columns": {}, "log_format": None, "account_from": None}
    begun = reading(None, mappings=[str(was)], **none)
    held = replace(read_pointer(second / "case"), reading=begun.document())
    assert reading(held, mappings=[], **none) == begun
    was.rename(moved)
    with pytest.raises(UsageError, match="cannot be read"):
        reading(held, mappings=[], **none)
    again = reading(held, mappings=[str(moved)], **none)
    assert again.mappings == ((str(moved), begun.mappings[0][1]),)
    assert reading(replace(held, reading=again.document()), mappings=[], **none) == again
    moved.write_text("name = 'other'")
    with pytest.raises(UsageError, match="begun with"):
        reading(held, mappings=[str(moved)], **none)
    moved.rename(was)
    with pytest.raises(InputError, match="not what it was"):
        reading(held, mappings=[], **none)


def test_one_more_account_is_no_more_accounts():
    document = {"accounts": [{}] * 3}
    assert [words.more(document, top) for top in (1, 2, 3, 4)] == ["2 more accounts", "1 more account", "", ""]


def test_an_allowlist_hides_from_the_digest_and_not_from_the_results(second, case, call, tmp_path):
    allow = tmp_path / "allow.toml"
    allow.write_text('[[allow]]\norganisation = "org-shard-1"\nreason = "ours"\nowner = "me"\nexpiry = 2099-01-01\n')
    ran = call(
        "update",
        case,
        second / "logs",
        "--allow",
        allow,
        "-f",
        "json",
        "--only",
        "risen",
        "--only",
        "new",
        "--only",
        "unchanged",
    )
    document = json.loads(ran.out)
    assert "shard-1" not in {entry["id"] for entry in document["accounts"]}
    assert "shard-1" in (case / "nights" / "000002" / "report.json").read_text()
