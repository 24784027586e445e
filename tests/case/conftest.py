"""A case of a small log, written once."""

from __future__ import annotations

import shutil
import sys
from types import SimpleNamespace

import pytest
from case_help import make_case, rows, write_log


@pytest.fixture(scope="session")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("caselog") / "requests.jsonl"
    write_log(path, rows())
    return path


@pytest.fixture(scope="session")
def made(tmp_path_factory, log):
    return make_case(tmp_path_factory.mktemp("cases") / "case", [log])


@pytest.fixture
def copy(made, tmp_path):
    """A case of one's own, to do harm to."""
    shutil.copytree(made.folder, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def call(monkeypatch, capfdbinary):
    """The command without the cost of a process."""
    from extractscan.cli.main import run

    def called(*arguments):
        monkeypatch.setattr(sys, "argv", ["extractscan", *map(str, arguments)])
        monkeypatch.delenv("EXTRACTSCAN_DEBUG", raising=False)
        capfdbinary.readouterr()
        code = 0
        try:
            run()
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        ran = SimpleNamespace(code=code, out=out.decode(), err=err.decode())
        assert "Traceback" not in ran.err
        assert "internal error" not in ran.err, ran.err
        assert ran.err.replace("\n", "").isprintable()
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
        return ran

    return called
