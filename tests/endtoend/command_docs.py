"""The text of docs/commands.md, made from ``--help``. Run with a path to write it."""

import os
import subprocess
import sys
from pathlib import Path

COMMANDS = (
    "",
    "score",
    "update",
    "inspect",
    "convert",
    "evaluate",
    "simulate",
    "power",
    "explain",
    "campaigns",
    "clusters",
    "timeline",
    "trace",
    "diff",
    "verify",
    "config",
    "config init",
    "config show",
    "config validate",
    "schema",
)


def help_of(command):
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERMINAL_WIDTH": "100"}
    words = [sys.executable, "-m", "extractscan", *command.split(), "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return shown.stdout.replace("python -m extractscan", "extractscan").rstrip()


def text():
    parts = ["# Commands", "", "Made by `scripts/make_docs` from `--help`; do not edit.", ""]
    for command in COMMANDS:
        parts += [f"## extractscan {command}".rstrip(), "", "```", help_of(command), "```", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
