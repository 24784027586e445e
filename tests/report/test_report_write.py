"""Writing: whole files, nothing overwritten by accident, pipes that close, binary and terminals."""

import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import FORMATS, RUN, made_up

from extractscan.errors import ExtractscanError, UsageError
from extractscan.logs.result import FileSummary
from extractscan.report import write
from extractscan.report.interface import Format
from extractscan.report.write import check_output, display_options, write_file, write_report

HERE = Path(__file__).parent


@pytest.mark.parametrize("chosen", FORMATS)
def test_to_a_file(tmp_path, chosen):
    output = tmp_path / "report"
    write_report(made_up(), chosen, output=output)
    assert output.stat().st_size > 1000
    assert [entry.name for entry in tmp_path.iterdir()] == ["report"]
    assert b"\x1b" not in output.read_bytes() or chosen is Format.PARQUET
    assert b"\r" not in output.read_bytes() or chosen is Format.PARQUET


@pytest.mark.parametrize("chosen", [Format.TABLE, Format.JSON, Format.JSONL, Format.CSV])
def test_standard_output_and_file_agree(tmp_path, capfdbinary, chosen, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    write_report(made_up(), chosen, output=tmp_path / "report")
    write_report(made_up(), chosen, output=Path("-"))
    assert capfdbinary.readouterr().out == (tmp_path / "report").read_bytes()


def test_an_existing_file_stays_unless_told(tmp_path):
    output = tmp_path / "report.json"
    output.write_text("precious", encoding="utf-8")
    output.chmod(0o640)
    with pytest.raises(UsageError, match="--clobber"):
        write_report(made_up(), Format.JSON, output=output)
    assert output.read_text(encoding="utf-8") == "precious"
    write_report(made_up(), Format.JSON, output=output, clobber=True)
    assert json.loads(output.read_text(encoding="utf-8"))["schema_version"] == "1.0"
    assert output.stat().st_mode & 0o777 == 0o640


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    output = tmp_path / "report"
    output.write_text("precious", encoding="utf-8")

    def fail(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(output, fail, clobber=True)
    assert output.read_text(encoding="utf-8") == "precious"
    assert list(tmp_path.iterdir()) == [output]


def test_a_file_that_comes_meanwhile_stays(tmp_path):
    output = tmp_path / "report"

    def fill(stream):
        output.write_text("precious", encoding="utf-8")

    with pytest.raises(UsageError, match="exists"):
        write_file(output, fill, clobber=False)
    assert output.read_text(encoding="utf-8") == "precious"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_report(made_up(), Format.JSONL, output=tmp_path / "link", clobber=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").stat().st_size > 1000


def test_a_log_is_never_overwritten(tmp_path):
    log = tmp_path / "logs.jsonl"
    log.write_text("evidence", encoding="utf-8")
    findings = replace(made_up(), run=replace(RUN, files=(FileSummary(str(log), "jsonl", "0" * 64, 8, 1, 1, 0),)))
    with pytest.raises(UsageError, match="one of the logs"):
        write_report(findings, Format.JSON, output=log, clobber=True)
    assert log.read_text(encoding="utf-8") == "evidence"


@pytest.mark.parametrize("clobber", [True, False])
def test_folders(tmp_path, clobber):
    with pytest.raises(UsageError, match="is a folder"):
        check_output(Format.JSON, tmp_path, clobber=clobber)
    with pytest.raises(UsageError, match=r"does not exist"):
        check_output(Format.JSON, tmp_path / "no\x1b" / "report", clobber=clobber)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot write"):
        write_file(tmp_path / "file" / "x", lambda stream: None, clobber=clobber)


def test_devices_are_written_straight():
    write_report(made_up(), Format.PARQUET, output=Path(os.devnull))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line():
    with pytest.raises(ExtractscanError, match="No space left") as caught:
        write_report(made_up(), Format.JSON, output=Path("/dev/full"))
    assert caught.value.exit_code == 4


def test_options_of_a_pipe():
    options = display_options(io.StringIO(), {})
    assert (options.width, options.colour, options.unicode) == (120, False, True)
    assert display_options(io.StringIO(), {"COLUMNS": "97"}).width == 97
    for nonsense in ("", "0", "-3", "wide", "9" * 5000, "\u0663"):
        assert display_options(io.StringIO(), {"COLUMNS": nonsense}).width == 120
    assert not display_options(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), {}).unicode


class Terminal(io.StringIO):
    encoding = "UTF-8"

    def isatty(self):
        return True


def test_options_of_a_terminal():
    assert display_options(Terminal(), {"TERM": "xterm"}).colour
    assert not display_options(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}).colour
    assert not display_options(Terminal(), {"TERM": "dumb"}).colour


def test_parquet_is_not_sent_to_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(UsageError, match="-o FILE"):
        check_output(Format.PARQUET, None, clobber=False)
    check_output(Format.JSON, None, clobber=False)


PROGRAM = """
import sys
sys.path.insert(0, {here!r})
from made_up import FORMATS, made_up
from extractscan.report.interface import Format
from extractscan.report.write import write_report
from dataclasses import replace
findings = made_up()
write_report(replace(findings, accounts=findings.accounts * {times}), Format({chosen!r}))
"""


def program(chosen, times=1):
    return [sys.executable, "-W", "error", "-c", PROGRAM.format(here=str(HERE), chosen=chosen, times=times)]


@pytest.mark.parametrize(("chosen", "times"), [("jsonl", 300), ("parquet", 1000)])
def test_a_closed_pipe_is_quiet(chosen, times):
    process = subprocess.Popen(program(chosen, times), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_an_error_and_not_a_crash_at_exit():
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(program("csv"), stdout=full, stderr=subprocess.PIPE, check=False)
    assert process.returncode == 1
    assert process.stderr.decode().splitlines()[-1].endswith("cannot write to standard output: No space left on device")


def test_a_standard_output_that_is_closed_is_named(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    for chosen in FORMATS:
        with pytest.raises(UsageError, match="standard output is closed"):
            write_report(made_up(), chosen)


def test_a_pipe_that_is_not_utf8_gets_ascii():
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    table = subprocess.run(program("table"), env=environ, capture_output=True, check=True).stdout
    assert table.isascii()
    lines = subprocess.run(program("jsonl"), env=environ, capture_output=True, check=True).stdout
    assert "нейтральный-клиент" in lines.decode("utf-8")


def test_on_a_real_terminal_there_is_colour():
    master, slave = pty.openpty()
    environ = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")} | {
        "TERM": "xterm"
    }
    with subprocess.Popen(program("table"), env=environ, stdout=slave, close_fds=True) as process:
        os.close(slave)
        output = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
        assert process.wait() == 0
    os.close(master)
    assert b"\x1b[1;31m" in output


def test_the_name_of_an_output_is_neutralised(tmp_path):
    output = tmp_path / "a\x1b[2Jb"
    output.write_text("", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        check_output(Format.CSV, output, clobber=False)
    assert "\x1b" not in str(caught.value)
    assert write.PIPED_WIDTH == 120
