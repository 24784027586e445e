"""A data set that surfaced elsewhere: any usual file to items, each what was asked, what was answered, or both."""

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
from extractscan.fingerprint.requests import Texts, _fingerprint_column
from extractscan.fingerprint.tokens import Tokens, tokenise
from extractscan.logs import messages, textfiles
from extractscan.logs.canonical import RawBatch, _text, as_json
from extractscan.logs.columnar import Columns
from extractscan.logs.discover import discover
from extractscan.logs.names import MESSAGES, name_table
from extractscan.logs.sniff import HEAD, Sniffed, sniff
from extractscan.logs.streams import PIECE, DamagedError, Raw, Text, as_utf8, pieces
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


@dataclass(frozen=True, slots=True)
class SuspectFile:
    """One file of the data set. ``rows`` were read, ``bad`` of them could not be used, ``problem`` being the first (line and reason)."""

    path: str
    format: str
    shape: str
    sha256: str
    rows: int
    bad: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A data set as distinct items, in the order of the hashes of what was asked and answered.

    ``prompt`` and ``response`` (int64, n) are positions in ``prompts`` and ``responses``, -1 where an item has none; ``row``
    (int64, n) is the first row that holds the item, counted from 1 over all files. ``rows`` counts rows, or turns of
    conversations, that held text, so that ``rows - n`` are repeats. ``texts`` holds the prompts (else the responses) of the items
    only if they were asked for.
    """

    files: tuple[SuspectFile, ...]
    row: NDArray[np.int64]
    prompt: NDArray[np.int64]
    response: NDArray[np.int64]
    prompts: Texts
    responses: Tokens
    rows: int
    texts: pl.Series | None

    def __len__(self) -> int:
        """Return the number of items."""
        return self.row.size


def read_suspect(
    source: str,
    *,
    observer: Observer,
    columns: Mapping[str, str] | None = None,
    jobs: int = 1,
    keep_text: bool = False,
) -> Suspect:
    """Read a data set: a file, a folder, a glob, or ``-`` for standard input.

    Raises ``InputError`` if nothing in it can be read, ``UsageError`` for a role that does not exist.
    """
    observer.stage("reading the data set")
    parts: list[pl.DataFrame] = []
    files: list[SuspectFile] = []
    done = 0
    for item in discover([source], observer.warn):
        state = _State(item.name, observer)
        try:
            frames = list(_read(item, columns or {}, state))
        except (DamagedError, OSError) as error:
            raise InputError(f"{item.name} cannot be read: {error}") from error
        rows = state.rows
        parts += [frame.with_columns(pl.col("row") + done) for frame in frames]
        files.append(
            SuspectFile(item.name, state.format, state.shape, state.sha256, rows, state.bad_count, state.first or None)
        )
        if state.bad_count:
            observer.warn(f"{item.name}: {state.bad_count:,} rows of the data set cannot be used: {state.first}")
        done += rows
    if not parts or not sum(p.height for p in parts):
        raise InputError(f"{source} holds no prompt and no response that can be read")
    return items(pl.concat(parts), tuple(files), jobs=jobs, keep_text=keep_text)


def items(table: pl.DataFrame, files: tuple[SuspectFile, ...], *, jobs: int = 1, keep_text: bool = False) -> Suspect:
    """Fingerprint a table of ``row`` (int64), ``prompt`` and ``response`` (String); each pair of texts counts once."""
    table = table.filter(_holds("prompt") | _holds("response")).with_columns(
        pl.when(_holds(c)).then(c).alias(c) for c in ("prompt", "response")
    )
    prompt_hash, prompts = _fingerprint_column(table["prompt"], jobs)
    distinct = table["response"].drop_nulls().unique()
    tokens = tokenise(distinct, jobs=jobs)
    response_hash = (
        table.select("response")
        .join(
            pl.DataFrame({"response": distinct, "hash": tokens.hashes}),
            on="response",
            how="left",
            maintain_order="left",
        )["hash"]
        .fill_null(0)
        .to_numpy()
    )
    rows = table.height
    keys = pl.DataFrame(
        {
            "row": table["row"],
            "p": np.where(table["prompt"].is_null().to_numpy(), np.uint64(0), prompt_hash),
            "r": response_hash,
            "at": np.arange(rows),
        }
    )
    keys = keys.sort("p", "r", "row").unique(["p", "r"], keep="first", maintain_order=True)
    order = np.argsort(tokens.hashes, kind="stable")
    p, r = keys["p"].to_numpy(), keys["r"].to_numpy()
    at = keys["at"].to_numpy()
    has_p = table["prompt"].is_not_null().to_numpy()[at]
    has_r = table["response"].is_not_null().to_numpy()[at]
    found = np.searchsorted(tokens.hashes[order], r)
    return Suspect(
        files,
        keys["row"].to_numpy().astype(np.int64),
        np.where(has_p, np.searchsorted(prompts.hashes, p), -1),
        np.where(has_r, order[np.minimum(found, max(order.size - 1, 0))] if order.size else -1, -1),
        prompts,
        tokens,
        rows,
        table.select(pl.coalesce("prompt", "response").alias("text"))["text"].gather(at) if keep_text else None,
    )


def _holds(column: str) -> pl.Expr:
    """Whether a column holds more than blanks."""
    return pl.col(column).is_not_null() & pl.col(column).str.contains(r"\S")


@dataclass(slots=True)
class _State:
    """What has come of one file so far; the readers' Report."""

    name: str
    observer: Observer
    format: str = ""
    shape: str = ""
    sha256: str = ""
    rows: int = 0
    bad_count: int = 0
    first: str = ""

    def bad(self, line: int | None, reason: str) -> None:
        self.first = self.first or (f"line {line}: {reason}" if line is not None else reason)
        self.bad_count += 1
        self.rows += 1

    def bad_rows(
        self, rows: NDArray[np.int64], line: Callable[[NDArray[np.int64]], NDArray[np.int64]], reasons: list[str]
    ) -> None:
        self.first = self.first or f"line {int(line(rows[:1])[0])}: {reasons[0]}"
        self.bad_count += len(rows)
        self.rows += len(rows)

    def repaired(self, values: int) -> None:
        if values:
            self.observer.warn(f"{self.name}: {values:,} values held bytes that are not UTF-8; replaced by U+FFFD")


def _read(item: Input, columns: Mapping[str, str], state: _State) -> Iterator[pl.DataFrame]:
    with ExitStack() as stack:
        path = item.path or ""
        if item.path is None or item.size is None:
            path = _spool(sys.stdin.buffer if item.path is None else stack.enter_context(Path(path).open("rb")), stack)
        with Path(path).open("rb") as file:
            state.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with Path(path).open("rb") as file:
            seen = sniff(Raw(file).peek(HEAD), name_table())
        with Path(path).open("rb") as file:
            opening = next(pieces(Raw(file), seen.codec), b"")[:4096].split()
        if b"".join(opening[:2])[:2] == b'["' and seen.format == "csv":
            seen = Sniffed("unknown", seen.codec, seen.encoding)  # an array of texts, whose commas look like a table's
        state.format = seen.label
        if seen.format in _COLUMNAR:
            yield from _columnar(path, item.name, seen, columns, state)
        elif seen.format != "empty":
            yield from _text_file(path, item.name, seen, columns, state, stack)


def _spool(stream: IO[bytes], stack: ExitStack) -> str:
    """A pipe's bytes as a file on disk."""
    file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="extractscan-"))  # noqa: SIM115 (the stack closes it)
    while data := stream.read(PIECE):
        file.write(data)
    file.flush()
    return file.name


def _columnar(path: str, name: str, seen: Sniffed, columns: Mapping[str, str], state: _State) -> Iterator[pl.DataFrame]:
    table = Columns(path, seen.format)
    shape = recognise(name, table.names, columns)
    state.shape = shape.name
    for batch in table.batches(shape.table, BATCH_ROWS):
        yield _frame(batch, state)


def _text_file(
    path: str, name: str, seen: Sniffed, columns: Mapping[str, str], state: _State, stack: ExitStack
) -> Iterator[pl.DataFrame]:
    file = stack.enter_context(Path(path).open("rb"))  # noqa: SIM115 (the stack closes it)
    source = pieces(Raw(file), seen.codec)
    text = Text(as_utf8(source, seen.encoding) if seen.encoding else source)
    if seen.format == "unknown":
        yield _lines(text, name, columns, state)
        return
    shape = recognise(name, seen.names, columns)
    state.shape = shape.name
    pool = stack.enter_context(ThreadPoolExecutor(min(pl.thread_pool_size(), 8)))
    how = textfiles.Reading(shape.table, state, BATCH_ROWS, pool)
    if seen.format == "csv":
        batches = textfiles.csv(text, how, list(seen.names), seen.delimiter)
    elif seen.format == "json":
        batches = textfiles.json_values(text, how)
    else:
        batches = textfiles.json_lines(text, how)
    for batch in batches:
        yield _frame(batch, state)


def _lines(text: Text, name: str, columns: Mapping[str, str], state: _State) -> pl.DataFrame:
    """One column without a delimiter: a CSV of one column under a known name, an array of texts, or a text a line."""
    held = b""
    for chunk in text.chunks(textfiles.CHUNK):
        held += chunk
        if len(held) > LINES_MAX:
            raise InputError(f"{name} is no data set in a known format, and too long for plain lines")
    if text.problem is not None:
        raise InputError(f"{name} cannot be read: {text.problem}")
    if b"\0" in held[:HEAD]:
        raise InputError(f"{name} is no data set in a known format")
    body = held.decode("utf-8", "replace")
    values: list[str] | None = None
    if body.lstrip().startswith("["):
        try:
            loaded = json.loads(body)
            values = loaded if isinstance(loaded, list) and all(isinstance(v, str) for v in loaded) else None
        except (ValueError, RecursionError):
            values = None
    state.format, shape = "json" if values is not None else "text", Shape("plain texts", {"prompt": "text"})
    if values is None:
        lines = body.splitlines()
        head = lines[0].strip().strip('"') if lines else ""
        header = None
        if head and len(head) < 64:
            try:
                header = recognise(name, [head, ""], columns)
            except InputError:
                header = None
        if header is not None:
            shape, state.format = header, "csv"
            csv.field_size_limit(sys.maxsize)
            try:
                values = [row[0] for row in csv.reader(io.StringIO(body, newline="")) if row][1:]
            except csv.Error as error:
                raise InputError(f"{name} cannot be read as a table of one column: {error}") from error
        else:
            values = lines
    state.shape, state.rows = shape.name, len(values)
    role = "response" if "response" in shape.columns and "prompt" not in shape.columns else "prompt"
    texts = pl.Series(values, dtype=pl.String)
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, texts.len())
    return pl.DataFrame(
        {
            "row": np.arange(1, texts.len() + 1),
            "prompt": texts if role == "prompt" else empty,
            "response": texts if role == "response" else empty,
        }
    )


def _frame(batch: RawBatch, state: _State) -> pl.DataFrame:
    """Rows of a batch as ``row``, ``prompt`` and ``response``; conversations give a row a turn."""
    number = np.arange(state.rows + 1, state.rows + batch.rows + 1)
    state.rows += batch.rows
    prompt, response = _column(batch, "prompt"), _column(batch, "response")
    extra = _column(batch, "system")
    talk = _conversations(batch)
    out = pl.DataFrame({"row": number, "prompt": prompt, "response": response, "extra": extra})
    more = pl.col("extra").is_not_null() & pl.col("extra").str.contains(r"\S")
    out = out.select(
        pl.col("row").cast(pl.Int64),
        pl.when(more)
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
        state.bad_count += unreadable
        state.first = state.first or "no messages in it"
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
