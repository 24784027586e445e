"""What a file is, told from its first bytes; its name says nothing."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import csv
import io
import itertools
import json
import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import zstandard

from extractscan.logs.streams import codec_of

if TYPE_CHECKING:
    from extractscan.logs.names import NameTable

Format = Literal["parquet", "arrow", "arrow-stream", "delta", "iceberg", "jsonl", "json", "csv", "empty", "unknown"]

HEAD: Final = 256 << 10
"""Bytes of a file, as stored, that are looked at."""

STAMP: Final = 25
"""Bytes of a time, and of the blank after it, before each record of a CloudWatch export."""

_STAMPED: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \{")
_SAMPLE: Final = 1 << 20
_LINES: Final = 200
_ROWS: Final = 20
_NESTED: Final = 64
_DELIMITERS: Final = ",\t;|"
_STREAM_MARK: Final = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """``codec`` is the compression around a text format; ``names`` the columns, or the keys of a sample, in order.

    ``sample`` holds some records, for telling which system wrote them. ``stamp`` is how many bytes a time takes that stands before
    the record in each line, as CloudWatch exports them.
    """

    format: Format
    codec: str = ""
    encoding: str = ""
    names: tuple[str, ...] = ()
    delimiter: str = ""
    sample: tuple[dict[str, Any], ...] = ()
    stamp: int = 0

    @property
    def label(self) -> str:
        """The format for people: ``jsonl`` or ``jsonl.gz``."""
        return f"{self.format}.{self.codec}" if self.codec else self.format

    @property
    def columnar(self) -> bool:
        """Whether it is a table whose columns are stored one by one."""
        return self.format in ("parquet", "arrow", "arrow-stream", "delta", "iceberg")

    @property
    def is_text(self) -> bool:
        """Whether it is text that holds records."""
        return self.format in ("jsonl", "json", "csv")

    @property
    def is_json(self) -> bool:
        """Whether it is JSON: its names are the keys of a sample, and others may come later."""
        return self.format in ("jsonl", "json")


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
    return replace(found, codec=codec, encoding=encoding)


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
        return _json(text)
    stamp = STAMP if any(_STAMPED.match(line) for line in whole) else 0
    if stamp:
        whole = [line[stamp:] if _STAMPED.match(line) else line for line in whole]
    keys: dict[str, None] = {}
    sample = [found for line in whole[:_LINES] if (found := _object(line)) is not None]
    for found in sample:
        keys.update(dict.fromkeys(found))
    if sample:
        return Sniffed("jsonl", names=tuple(keys), sample=tuple(sample), stamp=stamp)
    table = _csv(whole, names)
    if first != b"{" and table is not None:
        return table
    if first == b"{":
        lines_of_objects = sum(line.startswith(b'{"') for line in whole) > 1
        found_here = _json(text)
        return replace(found_here, format="jsonl") if lines_of_objects or not whole else found_here
    if not whole and b"\0" not in text:
        return Sniffed("jsonl")  # one endless line: let the reader of lines say so
    return Sniffed("unknown")


def _object(line: bytes) -> dict[str, Any] | None:
    """A line that is one JSON object; None if it is not."""
    line = line.strip()
    if not (line.startswith(b"{") and line.endswith(b"}")):
        return None
    try:
        value = json.loads(line.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _json(text: bytes) -> Sniffed:
    """The first objects in ``text``; of one that is not whole there, what there is of it."""
    decoded = text.decode("utf-8", "replace")
    at = max(decoded.find("{"), 0)
    sample: list[dict[str, Any]] = []
    decoder = json.JSONDecoder(strict=False)
    while len(sample) < _LINES:
        try:
            value, end = decoder.raw_decode(decoded, at)
        except (ValueError, RecursionError):
            break
        if isinstance(value, dict):
            sample.append(value)
        at = decoded.find("{", end)
        if at < 0:
            break
    if not sample and (cut := _cut_short(decoded[at:])) is not None:
        sample.append(cut)
    keys = dict.fromkeys(key for record in sample for key in record)
    return Sniffed("json", names=tuple(keys), sample=tuple(sample))


def _cut_short(text: str) -> dict[str, Any] | None:
    """What there is of an object that goes on beyond ``text``: all up to the last whole member."""
    closers: list[str] = []
    best, inside, skip = "", False, False
    last = -1
    for i, c in enumerate(text[:HEAD]):
        if inside:
            if skip:
                skip = False
            elif c == "\\":
                skip = True
            elif c == '"':
                inside = False
        elif c == '"':
            inside = True
        elif c in "{[":
            if len(closers) > _NESTED:
                break
            closers.append("}" if c == "{" else "]")
        elif c in "}]":
            if not closers or closers.pop() != c or not closers:
                return None
        elif c == ",":
            last, best = i, "".join(reversed(closers))
    if last < 0:
        return None
    try:
        value = json.loads(text[:last] + best, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _csv(lines: list[bytes], names: NameTable) -> Sniffed | None:
    """A table with a header: the delimiter under which most names are known, then the one that gives most columns."""
    if not lines or b"\0" in lines[0]:
        return None
    best: tuple[int, int, str, list[str], list[list[str]]] | None = None
    text = b"\n".join(lines).decode("utf-8", "replace")
    for delimiter in _DELIMITERS:
        rows = (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)
        header: list[str] = []
        second: list[str] = []
        some: list[list[str]] = []
        with contextlib.suppress(csv.Error):  # a field longer than that reader takes, in the second row
            header = next(rows, [])
            second = header
            second = next(rows, header)
            some = [second, *itertools.islice(rows, _ROWS)]
        known = len(names.resolve(header))
        plausible = len(header) > 1 and (len(header) == len(second) or known > 1)
        if plausible and (best is None or (known, len(header)) > best[:2]):
            best = (known, len(header), delimiter, header, some)
    if best is None:
        return None
    sample = tuple(dict(zip(best[3], row, strict=False)) for row in best[4] if row is not best[3])
    if not sample:
        sample = (dict.fromkeys(best[3], ""),)
    return Sniffed("csv", names=tuple(best[3]), delimiter=best[2], sample=sample)
