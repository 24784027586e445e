from __future__ import annotations

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from extractscan.cli.simulate import simulate
from extractscan.errors import UsageError
from extractscan.simulate.registry import ARCHETYPES

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(simulate)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name the folder"),
        (("out", "--attacks", "hydra_cott"), "did you mean hydra_cot?"),
        (("out", "--benign", "qqqq"), "known: real_person"),
        (("out", "--benign", "hydra_cot"), "unknown name"),
        (("out", "--languages", "fr"), "unknown name 'fr'"),
        (("out", "--languages", ""), "at least one language"),
        (("out", "--attacks", "none", "--benign", "none"), "nothing to write"),
        (("out", "--cover-share", "0.95"), "--cover-share must be from 0.0 to 0.9"),
        (("out", "--cover-share", "nan"), "--cover-share must be"),
        (("out", "--requests", "0"), "--requests must be from 1"),
        (("out", "--days", "-3"), "--days must be"),
        (("out", "--seed", "-1"), "--seed must be"),
        (("out", "--start", "yesterday"), "--start must be a day"),
        (("out", "--start", "9999-12-30"), "--start must be a day"),
    ],
)
def test_usage_errors(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_writes_a_log(tmp_path):
    out = tmp_path / "deep" / "log"
    result = run(
        out, "--requests", 500, "--attacks", "replay", "--benign", "pipelines,real-person", "--languages", "en,Spanish"
    )
    assert result.exception is None
    assert result.stdout == ""
    assert "wrote" in result.stderr
    truth = pl.read_csv(out / "labels.csv")
    assert {"replay", "real_person", "pipeline_sql"} <= set(truth["archetype"])
    assert pl.read_parquet(out / "requests.parquet").height == pytest.approx(500, rel=0.4)
    assert isinstance(run(out, "--requests", 50).exception, UsageError)
    again = run(out, "--requests", 50, "--attacks", "none", "--benign", "ci_tests", "--clobber", "--quiet")
    assert again.exception is None
    assert again.stderr == ""


def test_list():
    result = run("--list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == len(ARCHETYPES)
    assert all(known.description in line for known, line in zip(ARCHETYPES.values(), lines, strict=True))


def test_start_and_days(tmp_path):
    run(tmp_path / "a", "--requests", 100, "--days", 2, "--start", "2025-01-31", "--attacks", "none")
    times = pl.read_parquet(tmp_path / "a" / "requests.parquet")["timestamp"].dt.date()
    assert {str(day) for day in times.unique()} <= {"2025-01-31", "2025-02-01"}
