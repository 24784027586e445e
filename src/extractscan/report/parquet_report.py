"""Parquet: one row an account, with nested lists, for other tools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from extractscan.report.document import account_document, ranked_accounts
from extractscan.verdict.findings import SCHEMA_VERSION

if TYPE_CHECKING:
    import pyarrow as pa

    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import AccountFinding, CampaignFinding, Findings

ROWS_PER_GROUP = 65_536


def arrow_schema() -> pa.Schema:
    """Return the columns: those of schema ``account``, with times as UTC microseconds and ``coverage`` as a map.

    A map, because its type does not change with the statistics that a version computes.
    """
    import pyarrow as pa  # noqa: PLC0415 -- only this format needs it

    evidence = pa.struct(
        [
            pa.field("signal", pa.string(), nullable=False),
            pa.field("family", pa.string(), nullable=False),
            pa.field("value", pa.float64()),
            pa.field("bits", pa.float64()),
            pa.field("assessed", pa.bool_(), nullable=False),
            pa.field("detail", pa.string(), nullable=False),
        ]
    )
    gate = pa.struct(
        [
            pa.field("gate", pa.string(), nullable=False),
            pa.field("factor", pa.float64()),
            pa.field("detail", pa.string(), nullable=False),
        ]
    )
    return pa.schema(
        [
            pa.field("schema_version", pa.string(), nullable=False),
            pa.field("rank", pa.int64(), nullable=False),
            pa.field("account_id", pa.string(), nullable=False),
            pa.field("score", pa.float64()),
            pa.field("bits", pa.float64()),
            pa.field("severity", pa.string(), nullable=False),
            pa.field("severity_reason", pa.string()),
            pa.field("p_value", pa.float64()),
            pa.field("q_value", pa.float64()),
            pa.field("campaign_id", pa.string()),
            pa.field("requests", pa.int64(), nullable=False),
            pa.field("first_seen", pa.timestamp("us", "UTC"), nullable=False),
            pa.field("last_seen", pa.timestamp("us", "UTC"), nullable=False),
            pa.field("stream", pa.string(), nullable=False),
            pa.field("evidence", pa.list_(evidence), nullable=False),
            pa.field("gates", pa.list_(gate), nullable=False),
            pa.field("coverage", pa.map_(pa.string(), pa.float64()), nullable=False),
            pa.field("innocent_explanation", pa.string(), nullable=False),
        ],
        metadata={"extractscan.schema_version": SCHEMA_VERSION},
    )


@dataclass(frozen=True, slots=True)
class ParquetRenderer:
    """Writes the accounts as zstd Parquet; the same findings give the same bytes under the same pyarrow."""

    media: Literal["bytes"] = "bytes"

    def render(self, findings: Findings, options: RenderOptions, stream: BinaryIO) -> None:
        """Write the file, a row group at a time."""
        import pyarrow as pa  # noqa: PLC0415 -- as above
        import pyarrow.parquet as pq  # noqa: PLC0415

        schema = arrow_schema()
        accounts = iter(ranked_accounts(findings, options.top))
        with pq.ParquetWriter(stream, schema, compression="zstd", version="2.6") as writer:
            while rows := [arrow_row(account_document(each), each) for each in islice(accounts, ROWS_PER_GROUP)]:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def arrow_row(document: dict[str, Any], finding: AccountFinding | CampaignFinding) -> dict[str, Any]:
    """Return the document of a finding as a row: its times as times (UTC), its coverage as the pairs of a map."""
    row = dict(document)
    for name, moment in (("first_seen", finding.first_seen), ("last_seen", finding.last_seen)):
        row[name] = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    row["coverage"] = [(name, None if value is None else float(value)) for name, value in row["coverage"].items()]
    return row
