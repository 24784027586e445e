"""What a first run says before it compiles."""

from __future__ import annotations

import threading

import pytest
from logs_help import Heard, jsonl, row

from extractscan import jit
from extractscan.logs.read import read_logs

LITELLM = {
    "request_id": "1",
    "call_type": "acompletion",
    "api_key": "k",
    "startTime": "2026-04-01T00:00:00Z",
    "messages": {},
    "model": "m",
}


@pytest.mark.parametrize(
    ("rows", "kernel"), [([row(1), row(2)], jit.JSON), ([{**LITELLM, "spend": 0.1, "metadata": {}}], jit.NESTED)]
)
def test_a_first_run_says_once_that_kernels_are_compiled(tmp_path, monkeypatch, rows, kernel):
    asked = []
    monkeypatch.setattr(jit, "is_cold", lambda name: not asked.append(name))
    monkeypatch.setattr(jit, "_told", threading.Event())
    monkeypatch.setattr(jit, "_warm", set())
    for name in "ab":
        (tmp_path / name).write_bytes(jsonl(*rows))
    heard = Heard()
    list(read_logs([str(tmp_path)], observer=heard, complete=False).batches())
    list(read_logs([str(tmp_path)], observer=heard, complete=False).batches())
    assert heard.notes.count(jit.COMPILING) == 1
    assert asked == [kernel]


def test_kernels_that_lie_compiled_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert jit.is_cold(jit.NESTED)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "jsonscan._project-320.py311.nbi").touch()
    assert jit.is_cold(jit.NESTED)
    assert not jit.is_cold(jit.JSON)
