"""Help, and what it must not cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commandline import environment, run
from typer.main import get_command

from extractscan._version import __version__
from extractscan.cli.main import app

COMMANDS = sorted(get_command(app).commands)
HEAVY = ("numba", "datasketch", "polars", "scipy", "rich", "numpy", "pyarrow", "zstandard")


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)], ids=["app", *COMMANDS])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(call, arguments, option):
    ran = call(*arguments, option)
    assert (ran.code, ran.err) == (0, "")
    text = ran.out.decode()
    assert text.startswith(f"Usage: {' '.join(['extractscan', *arguments])} ")
    assert "\x1b" not in text
    if not arguments:
        for name in COMMANDS:
            assert f"\n  {name} " in text


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_said_of_a_command_is_the_beginning_of_its_help(name):
    command = get_command(app).commands[name]
    loaded = command.loaded() if hasattr(command, "loaded") else command
    assert command.help.split() == loaded.help.split("\n\n")[0].split()


def test_what_does_not_load_is_not_loaded():
    code = "import sys; from extractscan.cli.main import app; print(*(m for m in sys.modules if m.startswith('extractscan.cli.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert not {f"extractscan.cli.{name}" for name in COMMANDS} & set(done.stdout.split())


def test_the_installed_script_and_the_module_are_one():
    script = Path(sys.executable).with_name("extractscan")
    for command in ([script], [sys.executable, "-m", "extractscan"]):
        done = subprocess.run([*command, "--version"], capture_output=True, env=environment(), check=True)
        assert (done.stdout, done.stderr) == (f"extractscan {__version__}\n".encode(), b"")


def test_nothing_asked_shows_help():
    ran = run()
    assert "Usage: extractscan" in ran.err + ran.out.decode()


def test_the_command_line_imports_no_library_that_is_slow_to_load():
    code = f"""
import sys
import extractscan.cli.main
print(*sorted(name for name in {HEAVY} if name in sys.modules))
from typer.main import get_command
for name, command in get_command(extractscan.cli.main.app).commands.items():
    try:
        command.main(["--help"], standalone_mode=False)
    except SystemExit:
        pass
print(*sorted(name for name in {HEAVY} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == ""
    assert lines[-1] == ""
