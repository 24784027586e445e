"""Campaigns as Parquet: what the JSON report says of each, with nested lists."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from extractscan.report.document import campaign_document, ranked_campaigns
from extractscan.report.parquet_report import arrow_schema
from extractscan.verdict.findings import SCHEMA_VERSION

if TYPE_CHECKING:
    from extractscan.verdict.findings import CampaignFinding, Findings


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
    rows = [_row(campaign) for campaign in ranked_campaigns(findings)]
    return pa.Table.from_pylist(rows, schema=campaigns_schema())


def _row(campaign: CampaignFinding) -> dict[str, Any]:
    row = campaign_document(campaign)
    for name, moment in (("first_seen", campaign.first_seen), ("last_seen", campaign.last_seen)):
        row[name] = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    row["coverage"] = [(name, None if value is None else float(value)) for name, value in row["coverage"].items()]
    return row
