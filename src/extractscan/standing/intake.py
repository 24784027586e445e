"""From the files that are there tonight to new rows: what is known is passed by, what has grown is read from where it grew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from extractscan.errors import InputError, UsageError
from extractscan.logs.discover import discover
from extractscan.standing import ledger as states
from extractscan.standing.changes import compare
from extractscan.standing.content import Content, look_through
from extractscan.standing.ledger import Document
from extractscan.standing.packs import Packer, stat_of
from extractscan.standing.reading import FileReader, continuable, signature, skipped

if TYPE_CHECKING:
    from extractscan.engine.load import LogSource
    from extractscan.logs.discover import Input
    from extractscan.logs.state import Known
    from extractscan.progress import Observer
    from extractscan.standing.ledger import Ledger
    from extractscan.standing.reading import Came

SETTLING_NS: Final = 2_000_000_000
"""A file that changed less than this before it was read may change again within one tick of its file system's clock."""


@dataclass(slots=True)
class Delivered:
    """What came of tonight's files: names by what they were. ``rows`` and ``bad`` are those that were read."""

    known: int = 0
    new: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    shrunk: list[str] = field(default_factory=list)
    rows: int = 0
    bad: int = 0


class Intake:
    """Takes files in, for one night. Nothing of the ledger is to be kept when it raises."""

    def __init__(self, ledger: Ledger, folder: Path, observer: Observer, *, night: int, jobs: int) -> None:
        self._ledger, self._folder, self._night, self._observer = ledger, folder, night, observer
        self._packer = Packer(folder, jobs)
        self._came: dict[int, Came] = {}
        self._entered: list[tuple[int, int | None, int | None]] = []
        self._by_hash: dict[str, int] = {}
        self._by_head: dict[str, list[int]] = {}
        self._twins: dict[tuple[int, int, int], int] = {}
        for number in [n for n, d in ledger.documents.items() if not d.sha256]:
            del ledger.documents[number]  # it could not be read: tonight is another try
        for number, document in ledger.documents.items():
            self._index(number, document)
        self.delivered = Delivered()

    def take(self, source: LogSource, *, clock_ns: int, refuse: bool) -> Delivered:
        """Look at all files of ``source``, and read what is new. ``clock_ns`` is the time before the first look.

        With ``refuse`` a file that was changed in place or cut is an error. Raises ``InputError`` and ``UsageError`` for files that
        cannot be taken, ``OSError`` when fingerprints cannot be written.
        """
        if "-" in source.inputs:
            raise UsageError("a standing case takes files, and no standard input: it has to know them again")
        files = discover(source.inputs, self._observer.warn)
        pipe = next((item for item in files if item.size is None), None)
        if pipe is not None:
            raise UsageError(f"{pipe.name} is a pipe: a standing case takes files, since it has to know them again")
        away = next((item for item in files if item.place is not None or item.lake is not None), None)
        if away is not None:
            raise UsageError(
                f"{away.name} is no file of this machine: a standing case takes files; copy them here, or extractscan convert first"
            )
        reader = FileReader.over(files, observer=self._observer, columns=source.columns, formats=source.formats)
        looked: list[tuple[Input, Known]] = []
        for item in files:
            if self._is_known(item):
                continue
            known = reader.look(item)
            if known is not None:
                looked.append((item, known))
            elif reader.came is not None:
                self._unreadable(item, reader.came)
        patterns = {*self._ledger.skipped, *reader.skips([known for _, known in looked])}
        self._ledger.skipped = sorted(patterns)
        looked = [(item, known) for item, known in looked if not skipped(item, patterns)]
        reader.tell([known for _, known in looked])
        self._observer.stage("read", sum(item.size or 0 for item, _ in looked))
        for item, known in looked:
            self._one(reader, item, known, clock_ns)
        self._ledger.parts.update(self._packer.finish(self._came))
        self._ledger.prints.update(self._packer.written)
        self._twins = {
            ledger_digest: number
            for number, document in sorted(self._ledger.documents.items(), reverse=True)
            if document.state == states.COUNTS and (ledger_digest := self._ledger.digest(document.parts))[0]
        }
        for number, base, was in self._entered:
            self._settle(number, base, was, refuse=refuse)
        return self.delivered

    # --- which file is new --------------------------------------------------------------------------------------------

    def _is_known(self, item: Input) -> bool:
        """Whether the file system says that a file is as it was when it was last looked at."""
        _, stat = self._ledger.places.get(item.path or "", (0, ()))
        if not stat or _stat(item) != stat:
            return False
        self.delivered.known += 1
        return True

    def _index(self, number: int, document: Document) -> None:
        """Have a document found by its hashes."""
        if document.state != states.REPLACED:
            for digest in (document.sha256, document.content_sha256):
                if digest:
                    self._by_hash.setdefault(digest, number)
        if document.settled_sha256 and document.state in (states.COUNTS, states.CONTINUED):
            self._by_head.setdefault(document.head, []).append(number)

    def _one(self, reader: FileReader, item: Input, known: Known, clock_ns: int) -> None:
        """Take one file in."""
        before = _stat(item)
        way = signature(known)

        def asked(heads: tuple[str, ...]) -> list[int]:
            return [self._ledger.documents[n].settled_size for n in self._likely(heads, way)]

        try:
            content = look_through(Path(item.path or ""), item.size or 0, known.seen.codec, asked)
        except OSError as error:
            raise InputError(f"{item.name} cannot be read: {_why(error)}") from error
        held = self._by_hash.get(content.sha256, self._by_hash.get(content.content_sha256))
        was = self._ledger.places.get(item.path or "", (None, ()))[0]
        if held is not None and held == was:
            self.delivered.known += 1
        elif held is not None:
            self.delivered.repeated.append(item.name)
        else:
            base = self._base(content, way) if continuable(known) else None
            document, base = self._read(reader, replace(item, sha256=content.sha256), known, content, base)
            held = self._ledger.enter(replace(document, signature=way))
            self._index(held, self._ledger.documents[held])
            self._entered.append((held, base, was))
        after = _stat(item)
        calm = bool(after) and after == before and max(after[2:]) + SETTLING_NS < clock_ns
        self._ledger.places[item.path or ""] = held, after if calm else ()

    def _likely(self, heads: tuple[str, ...], way: str) -> list[int]:
        """Return the documents that a file with these first lines may continue."""
        return [n for head in heads for n in self._by_head.get(head, ()) if self._ledger.documents[n].signature == way]

    def _base(self, content: Content, way: str) -> int | None:
        """Return the longest document with which the content begins."""
        prefixes = content.prefixes or {}
        known = [(n, self._ledger.documents[n]) for n in self._likely(content.heads, way)]
        found = [(d.settled_size, -n) for n, d in known if prefixes.get(d.settled_size) == d.settled_sha256]
        return -max(found)[1] if found else None

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(
        self, reader: FileReader, item: Input, known: Known, content: Content, base: int | None
    ) -> tuple[Document, int | None]:
        """Read what is new of a file: the document, and the one that it continues."""
        if continuable(known) and content.settled_sha256:
            document = self._stretches(reader, item, known, content, base)
            if document is not None:
                return document, base
        number, came = self._part(reader, item, known)
        return self._document(item, content, (came.format, came.runner_up), (number,)), None

    def _stretches(
        self, reader: FileReader, item: Input, known: Known, content: Content, base: int | None
    ) -> Document | None:
        """Read a file of lines: the whole ones first, then what follows the last line break. None if that lies inside of a record."""
        start, line = 0, 1
        settled: list[int] = []
        if base is not None:
            held = self._ledger.documents[base]
            start, line = held.settled_size, held.settled_lines + 1
            settled = list(held.parts[: held.settled_parts])
        label = known.label, known.found.next_best
        if content.settled_size > start:
            number, came = self._part(reader, replace(item, start=start, stop=content.settled_size, line=line), known)
            if came.cut:
                del self._came[number]
                return None
            settled.append(number)
        rest: list[int] = []
        if content.content_size > content.settled_size:
            last = replace(item, start=content.settled_size, stop=content.content_size, line=content.settled_lines + 1)
            rest.append(self._part(reader, last, known)[0])
        return replace(
            self._document(item, content, label, (*settled, *rest)),
            settled_sha256=content.settled_sha256,
            settled_size=content.settled_size,
            settled_parts=len(settled),
            settled_lines=content.settled_lines,
            head=content.heads[-1] if content.heads else "",
        )

    def _part(self, reader: FileReader, item: Input, known: Known) -> tuple[int, Came]:
        """Read a stretch: the number of the part, and what came of it."""
        number = self._ledger.next_part
        self._ledger.next_part += 1
        for batch in reader.read(item, known):
            self._packer.add(number, batch.frame)
        came = reader.came
        if came is None:
            raise RuntimeError("a file was read and not counted")
        self._came[number] = came
        self.delivered.rows += came.rows
        self.delivered.bad += came.bad
        return number, came

    def _document(self, item: Input, content: Content, label: tuple[str, str], parts: tuple[int, ...]) -> Document:
        return Document(
            path=item.name,
            place=item.path or "",
            format=label[0],
            runner_up=label[1],
            sha256=content.sha256,
            size=item.size or 0,
            content_sha256=content.content_sha256,
            content_size=content.content_size,
            parts=parts,
            state=states.COUNTS,
            night=self._night,
        )

    def _unreadable(self, item: Input, came: Came) -> None:
        """Enter a file that is there and cannot be read, for this night."""
        number = self._ledger.next_part
        self._ledger.next_part += 1
        self._came[number] = came
        self.delivered.bad += came.bad
        document = self._document(item, Content(""), (came.format, came.runner_up), (number,))
        self._ledger.enter(document)

    # --- what counts --------------------------------------------------------------------------------------------------

    def _settle(self, number: int, base: int | None, was: int | None, *, refuse: bool) -> None:
        """Say what became of a file that was read, and which of its contents counts."""
        ledger = self._ledger
        name = ledger.documents[number].path
        if base is not None:
            if ledger.documents[base].state == states.COUNTS:
                ledger.set_state(base, states.CONTINUED)
            self.delivered.grown.append(name)
            return
        mine = ledger.digest(ledger.documents[number].parts)
        twin = self._twins.get(mine, number)
        if twin != number and ledger.documents[twin].state == states.COUNTS:
            ledger.set_state(number, states.REPEATED)
            self.delivered.repeated.append(name)
            return
        change = "reused"
        if was is not None and was in ledger.documents and ledger.documents[was].state == states.COUNTS:
            change = compare(self._folder, ledger, was, number)
        if change == "reused":
            self.delivered.new.append(name)
        elif change == "grown":
            ledger.set_state(was or 0, states.REPLACED)
            self.delivered.grown.append(name)
        elif refuse:
            raise InputError(f"{name} is not what it was: it was {'cut' if change == 'shrunk' else 'changed'}")
        elif change == "shrunk":
            self._observer.warn(f"{name} was cut: it holds less than when it was read; what was read still counts")
            ledger.set_state(number, states.SHRUNK)
            self.delivered.shrunk.append(name)
        else:
            self._observer.warn(
                f"{name} was changed in place: what it holds now counts in place of what was read before"
            )
            ledger.set_state(was or 0, states.REPLACED)
            self.delivered.replaced.append(name)


def _stat(item: Input) -> tuple[int, ...]:
    """Return what the file system says of a file; nothing if it is gone."""
    try:
        return stat_of(Path(item.path or ""))
    except OSError:
        return ()


def _why(error: OSError) -> str:
    return (error.strerror or "input/output error").lower()
