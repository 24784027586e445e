"""What a file is, told from its first bytes; its name says nothing."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import csv
import io
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import zstandard

from extractscan.logs.streams import codec_of

if TYPE_CHECKING:
    from extractscan.logs.names import NameTable

Format = Literal["parquet", "arrow", "arrow-stream", "jsonl", "json", "csv", "empty", "unknown"]

HEAD: Final = 256 << 10
"""Bytes of a file, as stored, that are looked at."""

_SAMPLE: Final = 1 << 20
_LINES: Final = 200
_DELIMITERS: Final = ",\t;|"
_STREAM_MARK: Final = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """``codec`` is the compression around a text format; ``names`` the columns, or the keys of a sample, in order."""

    format: Format
    codec: str = ""
    encoding: str = ""
    names: tuple[str, ...] = ()
    delimiter: str = ""

    @property
    def label(self) -> str:
        """The format for people: ``jsonl`` or ``jsonl.gz``."""
        return f"{self.format}.{self.codec}" if self.codec else self.format


def sniff(head: bytes, names: NameTable) -> Sniffed:
    """Recognise a file by ``head``, its first HEAD bytes (fewer only if it is shorter)."""
    if head.startswith(b"PAR1"):
        return Sniffed("parquet")
    if head.startswith(b"ARROW1"):
        return Sniffed("arrow")
    if head.startswith(_STREAM_MARK) and len(head) > 8 and head[7] == 0:
        return Sniffed("arrow-stream")
    codec = codec_of(head)
    complete = len(head) < HEAD
    text = head
    if codec:
        text = _open(head, codec)
        complete = complete and len(text) < _SAMPLE
        if text.startswith((b"PAR1", b"ARROW1")):
            return Sniffed("unknown", codec)
    encoding = ""
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if text.startswith(mark):
            encoding, text = name, text.decode("utf-16", "replace").encode("utf-8", "replace")
    text = text.removeprefix(codecs.BOM_UTF8)
    if not text.strip():
        return Sniffed("empty" if complete else "unknown", codec)
    found = _text(text, names, complete=complete)
    return Sniffed(found.format, codec, encoding, found.names, found.delimiter)


def _open(head: bytes, codec: str) -> bytes:
    """The first decompressed bytes; what can be had of them if the data is damaged."""
    try:
        if codec == "gz":
            return zlib.decompressobj(31).decompress(head, _SAMPLE)
        if codec == "bz2":
            return bz2.BZ2Decompressor().decompress(head, _SAMPLE)
    except (zlib.error, OSError, ValueError):
        return b""
    decoder, out = zstandard.ZstdDecompressor().decompressobj(), b""
    for at in range(0, len(head), 1024):
        if decoder.eof or len(out) >= _SAMPLE:
            break
        try:
            out += decoder.decompress(head[at : at + 1024])
        except zstandard.ZstdError:
            break
    return out[:_SAMPLE]


def _text(text: bytes, names: NameTable, *, complete: bool) -> Sniffed:
    first = text.lstrip()[:1]
    lines = text.split(b"\n", _LINES + 1)
    whole = lines if complete and len(lines) <= _LINES else lines[:-1]
    if first == b"[" and text.lstrip()[1:].lstrip()[:1] in (b"{", b"]", b"[", b""):
        return Sniffed("json", names=_first_keys(text))
    keys: dict[str, None] = {}
    objects = 0
    for line in whole[:_LINES]:
        found = _object(line)
        if found is not None:
            objects += 1
            keys.update(dict.fromkeys(found))
    if objects:
        return Sniffed("jsonl", names=tuple(keys))
    table = _csv(whole, names)
    if first != b"{" and table is not None:
        return table
    if first == b"{":
        lines_of_objects = sum(line.startswith(b'{"') for line in whole) > 1
        return Sniffed("jsonl" if lines_of_objects or not whole else "json", names=_first_keys(text))
    if not whole and b"\0" not in text:
        return Sniffed("jsonl")  # one endless line: let the reader of lines say so
    return Sniffed("unknown")


def _object(line: bytes) -> list[str] | None:
    """The keys of a line that is one JSON object; None if it is not."""
    line = line.strip()
    if not (line.startswith(b"{") and line.endswith(b"}")):
        return None
    try:
        value = json.loads(line.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return list(value) if isinstance(value, dict) else None


def _first_keys(text: bytes) -> tuple[str, ...]:
    """The keys of the first object in ``text``, if it is whole there."""
    decoded = text.decode("utf-8", "replace")
    at = decoded.find("{")
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(decoded, max(at, 0))
    except (ValueError, RecursionError):
        return ()
    return tuple(value) if isinstance(value, dict) else ()


def _csv(lines: list[bytes], names: NameTable) -> Sniffed | None:
    """A table with a header: the delimiter under which most names are known, then the one that gives most columns."""
    if not lines or b"\0" in lines[0]:
        return None
    best: tuple[int, int, str, list[str]] | None = None
    text = b"\n".join(lines).decode("utf-8", "replace")
    for delimiter in _DELIMITERS:
        rows = (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)
        header: list[str] = []
        second: list[str] = []
        with contextlib.suppress(csv.Error):  # a field longer than that reader takes, in the second row
            header = next(rows, [])
            second = header
            second = next(rows, header)
        known = len(names.resolve(header))
        plausible = len(header) > 1 and (len(header) == len(second) or known > 1)
        if plausible and (best is None or (known, len(header)) > best[:2]):
            best = (known, len(header), delimiter, header)
    if best is None:
        return None
    return Sniffed("csv", names=tuple(best[3]), delimiter=best[2])
