"""What may be held where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from extractscan.logs.parts import UNIT_BYTES
from extractscan.memory import parse_size

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ROWS: Final = (1 << 31) - 2
"""As many rows as a frame on one machine can have."""
ROW_BYTES: Final = 600
"""What a text of a component, or a request of an account with its text, takes in the one task that holds all of them."""
TASK_BYTES: Final = 2400 << 20
"""Bytes that such a task may take unless it is told; Spark gives a task's Python what its machine has beside Java."""
TASK_MEMORY: Final = "extractscan.task.memory"
"""The setting, among Spark's, that says otherwise: ``16g``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be held where, in bytes or rows.

    ``driver_bytes`` bounds what comes to the driver; ``link_bytes`` the links of the band graph up to which their components are found
    there; ``component_rows`` the texts of one component, which one task clusters; ``account_rows`` the requests of one account, which
    one task holds; ``unit_bytes`` is how much of small files one task reads; ``piece_bytes`` how much of accounts, about;
    ``scan_rows`` how many items each question about a group may read, beyond which those of groups are written apart.
    """

    driver_bytes: int
    link_bytes: int = 32 << 20
    component_rows: int = TASK_BYTES // ROW_BYTES
    account_rows: int = TASK_BYTES // ROW_BYTES
    unit_bytes: int = UNIT_BYTES
    piece_bytes: int = 128 << 20
    scan_rows: int = 1_000_000


def for_tasks(limits: Limits, settings: Mapping[str, str]) -> tuple[Limits, dict[str, str]]:
    """Limits by ``TASK_MEMORY``, if it is among the settings, and the settings without it. Raises ``UsageError`` for what is no size."""
    rest = {key: value for key, value in settings.items() if key != TASK_MEMORY}
    if TASK_MEMORY not in settings:
        return limits, rest
    rows = parse_size(settings[TASK_MEMORY], f"--spark-conf {TASK_MEMORY}") // ROW_BYTES
    return replace(limits, component_rows=rows, account_rows=rows), rest
