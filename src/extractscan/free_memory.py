"""How much memory a process can still have: what the machine has free, or its control group if that allows less."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_UNLIMITED: Final = 1 << 60
"""Version 1 of control groups writes a number near 2^63 for no limit."""


def free_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes; None where the system does not tell (only Linux does). ``root`` is where ``proc`` and ``sys`` are."""
    found = [number for number in (_machine(root), *_groups(root)) if number is not None]
    return max(min(found), 0) if found else None


def _machine(root: Path) -> int | None:
    match = re.search(r"^MemAvailable:\s+(\d+) kB$", _text(root / "proc/meminfo"), re.MULTILINE)
    return None if match is None else int(match[1]) * 1024


def _groups(root: Path) -> list[int | None]:
    """What each group that the process is in leaves: its own, and those around it."""
    out = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            base, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base, names = (
                root / "sys/fs/cgroup/memory",
                ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            )
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        out += [_left(base.joinpath(*parts[:depth]), *names) for depth in range(len(parts), -1, -1)]
    return out


def _left(folder: Path, limit: str, usage: str, cached: str) -> int | None:
    """What a group has left; pages of files that it does not use are given back when they are wanted."""
    most, used = _text(folder / limit).strip(), _text(folder / usage).strip()
    if not most.isdigit() or not used.isdigit() or int(most) >= _UNLIMITED:
        return None
    match = re.search(rf"^{cached} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
    return int(most) - int(used) + (0 if match is None else int(match[1]))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):
        return ""
