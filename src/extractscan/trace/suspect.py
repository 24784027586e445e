"""A data set that surfaced elsewhere, as distinct items, each what was asked, what was answered, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.errors import InputError
from extractscan.fingerprint.requests import Texts, _fingerprint_column
from extractscan.fingerprint.tokens import Tokens, tokenise
from extractscan.logs.discover import discover
from extractscan.logs.streams import DamagedError
from extractscan.trace.reading import FileReport, holds, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from extractscan.progress import Observer


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
        report = FileReport(item.name, observer)
        try:
            frames = list(read_rows(item, columns or {}, report))
        except (DamagedError, OSError) as error:
            raise InputError(f"{item.name} cannot be read: {error}") from error
        parts += [frame.with_columns(pl.col("row") + done) for frame in frames]
        files.append(
            SuspectFile(
                item.name,
                report.format,
                report.shape,
                report.sha256,
                report.rows,
                report.bad_count,
                report.first or None,
            )
        )
        if report.bad_count:
            observer.warn(f"{item.name}: {report.bad_count:,} rows of the data set cannot be used: {report.first}")
        done += report.rows
    if not parts or not sum(p.height for p in parts):
        raise InputError(f"{source} holds no prompt and no response that can be read")
    return items(pl.concat(parts), tuple(files), jobs=jobs, keep_text=keep_text)


def items(table: pl.DataFrame, files: tuple[SuspectFile, ...], *, jobs: int = 1, keep_text: bool = False) -> Suspect:
    """Fingerprint a table of ``row`` (int64), ``prompt`` and ``response`` (String); each pair of texts counts once."""
    table = table.filter(holds("prompt") | holds("response")).with_columns(
        pl.when(holds(c)).then(c).alias(c) for c in ("prompt", "response")
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
