import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from extractscan.cli.power import KINDS as NAMES
from extractscan.cli.power import power
from extractscan.errors import UsageError
from extractscan.power.kinds import KINDS

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(power)
QUICK = ("--accounts", "3", "--requests", "12", "--cover", "0", "--kinds", "sweep", "--repeats", "1")


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("POLARS_MAX_THREADS", "2")  # as the command sets it; taken back after the test


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--accounts", "5,x"), "--accounts"),
        (("--accounts", "0"), "--accounts"),
        (("--requests", ""), "--requests"),
        (("--cover", "0,1"), "--cover"),
        (("--cover", "nan"), "--cover"),
        (("--kinds", "framed,other"), "other"),
        (("--spread", "-1"), "--spread"),
        (("--spread", "nan"), "--spread"),
        (("--accounts", ",".join(map(str, range(1, 300)))), "places"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "--since"),
        (("--picture", "-"), "--picture"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value)[:24],
)
def test_wrong_options_are_named_before_any_log_is_read(options, said):
    ran = run("nowhere.parquet", *options)
    assert isinstance(ran.exception, UsageError)
    assert said in str(ran.exception)


def test_names_of_kinds_agree():
    assert tuple(k.name for k in KINDS) == NAMES


def test_json_goes_to_standard_output_and_the_picture_to_its_file(small_log, tmp_path):
    ran = run(small_log, *QUICK, "--format", "json", "--picture", tmp_path / "p.svg", "-q")
    assert ran.exception is None
    (cell,) = json.loads(ran.stdout)["cells"]
    assert (cell["kind"], cell["accounts"], cell["requests"], cell["campaigns"]) == ("sweep", 3, 12, 1)
    assert (tmp_path / "p.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert ran.stderr == ""


def test_files_are_not_overwritten_by_accident(small_log, tmp_path):
    there = tmp_path / "there"
    there.write_text("mine", encoding="utf-8")
    for option in ("-o", "--picture"):
        assert "--clobber" in str(run(small_log, *QUICK, option, there).exception)
        assert "one of the files that were read" in str(
            run(small_log, *QUICK, option, small_log, "--clobber", "-q").exception
        )
    assert "same file" in str(run(small_log, *QUICK, "-o", tmp_path / "a", "--picture", tmp_path / "a").exception)
    assert there.read_text(encoding="utf-8") == "mine"
    assert run(small_log, *QUICK, "-q", "-o", there, "--clobber").exception is None
    assert "What this log could have shown" in there.read_text(encoding="utf-8")


def test_the_command_imports_nothing_heavy():
    code = (
        "import sys; import extractscan.cli.power; "
        "heavy = {'polars', 'numba', 'rich', 'datasketch', 'numpy', 'scipy'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
