"""The ledger: what was delivered, known by its content, and where its fingerprints are.

A *document* is the content of a delivered file. A *part* is a stretch of a document that was read in one go, with the files of
fingerprints that hold its rows; documents of which one continues the other share parts. What counts are the rows of the parts of the
documents that count, each part once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import zstandard

from extractscan.errors import InputError
from extractscan.standing.disk import get

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from extractscan.standing.pointer import Pointer

ENDING: Final = ".json.zst"

COUNTS: Final = "counts"
"""State of a document whose rows count."""
CONTINUED: Final = "continued"
"""A later document holds all of it and more; its parts are that one's too."""
REPLACED: Final = "replaced"
"""The file was changed in place; its later content counts."""
REPEATED: Final = "repeated"
"""Its rows are those of other documents, written in another way."""
SHRUNK: Final = "shrunk"
"""It was cut out of an earlier content of the same file, which still counts."""
EXPIRED: Final = "expired"
"""All of its requests are older than what is kept."""


@dataclass(frozen=True, slots=True)
class Prints:
    """A file of fingerprints: its size in bytes, the parts that have rows in it, and what the file system said when it was written."""

    size: int
    parts: tuple[int, ...]
    stat: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a document: ``prints`` are the SHA-256 of the files with its rows, none once they have expired.

    ``rows`` could be read, ``bad`` not; ``quarantine`` holds line and reason of the first of those. ``digest`` is the same for the
    same rows in any order. Times are microseconds since 1970, None without rows.
    """

    prints: tuple[str, ...]
    rows: int
    bad: int
    first_us: int | None
    last_us: int | None
    digest: tuple[int, int]
    quarantine: tuple[tuple[int | None, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a file: under which ``path`` it was named, at which ``place`` (without links), and what it was.

    ``sha256`` and ``size`` are of the file as stored, ``content_sha256`` and ``content_size`` of what came out of decompression. Up to
    ``settled_size`` it consists of whole records, in ``settled_parts`` of its parts and ``settled_lines`` lines: a file that begins with
    the same bytes (``settled_sha256``) and is read in the same way (``signature``) continues it. ``head`` is the hash of its first
    lines. Without ``settled_sha256`` it cannot be continued. Without ``sha256`` it could not be read.
    """

    path: str
    place: str
    format: str
    runner_up: str
    sha256: str
    size: int
    content_sha256: str
    content_size: int
    parts: tuple[int, ...]
    state: str
    night: int
    settled_sha256: str = ""
    settled_size: int = 0
    settled_parts: int = 0
    settled_lines: int = 0
    signature: str = ""
    head: str = ""


@dataclass(slots=True)
class Ledger:
    """Documents and parts by number, in the order of their delivery; files of fingerprints by SHA-256.

    ``places`` says which document lay where when it was last looked at, and what the file system said of the file then:
    size, inode, and times of the last change in nanoseconds. Where that is still so, the file is not read again.
    """

    documents: dict[int, Document] = field(default_factory=dict)
    parts: dict[int, Part] = field(default_factory=dict)
    prints: dict[str, Prints] = field(default_factory=dict)
    places: dict[str, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    next_document: int = 0
    next_part: int = 0

    def enter(self, document: Document) -> int:
        """Add a document; return its number."""
        number = self.next_document
        self.next_document += 1
        self.documents[number] = document
        return number

    def counting(self) -> list[Document]:
        """Return the documents that count, in the order in which a run over all of them would read them."""
        return sorted(
            (d for d in self.documents.values() if d.state == COUNTS),
            key=lambda d: (bool(d.sha256), d.place, d.path, d.night),
        )

    def counting_parts(self) -> dict[int, Part]:
        """Return the parts of these, each once."""
        return {number: self.parts[number] for d in self.documents.values() if d.state == COUNTS for number in d.parts}

    def set_state(self, number: int, state: str) -> None:
        """Change the state of a document."""
        self.documents[number] = replace(self.documents[number], state=state)

    def digest(self, parts: Iterable[int]) -> tuple[int, int, int]:
        """Return what is the same for the same rows: their number and two sums."""
        held = [self.parts[number] for number in parts]
        return (
            sum(p.rows for p in held),
            sum(p.digest[0] for p in held) % 2**64,
            sum(p.digest[1] for p in held) % 2**64,
        )

    def tidy(self) -> None:
        """Forget parts that no document has, and fingerprints that no part has."""
        used: set[int] = set()
        for document in self.documents.values():
            if document.state == COUNTS:
                used.update(document.parts)
            elif document.state == CONTINUED:
                used.update(document.parts[: document.settled_parts])
        self.parts = {n: p for n, p in self.parts.items() if n in used}
        held = {sha256 for p in self.parts.values() for sha256 in p.prints}
        self.prints = {sha256: p for sha256, p in self.prints.items() if sha256 in held}


def to_bytes(ledger: Ledger) -> bytes:
    """Return the ledger as it is kept: JSON, compressed."""
    document = {
        "documents": [[number, asdict(d)] for number, d in sorted(ledger.documents.items())],
        "parts": [[number, asdict(part)] for number, part in sorted(ledger.parts.items())],
        "prints": [[sha256, asdict(p)] for sha256, p in sorted(ledger.prints.items())],
        "places": [[place, number, stat] for place, (number, stat) in sorted(ledger.places.items())],
        "skipped": sorted(ledger.skipped),
        "next_document": ledger.next_document,
        "next_part": ledger.next_part,
    }
    # Names of files may hold bytes that are no UTF-8, as lone surrogates: ASCII takes them.
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return zstandard.ZstdCompressor(level=3).compress(text.encode("ascii"))


def from_bytes(data: bytes, name: str) -> Ledger:
    """Read a ledger. Raises ``InputError`` for what is none."""
    try:
        document = json.loads(zstandard.ZstdDecompressor().decompress(data))
        return Ledger(
            {number: Document(**{**d, "parts": tuple(d["parts"])}) for number, d in document["documents"]},
            {number: _part(part) for number, part in document["parts"]},
            {sha256: Prints(p["size"], tuple(p["parts"]), tuple(p["stat"])) for sha256, p in document["prints"]},
            {place: (number, tuple(stat)) for place, number, stat in document["places"]},
            document["skipped"],
            document["next_document"],
            document["next_part"],
        )
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError, zstandard.ZstdError) as error:
        raise InputError(f"{name} is damaged: it is no ledger") from error


def _part(entry: dict[str, Any]) -> Part:
    quarantine = tuple((line, reason) for line, reason in entry["quarantine"])
    return Part(
        **{**entry, "prints": tuple(entry["prints"]), "digest": tuple(entry["digest"]), "quarantine": quarantine}
    )


def open_ledger(case: Path, pointer: Pointer) -> Ledger:
    """Read the ledger that holds. Raises ``InputError`` if it is not as it was written."""
    return from_bytes(get(case, pointer.ledger_path, pointer.ledger), pointer.ledger_path)
