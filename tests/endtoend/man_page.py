"""The text of docs/man/extractscan.1, made from the commands as ``--help`` has them. Run with a path to write it."""

import re
import sys
from pathlib import Path

from typer.main import get_command

from extractscan._version import __version__
from extractscan.cli.main import app
from extractscan.config.settings import FILE, SETTINGS

EXIT_CODES = (
    ("0", "Done."),
    ("1", "Findings at or over --fail-on; for verify, something has changed."),
    ("2", "The command line or the settings are wrong."),
    ("3", "Input is unreadable, or has too many bad rows."),
    ("4", "An internal error, or a result that could not be written."),
    ("130", "Interrupted."),
)


def roff(text):
    """Make text harmless for roff; hyphens stay those that one types."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    assert text.isascii(), text
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def paragraphs(text):
    """The paragraphs of a help text, examples on lines of their own."""
    parts = []
    for paragraph in text.split("\n\n"):
        flat = " ".join(paragraph.split())
        if flat.startswith("Example: "):
            parts += [".PP", "Example:", ".PP", ".RS 4", ".EX", roff(flat.removeprefix("Example: ")), ".EE", ".RE"]
        else:
            parts += [".PP", roff(flat)]
    return parts


def items(rows):
    """Options or arguments with what they do."""
    lines = []
    for name, text in rows:
        lines += [".TP", f".B {roff(name)}", roff(" ".join(text.split())) or "\\&"]
    return lines


def command_section(words, command, parent):
    """One command, and below it the commands that it has."""
    with command.make_context(words[-1], [], parent=parent, resilient_parsing=True) as context:
        real = context.command
        usage = " ".join(real.collect_usage_pieces(context))
        lines = [f".SS {roff(' '.join(words))}", f".B {roff(' '.join(words))}", roff(usage)]
        lines += paragraphs(real.help or "")
        lines += items([record for p in real.get_params(context) if (record := p.get_help_record(context))])
        for name, inner in getattr(real, "commands", {}).items():
            lines += command_section([*words, name], inner, context)
        return lines


def text():
    root = get_command(app)
    with root.make_context("extractscan", [], resilient_parsing=True) as context:
        summary = (root.help or "").split("\n", maxsplit=1)[0].rstrip(".")
        lines = [
            '.\\" Made by scripts/make_docs from the commands; do not edit.',
            f'.TH EXTRACTSCAN 1 "" "extractscan {__version__}" "User Commands"',
            ".SH NAME",
            roff(f"extractscan - {summary[0].lower()}{summary[1:]}"),
            ".SH SYNOPSIS",
            ".B extractscan",
            roff(" ".join(root.collect_usage_pieces(context))),
            ".SH DESCRIPTION",
            roff(
                "Reads API logs of a model provider, finds the accounts that harvest the model, whether one account or many, and "
                "prints a ranked report. Nothing is sent anywhere. Data goes to standard output, everything else to standard error."
            ),
            ".SH OPTIONS",
            *items([record for p in root.get_params(context) if (record := p.get_help_record(context))]),
            ".SH COMMANDS",
        ]
        for name, command in root.commands.items():
            lines += command_section(["extractscan", name], command, context)
    lines += [".SH EXIT STATUS", *items(EXIT_CODES), ".SH ENVIRONMENT"]
    lines.append(
        roff("A flag goes before the environment, that before the settings file, and this before the default.")
    )
    lines += items(
        [("EXTRACTSCAN_CONFIG", "The settings file."), *((s.variable, f"{s.option}: {s.help}") for s in SETTINGS)]
    )
    lines += items([("COLUMNS", "Width of tables."), ("NO_COLOR", "No colour.")])
    lines += [
        ".SH FILES",
        *items([(FILE, "Settings, read from the folder that a command runs in unless --config names another file.")]),
        ".SH EXAMPLES",
        *[line for each in ("score logs.parquet", "score logs/ --case case --fail-on high -q", "config init")
          for line in (".PP", ".EX", roff(f"extractscan {each}"), ".EE")],
    ]  # fmt: skip
    return re.sub(r"[ \t]+$", "", "\n".join(lines), flags=re.MULTILINE) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="ascii")
