"""What runs where the payloads or hours of a group's members are together: the local engine's comparisons, one number a group.

Tables have a column ``ask`` that tells groups apart, and rows of ``passes.STREAMS`` of the streams that were asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.campaign import corpus, partition
from extractscan.campaign.corpus import count_words, middle
from extractscan.campaign.frequencies import all_pairs, weighted
from extractscan.campaign.synchrony import HOUR_US, Activity
from extractscan.coverage.coincidence import coincidence, words_of
from extractscan.engine.passes import unsigned
from extractscan.fingerprint.requests import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from extractscan.campaign.corpus import Counted

COUNTS: Final = pa.schema(
    [
        ("ask", pa.int64()),
        ("found", pa.int64()),
        ("columns", pa.binary()),
        ("first", pa.binary()),
        ("second", pa.binary()),
    ]
)
"""Word frequencies of a unit, as little-endian int32 and float64, and how many payloads they were taken from."""
LIKENESS: Final = pa.schema([("ask", pa.int64()), ("likeness", pa.float64())])
LOOKS: Final = pa.schema(
    [("ask", pa.int64()), ("found", pa.int64()), ("glance", pa.float64()), ("sample", pa.float64())]
)
"""Probabilities, and how many payloads the smaller half had."""
TOGETHER: Final = pa.schema([("ask", pa.int64()), ("seen", pa.int64()), ("expected", pa.float64())])


def _texts(tokens: pl.Series) -> Texts:
    """Texts of binary tokens, in their order; what else texts have is left out."""
    sizes = tokens.bin.size().to_numpy().astype(np.int64) // 4
    joined = np.frombuffer(b"".join(tokens.to_list()), np.uint32).copy()
    nothing = np.zeros(0, np.int64)
    return Texts(nothing.view(np.uint64), np.r_[np.int64(0), np.cumsum(sizes)], joined, nothing)


def _smallest(table: pa.Table, by: list[str], most: int) -> pl.DataFrame:
    """The smallest payloads by the columns, each once, in their order."""
    frame = pl.DataFrame(table.select([*by, "payload", "tokens"]))
    frame = frame.unique([*by, "payload"], keep="any").sort(*by, "payload")
    return frame.filter(pl.int_range(pl.len()).over(by) < most)


def _counted(rows: pl.DataFrame, by: list[str]) -> tuple[pl.DataFrame, Counted]:
    """Word frequencies of the units that rows are of, sorted by them; and the units with how many rows each has."""
    units = rows.group_by(by, maintain_order=True).len()
    texts = _texts(rows["tokens"])
    every = np.arange(rows.height)
    nothing = np.zeros(rows.height, np.int64)
    sizes = units["len"].to_numpy().astype(np.int64)
    return units, count_words(sizes, every, every, nothing, nothing, texts, 1)


def unit_words(table: pa.Table) -> Iterator[pa.Table]:
    """Word frequencies of units: ``ask, payload, tokens`` to ``COUNTS``."""
    units, (ends, columns, first, second) = _counted(_smallest(table, ["ask"], corpus.SAMPLE), ["ask"])
    spans = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    held = {
        name: pa.array([values[a:b].tobytes() for a, b in spans], pa.binary())
        for name, values in (("columns", columns), ("first", first), ("second", second))
    }
    yield pa.table({"ask": units["ask"].to_arrow(), "found": units["len"].to_arrow(), **held}).cast(COUNTS)


def group_likeness(weight: NDArray[np.float64], table: pa.Table) -> Iterator[pa.Table]:
    """Median similarity of the members of groups: ``ask, member, payload, tokens`` to ``LIKENESS``."""
    rows = _smallest(table, ["ask", "member"], corpus.SAMPLE)
    asks, found = [], []
    for (ask,), part in rows.group_by(["ask"], maintain_order=True):
        _, counted = _counted(part, ["member"])
        asks.append(ask)
        found.append(middle(all_pairs(weighted(*counted, weight), 1)))
    yield pa.table({"ask": asks, "likeness": found}, schema=LIKENESS)


def group_looks(table: pa.Table) -> Iterator[pa.Table]:
    """How soon payloads of both halves of groups coincide: ``ask, member`` (the half), ``payload, tokens`` to ``LOOKS``."""
    rows = _smallest(table, ["ask", "member"], partition.SAMPLE)
    asks: list[int] = []
    fewest: list[int] = []
    found: dict[int, list[float]] = {partition.GLANCE: [], partition.SAMPLE: []}
    for (ask,), part in rows.group_by(["ask"], maintain_order=True):
        asks.append(int(str(ask)))
        first = part.filter(pl.col("member") == 0).height
        fewest.append(min(first, part.height - first))
        for sample, values in found.items():
            sides = []
            for half in (0, 1):
                one = part.filter(pl.col("member") == half).head(sample)
                texts = _texts(one["tokens"])
                names = unsigned(one["payload"].to_numpy())
                sides.append(words_of(texts.offsets[:-1], texts.offsets[1:], names, texts))
            values.append(coincidence(sides[0], sides[1]))
    columns = {"ask": asks, "found": fewest, "glance": found[partition.GLANCE], "sample": found[partition.SAMPLE]}
    yield pa.table(columns, schema=LOOKS)


def group_hours(table: pa.Table) -> Iterator[pa.Table]:
    """Hours that members of groups have in common: ``ask, member, since, hours`` to ``TOGETHER``."""
    rows = pl.DataFrame(table.select(["ask", "member", "since", "hours"])).sort("ask", "member", "since")
    asks, seen, expected = [], [], []
    for (ask,), part in rows.group_by(["ask"], maintain_order=True):
        bits = [np.flatnonzero(np.unpackbits(np.frombuffer(blob, np.uint8))) for blob in part["hours"].to_list()]
        stream = np.repeat(np.arange(part.height), [b.size for b in bits])
        hour = np.concatenate(bits) + np.repeat(part["since"].to_numpy(), [b.size for b in bits])
        active = Activity(pl.DataFrame({"stream": stream, "time_us": hour * HOUR_US}), part.height)
        counted = active.together(np.arange(part.height), part["member"].to_numpy())
        asks.append(ask)
        seen.append(counted[0])
        expected.append(counted[1])
    yield pa.table({"ask": asks, "seen": seen, "expected": expected}, schema=TOGETHER)
