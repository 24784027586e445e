"""The table of settings. The commented default file, ``config show``, ``config validate`` and the docs are made of it.

A setting is an option of one or more commands: its key is the option's name with ``_`` for ``-``, its variable in the environment is
``EXTRACTSCAN_`` and the key in capitals. What concerns one run alone (``--since``, ``--output``, ``--clobber``) is no setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["choice", "count", "rate", "amount", "text", "texts", "path", "paths", "flag"]
"""What a value is: one of ``choices``; a whole number of ``least`` at the least; a number between 0 and 1; a count, share or
percentage of rows; a text; a list of texts; a path; a list of paths (or globs); true or false."""

Value = str | int | float | bool | list[str]

PREFIX: Final = "EXTRACTSCAN_"
OTHER_VARIABLES: Final = tuple(PREFIX + name for name in ("CONFIG", "DEBUG", "VENV", "FUZZ", "CHROMIUM"))
"""What the environment may hold besides: which file, and what only developers need."""

FILE: Final = "extractscan.toml"
"""The file that is read, if it is in the folder that a command runs in."""

_READ: Final = ("score", "inspect", "convert", "power", "trace", "update")
_BOUNDED: Final = ("score", "convert", "power", "trace", "update")
_RUN: Final = ("score", "power", "trace", "update")
_REPORTED: Final = ("score", "update")
_SCORE: Final = ("score",)
"""Commands that read logs; that fail for too many bad rows; that run for long; that report findings; and what scores alone."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``default`` None is for what is not done unless asked for; ``example`` is TOML for the default file."""

    key: str
    kind: Kind
    group: str
    commands: tuple[str, ...]
    help: str
    example: str
    default: Value | None = None
    choices: tuple[str, ...] = ()
    least: int = 0

    @property
    def option(self) -> str:
        """The option that it stands for."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.key.upper()


_UPDATE: Final = ("update",)
_NIGHT: Final = "What update keeps"
_LOGS: Final = "How logs are read"
_REPORT: Final = "What score reports"
_BASELINE: Final = "What score compares with"
_MANNERS: Final = "How commands run, and what they say on standard error"

SETTINGS: Final = (
    Setting(
        "log_format",
        "text",
        _LOGS,
        _READ,
        "Read every file as this format instead of recognising it.",
        '"litellm"',
    ),
    Setting(
        "mapping",
        "paths",
        _LOGS,
        _READ,
        "Mapping files for records of another shape.",
        '["mapping.toml"]',
    ),
    Setting(
        "account_from",
        "text",
        _LOGS,
        _READ,
        "Where accounts are: constant=NAME, path=N (part of the path), field=PATH or header=NAME.",
        '"header=x-customer"',
    ),
    Setting(
        "column",
        "texts",
        _LOGS,
        _READ,
        "Columns that are not recognised, each as CANONICAL=COLUMN.",
        '["account_id=customer"]',
    ),
    Setting(
        "max_bad_rows",
        "amount",
        _LOGS,
        _BOUNDED,
        "Fail (exit 3) if more rows than this count or share are unreadable.",
        '"1%"',
    ),
    Setting(
        "format",
        "choice",
        _REPORT,
        _REPORTED,
        "How to report.",
        '"table"',
        "table",
        ("table", "json", "jsonl", "csv", "parquet", "markdown", "html", "ocsf", "stix"),
    ),
    Setting(
        "top",
        "count",
        _REPORT,
        _REPORTED,
        "List so many accounts; else what suits the format.",
        "50",
        least=1,
    ),
    Setting(
        "allow",
        "path",
        _REPORT,
        _REPORTED,
        "Allowlist of findings that are known and agreed: they are hidden, and counted.",
        '"allow.toml"',
    ),
    Setting("show_allowed", "flag", _REPORT, _SCORE, "List what the allowlist hides.", "false", default=False),
    Setting(
        "fail_on",
        "choice",
        _REPORT,
        _REPORTED,
        "Exit with 1 if a finding is at least this severe.",
        '"high"',
        choices=("high", "medium", "low"),
    ),
    Setting(
        "window", "text", _NIGHT, _UPDATE, "Only requests of the last so many days, hours or weeks count.", '"30d"'
    ),
    Setting("keep", "text", _NIGHT, _UPDATE, "Keep fingerprints so long; else as the window.", '"90d"'),
    Setting(
        "spool",
        "choice",
        _NIGHT,
        _UPDATE,
        "Form of the events in the case's spool.",
        '"jsonl"',
        "jsonl",
        ("jsonl", "ocsf", "none"),
    ),
    Setting(
        "refuse_changed",
        "flag",
        _NIGHT,
        _UPDATE,
        "Fail (exit 3) if a file was changed in place or cut.",
        "false",
        default=False,
    ),
    Setting(
        "baseline",
        "paths",
        _BASELINE,
        _SCORE,
        "Logs of clean periods, one period each: adds p- and q-values.",
        '["clean/2026-01.parquet", "clean/2026-02.parquet"]',
    ),
    Setting("alpha", "rate", _BASELINE, _SCORE, "With a baseline: the false discovery rate to state.", "0.05", 0.05),
    Setting("jobs", "count", _MANNERS, _RUN, "Threads; 0 takes all cores.", "0", 0),
    Setting(
        "memory",
        "text",
        _MANNERS,
        _REPORTED,
        "Memory to use at most; more goes to disk. Else half of what is free.",
        '"6G"',
    ),
    Setting("quiet", "flag", _MANNERS, _READ, "No warnings and no progress.", "false", default=False),
    Setting(
        "verbose", "flag", _MANNERS, _RUN, "Say what a run will need, and when each stage ends.", "false", default=False
    ),
    Setting("no_progress", "flag", _MANNERS, _RUN, "No progress bar.", "false", default=False),
    Setting(
        "messages",
        "choice",
        _MANNERS,
        _READ,
        "Notes, warnings and errors on standard error as text, or as JSON lines.",
        '"text"',
        "text",
        ("text", "json"),
    ),
)
BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


def of_command(command: str) -> list[Setting]:
    """Return the settings that a command has."""
    return [setting for setting in SETTINGS if command in setting.commands]
