"""How what is said on standard error is written: lines to read, or lines of JSON for a program."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Final

VARIABLE: Final = "EXTRACTSCAN_MESSAGES"


class Messages(StrEnum):
    """What ``--messages`` takes."""

    TEXT = "text"
    JSON = "json"


_chosen: Messages | None = None


def use_messages(form: Messages | None) -> None:
    """Choose the form for this process; None leaves it to the environment."""
    global _chosen  # noqa: PLW0603 -- standard error is one, and what writes to it first knows no command yet
    _chosen = form


def as_json() -> bool:
    """Tell whether messages are lines of JSON; before a command has chosen, the environment says so."""
    return (os.environ.get(VARIABLE) if _chosen is None else _chosen) == Messages.JSON


def line_of_json(level: str, event: str, message: str, **more: str | float | None) -> str:
    """Return one event as a line of JSON in ASCII, so that no terminal and no encoding harms it; what is None is left out.

    Keys: ``time`` (UTC), ``level`` (info, warning, error), ``event`` (note, warning, error, stage), ``message``; a ``stage`` is one
    that has ended, with its ``seconds`` and, where they were counted, ``steps``; else ``stage`` is where the event was.
    """
    # ruff: noqa: PLC0415 -- nothing is said by most runs
    import json
    from datetime import UTC, datetime

    from extractscan.report.neutralise import json_text

    held = {
        name: json_text(value) if isinstance(value, str) else value for name, value in more.items() if value is not None
    }
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"time": moment, "level": level, "event": event, "message": json_text(message), **held}
    return json.dumps(said, separators=(",", ":"), allow_nan=False).replace("\x7f", "\\u007f")
