"""The canonical request: the one table that every later stage reads.

Column names are those of the field. ``request_id``, ``timestamp`` and ``account_id`` are required; any other
column may be absent or null, and then the signals that need it are *not assessed*, never zero.
"""

from __future__ import annotations

from typing import Final

import polars as pl

TIMESTAMP: Final = pl.Datetime("us", "UTC")

CANONICAL: Final[dict[str, pl.DataType]] = {
    "request_id": pl.String(),
    "timestamp": TIMESTAMP,
    "account_id": pl.String(),
    "org_id": pl.String(),
    "end_user": pl.String(),
    "api_key_id": pl.String(),
    "payment_id": pl.String(),
    "ip": pl.String(),
    "user_agent": pl.String(),
    "plan": pl.String(),
    "model": pl.String(),
    "endpoint": pl.String(),
    "conversation_id": pl.String(),
    "turn": pl.Int64(),
    "system": pl.String(),
    "prompt": pl.String(),
    "response": pl.String(),
    "finish_reason": pl.String(),
    "tool_calls": pl.Int64(),
    "input_tokens": pl.Int64(),
    "cached_tokens": pl.Int64(),
    "reasoning_tokens": pl.Int64(),
    "output_tokens": pl.Int64(),
    "temperature": pl.Float64(),
    "max_tokens": pl.Int64(),
    "n": pl.Int64(),
    "logprobs": pl.Boolean(),
    "stream": pl.Boolean(),
    "status": pl.Int64(),
    "latency_ms": pl.Float64(),
    "cost": pl.Float64(),
    "truncated": pl.Boolean(),
    "redacted": pl.Boolean(),
}
"""Column name to Polars type. Times are UTC, microseconds; ``latency_ms`` is milliseconds; ``cost`` is in the log's
own currency; token counts are whole requests."""

REQUIRED: Final = ("request_id", "timestamp", "account_id")
