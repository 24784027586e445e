"""Settings as a user meets them: which one holds, where it came from, and what is said when one is wrong."""

import json
import re

import pytest

SETTINGS = 'format = "jsonl"\ntop = 3\nmax_bad_rows = 5\n'


@pytest.fixture
def here(tmp_path, monkeypatch):
    import os

    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("EXTRACTSCAN_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_init_show_validate(here, call):
    made = call("config", "init")
    assert (made.code, made.out) == (0, b"")
    assert "extractscan.toml written" in made.err
    assert call("config", "validate").out == b"extractscan.toml: 0 settings, no error\n"
    again = call("config", "init")
    assert again.code == 2
    assert "exists; use --clobber" in again.err
    assert call("config", "init", "--clobber").code == 0
    assert call("config", "init", "-o", "-").out.decode() == (here / "extractscan.toml").read_text()
    shown = call("config", "show")
    assert shown.code == 0
    assert shown.out.decode().startswith("Settings file: extractscan.toml, SHA-256 ")
    assert re.search(r"(?m)^format +\"table\" +default$", shown.out.decode())


def test_show_says_where_each_value_comes_from(here, call, monkeypatch):
    (here / "extractscan.toml").write_text('top = 3\njobs = 2\nbaseline = ["a b.parquet"]\n')
    monkeypatch.setenv("EXTRACTSCAN_JOBS", "4")
    monkeypatch.setenv("EXTRACTSCAN_MAPPING", "x.toml y.toml")
    monkeypatch.setenv("EXTRACTSCAN_FAIL_ON", "")  # empty is not set
    settings = json.loads(call("config", "show", "--format", "json").out)["settings"]
    assert settings["top"] == {"value": 3, "source": "file"}
    assert settings["jobs"] == {"value": 4, "source": "environment"}
    assert settings["mapping"] == {"value": ["x.toml", "y.toml"], "source": "environment"}
    assert settings["baseline"] == {"value": ["a b.parquet"], "source": "file"}
    assert settings["fail_on"] == {"value": None, "source": "default"}
    assert settings["alpha"] == {"value": 0.05, "source": "default"}


def test_variables_that_are_no_settings_are_pointed_out(here, call, monkeypatch):
    monkeypatch.setenv("EXTRACTSCAN_FAILON", "high")
    monkeypatch.setenv("EXTRACTSCAN_JOBS", "2")
    said = "extractscan: warning: EXTRACTSCAN_FAILON in the environment is no setting; did you mean 'EXTRACTSCAN_FAIL_ON'?\n"
    assert call("config", "show").err == said
    (here / "extractscan.toml").write_text("top = 3\n")
    assert call("config", "validate").err == said


def test_flag_over_environment_over_file_over_default(here, call, log, monkeypatch):
    def lines(*more):
        ran = call("score", log, *more)
        assert ran.code == 0
        return ran.lines

    (here / "extractscan.toml").write_text(SETTINGS)
    assert len(lines()) == 3
    monkeypatch.setenv("EXTRACTSCAN_TOP", "2")
    assert len(lines()) == 2
    assert len(lines("--top", "1")) == 1
    (here / "other.toml").write_text('format = "csv"\n')
    assert len(lines("--config", "other.toml")) == 3  # two, and the head
    assert lines("--config", "/dev/null", "-f", "jsonl", "--top", "1")[0].startswith(b"{")
    monkeypatch.setenv("EXTRACTSCAN_CONFIG", "other.toml")
    assert len(lines()) == 3
    monkeypatch.setenv("EXTRACTSCAN_TOP", "none")
    wrong = call("score", log)
    assert wrong.code == 2
    assert "(from the environment: EXTRACTSCAN_TOP)" in wrong.err


def test_a_file_that_nobody_named_is_told_of(here, call, log):
    (here / "extractscan.toml").write_text(SETTINGS)
    assert call("score", log).err.startswith("extractscan: settings from extractscan.toml: max_bad_rows, format, top\n")
    assert "settings from" not in call("score", log, "-q").err
    assert "settings from" not in call("score", log, "--config", "extractscan.toml").err
    assert "settings from" not in call("schema", "--list").err
    (here / "extractscan.toml").write_text("quiet = true\n")  # a file cannot have itself passed over in silence
    assert call("score", log).err == "extractscan: settings from extractscan.toml: quiet\n"
    assert call("score", log, "-q").err == ""


def test_all_errors_at_once_whatever_the_command(here, call, log):
    (here / "extractscan.toml").write_text('top = 0\nfail-on = "high"\n\nformat = "jsn"\n')
    for command in (["score", log], ["inspect", log], ["config", "show"], ["config", "validate"]):
        ran = call(*command)
        assert (ran.code, ran.out) == (2, b"")
        assert ran.err == (
            "extractscan: extractscan.toml has 3 errors:\n"
            "  line 1: top must be a whole number from 1 on, not 0\n"
            "  line 2: unknown setting 'fail-on'; did you mean 'fail_on'?\n"
            "  line 4: format must be one of table, json, jsonl, csv, parquet, markdown, html, ocsf, stix, not 'jsn'; "
            "did you mean 'json'?\n"
        )
    assert call("score", "--help").code == 0


def test_validate_looks_into_the_files_that_are_named(here, call):
    (here / "a.toml").write_text(
        'allow = "none.toml"\nmapping = ["bad.toml"]\naccount_from = "where"\ncolumn = ["x"]\nlog_format = "litelm"\n'
        'memory = "much"\n'
    )
    (here / "bad.toml").write_text("[format]\nname = 3\n")
    ran = call("config", "validate", "a.toml")
    assert ran.code == 2
    starts = [
        "extractscan: a.toml has 6 errors:",
        *(
            f"  line {n}: {key}: "
            for n, key in enumerate(("allow", "mapping", "account_from", "column", "log_format", "memory"), 1)
        ),
    ]
    lines = ran.err.splitlines()
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)


def test_validate_without_a_file(here, call):
    ran = call("config", "validate")
    assert ran.code == 2
    assert "config init" in ran.err


@pytest.mark.parametrize(
    "text",
    [
        b'"\\u001b]0;x\\u0007" = 1\n',
        b"top = \xff\n",
        b"\x1b[2J",
        b"top=1\ntop=2\n",
        b"[[[[",
        b"\x00",
        '"\u202e" = 1'.encode(),
    ],
    ids=range(7),
)
def test_hostile_files_give_messages(here, call, text):
    (here / "extractscan.toml").write_bytes(text)
    ran = call("config", "validate")  # ``call`` holds: no traceback, nothing that steers a terminal
    assert ran.code == 2


def test_a_case_says_what_was_set_and_where(here, call, log):
    (here / "night.toml").write_text(SETTINGS)
    for name, more in (("a", ["--config", "night.toml"]), ("b", ["-f", "jsonl", "--max-bad-rows", "5"])):
        assert call("score", log, "--case", name, *more).code == 0
    held = json.loads((here / "a" / "invocation.json").read_text())
    assert held["settings_file"]["path"] == "night.toml"
    assert len(held["settings_file"]["sha256"]) == 64
    assert held["settings"]["top"] == {"value": 3, "source": "file"}
    assert held["settings"]["alpha"] == {"value": 0.05, "source": "default"}
    other = json.loads((here / "b" / "invocation.json").read_text())
    assert other["settings_file"] is None
    assert other["settings"]["format"] == {"value": "jsonl", "source": "command line"}
    # What decides the result is in run.json, and is the same whoever set it.
    assert (here / "a" / "run.json").read_bytes() == (here / "b" / "run.json").read_bytes()
    assert json.loads((here / "a" / "run.json").read_text())["configuration"]["max_bad_rows"] == 5


def test_how_logs_are_read_is_no_matter_for_a_case(here, call, log):
    assert call("score", log, "--case", "case", "-q", "-f", "csv", "-o", "report.csv").code == 0
    (here / "extractscan.toml").write_text('log_format = "table"\nmax_bad_rows = 5\n')
    suspect = here / "suspect.jsonl"
    suspect.write_text('{"prompt": "what is the answer to everything"}\n')
    assert call("trace", suspect, "case").code == 0
    wrong = call("trace", suspect, "case", "--log-format", "table")
    assert wrong.code == 2
    assert "a case was read already" in wrong.err


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def test_messages_as_lines_of_json(here, call, log):
    ran = call("score", log, "--messages", "json", "-f", "jsonl")
    assert ran.code == 0
    stages = [event for event in events(ran.err) if event["event"] == "stage"]
    assert [event["stage"] for event in stages][:2] == ["read", "clustering"]
    for event in stages:
        assert event["level"] == "info"
        assert event["seconds"] >= 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
    assert call("score", log, "--messages", "json", "-q", "-f", "jsonl").err == ""
    bad = here / "bad.jsonl"
    bad.write_bytes(b"\x1b[2J\n" + log.read_bytes())
    warned = [event for event in events(call("score", bad, "--messages", "json").err) if event["level"] == "warning"]
    assert all(event["event"] == "warning" for event in warned)


@pytest.mark.parametrize(
    "command", [["score", "none.parquet"], ["score", "--top", "x"], ["scroe"], ["config", "validate", "none"]]
)
def test_errors_are_lines_of_json_too(here, call, monkeypatch, command):
    monkeypatch.setenv("EXTRACTSCAN_MESSAGES", "json")
    ran = call(*command)
    assert ran.code in (2, 3)
    (event,) = events(ran.err)
    assert (event["level"], event["event"]) == ("error", "error")
    assert event["message"]
