"""One file of a data set, in any usual format and shape, as rows of what was asked and what was answered."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.errors import InputError
from extractscan.logs import messages, textfiles
from extractscan.logs.canonical import RawBatch, _text, as_json
from extractscan.logs.columnar import Columns
from extractscan.logs.names import MESSAGES, name_table
from extractscan.logs.sniff import HEAD, Sniffed, sniff
from extractscan.logs.streams import PIECE, Raw, Text, as_utf8, pieces
from extractscan.trace.conversations import turns
from extractscan.trace.shapes import Shape, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from extractscan.logs.discover import Input
    from extractscan.progress import Observer

BATCH_ROWS: Final = 100_000
LINES_MAX: Final = 1 << 30
"""Bytes of a file of plain lines that are read: it is held as a whole."""
_COLUMNAR: Final = frozenset({"parquet", "arrow", "arrow-stream"})


@dataclass(slots=True)
class FileReport:
    """What has come of one file so far, as the readers of logs report it: rows, those that cannot be used, the first of them in words."""

    name: str
    observer: Observer
    format: str = ""
    shape: str = ""
    sha256: str = ""
    rows: int = 0
    bad_count: int = 0
    first: str = ""

    def bad(self, line: int | None, reason: str) -> None:
        """Count a row that cannot be used."""
        self.first = self.first or (f"line {line}: {reason}" if line is not None else reason)
        self.bad_count += 1
        self.rows += 1

    def bad_rows(
        self, rows: NDArray[np.int64], line: Callable[[NDArray[np.int64]], NDArray[np.int64]], reasons: list[str]
    ) -> None:
        """Count rows that cannot be used; ``line`` tells their lines."""
        self.first = self.first or f"line {int(line(rows[:1])[0])}: {reasons[0]}"
        self.bad_count += len(rows)
        self.rows += len(rows)

    def repaired(self, values: int) -> None:
        """Say that values held broken UTF-8."""
        if values:
            self.observer.warn(f"{self.name}: {values:,} values held bytes that are not UTF-8; replaced by U+FFFD")


def read_rows(item: Input, columns: Mapping[str, str], report: FileReport) -> Iterator[pl.DataFrame]:
    """Read one file as frames of ``row`` (Int64, from 1), ``prompt`` and ``response`` (String); ``report`` fills on the way.

    ``columns`` maps roles (see ``shapes.ROLES``) to source columns. Conversations give a row a turn, all of one ``row``. Raises
    ``InputError`` or ``DamagedError`` if the file cannot be read, ``UsageError`` for a role that does not exist.
    """
    with ExitStack() as stack:
        path = item.path or ""
        if item.path is None or item.size is None:
            path = _spool(sys.stdin.buffer if item.path is None else stack.enter_context(Path(path).open("rb")), stack)
        with Path(path).open("rb") as file:
            report.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with Path(path).open("rb") as file:
            seen = sniff(Raw(file).peek(HEAD), name_table())
        with Path(path).open("rb") as file:
            opening = next(pieces(Raw(file), seen.codec), b"")[:4096].split()
        if b"".join(opening[:2])[:2] == b'["' and seen.format == "csv":
            seen = Sniffed("unknown", seen.codec, seen.encoding)  # an array of texts, whose commas look like a table's
        report.format = seen.label
        if seen.format in _COLUMNAR:
            yield from _columnar(path, item.name, seen, columns, report)
        elif seen.format != "empty":
            yield from _text_file(path, item.name, seen, columns, report, stack)


def _spool(stream: IO[bytes], stack: ExitStack) -> str:
    """A pipe's bytes as a file on disk."""
    file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="extractscan-"))  # noqa: SIM115 (the stack closes it)
    while data := stream.read(PIECE):
        file.write(data)
    file.flush()
    return file.name


def _columnar(
    path: str, name: str, seen: Sniffed, columns: Mapping[str, str], report: FileReport
) -> Iterator[pl.DataFrame]:
    table = Columns(path, seen.format)
    shape = recognise(name, table.names, columns)
    report.shape = shape.name
    for batch in table.batches(shape.table, BATCH_ROWS):
        yield _frame(batch, report)


def _text_file(
    path: str, name: str, seen: Sniffed, columns: Mapping[str, str], report: FileReport, stack: ExitStack
) -> Iterator[pl.DataFrame]:
    file = stack.enter_context(Path(path).open("rb"))  # noqa: SIM115 (the stack closes it)
    source = pieces(Raw(file), seen.codec)
    text = Text(as_utf8(source, seen.encoding) if seen.encoding else source)
    if seen.format == "unknown":
        yield _lines(text, name, columns, report)
        return
    shape = recognise(name, seen.names, columns)
    report.shape = shape.name
    pool = stack.enter_context(ThreadPoolExecutor(min(pl.thread_pool_size(), 8)))
    how = textfiles.Reading(shape.table, report, BATCH_ROWS, pool)
    if seen.format == "csv":
        batches = textfiles.csv(text, how, list(seen.names), seen.delimiter)
    elif seen.format == "json":
        batches = textfiles.json_values(text, how)
    else:
        batches = textfiles.json_lines(text, how)
    for batch in batches:
        yield _frame(batch, report)


def _lines(text: Text, name: str, columns: Mapping[str, str], report: FileReport) -> pl.DataFrame:
    """One column without a delimiter: an array of texts, a CSV of one column under a known name, or a text a line."""
    body = _whole(text, name)
    shape = Shape("plain texts", {"prompt": "text"})
    values = _array(body)
    if values is not None:
        report.format = "json"
    elif (header := _header(body, name, columns)) is not None:
        report.format, shape, values = "csv", header, _cells(body, name)
    else:
        report.format, values = "text", body.splitlines()
    report.shape, report.rows = shape.name, len(values)
    texts = pl.Series(values, dtype=pl.String)
    empty = _nothing(texts.len())
    answers = "response" in shape.columns and "prompt" not in shape.columns
    return pl.DataFrame(
        {
            "row": np.arange(1, texts.len() + 1),
            "prompt": empty if answers else texts,
            "response": texts if answers else empty,
        }
    )


def _whole(text: Text, name: str) -> str:
    """All of a file's text."""
    held = b""
    for chunk in text.chunks(textfiles.CHUNK):
        held += chunk
        if len(held) > LINES_MAX:
            raise InputError(f"{name} is no data set in a known format, and too long for plain lines")
    if text.problem is not None:
        raise InputError(f"{name} cannot be read: {text.problem}")
    if b"\0" in held[:HEAD]:
        raise InputError(f"{name} is no data set in a known format")
    return held.decode("utf-8", "replace")


def _array(body: str) -> list[str] | None:
    """The texts of a JSON array that holds nothing else."""
    if not body.lstrip().startswith("["):
        return None
    try:
        loaded = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, list) and all(isinstance(v, str) for v in loaded) else None


def _header(body: str, name: str, columns: Mapping[str, str]) -> Shape | None:
    """The shape of a table of one column, if the first line names one that is known."""
    lines = body.splitlines()
    head = lines[0].strip().strip('"') if lines else ""
    if not head or len(head) >= 64:
        return None
    try:
        return recognise(name, [head, ""], columns)
    except InputError:
        return None


def _cells(body: str, name: str) -> list[str]:
    """The cells of a table of one column, without its header."""
    csv.field_size_limit(sys.maxsize)
    try:
        return [row[0] for row in csv.reader(io.StringIO(body, newline="")) if row][1:]
    except csv.Error as error:
        raise InputError(f"{name} cannot be read as a table of one column: {error}") from error


def _frame(batch: RawBatch, report: FileReport) -> pl.DataFrame:
    """Rows of a batch as ``row``, ``prompt`` and ``response``; conversations give a row a turn."""
    number = np.arange(report.rows + 1, report.rows + batch.rows + 1)
    report.rows += batch.rows
    prompt, response = _column(batch, "prompt"), _column(batch, "response")
    extra = _column(batch, "system")
    talk = _conversations(batch)
    out = pl.DataFrame({"row": number, "prompt": prompt, "response": response, "extra": extra})
    out = out.select(
        pl.col("row").cast(pl.Int64),
        pl.when(holds("extra"))
        .then(pl.concat_str("prompt", "extra", separator="\n", ignore_nulls=True))
        .otherwise("prompt")
        .alias("prompt"),
        "response",
    )
    if talk is None:
        return out
    split = turns(talk)
    spoken = np.zeros(batch.rows, np.bool_)
    spoken[split["row"].to_numpy()] = True
    # A prompt given as messages may have its answer in a column of its own: it belongs to the last turn.
    split = (
        split.with_columns(last=pl.col("row") != pl.col("row").shift(-1).fill_null(-1))
        .with_columns(given=pl.Series(response).gather(split["row"]))
        .select(
            pl.Series(number).gather(split["row"]).cast(pl.Int64).alias("row"),
            "prompt",
            pl.when(pl.col("last") & pl.col("response").is_null())
            .then("given")
            .otherwise("response")
            .alias("response"),
        )
    )
    unreadable = int((~spoken & (out["prompt"].is_null() & out["response"].is_null()).to_numpy()).sum())
    if unreadable:
        report.bad_count += unreadable
        report.first = report.first or "no messages in it"
    return pl.concat([out.filter(pl.Series(~spoken)), split])


def _nothing(rows: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, rows)


def _column(batch: RawBatch, slot: str) -> pl.Series:
    """A column of texts; of a nested one the last answer, or nothing."""
    made = _nothing(batch.rows)
    for source in batch.columns.get(slot, []):
        if isinstance(source.dtype, pl.List | pl.Array):
            text = as_json(source) if slot == "response" else None
            found = messages.read(text)["response"] if text is not None else _nothing(batch.rows)
        else:
            found = _text(source, blank_is_null=False)
        made = made.zip_with(made.is_not_null(), found)
    return made


def _conversations(batch: RawBatch) -> pl.Series | None:
    sources = list(batch.columns.get(MESSAGES, []))
    sources += [s for s in batch.columns.get("prompt", []) if isinstance(s.dtype, pl.List | pl.Array)]
    found = [text for source in sources if (text := as_json(source)) is not None]
    return found[0] if found else None


def holds(column: str) -> pl.Expr:
    """Whether a column of texts holds more than blanks."""
    return pl.col(column).is_not_null() & pl.col(column).str.contains(r"\S")
