"""The text of docs/commands.md, made from ``--help``. Run with a path to write it."""

import sys
from pathlib import Path

from typer.main import get_command

from extractscan.cli.main import app

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
    """What ``--help`` prints on a terminal of 80 columns."""
    context = get_command(app).make_context("extractscan", [], resilient_parsing=True, terminal_width=78)
    for word in command.split():
        context = context.command.commands[word].make_context(word, [], parent=context, resilient_parsing=True)
    return context.get_help().rstrip()


def text():
    parts = ["# Commands", "", "Made by `scripts/make_docs` from `--help`; do not edit.", ""]
    for command in COMMANDS:
        parts += [f"## extractscan {command}".rstrip(), "", "```", help_of(command), "```", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
