"""What a file holds, by hashes: as stored, decompressed, and up to its last whole line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from extractscan.logs.streams import DamagedError, Raw, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

HEAD_LINES: Final = 2
"""Lines whose hash says which earlier files a file may continue: of CSV the first is the header, and says nothing."""
HEAD_BYTES: Final = 1 << 20
"""Bytes in which these lines must end; a file whose first lines are longer is not known as the continuation of another."""


@dataclass(frozen=True, slots=True)
class Content:
    """Hashes (SHA-256, hexadecimal) and sizes (bytes) of a file; those of its content are empty if it cannot be decompressed.

    ``settled_*`` are of the content up to and with its last line break, of which there are ``settled_lines``. ``heads`` are the
    hashes of its first line and of its first two. ``prefixes`` are the hashes of the lengths that were asked for.
    """

    sha256: str
    content_sha256: str = ""
    content_size: int = 0
    settled_sha256: str = ""
    settled_size: int = 0
    settled_lines: int = 0
    heads: tuple[str, ...] = ()
    prefixes: dict[int, str] | None = None


class _Hasher:
    """Hashes content piece by piece, and takes note at the lengths in ``marks`` and after each piece's last line break."""

    def __init__(self) -> None:
        self.whole = hashlib.sha256()
        self.settled = hashlib.sha256()
        self.marks: list[int] = []
        self.prefixes: dict[int, str] = {}
        self.size = self.settled_size = self.lines = 0

    def take(self, piece: bytes) -> None:
        view = memoryview(piece)
        end = piece.rfind(b"\n") + 1
        stops = {end, len(piece)} - {0}
        while self.marks and self.marks[-1] <= self.size + len(piece):
            stops.add(self.marks.pop() - self.size)
        done = 0
        for stop in sorted(stops):
            self.whole.update(view[done:stop])
            done = stop
            self.prefixes[self.size + stop] = self.whole.hexdigest()
            if stop == end:
                self.settled, self.settled_size = self.whole.copy(), self.size + end
        self.size += len(piece)
        self.lines += piece.count(b"\n")


def look_through(path: Path, size: int, codec: str, asked: Callable[[tuple[str, ...]], Iterable[int]]) -> Content:
    """Hash the first ``size`` bytes of a file; ``asked`` says, given the heads, of which lengths of the content hashes are wanted.

    Raises ``OSError``.
    """
    hasher = _Hasher()
    heads: tuple[str, ...] | None = None
    held = b""
    with path.open("rb") as file:
        raw = Raw(file, limit=size, hashing=bool(codec))
        try:
            for data in pieces(raw, codec):
                held += data
                if heads is None:
                    if len(held) < HEAD_BYTES and held.count(b"\n") < HEAD_LINES:
                        continue  # the heads are not complete yet
                    heads = _heads(held)
                    hasher.marks = sorted(set(asked(heads)), reverse=True)
                hasher.take(held)
                held = b""
        except DamagedError:
            return Content(raw.digest())
        if heads is None:
            heads = _heads(held)
            hasher.marks = sorted(set(asked(heads)), reverse=True)
            hasher.take(held)
        stored = raw.digest() if codec else hasher.whole.hexdigest()
    return Content(
        stored,
        hasher.whole.hexdigest(),
        hasher.size,
        hasher.settled.hexdigest(),
        hasher.settled_size,
        hasher.lines,
        heads,
        hasher.prefixes,
    )


def _heads(text: bytes) -> tuple[str, ...]:
    out = []
    end = 0
    for _ in range(HEAD_LINES):
        end = text.find(b"\n", end) + 1
        if not end:
            break
        out.append(hashlib.sha256(text[:end]).hexdigest())
    return tuple(out)
