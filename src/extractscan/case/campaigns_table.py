"""Campaigns as Parquet: what the JSON report says of each, with nested lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from extractscan.report.document import campaign_document, ranked_campaigns
from extractscan.report.parquet_report import arrow_row, arrow_schema
from extractscan.verdict.findings import SCHEMA_VERSION

if TYPE_CHECKING:
    from extractscan.verdict.findings import Findings


def campaigns_schema() -> pa.Schema:
    """Return the columns: those of a campaign in schema ``report``; the parts that accounts have too are as there."""
    account = arrow_schema()
    tie = pa.struct(
        [
            pa.field("kind", pa.string(), nullable=False),
            pa.field("strength", pa.float64()),
            pa.field("accounts", pa.int64(), nullable=False),
            pa.field("detail", pa.string(), nullable=False),
        ]
    )
    return pa.schema(
        [
            account.field("rank"),
            pa.field("campaign_id", pa.string(), nullable=False),
            *(account.field(name) for name in ("score", "bits", "severity", "severity_reason", "p_value", "q_value")),
            pa.field("accounts", pa.list_(pa.string()), nullable=False),
            *(account.field(name) for name in ("requests", "first_seen", "last_seen")),
            pa.field("ties", pa.list_(tie), nullable=False),
            *(account.field(name) for name in ("evidence", "gates", "coverage", "innocent_explanation")),
        ],
        metadata={"extractscan.schema_version": SCHEMA_VERSION},
    )


def campaigns_table(findings: Findings) -> pa.Table:
    """Return a row for each campaign, by rank."""
    rows = [arrow_row(campaign_document(campaign), campaign) for campaign in ranked_campaigns(findings)]
    return pa.Table.from_pylist(rows, schema=campaigns_schema())
