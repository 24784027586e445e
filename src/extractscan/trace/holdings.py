"""Which account holds which item, by what, since when.

An item of the data set is a prompt, a response, or both. Where both can be compared the response decides: a model's answer is
practically unique even where the prompt is public, so the request that was answered so is the one that the item was made from, and
one with the same prompt and another answer is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.trace.answers import ALIKE, FEWEST, comparable, distinct_sketches, find_responses
from extractscan.trace.containment import THRESHOLD, Matches, match_texts
from extractscan.trace.terms import enough

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.trace.suspect import Suspect

WAYS: Final = ("pair", "response", "prompt", "unclear", "otherwise", "elsewhere")
"""How an account meets an item, best first: by prompt and response of one request; by the response, the prompt being none or another;
by the prompt, a response being missing on one side; by the prompt, with a response that is alike in part; by the prompt, with another
response; by the prompt alone, when the answer is known to be somebody else's."""
HELD: Final = ("pair", "response", "prompt")
"""Those that count as held."""
SAFETY: Final = float(np.log(100.0))
"""Surprise in nats that answers must hold beyond one coincidence in the whole comparison: runs of one sentence come together, so that the
sum over runs says too much. With it one such comparison in a hundred has a coincidence."""
ASKED: Final = "asked"
"""Not a way but all that have the prompt, whatever was answered."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What accounts hold of a data set.

    ``table`` has a row for each ``account`` (int64, position) and ``item`` (int64) that met, sorted: ``way`` (Enum of ``WAYS``), ``prompt``
    and ``response`` (float, greatest containment, null where that did not meet), ``first_us`` and ``last_us`` (int64) and ``requests`` of
    that way. ``volume`` (int64, a place an account) counts distinct prompts, or responses if these are more; ``near`` maps each of
    ``HELD`` and ``ASKED`` to how many of them came near an item without meeting it so, ``texts`` to how many did. ``compared`` counts
    items whose prompt came up here with a response that could be compared, ``answered`` those whose response was the same.
    """

    table: pl.DataFrame
    volume: NDArray[np.int64]
    near: dict[str, NDArray[np.int64]]
    texts: dict[str, NDArray[np.int64]]
    responses_assessed: bool
    compared: int
    answered: int

    @property
    def held(self) -> pl.DataFrame:
        """The rows that count as held."""
        return self.table.filter(pl.col("way").is_in(HELD))


def find_holdings(
    prints: Fingerprints,
    suspect: Suspect,
    *,
    prompts: bool = True,
    responses: bool = True,
    threshold: float = THRESHOLD,
    jobs: int = 1,
) -> Holdings:
    """Match a data set with a log, by ``prompts`` and by ``responses`` as far as both have them."""
    accounts = prints.accounts.len()
    prompts = prompts and "prompt" in prints.present and bool((suspect.prompt >= 0).any())
    responses = responses and "response" in prints.present and bool((suspect.response >= 0).any())
    sketches, of_request = distinct_sketches(prints.requests)
    rows = prints.requests.select(pl.col("account").cast(pl.Int64), "time_us", "prompt").hstack(of_request)
    # What an account asks and is answered alike again and again is one occasion.
    rows = (
        rows.group_by("account", "prompt", "sketch")
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col("time_us").min().alias("first_us"),
            pl.col("time_us").max().alias("last_us"),
        )
        .sort("account", "prompt", "sketch")
        .with_row_index("occasion")
    )
    items = pl.DataFrame({"item": np.arange(len(suspect)), "p": suspect.prompt, "r": suspect.response})
    asked = near_asked = pl.DataFrame(schema={"occasion": pl.UInt32(), "item": pl.Int64(), "prompt": pl.Float64()})
    answered = pl.DataFrame(
        schema={"occasion": pl.UInt32(), "item": pl.Int64(), "response": pl.Float64(), "runs": pl.Int64(), "surprise": pl.Float64()}
    )  # fmt: skip
    if prompts:
        sent = rows.select("account", "prompt").filter(pl.col("prompt") >= 0).unique().sort("account", "prompt")
        pairs = sent["account"].to_numpy(), sent["prompt"].to_numpy()
        found = match_texts(suspect.prompts, prints.prompts, *pairs, accounts, threshold=threshold, jobs=jobs)
        asked, near_asked = _asked(rows, found, items)
    if responses:
        given = rows.select("account", "sketch").drop_nulls().unique()
        answers = find_responses(suspect.responses, sketches, given, accounts)
        answered = (
            rows.select("occasion", "sketch")
            .join(answers, on="sketch")
            .join(items.select("item", "r"), on="r")
            .select("occasion", "item", "response", "runs", "surprise")
        )
    known = (
        np.append(comparable(suspect.responses), False)[suspect.response] if responses else np.zeros(len(suspect), bool)
    )
    met = (
        asked.join(answered, on=["occasion", "item"], how="full", coalesce=True)
        .join(rows.drop("prompt"), on="occasion")
        .join(items.select("item", pl.Series("known", known)), on="item")
        .with_columns(both=pl.col("known") & pl.col("sketch").is_not_null() & pl.col("prompt").is_not_null())
    )
    met = _by_way(met, len(suspect.responses), sketches.height)
    faint = met.filter(pl.col("way").is_null())
    met = met.filter(pl.col("way").is_not_null())
    volume = np.maximum(_distinct(rows, "prompt", accounts), _distinct(rows, "sketch", accounts))
    near, texts = _occasions(rows, met, near_asked, faint, accounts)
    compared = met.filter("both")
    return Holdings(
        _best(met), volume, near, texts, responses, compared["item"].n_unique(),
        compared.filter(pl.col("way") == "pair")["item"].n_unique(),
    )  # fmt: skip


def _by_way(met: pl.DataFrame, responses: int, sketches: int) -> pl.DataFrame:
    """Add ``way`` (Enum of ``WAYS``) to occasions and items that met; null where the response is alike by itself, but not enough.

    ``responses`` of the data set were compared with ``sketches`` of the log.
    """
    alike = (pl.col("response") >= ALIKE - 1e-9) & (pl.col("runs") >= FEWEST)
    few = enough(int(met["both"].sum()), 1) + SAFETY
    many = enough(responses, sketches)
    # With the prompt it is compared with the few requests that asked the same, by itself with all.
    pair = pl.col("both") & alike & (pl.col("surprise") >= few)
    alone = alike & (pl.col("surprise") >= many)
    way = (
        pl.when(pair.fill_null(value=False))
        .then(pl.lit("pair"))
        .when(alone.fill_null(value=False))
        .then(pl.lit("response"))
        .when(pl.col("prompt").is_null())
        .then(None)
        .when(~pl.col("both"))
        .then(pl.lit("prompt"))
        .when(pl.col("response").is_not_null())
        .then(pl.lit("unclear"))
        .otherwise(pl.lit("otherwise"))
    )
    met = met.with_columns(way=way.cast(pl.Enum(WAYS)))
    confirmed = met.filter(pl.col("way") == "pair")["item"].unique()
    return met.with_columns(
        way=pl.when((pl.col("way") == "prompt") & pl.col("item").is_in(confirmed.implode()))
        .then(pl.lit("elsewhere", pl.Enum(WAYS)))
        .otherwise("way")
    )


def _best(met: pl.DataFrame) -> pl.DataFrame:
    """Of each account and item that met the best way, as ``Holdings.table`` has it."""
    return (
        met.sort("account", "item", "way", "first_us")
        .with_columns(best=pl.col("way").first().over("account", "item"))
        .filter(pl.col("way") == pl.col("best"))
        .group_by("account", "item")
        .agg(
            pl.col("way").first(),
            pl.col("prompt", "response").max(),
            pl.col("first_us").min(),
            pl.col("last_us").max(),
            pl.col("requests").sum(),
        )
        .sort("account", "item")
    )


def _occasions(
    rows: pl.DataFrame, met: pl.DataFrame, near_asked: pl.DataFrame, faint: pl.DataFrame, accounts: int
) -> tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[np.int64]]]:
    """Count each account's texts that came near an item without meeting it, and those that met it, as ``Holdings`` has them.

    ``near_asked`` and ``faint`` are the occasions that came near by prompt and by response.
    """
    asked_here = pl.concat(
        [near_asked.select("occasion"), met.filter(pl.col("prompt").is_not_null()).select("occasion")]
    )
    like_here = pl.concat([faint.select("occasion"), met.filter(pl.col("response").is_not_null()).select("occasion")])
    near: dict[str, NDArray[np.int64]] = {}
    texts: dict[str, NDArray[np.int64]] = {}
    for each, key, candidates in (
        ("pair", "prompt", asked_here),
        ("response", "sketch", like_here),
        ("prompt", "prompt", asked_here),
        (ASKED, "prompt", asked_here),
    ):
        chosen = pl.col("prompt").is_not_null() if each == ASKED else pl.col("way") == each
        holding = met.filter(chosen).select("occasion").unique()
        texts[each] = _distinct(rows.join(holding, on="occasion", how="semi"), key, accounts)
        missed = candidates.unique().join(holding, on="occasion", how="anti")
        near[each] = _distinct(rows.join(missed, on="occasion", how="semi"), key, accounts)
    return near, texts


def _distinct(rows: pl.DataFrame, column: str, accounts: int) -> NDArray[np.int64]:
    """Distinct values of each account."""
    pairs = rows.filter(pl.col(column) >= 0).select("account", column).unique()
    return np.bincount(pairs["account"].to_numpy(), minlength=accounts).astype(np.int64)


def _asked(rows: pl.DataFrame, found: Matches, items: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Occasions and items whose prompts are the same, with the containment; and those that are nearly."""
    pairs = pl.DataFrame({"text": found.log, "p": found.item, "prompt": found.containment, "same": found.same})
    met = (
        rows.select("occasion", pl.col("prompt").alias("text"))
        .join(pairs, on="text")
        .join(items.select("item", "p"), on="p")
        .select("occasion", "item", "prompt", "same")
    )
    return met.filter("same").drop("same"), met.filter(~pl.col("same")).drop("same")
