"""Which account holds which item, by what, since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.trace.answers import comparable, distinct_sketches, match_responses
from extractscan.trace.containment import THRESHOLD, match_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.trace.containment import Matches
    from extractscan.trace.suspect import Suspect

FEWEST_ANSWERED: Final = 3
LEAST_ANSWERED: Final = 0.5
"""Items, and share of the items that could be compared, of which the log's answer must be found again before another answer
speaks against an account: where most of the data set's answers are not of this log, or were reworded beyond
recognition, they say nothing about who asked."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What accounts hold of a data set.

    ``table`` has a row for each ``account`` (int64, position) and ``item`` (int64) that met, sorted: ``prompt`` and ``response`` (float,
    greatest containment, null where that did not meet), ``otherwise`` (bool: asked here, and answered otherwise each time), ``first_us``
    and ``last_us`` (int64), ``requests``. ``volume`` (int64, a place an account) counts an account's distinct prompts, or distinct
    responses if these are more; ``near`` those that nearly met an item and met none, ``texts`` those that met one.
    ``compared`` and ``answered`` count items that were asked here with an answer that could be compared, and those whose answer was
    found; ``decisive`` says that ``otherwise`` speaks against an account.
    """

    table: pl.DataFrame
    volume: NDArray[np.int64]
    near: NDArray[np.int64]
    texts: NDArray[np.int64]
    prompts_assessed: bool
    responses_assessed: bool
    compared: int
    answered: int
    decisive: bool

    @property
    def counted(self) -> pl.DataFrame:
        """The rows that count as held."""
        return self.table.filter(~pl.col("otherwise")) if self.decisive else self.table


def find_holdings(prints: Fingerprints, suspect: Suspect, *, threshold: float = THRESHOLD, jobs: int = 1) -> Holdings:
    """Match a data set with a log, by prompts and by responses as far as both have them."""
    accounts = prints.accounts.len()
    prompts = "prompt" in prints.present and bool((suspect.prompt >= 0).any())
    responses = "response" in prints.present and bool((suspect.response >= 0).any())
    sketches, of_request = distinct_sketches(prints.requests)
    rows = prints.requests.select(pl.col("account").cast(pl.Int64), "time_us", "prompt").hstack(of_request)
    rows = rows.with_row_index("request")
    volume = np.maximum(_volume(rows, "prompt", accounts), _volume(rows, "sketch", accounts))
    numbered = pl.DataFrame({"item": np.arange(len(suspect)), "p": suspect.prompt, "r": suspect.response})
    asked, answered = _none("prompt"), _none("response")
    near_asked, near_answered = asked.select("request", "item"), answered.select("request", "item")
    if prompts:
        sent = rows.select("account", "prompt").filter(pl.col("prompt") >= 0).unique().sort("account", "prompt")
        found = match_texts(
            suspect.prompts,
            prints.prompts,
            sent["account"].to_numpy(),
            sent["prompt"].to_numpy(),
            accounts,
            threshold=threshold,
            jobs=jobs,
        )
        asked, near_asked = _met(rows, "prompt", found, numbered, "p", "prompt")
    if responses:
        held = rows.select("account", "sketch").drop_nulls().unique()
        found = match_responses(suspect.responses, sketches, held, accounts, threshold=threshold)
        answered, near_answered = _met(rows, "sketch", found, numbered, "r", "response")
    met = asked.join(answered, on=["request", "item"], how="full", coalesce=True)
    known = np.append(comparable(suspect.responses), False)[suspect.response]
    met = met.join(rows.select("request", "account", "time_us", "sketch"), on="request").with_columns(
        compared=pl.col("prompt").is_not_null() & pl.col("sketch").is_not_null() & pl.Series(known).gather(met["item"])
        if met.height
        else pl.lit(value=False)
    )
    table = (
        met.group_by("account", "item")
        .agg(
            pl.col("prompt").max(),
            pl.col("response").max(),
            (pl.col("compared") & pl.col("response").is_null()).all().alias("otherwise"),
            pl.col("compared").any(),
            pl.col("time_us").min().alias("first_us"),
            pl.col("time_us").max().alias("last_us"),
            pl.len().cast(pl.Int64).alias("requests"),
        )
        .sort("account", "item")
    )
    near = np.maximum(
        _nearly(rows, "prompt", near_asked, met, accounts), _nearly(rows, "sketch", near_answered, met, accounts)
    )
    compared = table.filter(pl.col("compared"))["item"].n_unique()
    found_again = table.filter(pl.col("compared") & pl.col("response").is_not_null())["item"].n_unique()
    return Holdings(
        table.drop("compared"),
        volume,
        near,
        np.maximum(_meeting(rows, "prompt", met, accounts), _meeting(rows, "sketch", met, accounts)),
        prompts,
        responses,
        compared,
        found_again,
        found_again >= max(FEWEST_ANSWERED, LEAST_ANSWERED * compared),
    )


def _volume(rows: pl.DataFrame, column: str, accounts: int) -> NDArray[np.int64]:
    """Distinct values of an account."""
    pairs = rows.filter(pl.col(column) >= 0).select("account", column).unique()
    return np.bincount(pairs["account"].to_numpy(), minlength=accounts).astype(np.int64)


def _meeting(rows: pl.DataFrame, key: str, met: pl.DataFrame, accounts: int) -> NDArray[np.int64]:
    """Distinct texts of an account in requests that met an item."""
    return _volume(rows.join(met.select("request").unique(), on="request", how="semi"), key, accounts)


def _nearly(rows: pl.DataFrame, key: str, near: pl.DataFrame, met: pl.DataFrame, accounts: int) -> NDArray[np.int64]:
    """Distinct texts of an account that nearly met an item, in requests that met none."""
    missed = rows.join(near.select("request").unique(), on="request", how="semi")
    return _volume(missed.join(met.select("request").unique(), on="request", how="anti"), key, accounts)


def _none(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={"request": pl.UInt32(), "item": pl.Int64(), name: pl.Float64()})


def _met(
    rows: pl.DataFrame, key: str, found: Matches, items: pl.DataFrame, of_item: str, name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Requests and items that met, with the containment under ``name``; and those that nearly did."""
    pairs = pl.DataFrame({"text": found.log, of_item: found.item, name: found.containment, "same": found.same})
    met = (
        rows.select("request", pl.col(key).alias("text"))
        .join(pairs, on="text")
        .join(items.select("item", of_item), on=of_item)
        .select("request", "item", name, "same")
    )
    return met.filter("same").drop("same"), met.filter(~pl.col("same")).select("request", "item")
