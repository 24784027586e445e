"""The command's contract on a log whose senders are known: ranking, formats, options, exit codes and streams."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
from collections import Counter

import jsonschema
import polars as pl
import pytest
from commandline import COMMAND, Ran, environment, polite, run
from made_log import CI, HARVESTER, HYDRA, OUTSIDER, PEOPLE, PIPELINE, jsonl

ACCOUNTS = len(HYDRA) + len(PEOPLE) + len(PIPELINE) + len((OUTSIDER, CI, HARVESTER))


def quiet_success(ran: Ran) -> Ran:
    assert (ran.code, ran.err) == (0, "")
    return ran


# --- what is found ----------------------------------------------------------------------------------------------------


def test_the_hydra_is_one_campaign_and_ranks_first(report):
    accounts = {each["account_id"]: each for each in quiet_success(report("jsonl")).documents()}
    assert len(accounts) == ACCOUNTS
    assert {accounts[name]["campaign_id"] for name in HYDRA} == {accounts[HYDRA[0]]["campaign_id"]} != {None}
    assert {each["account_id"] for each in accounts.values() if each["rank"] <= len(HYDRA)} == set(HYDRA)
    assert {accounts[name]["severity"] for name in HYDRA} == {"high"}
    assert all(len({e["family"] for e in accounts[name]["evidence"] if e["bits"] >= 1}) >= 2 for name in HYDRA)


def test_who_works_or_talks_is_left_alone_and_a_lone_harvester_leads_them(report):
    accounts = {each["account_id"]: each for each in report("jsonl").documents()}
    benign = [*PEOPLE, *PIPELINE, CI]
    assert {accounts[name]["severity"] for name in benign} == {"none"}
    assert {accounts[name]["campaign_id"] for name in benign} == {None}
    assert accounts[HARVESTER]["rank"] < min(accounts[name]["rank"] for name in benign)
    assert accounts[HARVESTER]["campaign_id"] is None


def test_counts_and_times_are_those_of_the_log(report, rows):
    sent = Counter(row["account_id"] for row in rows)
    for each in report("jsonl").documents():
        mine = [row["timestamp"] for row in rows if row["account_id"] == each["account_id"]]
        assert (each["requests"], each["first_seen"], each["last_seen"]) == (
            sent[each["account_id"]], min(mine), max(mine),
        )  # fmt: skip
        assert each["coverage"]["n"] == each["requests"]


# --- formats ----------------------------------------------------------------------------------------------------------


def test_jsonl_is_ranked_and_fits_its_schema(report, call):
    schema = json.loads(call("schema", "account").out)
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    documents = report("jsonl").documents()
    for each in documents:
        check.validate(each)
    assert [each["rank"] for each in documents] == list(range(1, ACCOUNTS + 1))
    scores = [each["score"] for each in documents]
    assert scores == sorted(scores, reverse=True)


def test_json_fits_its_schema_and_says_the_same(report, call, rows, log):
    document = json.loads(quiet_success(report("json")).out)
    jsonschema.Draft202012Validator(json.loads(call("schema", "report").out)).validate(document)
    assert document["accounts"] == report("jsonl").documents()
    (campaign,) = document["campaigns"]
    assert campaign["accounts"] == list(HYDRA)
    assert campaign["campaign_id"] == document["accounts"][0]["campaign_id"]
    run_ = document["run"]
    assert (run_["rows_read"], run_["rows_kept"], run_["accounts"]) == (len(rows), len(rows), ACCOUNTS)
    assert [file["path"] for file in run_["files"]] == [str(log)]
    assert {"one_network", "responses"} <= {each["signal"] for each in run_["not_assessed"]}


def test_csv_and_parquet_hold_the_same_accounts_and_scores(report):
    wanted = [(d["rank"], d["account_id"], d["score"], d["campaign_id"]) for d in report("jsonl").documents()]
    text = quiet_success(report("csv")).out.decode()
    table = list(csv.DictReader(io.StringIO(text)))
    assert [(int(r["rank"]), r["account_id"], float(r["score"]), r["campaign_id"] or None) for r in table] == wanted
    frame = pl.read_parquet(io.BytesIO(quiet_success(report("parquet")).out))
    assert frame.select("rank", "account_id", "score", "campaign_id").rows() == wanted


def test_the_table_names_campaign_accounts_and_reasons_in_ascii_width(report):
    ran = quiet_success(report("table"))
    text = ran.out.decode()
    campaign = report("jsonl").documents()[0]["campaign_id"]
    assert text.index(f" {campaign} ") < text.index(" hydra-")  # campaigns stand above accounts
    for word in (*HYDRA, "HIGH", "even load", "partition", "innocent", "Not assessed", "no error rate is claimed"):
        assert word in text
    assert not any(name in text for name in PEOPLE)
    assert max(map(len, text.splitlines())) <= 120
    assert "\x1b" not in text
    assert text.endswith("\n")


# --- options ----------------------------------------------------------------------------------------------------------


def test_top_shortens_and_fail_on_reports_all_the_same(report, log, call):
    ran = call("score", log, "--format", "jsonl", "--top", 3, "--fail-on", "high", "--quiet")
    assert (ran.code, ran.err) == (1, "")
    assert ran.lines == report("jsonl").lines[:3]
    table = call("score", log, "--top", "1").out.decode()
    assert "hydra" in table
    assert "more accounts with a finding" in table
    assert len(call("score", log, "--format", "csv", "--top", 2).lines) == 3


def test_a_renamed_column_from_standard_input_and_nothing_to_fail_on(rows):
    people = [
        {("customer" if name == "account_id" else name): value for name, value in row.items()}
        for row in rows
        if row["account_id"] in PEOPLE
    ]
    ran = run(
        *("score", "-", "--column", "account_id=customer", "--fail-on", "high", "--format", "jsonl"),
        stdin=jsonl(people),
    )
    assert {each["account_id"] for each in quiet_success(ran).documents()} == set(PEOPLE)


def test_since_and_until_cut_half_open(log, call, rows):
    since, until = "2026-03-04", "2026-03-07T12:00:00+02:00"
    ran = call("score", log, "--since", since, "--until", until, "--format", "json")
    assert ran.code == 0
    document = json.loads(ran.out)
    inside = [row for row in rows if "2026-03-04T" <= str(row["timestamp"]) < "2026-03-07T10:00:00.000000Z"]
    facts = document["run"]
    assert facts["rows_kept"] == len(inside) > 0
    assert facts["rows_outside_window"] == len(rows) - len(inside)
    assert (facts["first_seen"], facts["last_seen"]) == (inside[0]["timestamp"], inside[-1]["timestamp"])
    assert call("score", log, "--since", "2030-01-01").code == 3


def test_an_output_file_is_never_overwritten_by_accident(log, call, report, tmp_path):
    path = tmp_path / "found.jsonl"
    first = call("score", log, "--format", "jsonl", "-o", path)
    assert (first.code, first.out, first.err) == (0, b"", "")
    assert path.read_bytes() == report("jsonl").out
    again = call("score", log, "--format", "csv", "-o", path)
    assert again.code == 2
    assert "--clobber" in again.err
    assert path.read_bytes() == report("jsonl").out
    assert call("score", log, "--format", "csv", "--output", path, "--clobber").code == 0
    assert path.read_bytes() == report("csv").out
    over_the_log = call("score", log, "--format", "jsonl", "-o", log, "--clobber")
    assert over_the_log.code == 2
    assert log.read_bytes().startswith(b'{"request_id"')
    assert [each.name for each in tmp_path.iterdir()] == ["found.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["score"], "LOGS"),
        (["score", "{log}", "--format", "xml"], "jsonl"),
        (["score", "{log}", "--top", "0"], "--top"),
        (["score", "{log}", "--jobs", "-1"], "--jobs"),
        (["score", "{log}", "--fail-on", "none"], "--fail-on"),
        (["score", "{log}", "--since", "yesterday"], "--since"),
        (["score", "{log}", "--until", "9999-12-31T23:59:59-14:00"], "--until"),
        (["score", "{log}", "--since", "2026-03-05", "--until", "2026-03-05"], "before"),
        (["score", "{log}", "--column", "customer"], "account_id=customer"),
        (["score", "{log}", "--column", "acount_id=customer"], "acount_id"),
        (["score", "{log}", "--max-bad-rows", "200%"], "--max-bad-rows"),
        (["score", "{log}", "--max-bad-rows", "many"], "--max-bad-rows"),
        (["score", "{log}", "-o", "{folder}"], "is a folder"),
        (["score", "{log}", "-o", "{folder}/none/x"], "does not exist"),
        (["score", "{log}", "--no-such-option"], "--no-such-option"),
        (["scan", "{log}"], "scan"),
        (["schema", "nothing"], "account"),
    ],
)
def test_usage_errors_give_2_and_say_what_is_wrong(arguments, said, log, tmp_path, call):
    ran = call(*(each.format(log=log, folder=tmp_path) for each in arguments))
    assert (ran.code, ran.out) == (2, b"")
    assert said in ran.err


# --- streams and signals ----------------------------------------------------------------------------------------------


def test_verbose_and_warnings_go_to_standard_error(log, report, tmp_path):
    dirty = tmp_path / "requests.jsonl"
    dirty.write_bytes(b"garbage\n" * 40 + log.read_bytes())
    ran = run("score", dirty, "--verbose", "--format", "jsonl")
    assert ran.out == report("jsonl").out
    assert "warning: 40 of 2," in ran.err
    assert "extractscan: clustering: " in ran.err


@pytest.mark.parametrize(("form", "read"), [("jsonl", 100), ("table", 0)])
def test_a_reader_that_leaves_early_is_no_error(log, form, read):
    with subprocess.Popen(
        [*COMMAND, "score", str(log), "--format", form],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        if read:
            assert process.stdout.read(read).startswith(b'{"schema_version"')
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, b"")


def test_a_full_disk_is_told_and_is_no_traceback(log):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [*COMMAND, "score", str(log)], stdout=full, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert (done.returncode, done.stderr) == (
        4, b"extractscan: cannot write to standard output: No space left on device\n",
    )  # fmt: skip


def test_an_interrupt_gives_130_and_leaves_nothing(log, tmp_path):
    pipe = tmp_path / "requests.fifo"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [*COMMAND, "score", str(pipe), "--format", "jsonl", "-o", str(tmp_path / "found.jsonl")],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    with pipe.open("wb", buffering=0) as feed:  # opens when the command does
        feed.write(log.read_bytes()[:30_000])
        process.send_signal(signal.SIGINT)  # while it waits for more
        out, err = process.communicate(timeout=300)
    ran = polite(Ran(process.returncode, out, err.decode()))
    assert (ran.code, ran.out, ran.err) == (130, b"", "extractscan: interrupted\n")
    assert [each.name for each in tmp_path.iterdir()] == [pipe.name]


def on_a_terminal(*arguments: str, **environ: str) -> str:
    """Standard output of a run whose output, but not its error, is a terminal."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE,
            env=environment(TERM="xterm-256color", **environ),
        )  # fmt: skip
        os.close(theirs)
        text = b""
        while select.select([ours], [], [], 300)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the terminal's other end was closed
                break
            text += part
            if not part:
                break
        _, err = process.communicate(timeout=300)
    finally:
        os.close(ours)
    assert (process.returncode, err) == (0, b"")
    return text.decode()


def test_colour_is_for_terminals_that_want_it(log):
    assert "\x1b[" in on_a_terminal("score", str(log))
    plain = on_a_terminal("score", str(log), NO_COLOR="1")
    assert "\x1b" not in plain
    assert "hydra-00" in plain
