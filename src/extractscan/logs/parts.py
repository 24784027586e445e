"""Reading a run in parts, on several machines, with the same result as reading it in one.

The whole run looks at the heads of all files, decides which are logs, and cuts them into units; a unit is read anywhere by
itself; what the units leave is put together in the order in which one reader would have come to it.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from extractscan.errors import InputError, UsageError
from extractscan.logs.quarantine import QUARANTINE_KEPT
from extractscan.logs.read import LogReader
from extractscan.logs.result import FileSummary, Quarantined
from extractscan.logs.schema import CANONICAL
from extractscan.logs.sides import side_roles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extractscan.logs.choose import FormatOptions
    from extractscan.logs.discover import Input
    from extractscan.logs.result import RequestBatch
    from extractscan.logs.setup import ReadOptions
    from extractscan.progress import Observer

UNIT_BYTES: Final = 64 << 20
"""Small files are read together up to so many bytes: a task that reads less costs more to start than to do."""


@dataclass(frozen=True, slots=True)
class UnitReport:
    """What reading a unit leaves beside its requests; all of it can be JSON.

    ``said`` are the messages to the observer, each with its kind. ``error`` is the first InputError's text, or None.
    """

    files: list[FileSummary]
    quarantine: list[Quarantined]
    quarantined: int
    present: dict[str, int]
    rows_outside_window: int
    said: list[tuple[str, str]] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    error: str | None = None

    def record(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @staticmethod
    def of(record: dict[str, Any]) -> UnitReport:
        """From plain values."""
        return UnitReport(
            **{
                **record,
                "files": [FileSummary(**f) for f in record["files"]],
                "quarantine": [Quarantined(**q) for q in record["quarantine"]],
                "said": [(kind, text) for kind, text in record["said"]],
            }
        )


@dataclass(slots=True)
class _Recorder:
    """An observer that keeps what it is told, from when it listens."""

    listens: bool = False
    said: list[tuple[str, str]] = field(default_factory=list)

    def stage(self, name: str, total: int | None = None) -> None:
        """Ignore."""

    def advance(self, steps: int = 1) -> None:
        """Ignore."""

    def warn(self, message: str) -> None:
        """Keep a warning."""
        if self.listens:
            self.said.append(("warn", message))

    def note(self, message: str) -> None:
        """Keep a note."""
        if self.listens:
            self.said.append(("note", message))


class UnitReader(LogReader):
    """Reads the files of one unit. Draw ``batches()`` once, then ask for ``report()``."""

    def __init__(self, files: list[Input], options: ReadOptions, formats: FormatOptions) -> None:
        self._recorder = _Recorder()
        self._error: str | None = None
        self._known_before = 0
        super().__init__(files, options, formats, self._recorder)

    def batches(self) -> Iterator[RequestBatch]:
        """The good requests. An InputError ends them, and is in the report."""
        with contextlib.ExitStack() as stack:
            try:
                known = self.recognised(stack)
                self._known_before = len(self.judge.passed_over)
                self._recorder.listens = True
                yield from self.read_all(known, stack)
            except InputError as error:
                self._error = str(error)

    def failed(self, item: Input, reason: str) -> None:
        """A file that the whole run could open, or it would be in no unit."""
        raise InputError(
            f"{item.name} {reason} on a worker, though it can here; logs must lie where every machine reaches them by the same path"
        )

    def report(self) -> UnitReport:
        """What came of the files."""
        return UnitReport(
            list(self.summary.files),
            list(self.quarantine.entries),
            self.quarantine.count,
            dict(self.present),
            self.summary.rows_outside_window,
            self._recorder.said,
            self.judge.passed_over[self._known_before :],
            self._error,
        )


class PartedReader(LogReader):
    """The whole run: cuts it into units, and puts together what they leave."""

    def __init__(self, files: list[Input], options: ReadOptions, formats: FormatOptions, observer: Observer) -> None:
        super().__init__(files, options, formats, observer)
        self._rank: dict[str, int] = {}

    def units(self, unit_bytes: int = UNIT_BYTES) -> list[list[Input]]:
        """The files to read, in units of about ``unit_bytes`` where they are small; files that refer to one another are one.

        Raises UsageError for standard input and pipes, which no other machine can read, and InputError as ``batches`` does.
        """
        pipes = [item.name for item in self.files if item.piped]
        if pipes:
            raise UsageError(f"{pipes[0]} cannot be read by other machines; name files that all of them can open")
        with contextlib.ExitStack() as stack:
            known = self.recognised(stack)
        roles = side_roles(k for _, _, k in known)
        there = set(roles)
        order = sorted(range(len(known)), key=lambda i: not roles[i])
        self._rank = {known[i][0].name: rank for rank, i in enumerate(order)}
        tied: list[Input] = []
        out: list[list[Input]] = []
        room = 0
        for (item, _, seen), role in zip(known, roles, strict=True):
            if role or (seen.plan is not None and there.intersection(seen.plan.format.joins)):
                tied.append(item)
                continue
            if not out or room < (item.size or 0):
                out.append([])
                room = unit_bytes
            out[-1].append(item)
            room -= item.size or 0
        return [*([tied] if tied else []), *out]

    def finish(self, reports: Iterable[UnitReport]) -> None:
        """Take in the reports of all units; then ``summary`` is complete. Raises InputError as ``batches`` does."""
        done = sorted(reports, key=lambda r: min((self._rank_of(f.path) for f in r.files), default=-1))
        summary, quarantine = self.summary, self.quarantine
        files: list[FileSummary] = []
        entries: list[Quarantined] = []
        for report in done:
            for kind, text in report.said:
                (self.observer.warn if kind == "warn" else self.observer.note)(text)
            if report.error is not None:
                raise InputError(report.error)
            self.judge.passed_over.extend(report.passed_over)
            files.extend(report.files)
            entries.extend(report.quarantine)
            quarantine.count += report.quarantined
            summary.rows_outside_window += report.rows_outside_window
            for name in CANONICAL:
                self.present[name] += report.present.get(name, 0)
        files.sort(key=lambda f: self._rank_of(f.path))
        entries.sort(key=lambda q: self._rank_of(q.file))
        summary.files.extend(files)
        quarantine.entries.extend(entries[: max(0, QUARANTINE_KEPT - len(quarantine.entries))])
        for file in files:
            summary.rows_read += file.rows_read
            summary.rows_kept += file.rows_kept
            summary.rows_quarantined += file.rows_quarantined
        self.conclude()

    def _rank_of(self, name: str) -> int:
        return self._rank.get(name, -1)
