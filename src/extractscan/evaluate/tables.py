"""Reading a ranking and its labels, in whichever of four formats they come, and matching the two.

The format is told by content, never by the file's name.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from extractscan.errors import InputError
from extractscan.report.neutralise import csv_cell, json_text, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RANKING: Final = {"account_id": pl.String(), "score": pl.Float64(), "severity": pl.String(), "campaign_id": pl.String()}
"""Columns of a ranking; ``severity`` and ``campaign_id`` may be missing from the file, and then from the frame."""

LABELS: Final = {"account_id": pl.String(), "label": pl.String(), "archetype": pl.String(), "campaign": pl.String()}
"""Columns of labels; ``archetype`` and ``campaign`` may be missing."""

SEVERITIES: Final = ("high", "medium", "low", "none")

_BLANKS: Final = 4096
"""Bytes in which the first character that is not blank must stand."""

_TRUTH: Final = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Matched:
    """A ranking joined to labels.

    ``frame`` has one row a labelled account, sorted by ``account_id``: ``account_id``, ``attack`` (Boolean), ``score``
    (Float64, never null), and of ``severity``, ``campaign_id``, ``archetype``, ``campaign`` those that the files have.
    ``ranked`` counts the accounts of the ranking, ``missing`` the labelled accounts that it lacks (scored last),
    ``unlabelled`` the ranked accounts without a label (left out).
    """

    frame: pl.DataFrame
    ranked: int
    missing: int
    unlabelled: int


def match_files(ranking: str, labels: str) -> Matched:
    """Read a ranking and labels and join them by account.

    ``ranking`` is what ``score`` writes as JSONL, JSON, CSV or Parquet, or ``-`` for standard input; ``labels`` is CSV,
    JSONL, JSON or Parquet with ``account_id``, ``label`` (1 or true: attack; 0 or false: benign) and, where known,
    ``archetype`` and ``campaign``. Raises InputError when one cannot be read, lacks a column or repeats an account, or
    when they share none.
    """
    return match(read_ranking(ranking), read_labels(labels))


def match(ranking: pl.DataFrame, labels: pl.DataFrame) -> Matched:
    """Join what ``read_ranking`` and ``read_labels`` return.

    A labelled account that the ranking lacks gets score 0, or the lowest score of the ranking when that is negative: it
    comes last, tied with others that are. Raises InputError when no account is in both.
    """
    ranking = _unguard(ranking, labels)
    both = labels.join(ranking, on="account_id", how="inner").height
    if both == 0:
        raise InputError("no labelled account is in the ranking: are the two files from the same log?")
    lowest = ranking.select(pl.col("score").min()).item()
    frame = labels.join(ranking, on="account_id", how="left").with_columns(pl.col("score").fill_null(min(0.0, lowest)))
    return Matched(
        frame=frame.sort("account_id"),
        ranked=ranking.height,
        missing=labels.height - both,
        unlabelled=ranking.height - both,
    )


def _unguard(ranking: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Give back its name to an account that a CSV report had to write differently, lest a spreadsheet run it."""
    lost = labels.join(ranking, on="account_id", how="anti")["account_id"].to_list()
    strangers = set(ranking.join(labels, on="account_id", how="anti")["account_id"].to_list())
    names: dict[str, list[str]] = {}
    for name in lost if strangers else ():
        names.setdefault(csv_cell(name), []).append(name)
    back = {guarded: own[0] for guarded, own in names.items() if guarded in strangers and len(own) == 1}
    return ranking.with_columns(pl.col("account_id").replace(back)) if back else ranking


def read_ranking(path: str) -> pl.DataFrame:
    """Read a ranking; returns those columns of ``RANKING`` that the file has. Raises InputError."""
    name = "the ranking on standard input" if path == "-" else f"the ranking {terminal(path)}"
    frame = _columns(name, _read(name, path, RANKING), RANKING, required=("account_id", "score"))
    unscored = frame.select((~pl.col("score").is_finite().fill_null(value=False)).sum()).item()
    if unscored:
        raise InputError(f"{name} has no number as score in {unscored} of {frame.height} rows")
    if "severity" in frame.columns:
        frame = frame.with_columns(pl.col("severity").str.to_lowercase().fill_null("none"))
        if not frame["severity"].is_in(SEVERITIES).all():
            raise InputError(f"{name} has a severity that is none of {', '.join(SEVERITIES)}")
    return frame


def read_labels(path: str) -> pl.DataFrame:
    """Read labels; returns ``account_id``, ``attack`` (Boolean) and, if present, ``archetype``, ``campaign``.

    Raises InputError.
    """
    name = f"the labels {terminal(path)}"
    frame = _columns(name, _read(name, path, LABELS), LABELS, required=("account_id", "label"))
    truth = pl.col("label").str.strip_chars().str.to_lowercase()
    frame = frame.with_columns(
        truth.replace_strict(list(_TRUTH), list(_TRUTH.values()), default=None, return_dtype=pl.Boolean).alias("attack")
    )
    wrong = frame["attack"].null_count()
    if wrong:
        raise InputError(f"{name} has a label that is neither 0 nor 1 in {wrong} of {frame.height} rows")
    return frame.drop("label")


def _columns(
    name: str, frame: pl.DataFrame, wanted: Mapping[str, pl.DataType], *, required: tuple[str, ...]
) -> pl.DataFrame:
    """Keep the wanted columns in their types; an empty text is a missing one."""
    for column in required:
        if column not in frame.columns:
            raise InputError(f"{name} has no column {column}")
    present = [column for column in wanted if column in frame.columns]
    try:
        frame = frame.select(pl.col(column).cast(wanted[column], strict=False) for column in present)
    except pl.exceptions.PolarsError as error:  # a list or a structure where a value belongs
        raise InputError(f"{name} has a column of the wrong kind") from error
    texts = pl.col(pl.String)
    frame = frame.with_columns(pl.when(texts != "").then(texts))
    if frame.height == 0:
        raise InputError(f"{name} has no rows")
    if frame["account_id"].null_count():
        raise InputError(f"{name} has rows without account_id")
    repeated = frame.height - frame["account_id"].n_unique()
    if repeated:
        raise InputError(f"{name} names {repeated} accounts more than once")
    return frame


def _read(name: str, path: str, wanted: Mapping[str, pl.DataType]) -> pl.DataFrame:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or 'unreadable'}") from error
    try:
        if data.startswith(b"PAR1"):
            present = pl.read_parquet_schema(io.BytesIO(data))
            return pl.read_parquet(io.BytesIO(data), columns=[column for column in wanted if column in present])
        data = data.removeprefix(b"\xef\xbb\xbf")
        if data[:_BLANKS].lstrip()[:1] in (b"{", b"["):
            return _from_objects(_objects(name, data), tuple(wanted))
        return pl.read_csv(io.BytesIO(data.decode(errors="replace").encode()), infer_schema=False)
    except pl.exceptions.NoDataError as error:
        raise InputError(f"{name} is empty") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        kind = "Parquet file" if data.startswith(b"PAR1") else "table"
        raise InputError(f"{name} is not a whole {kind}") from error


def _from_objects(objects: Iterator[dict[str, Any]], wanted: tuple[str, ...]) -> pl.DataFrame:
    """Make text columns of JSON objects; a column exists when any object has its key, if only with null."""
    values: dict[str, list[str | None]] = {column: [] for column in wanted}
    seen: set[str] = set()
    for item in objects:
        seen |= item.keys()
        for column in wanted:
            value = item.get(column)
            values[column].append(None if value is None else json_text(str(value)))
    return pl.DataFrame({column: values[column] for column in wanted if column in seen}, schema_overrides=_TEXT)


_TEXT: Final = dict.fromkeys((*RANKING, *LABELS), pl.String())


def _objects(name: str, data: bytes) -> Iterator[dict[str, Any]]:
    """Yield the accounts of JSONL, of a JSON array, or of a JSON object under ``accounts``."""
    start = len(data[:_BLANKS]) - len(data[:_BLANKS].lstrip())
    end = data.find(b"\n", start)
    head = data[start : end if end >= 0 else None].rstrip()
    first = _parse(head)
    if isinstance(first, dict) and not isinstance(first.get("accounts"), list):
        yield from _lines(name, data)
        return
    document = _parse(data)
    if isinstance(document, dict):
        document = document.get("accounts")
    if document is None and head.startswith(b"{") and head.endswith(b"}"):
        yield from _lines(name, data)  # to name the broken line
        return
    if not isinstance(document, list):
        raise InputError(f"{name} is neither a JSON document with a list of accounts nor JSONL")
    for position, item in enumerate(document, start=1):
        if not isinstance(item, dict):
            raise InputError(f"{name}: account {position} is not a JSON object")
        yield item


def _lines(name: str, data: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(io.BytesIO(data), start=1):
        if not line.strip():
            continue
        item = _parse(line)
        if not isinstance(item, dict):
            raise InputError(f"{name}: line {number} is not a JSON object")
        yield item


def _parse(data: bytes) -> Any:
    """Parse JSON, broken UTF-8 replaced; None for what is not JSON."""
    try:
        return json.loads(data.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
