"""The target: on a simulated leak the true accounts are found, and nobody else."""

import json
import re
from dataclasses import replace

import jsonschema
import polars as pl
import pytest
from typer.testing import CliRunner

from extractscan.cli.main import app
from extractscan.errors import UsageError
from extractscan.report import schemas
from extractscan.simulate.harvested import Case, harvest
from extractscan.simulate.leak import leak
from extractscan.simulate.settings import Settings

SETTINGS = Settings(
    seed=3,
    requests=8_000,
    languages=("en", "es"),
    attacks=("replay", "hydra_cot", "self_instruct"),
    benign=("real_person", "hobbyist"),
    responses=True,
)
CASE = Case(settings=SETTINGS, harvesters=20, items=2_600, innocents=20, public=300, public_each=10)


def call(*arguments):
    ran = CliRunner().invoke(app, [*map(str, arguments)])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran


def run(*arguments):
    return call("trace", *arguments)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the log, its case, from which tracing is quick, the leak, and a part of the leak, which is quicker still."""
    folder = tmp_path_factory.mktemp("traced")
    harvested = harvest(CASE)
    harvested.log.write_parquet(folder / "log.parquet")
    leaked = leak(harvested.taken, harvested.foreign, items=5_000, seed=3)
    leaked.write_ndjson(folder / "leak.jsonl")
    leaked.head(800).write_ndjson(folder / "part.jsonl")
    call("score", folder / "log.parquet", "--case", folder / "case", "-q", "-f", "json", "-o", folder / "score.json")
    return folder, harvested


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A log of a few hundred requests that takes a moment to read and to score."""
    harvested = harvest(Case(settings=replace(SETTINGS, requests=300), harvesters=2, items=40), foreign=10)
    leaked = tmp_path_factory.mktemp("small") / "leak.jsonl"
    harvested.taken.write_ndjson(leaked)
    return leaked, harvested


@pytest.fixture(scope="module")
def of_log(made):
    """What is traced in the log itself, on one thread."""
    folder, _ = made
    return run(folder / "part.jsonl", folder / "log.parquet", "-f", "jsonl", "-q", "-j", "1").stdout


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("POLARS_MAX_THREADS", "2")


CHANNELS = {"both": (), "prompts": ("response",), "responses": ("prompt",)}


@pytest.fixture(scope="module")
def traced(made):
    """The JSON document for each way to compare."""
    folder, _ = made
    out = {}
    for way, dropped in CHANNELS.items():
        suspect = folder / f"leak-{way}.jsonl"
        pl.read_ndjson(folder / "leak.jsonl").drop("origin", *dropped).write_ndjson(suspect)
        out[way] = json.loads(run(suspect, folder / "case", "-f", "json", "-q").stdout)
    return out


def named(document):
    return {a["account_id"] for a in document["accounts"] if a["source"]}


@pytest.mark.parametrize("way", CHANNELS)
def test_true_accounts_are_found(made, traced, way):
    _, harvested = made
    document = traced[way]
    jsonschema.Draft202012Validator(schemas.schema("trace")).validate(document)
    assert len(named(document) & harvested.true) / len(harvested.true) >= 0.95
    share = document["explained"]["share"]
    assert share["low"] <= share["value"] <= share["high"]
    assert share["value"] == pytest.approx(document["explained"]["items"] / document["data_set"]["items"])
    assert sum(p["items"] for p in document["cover"]) == document["explained"]["items"]
    assert sum(d["items"] for d in document["days"]) == document["explained"]["items"]
    assert all(e["text"] is None for a in document["accounts"] for e in a["examples"])


@pytest.mark.parametrize("way", CHANNELS)
def test_nobody_else_is_named(made, traced, way):
    _, harvested = made
    found = named(traced[way])
    assert len(found & harvested.true) / max(len(found), 1) >= 0.99


def test_other_formats_and_text_only_when_asked(made):
    folder, _ = made
    case, suspect = folder / "case", folder / "part.jsonl"
    lines = run(suspect, case, "-f", "jsonl", "--top", "3", "-q", "-j", "1").stdout.splitlines()
    check = jsonschema.Draft202012Validator(schemas.schema("traced"))
    for line in lines:
        check.validate(json.loads(line))
    assert len(lines) == 3
    shown = json.loads(run(suspect, case, "-f", "jsonl", "--top", "1", "-q", "--show-text").stdout)
    texts = set(pl.read_ndjson(suspect)["prompt"])
    assert all(e["text"] in texts for e in shown["examples"])
    table = run(suspect, case, "-q").stdout
    assert "FEWEST ACCOUNTS" in table
    assert not any(t in table for t in list(texts)[:500] if len(t) > 30)
    rows = run(suspect, case, "-f", "csv", "-q").stdout.splitlines()
    assert rows[0].startswith("rank,account_id,source,asked,campaign_id,way,items,pair,")
    out = folder / "out.csv"
    run(suspect, case, "-f", "csv", "-q", "-o", out)
    assert out.read_text(encoding="utf-8").splitlines() == rows
    with pytest.raises(UsageError, match="files that were read"):
        run(suspect, case, "-q", "-o", suspect, "--clobber")


def test_a_set_that_nobody_took_names_nobody(made):
    folder, harvested = made
    path = folder / "foreign.jsonl"
    harvested.foreign.tail(2_000).write_ndjson(path)
    document = json.loads(run(path, folder / "case", "-f", "json", "-q").stdout)
    assert [a["account_id"] for a in document["accounts"] if a["source"]] == []
    assert document["cover"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--threshold", "0"), "--threshold"),
        (("--alpha", "1"), "--alpha"),
        (("--suspect-column", "promt=x"), "no role"),
        (("--suspect-column", "prompt"), "--suspect-column"),
        (("--raw-text",), "--show-text"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "--since"),
    ],
    ids=["threshold", "alpha", "role", "pair", "raw", "window"],
)
def test_wrong_options_are_named(made, options, said):
    folder, _ = made
    with pytest.raises(UsageError, match=said):
        run(folder / "leak.jsonl", folder / "log.parquet", "-q", *options)


def test_hostile_names_are_neutralised(tmp_path, small):
    leaked, harvested = small
    name = "=cmd\x1b[31m[bold]\u202e"
    true = min(harvested.true)
    harvested.log.with_columns(account_id=pl.col("account_id").replace({true: name})).write_parquet(
        tmp_path / "log.parquet"
    )
    for form in ("table", "csv", "json", "jsonl"):
        text = run(leaked, tmp_path / "log.parquet", "-f", form, "-q", "--top", "60").stdout
        assert "cmd" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert form != "csv" or "'=cmd" in text


def test_times_are_written_as_in_every_other_report(made, of_log):
    account = json.loads(of_log.splitlines()[0])
    whole = json.loads((made[0] / "score.json").read_text(encoding="utf-8"))["run"]["first_seen"]
    pattern = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
    times = [account["first_seen"], account["last_seen"], account["examples"][0]["time"], whole]
    assert all(pattern.fullmatch(time) for time in times)


def test_the_same_in_any_order(made, of_log, tmp_path):
    folder, harvested = made
    harvested.log.sample(fraction=1.0, shuffle=True, seed=4).write_parquet(tmp_path / "log.parquet")
    assert run(folder / "part.jsonl", tmp_path / "log.parquet", "-f", "jsonl", "-q", "-j", "2").stdout == of_log


def test_a_simulated_harvest_knows_its_accounts(small):
    _, harvested = small
    assert len(harvested.true) == 2
    assert set(harvested.taken["account_id"]) == harvested.true


def test_a_case_stands_in_for_its_log(made, of_log):
    folder, _ = made
    suspect, case = folder / "leak.jsonl", folder / "case"
    assert run(folder / "part.jsonl", case, "-f", "jsonl", "-q").stdout == of_log
    window = ("--since", "2026-03-04", "--until", "2026-03-08")
    later = [json.loads(line) for line in run(suspect, case, "-f", "jsonl", "-q", *window).stdout.splitlines()]
    assert any(account["source"] for account in later)
    assert all("2026-03-04" <= account["first_seen"] <= account["last_seen"] < "2026-03-08" for account in later)
    with pytest.raises(UsageError, match="a case was read already"):
        run(suspect, case, "--column", "account_id=customer")
    with pytest.raises(UsageError, match="lie in the case"):
        run(suspect, case, "-o", case / "out.json")


def test_what_cannot_be_read_of_the_set_is_counted_and_named(made, tmp_path):
    folder, _ = made
    good = (folder / "leak.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    suspect = tmp_path / "leak.jsonl"
    suspect.write_text("\n".join([*good[:10], '{"prompt": ', *good[10:], "[1]", ""]), encoding="utf-8")
    ran = run(suspect, folder / "case", "-f", "json", "-q")
    (file,) = json.loads(ran.stdout)["data_set"]["files"]
    assert file["bad"] == 2
    assert file["problem"].startswith("line 11")
    assert "line 11" in run(suspect, folder / "case", "-q").stdout


def test_text_is_redacted_unless_asked_for_raw(made, tmp_path):
    folder, harvested = made
    kept = harvested.taken.head(150).with_columns(pl.col("prompt") + " jane.doe@mail.example.org")
    suspect = tmp_path / "leak.csv"
    kept.select("prompt", "response").write_csv(suspect)
    shown = run(suspect, folder / "case", "-f", "jsonl", "-q", "--show-text", "--top", "1").stdout
    assert "[e-mail]" in shown
    assert "jane.doe" not in shown
    raw = run(suspect, folder / "case", "-f", "jsonl", "-q", "--show-text", "--raw-text", "--top", "1").stdout
    assert "jane.doe" in raw
