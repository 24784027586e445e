from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from extractscan.cli.evaluate import evaluate
from extractscan.errors import ExtractscanError, InputError, UsageError
from extractscan.report.neutralise import csv_cell

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(evaluate)

RANKED = [
    {"account_id": "a1", "score": 0.9, "severity": "high", "campaign_id": "c1", "evidence": [{"signal": "x"}]},
    {"account_id": "b1", "score": 0.4, "severity": "low", "campaign_id": None, "evidence": []},
    {"account_id": "a2", "score": 0.8, "severity": "medium", "campaign_id": "c1", "evidence": []},
    {"account_id": "b2", "score": 0.1, "severity": "none", "campaign_id": None, "evidence": []},
]
LABELS = "account_id,label,archetype,campaign\na1,1,hydra,h\na2,1,hydra,h\nb1,0,person,\nb2,0,course,\n"


def jsonl(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def failure(*arguments: str) -> ExtractscanError:
    """Give the error that the application turns into one line and an exit code."""
    error = run(*arguments).exception
    assert isinstance(error, ExtractscanError), error
    assert "\n" not in str(error)
    return error


@pytest.fixture
def labels(tmp_path: Path) -> str:
    return write(tmp_path, "labels.csv", LABELS)


def test_all_formats_give_the_same_bytes(tmp_path: Path, labels: str) -> None:
    flat = pl.DataFrame(RANKED).drop("evidence")
    pl.DataFrame(RANKED).write_parquet(tmp_path / "p")
    labelled = pl.read_csv(labels)
    labelled.write_parquet(tmp_path / "lp")
    rankings = [
        write(tmp_path, "jsonl", jsonl(RANKED)),
        write(tmp_path, "reversed", jsonl(RANKED[::-1])),
        write(tmp_path, "bom", "\ufeff\n" + jsonl(RANKED).replace("\n", "\r\n\r\n")),
        write(tmp_path, "json", json.dumps({"run": {}, "accounts": RANKED, "campaigns": []}, indent=2)),
        write(tmp_path, "compact", json.dumps({"run": {}, "accounts": RANKED, "campaigns": []})),
        write(tmp_path, "array", json.dumps(RANKED)),
        write(tmp_path, "csv", flat.write_csv()),
        str(tmp_path / "p"),
    ]
    label_files = [labels, str(tmp_path / "lp"), write(tmp_path, "lj", labelled.write_ndjson())]
    outputs = {run(ranking, labels, "--format", "json").stdout for ranking in rankings}
    outputs |= {run(rankings[0], other, "--format", "json").stdout for other in label_files}
    outputs.add(run("-", labels, "--format", "json", stdin=jsonl(RANKED)).stdout)
    assert len(outputs) == 1
    assert json.loads(outputs.pop())["average_precision"] == 1.0


def test_json_has_a_stable_shape(tmp_path: Path, labels: str) -> None:
    result = run(write(tmp_path, "r", jsonl(RANKED)), labels, "--format", "json")
    assert result.exit_code == 0
    assert result.stderr == ""
    got = json.loads(result.stdout)
    assert list(got) == [
        "schema_version",
        "accounts",
        "average_precision",
        "roc_auc",
        "recall_at_fpr",
        "precision_at",
        "precision_at_attackers",
        "severity",
        "campaign_pairs",
        "archetype_fpr",
        "attack_archetypes",
        "benign_archetypes",
        "worst_benign_archetype",
    ]
    assert got["schema_version"] == "1.0"
    assert [point["fpr"] for point in got["recall_at_fpr"]] == [0.0001, 0.001, 0.01]
    assert [top["k"] for top in got["precision_at"]] == [10, 50, 100]
    assert got["campaign_pairs"] == {"predicted": 1, "true": 1, "both": 1, "precision": 1.0, "recall": 1.0}
    share = {"hits", "total", "rate", "low", "high"}
    assert set(got["recall_at_fpr"][0]["recall"]) == share
    assert set(got["attack_archetypes"][0]) == {"archetype", "accounts", "above_threshold", "medium_or_worse"}


def test_table_names_what_a_reader_looks_for(tmp_path: Path, labels: str) -> None:
    result = run(write(tmp_path, "r", jsonl(RANKED)), labels)
    assert result.exit_code == 0
    for words in (
        "average precision",
        "recall at FPR 0.001",
        "campaign pair recall",
        "hydra",
        "course",
        "Worst benign",
    ):
        assert words in result.stdout
    assert "\x1b" not in result.stdout


def test_unmatched_accounts_are_said_on_stderr(tmp_path: Path, labels: str) -> None:
    rows = [*RANKED[:2], {"account_id": "stranger", "score": 0.5}]
    result = run(write(tmp_path, "r", jsonl(rows)), labels, "--format", "json")
    assert "2 of 4 labelled accounts are not in the ranking" in result.stderr
    assert "1 of 3 ranked accounts have no label" in result.stderr
    counts = json.loads(result.stdout)["accounts"]
    assert (counts["matched"], counts["missing_from_ranking"], counts["without_label"]) == (2, 2, 1)


def test_labels_of_one_class_are_said(tmp_path: Path) -> None:
    ranked = write(tmp_path, "r", jsonl(RANKED))
    only_benign = write(tmp_path, "l", "account_id,label\nb1,0\nb2,0\n")
    assert "no account is labelled as an attack" in run(ranked, only_benign).stderr
    only_attacks = write(tmp_path, "l", "account_id,label,archetype\na1,true,x\n")
    result = run(ranked, only_attacks)
    assert result.exit_code == 0
    assert "no account is labelled as benign" in result.stderr


def test_hostile_names_reach_no_terminal(tmp_path: Path) -> None:
    names = ["[/]\x1b[31mred", "[link=http://x]\u202egnp", ":bomb:\n" + "w" * 500, "\ud800"]
    rows = [{"account_id": f"x{i}", "label": i % 2, "archetype": name} for i, name in enumerate(names)]
    labels = write(tmp_path, "l", jsonl(rows))
    ranked = write(tmp_path, "r", jsonl([{"account_id": row["account_id"], "score": 0.5} for row in rows]))
    for output_format in ("table", "json"):
        result = run(ranked, labels, "--format", output_format)
        assert result.exit_code == 0
        assert not {"\x1b", "\u202e"} & set(result.stdout)
    assert "[/]" in run(ranked, labels).stdout
    assert ":bomb:" in run(ranked, labels).stdout


def test_a_name_that_csv_must_guard_is_still_matched(tmp_path: Path) -> None:
    names = ["=1+1", "a\x1bb", "plain"]
    rows = [{"account_id": name, "score": 0.5} for name in names]
    guarded = pl.DataFrame({"account_id": [csv_cell(name) for name in names], "score": [0.5] * 3})
    labels = write(tmp_path, "l", jsonl([{"account_id": name, "label": 1} for name in names]))
    for ranked in (write(tmp_path, "csv", guarded.write_csv()), write(tmp_path, "jsonl", jsonl(rows))):
        result = run(ranked, labels, "--format", "json")
        assert json.loads(result.stdout)["accounts"]["matched"] == 3
    # Where two names would be written alike, neither is guessed.
    labels = write(tmp_path, "l", jsonl([{"account_id": name, "label": 1} for name in ("a\x1bb", "a\\x1bb", "=1+1")]))
    result = run(write(tmp_path, "csv", guarded.write_csv()), labels, "--format", "json")
    assert json.loads(result.stdout)["accounts"]["matched"] == 2


def test_an_output_without_unicode_gets_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"account_id": f"x{i}", "label": i, "archetype": "\u8bfe\u7a0b" * 30} for i in (0, 1)]
    ranked = write(tmp_path, "r", jsonl([{"account_id": row["account_id"], "score": 0.5} for row in rows]))
    monkeypatch.setenv("COLUMNS", "40")
    result = CliRunner(charset="ascii").invoke(app, [ranked, write(tmp_path, "l", jsonl(rows))])
    assert result.exit_code == 0, result.exception
    assert result.stdout.isascii()
    assert "\\u8bfe" in result.stdout


def test_output_file_and_clobber(tmp_path: Path, labels: str) -> None:
    ranked = write(tmp_path, "r", jsonl(RANKED))
    target = tmp_path / "out.json"
    arguments = (ranked, labels, "--format", "json", "-o", str(target))
    assert run(*arguments).stdout == ""
    first = target.read_bytes()
    assert isinstance(failure(*arguments), UsageError)
    assert run(*arguments, "--clobber").exit_code == 0
    assert target.read_bytes() == first
    assert run(ranked, labels, "-o", str(tmp_path / "out.txt")).exit_code == 0
    assert "hydra" in (tmp_path / "out.txt").read_text()
    assert isinstance(failure(ranked, labels, "-o", str(tmp_path / "no" / "where")), UsageError)


def test_usage_errors(tmp_path: Path, labels: str) -> None:
    assert isinstance(failure("-", "-"), UsageError)
    assert run(write(tmp_path, "r", jsonl(RANKED)), labels, "--format", "yaml").exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("account_id,score\n", "no rows"),
        ("account_id,severity\na1,high\n", "no column score"),
        ("score\n1\n", "no column account_id"),
        ("account_id,score\na1,0.5\na1,0.6\n", "1 accounts more than once"),
        ("account_id,score\na1,0.5\n,0.6\n", "rows without account_id"),
        ("account_id,score\na1,high\n", "no number as score in 1 of 1"),
        ("account_id,score\na1,\n", "no number as score"),
        ("account_id,score\na1,0.5,6,7\n", "not a whole table"),
        ("account_id,score,severity\na1,0.5,critical\n", "none of high, medium, low, none"),
        ("account_id,score\nzz,0.5\n", "no labelled account"),
        (b"\x00\xff\xfe\x80" * 50, "no column account_id"),
        (jsonl(RANKED) + '{"account_id": "half', "line 5 is not a JSON object"),
        (jsonl(RANKED[:1]) + "[1]\n", "line 2 is not a JSON object"),
        ("{broken}\n" + jsonl(RANKED), "line 1 is not a JSON object"),
        ('{"account_id":"a1","score":NaN}\n', "no number as score"),
        ('{"run": {}, "accounts": [', "neither a JSON document"),
        ('{"accounts": [1]}', "account 1 is not a JSON object"),
        ("[" * 100_000, "neither a JSON document"),
        ("{}", "no column account_id"),
        ("[]", "no column account_id"),
        (b"PAR1 and then nothing", "not a whole Parquet file"),
    ],
)
def test_bad_rankings_end_in_one_line(tmp_path: Path, labels: str, content: str | bytes, message: str) -> None:
    error = failure(write(tmp_path, "bad", content), labels)
    assert isinstance(error, InputError)
    assert message in str(error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("account_id,archetype\na1,hydra\n", "no column label"),
        ("account_id,label\na1,maybe\nb1,0\n", "neither 0 nor 1 in 1 of 2"),
        ("account_id,label\na1,\n", "neither 0 nor 1"),
        ("account_id,label\na1,1\na1,0\n", "more than once"),
    ],
)
def test_bad_labels_end_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    error = failure(write(tmp_path, "r", jsonl(RANKED)), write(tmp_path, "bad", content))
    assert isinstance(error, InputError)
    assert message in str(error)


def test_unreadable_files(tmp_path: Path, labels: str) -> None:
    assert isinstance(failure(str(tmp_path / "absent"), labels), InputError)
    assert isinstance(failure(str(tmp_path), labels), InputError)
    assert "\x1b" not in str(failure(str(tmp_path / "\x1b[31m"), labels))


def test_a_parquet_cut_anywhere_ends_in_one_line(tmp_path: Path, labels: str) -> None:
    pl.DataFrame(RANKED).write_parquet(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    for end in range(4, len(data), 97):
        assert isinstance(failure(write(tmp_path, "cut", data[:end]), labels), InputError)


def test_columns_of_the_wrong_kind(tmp_path: Path, labels: str) -> None:
    pl.DataFrame({"account_id": [["a1"]], "score": [{"x": 1}]}).write_parquet(tmp_path / "nested")
    assert isinstance(failure(str(tmp_path / "nested"), labels), InputError)


def test_numbers_as_account_ids_match_across_formats(tmp_path: Path) -> None:
    ranked = write(tmp_path, "r", '{"account_id": 7, "score": 1}\n{"account_id": 8, "score": 0}\n')
    pl.DataFrame({"account_id": [7, 8], "label": [True, False]}).write_parquet(tmp_path / "l")
    result = run(ranked, str(tmp_path / "l"), "--format", "json")
    assert json.loads(result.stdout)["accounts"]["matched"] == 2
