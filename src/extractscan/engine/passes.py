"""What the two passes over whole accounts leave, as Arrow tables: their columns, and how hashes and keys are written in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.coverage.statistics import STATISTICS
from extractscan.coverage.streams import CARRIED_ON

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOP: Final = np.uint64(1 << 63)
"""Flipped in a payload's hash, which makes the order of signed numbers that of the hashes."""
KEY_SHIFT: Final = 32
"""A stream's key is its account's number times 2**32, and its family: keys are in the order of the streams' numbers."""
FAMILY_BASE: Final = -CARRIED_ON
"""Added to a family, so that the least is 0."""

SHEETS: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("slot", pa.int64()),
        ("account_id", pa.string()),
        ("requests", pa.int64()),
        ("first", pa.int64()),
        ("last", pa.int64()),
        ("organisation", pa.string()),
        ("system", pa.int64()),
        ("group", pa.int64()),
        ("unit", pa.int64()),
        ("key", pa.int64()),
        ("words", pa.int64()),
        ("weight", pa.int64()),
        ("skeleton", pa.binary()),
        ("back", pa.int32()),
        ("end", pa.int64()),
        ("users", pa.int64()),
        ("holders", pa.int64()),
        ("model", pa.string()),
        ("report", pa.string()),
    ]
)
"""What the first pass leaves, told apart by ``kind``: ``accounts``; ``units`` (as ``Units``, ``unit`` a hash that names it, ``key`` one
of its skeleton; what is unframed on a sheet with frames is there even with no weight, since a frame may prove to be natural language);
``ends`` with the accounts of this piece that use them; ``marks``, the ends that each unit shares; ``models`` with their first use; and
a ``log`` of this piece's numbers, as JSON."""

PROFILE: Final[dict[str, Any]] = {
    "family": pl.Int64,
    "requests": pl.Int64,
    "topic_words_seen": pl.Float64,
    "topic_words_expected": pl.Float64,
    "payload_words": pl.Float64,
    "distinct_word_pairs": pl.Float64,
    "chained": pl.Float64,
    "repeats": pl.Float64,
    "repeats_expected": pl.Float64,
    "returned": pl.Float64,
    "resampled": pl.Float64,
    "conversing": pl.Float64,
    "output_tokens": pl.Float64,
    "input_tokens": pl.Float64,
    "highest_temperature": pl.Float64,
    "harvest_flags": pl.Float64,
    "tagged": pl.Float64,
    "end_users": pl.Int64,
    "first_us": pl.Int64,
    "last_us": pl.Int64,
    "prompts": pl.UInt32,
    "payloads": pl.UInt32,
}
"""Columns of ``profile``, but for the numbers of stream and account."""
COUNTED: Final = frozenset({"n", "observed", "singletons", "doubletons"})
"""Those of ``STATISTICS`` that are whole numbers."""


def _carried_as(kind: Any) -> pa.DataType:
    return pa.float64() if kind == pl.Float64 else pa.int64()


STREAMS: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("stream", pa.int64()),
        ("account", pa.int64()),
        *((name, _carried_as(kind)) for name, kind in PROFILE.items()),
        ("smallest", pa.int64()),
        ("since", pa.int64()),
        ("hours", pa.binary()),
        ("account_id", pa.string()),
        ("org_id", pa.string()),
        ("ip", pa.int64()),
        ("payment_id", pa.int64()),
        ("pivot", pa.bool_()),
        *((name, pa.int64() if name in COUNTED else pa.float64()) for name in STATISTICS),
        ("payload", pa.int64()),
        ("cluster", pa.int64()),
        ("times", pa.int64()),
        ("place", pa.int32()),
        ("tokens", pa.binary()),
    ]
)
"""What the second pass leaves: ``streams`` with their profiles, ``smallest`` payload and active ``hours`` (a bit each, from ``since``);
``accounts`` with their senders' means and coverage; and ``items``, of which the ``SAMPLE`` smallest payloads of a stream have their rank
(``place``, from 0) and first words. ``stream`` is a key (see ``KEY_SHIFT``), ``payload`` a hash with its top bit flipped."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the whole log decides: whether it tells of turns, models with their release, and how many clusters it has."""

    knows_turns: bool
    releases: tuple[tuple[str, int], ...]
    clusters: int


def signed(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Payload hashes as signed numbers of the same order."""
    return (values ^ TOP).view(np.int64)


def unsigned(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Payload hashes from ``signed``."""
    return values.view(np.uint64) ^ TOP


def table_of(kind: str, schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    """Columns among those of a schema, the others null."""
    held = {name: c.to_arrow() if isinstance(c, pl.Series) else pa.array(c) for name, c in columns.items()}
    height = len(next(iter(held.values())))
    held["kind"] = pa.array([kind] * height, pa.string())
    arrays = [held[f.name].cast(f.type, safe=False) if f.name in held else pa.nulls(height, f.type) for f in schema]
    return pa.table(arrays, schema=schema)
