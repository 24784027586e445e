"""The man page and shell completion."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import man_page
import pytest
from commandline import environment
from typer.main import get_command

from extractscan.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "man" / "extractscan.1"
HEAVY = ("numba", "datasketch", "polars", "scipy", "rich", "numpy", "pyarrow", "zstandard")


def test_the_man_page_is_what_the_commands_say():
    assert PAGE.read_text(encoding="ascii") == man_page.text(), "run scripts/make_docs"


def test_every_command_and_exit_code_is_in_it():
    text = PAGE.read_text(encoding="ascii")
    for name in get_command(app).commands:
        assert f"\n.SS extractscan {name}\n" in text
    for code, _ in man_page.EXIT_CODES:
        assert f"\n.B {code}\n" in text


@pytest.mark.parametrize("text", [".start", "'quote", "back\\slash", "--option", "a\n.b"])
def test_text_cannot_steer_roff(text):
    for line in man_page.roff(text).split("\n"):
        assert not line.startswith((".", "'"))
        assert not re.search(r"\\[^e&-]", line)


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff")
def test_it_renders_without_a_warning():
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", PAGE], capture_output=True, check=True)
    assert done.stderr == b""
    assert b"EXIT STATUS" in re.sub(rb".\x08", b"", done.stdout)  # bold by overstriking


@pytest.fixture
def shell(tmp_path):
    """A folder for ``PATH`` in which ``extractscan`` is this one."""
    script = tmp_path / "extractscan"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -X importtime -m extractscan "$@"\n')
    script.chmod(0o755)
    return environment(PATH=f"{tmp_path}:{os.environ['PATH']}", HOME=str(tmp_path), SHELL="/bin/bash")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sc"], ["score", "schema"]),
        (["score", "--fa"], ["--fail-on"]),
        (["score", "--fail-on", ""], ["high", "medium", "low"]),
        (["config", "v"], ["validate"]),
        (["score", "nonsense.par"], []),
    ],
)
def test_bash_completes_without_loading_what_is_slow(shell, words, offered):
    # As bash does it: the function of the script, told the words and the place of the cursor.
    script = f"""
    source <(extractscan --show-completion bash 2>/dev/null)
    COMP_WORDS=(extractscan {" ".join(map(shlex.quote, words))})
    COMP_CWORD={len(words)}
    _extractscan_completion extractscan
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=shell, check=True)
    assert done.stdout.split() == offered
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & set(HEAVY)


def test_settings_are_not_read_to_complete(shell, tmp_path):
    (tmp_path / "extractscan.toml").write_text("top = 0\n")
    environ = shell | {
        "COMP_WORDS": "extractscan score --to",
        "COMP_CWORD": "2",
        "_EXTRACTSCAN_COMPLETE": "complete_bash",
    }
    done = subprocess.run(["extractscan"], capture_output=True, text=True, env=environ, cwd=tmp_path, check=True)
    assert done.stdout.split() == ["--top"]
