"""Progress and warnings on standard error."""

import io
import re
import subprocess
import sys
import time

import pytest
from hostile import HOSTILE, harmful

from extractscan.cli import console
from extractscan.cli.console import Console, error


class Terminal(io.StringIO):
    encoding = "UTF-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def work(stream, seconds=0.0, **options):
    with Console(stream=stream, **options) as observer:
        observer.stage("reading [/]", 3)
        time.sleep(seconds)
        observer.advance(2)
        observer.advance()
        observer.stage("linking")
    return stream.getvalue()


def test_a_short_run_is_silent():
    assert work(Terminal()) == ""


def test_a_long_run_is_drawn_and_cleared(monkeypatch):
    monkeypatch.setattr(console, "DELAY_SECONDS", 0.05)
    output = work(Terminal(), 0.8)
    assert "reading [/]" in output
    assert "3" in output
    assert output.rstrip().endswith(("\x1b[2K", "\x1b[?25h"))  # the line is cleared, the cursor back


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["pipe", "terminal"])
def test_nothing_is_drawn_when_not_asked_for(stream, monkeypatch):
    monkeypatch.setattr(console, "DELAY_SECONDS", 0.05)
    assert work(stream, 0.2, progress=False) == ""


def test_nothing_is_drawn_on_a_dumb_terminal(monkeypatch):
    monkeypatch.setattr(console, "DELAY_SECONDS", 0.05)
    monkeypatch.setenv("TERM", "dumb")
    assert work(Terminal(), 0.2) == ""


def test_verbose_names_the_stages():
    assert re.fullmatch(
        r"extractscan: reading \[/\]: 3 in \d\.\d s\nextractscan: linking: \d\.\d s\n",
        work(io.StringIO(), verbose=True),
    )


def test_a_warning_beside_the_bar(monkeypatch):
    monkeypatch.setattr(console, "DELAY_SECONDS", 0.05)
    stream = Terminal()
    with Console(stream=stream) as observer:
        observer.stage("reading", 3)
        time.sleep(0.8)
        observer.warn("[bold]odd[/bold]")
    assert "extractscan: warning: [bold]odd[/bold]" in stream.getvalue()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_warnings_and_errors_are_neutralised(text):
    stream = io.StringIO()
    with Console(stream=stream) as observer:
        observer.warn(text)
    error(text, stream=stream)
    assert harmful(stream.getvalue(), allowed="\n") == []
    assert all(line.startswith(("extractscan: ", "  ")) for line in stream.getvalue().splitlines())


def test_repeats_are_counted():
    stream = io.StringIO()
    with Console(stream=stream) as observer:
        for line in range(10):
            observer.warn(f"line {line} is odd")
        observer.warn("another")
    assert stream.getvalue().splitlines() == [
        "extractscan: warning: line 0 is odd",
        "extractscan: warning: line 1 is odd",
        "extractscan: warning: line 2 is odd",
        "extractscan: warning: another",
        "extractscan: warning: 7 more like: line 0 is odd",
    ]


def test_a_flood_of_different_warnings_is_bounded():
    stream = io.StringIO()
    with Console(stream=stream) as observer:
        for line in range(500):
            observer.warn("odd " + "x" * line)
    lines = stream.getvalue().splitlines()
    assert len(lines) == console.WARNINGS_SHOWN + 1
    assert lines[-1] == "extractscan: warning: 450 more of other kinds"


def test_a_closed_stream_stops_nothing():
    stream = io.StringIO()
    stream.close()
    with Console(stream=stream) as observer:
        observer.warn("x")
    error("x", stream=stream)


def test_without_standard_error_the_work_goes_on(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Console() as observer:
        observer.warn("x")
    error("x")


def test_a_quiet_run_imports_no_rich():
    code = (
        "import sys; from extractscan.cli.console import Console\n"
        "with Console() as observer: observer.stage('x', 1); observer.warn('y')\n"
        "sys.exit('rich' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
