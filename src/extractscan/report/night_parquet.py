"""The digest of a night as Parquet: a row an entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from extractscan.report.night_report import shown

if TYPE_CHECKING:
    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import Findings


def night_schema() -> pa.Schema:
    """Return the columns: those of schema ``event``, with times as UTC microseconds."""
    words = pa.list_(pa.string())
    kinds = {
        "schema_version": pa.string(),
        "event_id": pa.string(),
        "night": pa.int64(),
        "kind": pa.string(),
        "state": pa.string(),
        "id": pa.string(),
        "campaign": pa.string(),
        "in_results": pa.string(),
        "severity": pa.string(),
        "old_severity": pa.string(),
        "bits": pa.float64(),
        "old_bits": pa.float64(),
        "requests": pa.int64(),
        "accounts": pa.int64(),
        "members": words,
        "joined": words,
        "left": words,
        "split_from": pa.string(),
        "merged_into": pa.string(),
        "since_night": pa.int64(),
        "first_seen": pa.timestamp("us", "UTC"),
        "last_seen": pa.timestamp("us", "UTC"),
        "innocent_explanation": pa.string(),
    }
    return pa.schema(list(kinds.items()))


@dataclass(frozen=True, slots=True)
class NightParquet:
    """Writes the entries as zstd Parquet."""

    document: dict[str, Any]
    media: Literal["bytes"] = "bytes"

    def render(self, findings: Findings, options: RenderOptions, stream: BinaryIO) -> None:  # noqa: ARG002
        """Write the file."""
        rows = [
            {**entry, **{name: datetime.fromisoformat(entry[name]) for name in ("first_seen", "last_seen")}}
            for entry in shown(self.document, options.top)
        ]
        table = pa.Table.from_pylist(rows, schema=night_schema())
        pq.write_table(table, stream, compression="zstd", version="2.6")
