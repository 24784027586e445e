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

from extractscan.fingerprint.merge import RowMerger, time_order
from extractscan.fingerprint.numbering import numbered
from extractscan.fingerprint.replies import COLUMNS as REPLIES
from extractscan.fingerprint.replies import sketch_replies
from extractscan.fingerprint.shelf import Shelf
from extractscan.fingerprint.texts import KEPT_TOKENS, TextMerger, Texts, cut
from extractscan.fingerprint.tokens import tokenise
from extractscan.logs.identity import content_hashes
from extractscan.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "KEPT_TOKENS",
    "KNOWN_BY_NAME",
    "MEASURES",
    "NAMES",
    "FingerprintBatch",
    "Fingerprints",
    "Merger",
    "Texts",
    "fingerprint",
    "merge",
]

MEASURES: Final = ("turn", "input_tokens", "output_tokens", "max_tokens", "n", "status", "temperature", "logprobs")
"""Columns that are carried as they are."""

NAMES: Final = ("org_id", "payment_id", "ip", "user_agent", "model", "end_user", "conversation_id", "finish_reason")
"""Columns that are carried as codes: the rank of the value, or of its hash, among those of the log, null where absent."""


KNOWN_BY_NAME: Final = ("model", "org_id")
"""Those of them whose values are kept too: an analyst asks for a model or an organisation by its name. Of the others, and of request
ids, the map leaves a 64-bit hash: enough to know what is the same."""


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """All requests of a run, without text.

    ``requests`` has a row a request, sorted by time, account, hash of the request id, and prompt: ``account`` (uint32, position in
    ``accounts``), ``time_us`` (int64, microseconds since 1970 UTC), ``prompt`` and ``system`` (int32, positions in ``prompts`` and
    ``systems``, -1 if the log has none), ``has_response`` (bool), the sketch of
    the response (see ``replies``), ``MEASURES`` and, as uint32 codes, ``NAMES``. Whole numbers take 32 bits, and sketches 8, where
    these are enough for the whole log.
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


def _fingerprint_column(column: pl.Series, jobs: int) -> tuple[NDArray[np.uint64], Texts]:
    """Return the hash of each row's text (0 for null) and the distinct texts."""
    hashes = np.zeros(column.len(), np.uint64)
    present = column.is_not_null().to_numpy()
    given = column.drop_nulls()
    # Equal texts are tokenised once. Whether texts are equal is asked of 64 bits, as it is of their normalised forms.
    firsts, numbers = numbered(given.hash().to_numpy())
    tokens = tokenise(given.gather(firsts), jobs=jobs)
    hashes[present] = tokens.hashes[numbers]
    return hashes, cut(tokens)


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


class Merger:
    """Takes batches in any order, and unites them into one table, the same for any order and split of the same rows."""

    def __init__(self, memory: Memory | None = None) -> None:
        """What does not fit into ``memory`` goes to disk."""
        memory = memory or Memory()
        self._shelf = Shelf(memory.waiting)
        self._prompts, self._systems = TextMerger(self._shelf, memory), TextMerger(self._shelf, memory)
        self._rows = RowMerger((*_CARRIED, "time_us"), NAMES, self._shelf)

    @property
    def spilled(self) -> int:
        """Bytes that were written to disk."""
        return self._shelf.spilled

    def add(self, batch: FingerprintBatch) -> None:
        """Take a batch. Raises InputError if what does not fit into memory does not fit on disk either."""
        rows = batch.rows
        places = {}
        for name, texts in (("prompt", batch.prompts), ("system", batch.systems)):
            has = rows[f"has_{name}"].to_numpy()
            found = np.searchsorted(texts.hashes, rows[f"{name}_hash"].to_numpy())
            places[name] = np.where(has, found, -1).astype(np.int32)
        self._prompts.add(batch.prompts)
        self._systems.add(batch.systems)
        self._rows.add(rows, places["prompt"], places["system"])

    def close(self) -> None:
        """Let go of what is on disk."""
        self._shelf.close()

    def finish(self, named: Sequence[str] = KNOWN_BY_NAME) -> Fingerprints:
        """Unite what was taken. A request that was delivered twice (same id, account, time and prompt) counts once.

        Of the columns ``named`` the values are kept too.
        """
        rows = self._rows
        prompts, where = self._prompts.finish()
        prompt = rows.take_texts("prompt", where)
        systems, where = self._systems.finish()
        system = rows.take_texts("system", where)
        accounts, account = rows.take_names("account_id")
        time = rows.take("time_us")
        order, tied = time_order(time.to_numpy(), account.to_numpy(), accounts.len())
        columns = {
            "account": account.alias("account"),
            "time_us": time,
            "prompt": pl.Series("prompt", prompt),
            "system": pl.Series("system", system),
        }
        request = rows.take("request_id")
        values = {}
        for name in _CARRIED:
            columns[name] = rows.take(name)
        for name in NAMES:
            values[name], columns[name] = rows.take_names(name)
        order, doubles = _settled(order, tied, request, columns)
        del request, account, time, prompt, system
        for name in list(columns):
            columns[name] = columns[name].gather(order)
        requests = pl.DataFrame([columns[c].alias(c) for c in _ORDER])
        present = {c for c in (*MEASURES, *NAMES) if requests[c].null_count() < requests.height}
        present |= {c for c in ("prompt", "system") if (requests[c] >= 0).any()}
        present |= {"response"} if requests["has_response"].any() else set()
        self._shelf.close()
        houses = (
            requests.group_by("account")
            .agg(pl.col("org_id").min(), pl.col("org_id").n_unique().alias("names"))  # null counts as a name
            .sort("account")
            .select(pl.when(pl.col("names") == 1).then(pl.col("org_id")))["org_id"]
        )
        return Fingerprints(
            requests,
            accounts,
            prompts,
            systems,
            doubles,
            frozenset(present),
            values["org_id"].gather(houses),
            {name: values[name] for name in named},
        )


_CARRIED: Final = ("has_response", *MEASURES, *REPLIES, "tagged")
_ORDER: Final = ("account", "time_us", "prompt", "system", "has_response", *REPLIES, "tagged", *MEASURES, *NAMES)


def _settled(
    order: NDArray[np.int64], tied: NDArray[np.int64], request: pl.Series, columns: dict[str, pl.Series]
) -> tuple[NDArray[np.int64], int]:
    """Order rows of one time and account by request id and prompt, and drop those that were delivered again.

    Every column takes part in the order, so that of rows that differ elsewhere the same one is kept. Returns the order and how many
    were dropped.
    """
    if not tied.size:
        return order, 0
    rows = pl.Series(order[tied])
    identity = ["time_us", "account", "request_id", "prompt"]
    others = ["system", "has_response", *MEASURES, *NAMES, *REPLIES, "tagged"]
    held = pl.DataFrame(
        {
            "request_id": request.gather(rows),
            **{name: columns[name].gather(rows) for name in ("time_us", "account", "prompt")},
        }
    ).with_columns(row=rows)
    held = held.sort(identity)
    again = held.select(pl.all_horizontal(pl.col(c) == pl.col(c).shift() for c in identity).fill_null(value=False))
    if not again.to_series().any():
        order[tied] = held["row"].to_numpy()
        return order, 0
    held = held.with_columns(columns[name].gather(held["row"]).alias(name) for name in others)
    held = held.sort([*identity, *others])
    again = held.select(pl.all_horizontal(pl.col(c) == pl.col(c).shift() for c in identity).fill_null(value=False))
    kept = np.ones(order.size, bool)
    kept[tied] = ~again.to_series().to_numpy()
    order[tied] = held["row"].to_numpy()
    return order[kept], int((~kept).sum())


def merge(batches: Iterable[FingerprintBatch], named: Sequence[str] = KNOWN_BY_NAME) -> Fingerprints:
    """Unite batches into one table, the same for any order and split of the same rows.

    A request that was delivered twice (same id, account, time and prompt) counts once. Of the columns ``named`` the values are kept too.
    """
    merger = Merger()
    for batch in batches:
        merger.add(batch)
    return merger.finish(named)
