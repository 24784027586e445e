"""Reading one delivered file at a time, or a stretch of one, with its own quarantine and its own counts."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

from extractscan.errors import InputError
from extractscan.logs.quarantine import Quarantine
from extractscan.logs.read import LogReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extractscan.logs.discover import Input
    from extractscan.logs.result import FileSummary, RequestBatch
    from extractscan.logs.state import FileState, Known

LINED: Final = ("jsonl", "csv")
"""Formats of whole lines, to which a writer appends."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a file, or of a stretch of it: counts are rows, ``cut`` says that it ended inside of a record."""

    format: str
    runner_up: str
    rows: int
    bad: int
    cut: bool
    quarantine: tuple[tuple[int | None, str], ...]


class FileReader(LogReader):
    """Recognises files, and reads them one by one; ``came`` is of the last. All raise ``InputError`` as ``LogReader`` does."""

    came: Came | None = None

    def look(self, item: Input) -> Known | None:
        """Recognise a file; None for one that is passed over or cannot be opened (``came`` says which)."""
        self.quarantine = Quarantine()
        self.came = None
        with contextlib.ExitStack() as stack:
            _, known = self.recognise(item, stack)
        role = None if known is None or known.plan is None else known.plan.format.role
        if role:
            raise InputError(
                f"{item.name} holds parts of requests whose other parts are in other files ({role}); a standing case takes "
                "files that are whole: make one of them with extractscan convert LOGS... -o FILE, and add that"
            )
        return known

    def skips(self, known: Sequence[Known]) -> set[str]:
        """Return the patterns of files that, beside such files as these, are no logs."""
        return {p for k in known if k.plan is not None for p in k.plan.format.skip_paths}

    def tell(self, known: list[Known]) -> None:
        """Say which formats were recognised."""
        self.judge.tell_formats(known)

    def read(self, item: Input, known: Known) -> Iterator[RequestBatch]:
        """Read a file, from ``start`` to ``stop`` of the input."""
        self.quarantine = Quarantine()
        self.came = None
        yield from self.read_file(item, None, known)

    def add(self, done: FileSummary, state: FileState) -> None:
        """Keep what came of the last file, in place of the totals of a run."""
        entries = tuple((q.line, q.reason) for q in self.quarantine.entries)
        self.came = Came(done.format, done.runner_up, state.rows_kept, state.rows_bad, state.cut, entries)


def skipped(item: Input, patterns: set[str]) -> bool:
    """Whether a file that nobody named is none of the logs."""
    return not item.named and any(fnmatch(item.path or item.name, pattern) for pattern in patterns)


def continuable(known: Known) -> bool:
    """Whether a file of this kind can be read from where an earlier reading ended."""
    seen = known.seen
    return seen.format in LINED and not seen.encoding and not (known.plan is not None and known.plan.format.group)


def signature(known: Known) -> str:
    """Return a hash of how a file is read, its compression apart: what is read in two ways has no common part."""
    seen = known.seen
    way: list[object] = [
        seen.format,
        seen.encoding,
        seen.delimiter,
        None if known.plan is None else known.plan.format.name,
    ]
    if seen.format == "csv":
        way.append(list(seen.names))
    return hashlib.sha256(json.dumps(way).encode("ascii")).hexdigest()[:32]
