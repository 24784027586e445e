"""What the command line says while it works: progress, warnings and errors, all on standard error.

A run that is over in a second stays silent. Rich is imported only when a progress bar is drawn.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Self, TextIO

from extractscan.cli.messages import as_json, line_of_json

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID

DELAY_SECONDS = 1.0
"""How long a run takes before progress is drawn."""

REPEATS_SHOWN = 3
"""Warnings that differ only in their numbers are shown so often, then counted."""

WARNINGS_SHOWN = 50
"""Warnings of all kinds that are shown in one run."""

_MESSAGE_LIMIT = 1000
_JSON_LIMIT = 8000


class Console:
    """An ``Observer`` (see ``progress``) for a terminal, and a context: what it drew is cleared when the block ends.

    Nothing is drawn unless ``stream`` is a terminal and ``progress`` is asked for; warnings are always written, each on
    one line and neutralised. ``verbose`` adds a line for each stage with its time, on any stream; ``quiet`` says nothing
    at all, whatever else is asked for. Leave the block before the report is written to standard output. Safe to call from
    several threads. Where messages are lines of JSON nothing is drawn, and stages are always told unless ``progress`` is off.
    """

    def __init__(
        self, *, progress: bool = True, verbose: bool = False, quiet: bool = False, stream: TextIO | None = None
    ) -> None:
        self._stream = _standard_error() if stream is None else stream
        self._quiet = quiet
        progress = progress and not quiet
        self._verbose = (verbose and not quiet) or (progress and as_json())
        self._draws = progress and _is_terminal(self._stream) and not as_json()
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._closed = False
        self._name: str | None = None
        self._total: int | None = None
        self._done = 0
        self._begun = 0.0
        self._warnings = _Repeats()

    def __enter__(self) -> Self:
        """Start the clock."""
        if self._draws:
            self._timer = threading.Timer(DELAY_SECONDS, self._draw)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Clear what was drawn and say how many warnings were held back."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._closed = True
            self._end_stage()
            bar, self._bar = self._bar, None
        if bar is not None:
            bar.stop()
        for line in self._warnings.held_back():
            self._say("warning", "warning", line)

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin the stage ``name`` of ``total`` steps (None: unknown)."""
        with self._lock:
            self._end_stage()
            self._name = self._neutral(name)
            self._total, self._done, self._begun = total, 0, time.monotonic()
            self._add_task()

    def advance(self, steps: int = 1) -> None:
        """Count some more steps of the current stage."""
        with self._lock:
            self._done += steps
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=self._done)

    def warn(self, message: str) -> None:
        """Write a warning, or count it when many like it were written."""
        if self._quiet:
            return
        text = self._neutral(message)
        with self._lock:
            if self._warnings.admit(text):
                self._say("warning", "warning", text)

    def note(self, message: str) -> None:
        """Write a line that is no warning."""
        if self._quiet:
            return
        text = self._neutral(message)
        with self._lock:
            self._say("info", "note", text)

    def _neutral(self, text: str) -> str:
        return _neutral(text, self._stream)

    def _say(self, level: str, event: str, text: str) -> None:
        self._write(_line(level, event, text, self._name))

    def _write(self, line: str) -> None:
        if self._bar is not None:
            from rich.text import Text  # noqa: PLC0415 -- drawn, so it is imported already

            self._bar.console.print(Text(line), soft_wrap=True)  # above the bar
            return
        _write(line, self._stream)

    def _draw(self) -> None:
        """Show the bar; runs in the timer's thread, so that a stage without steps shows too."""
        from rich import console, progress  # noqa: PLC0415 -- only long runs on a terminal pay for Rich

        bar = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            console=console.Console(file=self._stream, markup=False, emoji=False, highlight=False),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=5,
        )
        with self._lock:
            if not self._closed:
                self._bar = bar
                self._add_task()
                bar.start()

    def _add_task(self) -> None:
        if self._bar is not None and self._name is not None:
            self._task = self._bar.add_task(self._name, total=self._total, completed=self._done)

    def _end_stage(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        if self._verbose and self._name is not None:
            seconds = time.monotonic() - self._begun
            steps = f" {self._done:,} in" if self._done else ""
            text = f"{self._name}:{steps} {seconds:.1f} s"
            self._write(_line("info", "stage", text, self._name, seconds=round(seconds, 3), steps=self._done or None))
        self._name = None


class _Repeats:
    """Counts warnings by their text without its numbers, and decides which are shown."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._shown: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._unlike = 0

    def admit(self, text: str) -> bool:
        """Count the warning and tell whether it is to be shown."""
        key = re.sub(r"\d+", "0", text)
        if key not in self._first and sum(self._shown.values()) >= WARNINGS_SHOWN:
            self._unlike += 1  # not kept, or a hostile log could fill the memory with them
            return False
        self._first.setdefault(key, text)
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] > REPEATS_SHOWN or sum(self._shown.values()) >= WARNINGS_SHOWN:
            return False
        self._shown[key] = self._shown.get(key, 0) + 1
        return True

    def held_back(self) -> list[str]:
        """Return what to say at the end about warnings that were not shown."""
        lines = []
        for key, first in self._first.items():
            more = self._seen[key] - self._shown[key]
            if more:
                lines.append(f"{more:,} more like: {first}")
        if self._unlike:
            lines.append(f"{self._unlike:,} more of other kinds")
        return lines


def heed_interrupts() -> None:
    """Let Ctrl-C end a wait for input; for use once Polars is imported, which has system calls go on after a signal."""
    signal.siginterrupt(signal.SIGINT, True)


def note(message: str, *, stream: TextIO | None = None) -> None:
    """Write a line that is neither a warning nor an error to standard error."""
    stream = _standard_error() if stream is None else stream
    _write(_line("info", "note", _neutral(message, stream)), stream)


def error(message: str, *, stream: TextIO | None = None) -> None:
    """Write an error to standard error, neutralised; its further lines are indented, so that none can pose as ours."""
    stream = _standard_error() if stream is None else stream
    if as_json():
        _write(_line("error", "error", _neutral(message, stream)), stream)
        return
    first, *others = message.split("\n") if message else [""]
    _write(f"extractscan: {_neutral(first, stream)}", stream)
    for line in others:
        _write(f"  {_neutral(line, stream)}", stream)


def _standard_error() -> TextIO:
    stream: TextIO | None = sys.stderr  # None when the shell closed it
    return io.StringIO() if stream is None else stream


def _line(level: str, event: str, text: str, stage: str | None = None, **more: float | None) -> str:
    """Return what is said as a line in the form that was chosen."""
    if as_json():
        return line_of_json(level, event, text, stage=stage, **more)
    return f"extractscan: warning: {text}" if level == "warning" else f"extractscan: {text}"


def _neutral(text: str, stream: TextIO) -> str:
    if as_json():  # JSON escapes, so that nothing need be lost
        return text if len(text) <= _JSON_LIMIT else text[:_JSON_LIMIT] + "…"
    from extractscan.report.neutralise import terminal  # noqa: PLC0415 -- nothing is said by most runs

    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-")
    return terminal(text, limit=_MESSAGE_LIMIT, ascii_only=encoding not in ("utf-8", "utf8"))


def _write(line: str, stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody listens; the work goes on
        stream.write(line + "\n")
        stream.flush()


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    except ValueError:  # closed
        return False
