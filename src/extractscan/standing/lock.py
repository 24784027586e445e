"""One run at a time: a lock that the kernel gives up with the process, and that says whose it is.

The file stays; what is locked is the open file (``flock``), so that no run can take the lock of another away between looking and
taking. Where a file system knows no such locks, or does not carry them to another machine, the owner that is written in it decides: a
process of this machine that has ended, or whose number another process has by now, is no owner.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractscan.errors import UsageError
from extractscan.report.neutralise import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: ``start`` is when the kernel says that it began (ticks after ``boot``), which no later process of its number shares."""

    pid: int
    host: str
    start: str
    boot: str
    since: str

    @property
    def sentence(self) -> str:
        """Say who it is."""
        return f"process {self.pid} on {terminal(self.host, limit=60)}, since {terminal(self.since, limit=40)}"


def this_process() -> Owner:
    """Return the owner that this process is."""
    pid = os.getpid()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Owner(pid, socket.gethostname(), _start_of(pid) or "", _boot(), now)


@contextlib.contextmanager
def locked(path: Path, *, take: bool = False) -> Iterator[str | None]:
    """Hold the lock; give a sentence on a run that had ended without giving it up, None if there was none.

    ``take`` takes the lock from an owner on another machine, who cannot be asked. Raises ``UsageError`` if somebody else holds it, and
    ``OSError`` if the file cannot be made.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        owner = _read(handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise UsageError(
                    f"another run works on this case: {_named(_read(handle))}; wait until it has ended"
                ) from None
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
                raise
        else:
            owner = _read(handle)  # what it says now that nobody else can write it
        stale = _stale(owner, take=take)
        _write(handle, json.dumps(asdict(this_process())))
        try:
            yield stale
        finally:
            _write(handle, "")
    finally:
        os.close(handle)


def _stale(owner: Owner | None, *, take: bool) -> str | None:
    """Return what to say of an owner who is no more. Raises ``UsageError`` for one who is, or may be."""
    if owner is None:
        return None
    me = this_process()
    if owner.host != me.host:
        if not take:
            raise UsageError(
                f"another run may work on this case: {owner.sentence}; if it has ended, say so with --take-lock"
            )
        return f"the lock of {owner.sentence}, was taken"
    lives = owner.boot == me.boot and owner.start != "" and _start_of(owner.pid) == owner.start
    if lives and owner.pid != me.pid:
        raise UsageError(f"another run works on this case: {owner.sentence}; wait until it has ended")
    return f"an earlier run was stopped before it had ended ({owner.sentence})"


def _named(owner: Owner | None) -> str:
    return "it has just begun" if owner is None else owner.sentence


def _read(handle: int) -> Owner | None:
    """Return the owner that the file names; None for none, or for what a run that was stopped while writing left."""
    try:
        document: Any = json.loads(os.pread(handle, 4096, 0))
        return Owner(int(document["pid"]), *(str(document[key]) for key in ("host", "start", "boot", "since")))
    except (ValueError, KeyError, TypeError):
        return None


def _write(handle: int, text: str) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode("ascii"), 0)
    os.fsync(handle)


def _start_of(pid: int) -> str | None:
    """Return when a process began, in ticks after the start of the machine; None for one that is not there."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _lives(pid)
    return status.rpartition(")")[2].split()[19]  # the name before may hold blanks and brackets


def _lives(pid: int) -> str | None:
    """Where there is no ``/proc``: whether there is such a process at all."""
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return "lives"
    return "lives"


def _boot() -> str:
    """Return what names the time since the machine was started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
