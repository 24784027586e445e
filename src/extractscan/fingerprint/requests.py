"""The heavy pass: canonical requests to compact fingerprints. A pure map over batches, then one merge.

The merge makes everything independent of how rows were ordered, batched and split over files: accounts are numbered in
the order of their ids, prompts in the order of their hashes, requests sorted by time, account, hash of the id, and prompt. After it
no text of a prompt is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.fingerprint.replies import COLUMNS as REPLIES
from extractscan.fingerprint.replies import sketch_replies
from extractscan.fingerprint.tokens import Tokens, tokenise
from extractscan.jit import kernel
from extractscan.logs.identity import content_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

KEPT_TOKENS: Final = 1024
"""Tokens of a text that are kept: its first and its last half of so many. Frames sit at the ends, and a passage in the
middle of a long prompt is payload."""

MEASURES: Final = ("turn", "input_tokens", "output_tokens", "max_tokens", "n", "status", "temperature", "logprobs")
"""Columns that are carried as they are."""

NAMES: Final = ("org_id", "payment_id", "ip", "user_agent", "model", "end_user", "conversation_id", "finish_reason")
"""Columns that are carried as codes: the rank of the value, or of its hash, among those of the log, null where absent."""


KNOWN_BY_NAME: Final = ("model", "org_id")
"""Those of them whose values are kept too: an analyst asks for a model or an organisation by its name. Of the others, and of request
ids, the map leaves a 64-bit hash: enough to know what is the same."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Distinct texts in the order of their hashes: token sequences in CSR form, cut to ``KEPT_TOKENS``.

    ``hashes`` (uint64, n) ascend; ``tokens`` (uint32) of text ``i`` are ``tokens[offsets[i]:offsets[i + 1]]``; ``chars`` (int64, n)
    counts characters without white space.
    """

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    tokens: NDArray[np.uint32]
    chars: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of texts."""
        return self.hashes.size


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """All requests of a run, without text.

    ``requests`` has a row a request, sorted by time, account, hash of the request id, and prompt: ``account`` (uint32, position in
    ``accounts``), ``time_us`` (int64, microseconds since 1970 UTC), ``prompt`` and ``system`` (int64, positions in ``prompts`` and
    ``systems``, -1 if the log has none), ``has_response`` (bool), the sketch of
    the response (see ``replies``), ``MEASURES`` and, as uint32 codes, ``NAMES``.
    ``duplicates`` counts requests that were delivered more than once and dropped. ``present`` holds the canonical columns
    of which at least one value is there. ``organisations`` has, by account number, the ``org_id`` that all of the account's
    requests name, null if they name none or several.
    ``names`` maps each of ``KNOWN_BY_NAME`` to its values, in the order of their codes.
    """

    requests: pl.DataFrame
    accounts: pl.Series
    prompts: Texts
    systems: Texts
    duplicates: int
    present: frozenset[str]
    organisations: pl.Series
    names: dict[str, pl.Series] = field(default_factory=dict)


@kernel
def _gather(
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    values: NDArray[np.uint32],
    kept: int,
    offsets: NDArray[np.int64],
    out: NDArray[np.uint32],
) -> None:
    """Copy rows of ``values`` to ``out``, the first and the last half of ``kept`` of those that are longer."""
    for i in range(starts.size):
        at = offsets[i]
        size = lengths[i]
        head = size if size <= kept else kept // 2
        for j in range(head):
            out[at + j] = values[starts[i] + j]
        for j in range(head, min(size, kept)):
            out[at + j] = values[starts[i] + size - kept + j]


def _cut(tokens: Tokens) -> Texts:
    """Order texts by their hashes, each once, and keep the first and the last tokens of each."""
    order = np.argsort(tokens.hashes, kind="stable")
    ordered = tokens.hashes[order]
    keep = order[np.r_[True, ordered[1:] != ordered[:-1]]] if ordered.size else order
    starts = tokens.offsets[keep]
    lengths = tokens.offsets[keep + 1] - starts
    offsets = np.r_[np.int64(0), np.cumsum(np.minimum(lengths, KEPT_TOKENS))]
    out = np.empty(int(offsets[-1]), np.uint32)
    _gather(starts, lengths, tokens.values, KEPT_TOKENS, offsets, out)
    return Texts(tokens.hashes[keep], offsets, out, tokens.chars[keep])


def unite_texts(parts: Sequence[Texts]) -> Texts:
    """Unite distinct texts of several batches."""
    if len(parts) == 1:
        return parts[0]
    hashes = np.concatenate([p.hashes for p in parts])
    sizes = np.concatenate([np.diff(p.offsets) for p in parts])
    values = np.concatenate([p.tokens for p in parts])
    offsets = np.r_[np.int64(0), np.cumsum(sizes)]
    return _cut(Tokens(offsets, values, hashes, np.concatenate([p.chars for p in parts])))


def _fingerprint_column(column: pl.Series, jobs: int) -> tuple[NDArray[np.uint64], Texts]:
    """Return the hash of each row's text (0 for null) and the distinct texts."""
    distinct = column.drop_nulls().unique()
    tokens = tokenise(distinct, jobs=jobs)
    table = pl.DataFrame({"text": distinct, "hash": tokens.hashes})
    rows = pl.DataFrame({"text": column}).join(table, on="text", how="left", maintain_order="left")
    return rows["hash"].fill_null(0).to_numpy(), _cut(tokens)


@dataclass(frozen=True, slots=True)
class FingerprintBatch:
    """What the map leaves of one batch: rows with hashes in place of text, and the distinct texts."""

    rows: pl.DataFrame
    prompts: Texts
    systems: Texts


def fingerprint(frame: pl.DataFrame, *, jobs: int = 1) -> FingerprintBatch:
    """Fingerprint a frame of canonical requests."""
    prompt_hash, prompts = _fingerprint_column(frame["prompt"], jobs)
    system_hash, systems = _fingerprint_column(frame["system"], jobs)
    rows = frame.select(
        content_hashes(frame["request_id"]),
        "account_id",
        pl.col("timestamp").dt.epoch("us").alias("time_us"),
        pl.Series("prompt_hash", prompt_hash),
        pl.Series("system_hash", system_hash),
        pl.col("prompt").is_not_null().alias("has_prompt"),
        pl.col("system").is_not_null().alias("has_system"),
        pl.col("response").is_not_null().alias("has_response"),
        *MEASURES,
        *(frame[name] if name in KNOWN_BY_NAME else content_hashes(frame[name]) for name in NAMES),
    ).hstack(sketch_replies(frame["response"], jobs))
    return FingerprintBatch(rows, prompts, systems)


def _codes(rows: pl.DataFrame, name: str) -> pl.Series:
    """Rank of each value among the sorted distinct values; null where absent."""
    values = rows[name].drop_nulls().unique().sort()
    table = pl.DataFrame({name: values, "code": pl.int_range(values.len(), dtype=pl.UInt32, eager=True)})
    return rows.select(name).join(table, on=name, how="left", maintain_order="left")["code"].alias(name)


def merge(batches: Iterable[FingerprintBatch]) -> Fingerprints:
    """Unite batches into one table, the same for any order and split of the same rows.

    A request that was delivered twice (same id, account, time and prompt) counts once.
    """
    parts = list(batches)
    prompts = unite_texts([p.prompts for p in parts])
    systems = unite_texts([p.systems for p in parts])
    rows = pl.concat([p.rows for p in parts], rechunk=True)
    before = rows.height
    identity = ["time_us", "account_id", "request_id", "prompt_hash"]
    rows = rows.sort(identity)
    same = pl.all_horizontal(pl.col(c) == pl.col(c).shift() for c in identity)
    if rows.select(same.any()).item():
        # Delivered again: every column takes part in the order, so that of rows that differ elsewhere the same one is kept.
        rows = rows.sort([*identity, *(c for c in rows.columns if c not in identity)]).unique(
            identity, keep="first", maintain_order=True
        )
    accounts = rows["account_id"].unique().sort()
    present = {c for c in (*MEASURES, *NAMES) if rows[c].null_count() < rows.height}
    present |= {c for c in ("prompt", "system", "response") if rows[f"has_{c}"].any()}
    prompt = np.searchsorted(prompts.hashes, rows["prompt_hash"].to_numpy())
    system = np.searchsorted(systems.hashes, rows["system_hash"].to_numpy())
    requests = rows.select(
        _codes(rows, "account_id").alias("account"),
        "time_us",
        pl.Series("prompt", np.where(rows["has_prompt"].to_numpy(), prompt, -1)),
        pl.Series("system", np.where(rows["has_system"].to_numpy(), system, -1)),
        "has_response",
        *REPLIES,
        "tagged",
        *MEASURES,
        *(_codes(rows, name) for name in NAMES),
    )
    houses = (
        rows.group_by("account_id")
        .agg(pl.col("org_id").min(), pl.col("org_id").n_unique().alias("names"))  # null counts as a name
        .sort("account_id")
        .select(pl.when(pl.col("names") == 1).then(pl.col("org_id")))["org_id"]
    )
    names = {name: rows[name].drop_nulls().unique().sort() for name in KNOWN_BY_NAME}
    return Fingerprints(requests, accounts, prompts, systems, before - rows.height, frozenset(present), houses, names)
