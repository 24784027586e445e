"""``score --allow``: organisations come from the log; what is hidden does not make the exit code."""

import json

import made_log
from commandline import run
from made_log import jsonl


def test_the_command_hides_counts_and_lists(tmp_path, rows):
    marked = [{**row, "org_id": f"house {row['account_id']}"} for row in rows]
    log = tmp_path / "log.jsonl"
    log.write_bytes(jsonl(marked))
    plain = json.loads(run("score", log, "-f", "json").out)
    flagged = [each for each in plain["accounts"] if each["severity"] != "none"]
    assert flagged
    entries = [
        f'[[allow]]\norganisation = "house {each["account_id"]}"\nreason = "known"\nowner = "o"\nexpiry = 2099-01-01\n'
        for each in flagged
    ]
    allow = tmp_path / "allow.toml"
    allow.write_text("\n".join(entries))
    ran = run("score", log, "-f", "json", "--allow", allow, "--show-allowed", "--fail-on", "low")
    document = json.loads(ran.out)
    assert {each["severity"] for each in document["accounts"]} == {"none"}
    assert document["run"]["allowlist"]["accounts"] == len(flagged)
    shown = {each["subject"] for each in document["run"]["allowlist"]["shown"] if each["kind"] == "account"}
    assert shown == {each["account_id"] for each in flagged}
    assert ran.code == (1 if document["campaigns"] else 0)
    allow.write_text(entries[0].replace("2099", "1999"))
    ran = run("score", log, "-f", "json", "--allow", allow)
    assert "expired on 1999-01-01" in ran.err
    assert len(json.loads(ran.out)["accounts"]) == len(plain["accounts"])


def test_a_frame_hides_the_campaign_that_uses_it(tmp_path, log, call):
    allow = tmp_path / "allow.toml"
    entry = '[[allow]]\nframe = """{}"""\nreason = "the quiz app"\nowner = "o"\nexpiry = 2099-01-01\n'
    allow.write_text(entry.format(made_log.FRAME))
    document = json.loads(call("score", log, "-f", "json", "-q", "--allow", allow, "--show-allowed").out)
    assert document["run"]["allowlist"]["campaigns"] == 1
    hidden = {each["subject"] for each in document["run"]["allowlist"]["shown"]}
    assert set(made_log.HYDRA) <= hidden
    assert made_log.HARVESTER not in hidden
    assert document["campaigns"] == []
    allow.write_text(entry.format("Translate the text below into Swedish and keep all of its headings and numbers."))
    document = json.loads(call("score", log, "-f", "json", "-q", "--allow", allow).out)
    assert document["run"]["allowlist"]["accounts"] == document["run"]["allowlist"]["campaigns"] == 0
    assert document["campaigns"]


def test_a_bad_list_or_a_stray_option_is_a_usage_error(tmp_path, rows):
    log = tmp_path / "log.jsonl"
    log.write_bytes(jsonl(rows))
    assert run("score", log, "--show-allowed").code == 2
    ran = run("score", log, "--allow", tmp_path / "none.toml")
    assert ran.code == 2
    assert "cannot read the allowlist" in ran.err
