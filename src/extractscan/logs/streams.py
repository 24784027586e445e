"""Bytes of an input: peeked at, hashed, decompressed piece by piece within bounds."""

from __future__ import annotations

import bz2
import codecs
import hashlib
import io
import os
import select
import stat
import sys
import threading
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Final

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

PIECE: Final = 1 << 20
"""Bytes read, or decompressed, at a time."""

MAX_RATIO: Final = 500
"""A compressed file may grow this many times over, once it is past FREE_SIZE; more is taken for a bomb."""

FREE_SIZE: Final = 1 << 30
"""Decompressed bytes that are allowed whatever the ratio."""

_BESIDE: Final = PIECE // 8
"""Bytes from which on hashing them beside other work takes longer than to say so."""

_BEHIND: Final = 8
"""Pieces that may wait to be hashed; each is held in memory until then."""

_ZSTD_FEED: Final = 2048  # one input byte can stand for 32 KiB, and the decoder takes no limit on its output

_MAGIC: Final = ((b"\x1f\x8b", "gz"), (b"\x28\xb5\x2f\xfd", "zst"), (b"BZh", "bz2"))


_GLANCE: Final = 0.25
"""Seconds after which a wait for a pipe looks up, so that an interrupt that came just before the wait is heeded."""


def _from_pipe(file: IO[bytes], n: int) -> bytes:
    """At most ``n`` bytes of a pipe, as soon as it has some; nothing at the end.

    A read that blocks would not notice a signal that came a moment before it.
    """
    try:
        number = file.fileno()
    except (OSError, AttributeError):
        return file.read(n)  # no file of the system's
    if sys.platform == "win32" or stat.S_ISREG(os.fstat(number).st_mode):
        return file.read(n)
    while not select.select([number], [], [], _GLANCE)[0]:
        pass
    # A single read of the pipe itself, past the buffer, in which nothing is ever left.
    return file.read1(n) if isinstance(file, io.BufferedReader) else file.read(n)


class Digest:
    """SHA-256 of bytes that come piece by piece, computed beside what else is done with them (hashing leaves the interpreter free)."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._pool: ThreadPoolExecutor | None = None
        self._begun: deque[Future[None]] = deque()

    def update(self, data: bytes) -> None:
        """Take in the next piece; waits if many are not hashed yet."""
        if len(data) < _BESIDE:  # sooner done than begun elsewhere
            self._wait(0)
            self._hash.update(data)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "sha256")
        self._wait(_BEHIND)
        self._begun.append(self._pool.submit(self._hash.update, data))

    def hexdigest(self) -> str:
        """The digest of all pieces."""
        self._wait(0)
        return self._hash.hexdigest()

    def _wait(self, most: int) -> None:
        """Wait until at most so many pieces are not hashed yet."""
        while len(self._begun) > most:
            self._begun.popleft().result()


class Raw:
    """A file or pipe, read forward only: ``peek`` looks ahead, ``size`` counts what was read.

    With ``limit`` no byte beyond that is read, so that a file that grows meanwhile is read up to the size it had.
    With ``hashing`` the digest is of all bytes read; a pipe has no other chance to be hashed.
    """

    def __init__(self, file: IO[bytes], *, limit: int | None = None, hashing: bool = False) -> None:
        self._file = file
        self._left = limit
        self._ahead = b""
        self._hash = Digest() if hashing else None
        self.size = 0

    def _more(self, n: int) -> bytes:
        if self._left is not None:
            n = min(n, self._left)
        data = (self._file.read(n) if self._left is not None else _from_pipe(self._file, n)) if n else b""
        if self._left is not None:
            self._left -= len(data)
        if self._hash is not None:
            self._hash.update(data)
        return data

    def peek(self, n: int) -> bytes:
        """The next ``n`` bytes, fewer only at the end; they stay to be read."""
        while len(self._ahead) < n:
            data = self._more(n - len(self._ahead))
            if not data:
                break
            self._ahead += data
        return self._ahead[:n]

    def read(self, n: int) -> bytes:
        """At most ``n`` bytes; nothing at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:n], self._ahead[n:]
        else:
            data = self._more(n)
        self.size += len(data)
        return data

    def digest(self) -> str:
        """Hexadecimal SHA-256 of the whole input; reads what is left of it."""
        while self.read(PIECE):
            pass
        return "" if self._hash is None else self._hash.hexdigest()


class BackgroundDigest:
    """SHA-256 of the first ``size`` bytes of a file, computed beside the reading (hashing leaves the interpreter free)."""

    def __init__(self, path: str, size: int) -> None:
        self._path, self._size = path, size
        self._value = ""
        self._thread: threading.Thread | None = None
        if size <= PIECE:
            self._run()  # sooner done than begun elsewhere
            return
        self._thread = threading.Thread(target=self._run, name="sha256", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        digest, left = hashlib.sha256(), self._size
        try:
            with open(self._path, "rb", buffering=0) as file:  # noqa: PTH123 (hot path, and the path may be bytes-like)
                while left > 0 and (data := file.read(min(left, PIECE))):
                    digest.update(data)
                    left -= len(data)
        except OSError:
            return
        self._value = digest.hexdigest()

    def result(self) -> str:
        """Wait for the digest; empty if the file could not be read again."""
        if self._thread is not None:
            self._thread.join()
        return self._value


class DamagedError(Exception):
    """The compressed data ends early, is corrupt, or grows beyond the bounds; the text says which."""


def codec_of(head: bytes) -> str:
    """Compression by the first bytes: ``gz``, ``zst``, ``bz2`` or nothing."""
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "")


def pieces(raw: Raw, codec: str) -> Iterator[bytes]:
    """The decompressed bytes in pieces of bounded size. Raises DamagedError after the last good piece."""
    if not codec:
        while data := raw.read(PIECE):
            yield data
        return
    out = 0
    decoder = {"gz": _gz, "zst": _zst, "bz2": _bz2}[codec]
    for data in decoder(raw.read):
        out += len(data)
        if out > FREE_SIZE and out > MAX_RATIO * raw.size:
            raise DamagedError(
                f"the compressed data grows more than {MAX_RATIO}-fold; the rest is not read (decompress it to read it)"
            )
        yield data


def _gz(read: Callable[[int], bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(31)
    started, data = False, b""
    while True:
        data = data or read(PIECE // 4)
        if not data:
            break
        if decoder.eof:  # another member, or padding after the last one
            data = data.lstrip(b"\0")
            if not data:
                continue
            decoder = zlib.decompressobj(31)
        started = True
        try:
            out = decoder.decompress(data, PIECE)
        except zlib.error as error:
            raise DamagedError("the gzip data is damaged from here on") from error
        data = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        if out:
            yield out
    while started and not decoder.eof:
        out = decoder.decompress(b"", PIECE)
        if not out:
            raise DamagedError("the gzip data ends too early")
        yield out


def _bz2(read: Callable[[int], bytes]) -> Iterator[bytes]:
    decoder = bz2.BZ2Decompressor()
    started, data = False, b""
    while True:
        if decoder.eof:
            data = decoder.unused_data
            decoder = bz2.BZ2Decompressor()
            started = False
        if not data and decoder.needs_input:
            data = read(PIECE // 4)
            if not data:
                break
        started = True
        try:
            out = decoder.decompress(data, PIECE)
        except (OSError, ValueError) as error:
            raise DamagedError("the bzip2 data is damaged from here on") from error
        data = b""
        if out:
            yield out
    if started:
        raise DamagedError("the bzip2 data ends too early")


def _zst(read: Callable[[int], bytes]) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor().decompressobj()
    started, done = False, False
    held: list[bytes] = []
    size = 0
    while data := read(PIECE // 4):
        view = memoryview(data)
        while view:
            if done:
                decoder, done = zstandard.ZstdDecompressor().decompressobj(), False
            started = True
            feed, view = view[:_ZSTD_FEED], view[_ZSTD_FEED:]
            try:
                out = decoder.decompress(feed)
            except zstandard.ZstdError as error:
                if held:
                    yield b"".join(held)
                raise DamagedError("the zstd data is damaged from here on") from error
            if decoder.eof:
                done = True
                view = memoryview(decoder.unused_data + bytes(view))
            held.append(out)
            size += len(out)
            if size >= PIECE:
                yield b"".join(held)
                held, size = [], 0
    if size:
        yield b"".join(held)
    if started and not done:
        raise DamagedError("the zstd data ends too early")


def between(source: Iterator[bytes], start: int, stop: int | None) -> Iterator[bytes]:
    """Those bytes that lie from ``start`` to ``stop`` (None: to the end); what lies before is still drawn."""
    at = 0
    for data in source:
        first, last = max(start - at, 0), len(data) if stop is None else min(stop - at, len(data))
        at += len(data)
        if first < last:
            yield data[first:last]
        if stop is not None and at >= stop:
            return


def as_utf8(source: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Transcode UTF-16 pieces to UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for data in source:
        yield decoder.decode(data).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


class Text:
    """The bytes of a text input, without a byte order mark, in chunks; ``problem`` tells why they end before their end.

    A reader sets ``cut`` when it took what is left at the end for a last record although it had no end of its own.
    """

    def __init__(self, source: Iterator[bytes], *, begins: bool = True) -> None:
        """``begins`` says that the source starts where the input does: only there a byte order mark is one."""
        self._source, self._begins = source, begins
        self.problem: str | None = None
        self.cut = False

    def chunks(self, size: int) -> Iterator[bytes]:
        """Chunks of at least ``size`` bytes, the last may be smaller."""
        return (b"".join(parts) for parts in self.parts(size))

    def parts(self, size: int) -> Iterator[list[bytes]]:
        """The chunks as the pieces that they are put together of, none of them empty."""
        held: list[bytes] = []
        length, first = 0, True
        while True:
            try:
                data = next(self._source, b"")
            except DamagedError as error:
                self.problem, data = str(error), b""
            except OSError as error:
                self.problem, data = f"reading failed: {error.strerror or 'input/output error'}", b""
            if data:
                held.append(data)
                length += len(data)
                if length < size:
                    continue
            if first and self._begins and held:
                if len(held[0]) < len(codecs.BOM_UTF8):
                    held = [b"".join(held)]
                held[0] = held[0].removeprefix(codecs.BOM_UTF8)
                held = [part for part in held if part]
            if held:
                yield held
            held, length, first = [], 0, False
            if not data:
                return
