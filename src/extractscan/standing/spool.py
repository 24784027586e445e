"""Events for a forwarder: a file a night, which appears whole and once, and is never written again.

The events wait in a file beside the states while the night is made. When the pointer holds they are renamed into the spool: as long as the
file waits they have not been given, and once it is gone they have. A run that is stopped in between leaves that to the next. What has been
forwarded may be deleted.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from extractscan.report.neutralise import json_line
from extractscan.standing.disk import put, sync_folder
from extractscan.standing.layout import SPOOL, STAGED, STATES, night_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from extractscan.verdict.findings import Findings

Spooled: TypeAlias = "Callable[[Iterable[dict[str, Any]], Findings], str]"
"""From the events of a night, and its findings, to the lines of the spool."""


def json_lines(events: Iterable[dict[str, Any]], findings: Findings) -> str:  # noqa: ARG001
    """Return the events as JSON lines (schema ``event``)."""
    return "".join(json_line(event) + "\n" for event in events)


def ocsf(events: Iterable[dict[str, Any]], findings: Findings) -> str:
    """Return them as OCSF Detection Findings."""
    from extractscan.report.night_ocsf import ocsf_lines  # noqa: PLC0415 -- of no use to most nights

    return "".join(ocsf_lines(events, findings))


def nothing(events: Iterable[dict[str, Any]], findings: Findings) -> str:  # noqa: ARG001
    """Return no line."""
    return ""


SPOOLED: Final[dict[str, Spooled]] = {"jsonl": json_lines, "ocsf": ocsf, "none": nothing}


def stage(case: Path, night: int, lines: str) -> None:
    """Have the events of a night wait. Raises ``OSError``."""
    if lines:
        put(case / STATES / f"{night_name(night)}-{STAGED}", lines.encode())


def publish(case: Path, night: int) -> None:
    """Give the events of a night that holds to whoever reads the spool, unless they have been given. Raises ``OSError``."""
    with contextlib.suppress(FileNotFoundError):
        (case / STATES / f"{night_name(night)}-{STAGED}").replace(case / SPOOL / f"{night_name(night)}.jsonl")
        sync_folder(case / SPOOL)
        sync_folder(case / STATES)
