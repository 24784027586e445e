"""What lies where in a case, and under which version of that agreement."""

from __future__ import annotations

from typing import Final

CASE_VERSION: Final = "1.0"
"""Version of the layout and of ``run.json``. A reader takes any with the same first number."""
KIND: Final = "extractscan case"

RUN: Final = "run.json"
"""The manifest: what was read, how, and the SHA-256 of every other file but ``INVOCATION``."""
INVOCATION: Final = "invocation.json"
"""What varies between runs that are otherwise the same: command line, folder, clock. No other file depends on it."""

REPORT: Final = "report.json"
ACCOUNTS: Final = "accounts.parquet"
CAMPAIGNS: Final = "campaigns.parquet"
EVIDENCE: Final = "evidence.parquet"
GATES: Final = "gates.parquet"
GROUPS: Final = "groups.parquet"
QUARANTINE: Final = "quarantine.jsonl"

SENDERS: Final = "fingerprints/accounts.parquet"
REQUESTS: Final = "fingerprints/requests.parquet"
PROMPTS: Final = "fingerprints/prompts.parquet"
SYSTEMS: Final = "fingerprints/systems.parquet"
STREAMS: Final = "fingerprints/streams.parquet"
ITEMS: Final = "fingerprints/items.parquet"
NAMES: Final = "fingerprints/names.parquet"

FILES: Final = (
    REPORT,
    ACCOUNTS,
    CAMPAIGNS,
    EVIDENCE,
    GATES,
    GROUPS,
    QUARANTINE,
    SENDERS,
    REQUESTS,
    PROMPTS,
    SYSTEMS,
    STREAMS,
    ITEMS,
    NAMES,
)
"""Every file of a case but ``RUN`` and ``INVOCATION``."""
