"""The commented file to begin with, and the settings as a table of Markdown; both from the table of settings."""

from __future__ import annotations

from itertools import groupby

from extractscan.config.settings import SETTINGS

_HEAD = """\
# Settings of extractscan, for what one sets once. Take away the # before a line to set it.
#
# A flag on the command line goes before the environment (the name beneath each), that before this file, and this before the default.
# The file is read from the folder that a command runs in, or from where --config says. Relative paths are those from this file.
# extractscan config show tells what holds and why; extractscan config validate tells what is wrong.
"""


def default_file() -> str:
    """Return the file with every setting commented out: its help, its variable, and its default or an example."""
    parts = [_HEAD]
    for group, settings in groupby(SETTINGS, lambda setting: setting.group):
        parts.append(f"\n# {group}\n")
        for setting in settings:
            choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
            unset = "an example" if setting.default is None else "the default"
            parts.append(
                f"\n# {setting.help}{choices}\n# {setting.variable}; {unset}:\n#{setting.key} = {setting.example}\n"
            )
    return "".join(parts)


def settings_table() -> str:
    """Return a table of Markdown: key, what it does, default, variable, commands."""
    rows = ["| setting | what | default | commands |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = "" if setting.default is None else f"`{setting.example}`"
        choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
        rows.append(f"| `{setting.key}` | {setting.help}{choices} | {default} | {', '.join(setting.commands)} |")
    return "\n".join(rows) + "\n"
