from __future__ import annotations

import sys

import made_log
import pytest
from commandline import Ran, polite, run

from extractscan.cli.main import run as entry_point


@pytest.fixture(scope="session")
def rows():
    return made_log.rows()


@pytest.fixture(scope="session")
def log(tmp_path_factory, rows):
    """The made log as a file of JSON lines."""
    path = tmp_path_factory.mktemp("log") / "requests.jsonl"
    path.write_bytes(made_log.jsonl(rows))
    return path


@pytest.fixture
def call(monkeypatch, capfdbinary):
    """The command without the cost of a process: its entry point, with standard output and error as it left them."""

    def called(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["extractscan", *map(str, arguments)])
        monkeypatch.setenv("POLARS_MAX_THREADS", "2")  # as the command sets it; taken back after the test
        monkeypatch.delenv("EXTRACTSCAN_DEBUG", raising=False)
        capfdbinary.readouterr()
        code: object = 0
        try:
            entry_point()
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return polite(Ran(code, out, err.decode()))

    return called


@pytest.fixture(scope="session")
def _reports():
    return {}


@pytest.fixture
def report(log, call, _reports):
    """The report on the made log in a format, on standard output, run once for each; JSONL and table by the real command."""

    def of(form: str) -> Ran:
        if form not in _reports:
            by = run if form in ("jsonl", "table") else call
            _reports[form] = by("score", log, "--format", form)
        return _reports[form]

    return of
