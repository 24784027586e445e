"""Profiles of streams as literal tables, and small logs that go through all stages up to the verdict."""

from datetime import UTC, datetime, timedelta

import polars as pl

from extractscan.coverage.profile import profile
from extractscan.coverage.streams import SINGLE, find_streams
from extractscan.fingerprint.requests import fingerprint, merge
from extractscan.logs.schema import CANONICAL
from extractscan.verdict.assess import assess

START = datetime(2026, 3, 2, tzinfo=UTC)

PLAIN = {
    "account": 0,
    "family": SINGLE,
    "requests": 40,
    "prompts": 40,
    "payloads": 40,
    "conversing": 0.0,
    "topic_words_seen": 0.0,
    "topic_words_expected": 0.0,
    "payload_words": 12.0,
    "distinct_word_pairs": 400.0,
    "chained": 0.0,
    "repeats": 0.0,
    "repeats_expected": 0.0,
    "returned": None,
    "tagged": None,
    "resampled": 0.0,
    "output_tokens": None,
    "harvest_flags": 0.0,
}
TYPES = {
    "stream": pl.Int64,
    "account": pl.UInt32,
    "family": pl.Int64,
    "requests": pl.Int64,
    "prompts": pl.UInt32,
    "payloads": pl.UInt32,
    "conversing": pl.Float64,
    "topic_words_seen": pl.Float64,
    "topic_words_expected": pl.Float64,
    "payload_words": pl.Float64,
    "distinct_word_pairs": pl.Float64,
    "chained": pl.Float64,
    "repeats": pl.Float64,
    "repeats_expected": pl.Float64,
    "returned": pl.Float64,
    "tagged": pl.Float64,
    "resampled": pl.Float64,
    "output_tokens": pl.Float64,
    "harvest_flags": pl.Float64,
}


def profiles(*rows):
    """Return one profile a row; what a row does not say is plain."""
    return pl.DataFrame([{"stream": s, **PLAIN, **row} for s, row in enumerate(rows)], schema=TYPES)


def canonical(rows):
    """Return canonical requests of rows of (account, prompt) or (account, prompt, other columns)."""
    full = []
    for i, (account, prompt, *more) in enumerate(rows):
        moment = START + timedelta(minutes=7 * i)
        row = {"request_id": f"r{i:06}", "timestamp": moment, "account_id": account, "prompt": prompt}
        full.append({**row, **(more[0] if more else {})})
    return pl.DataFrame(full, schema=CANONICAL)


def stages(frame):
    """Return the fingerprints of a frame and its assessment."""
    prints = merge([fingerprint(frame)])
    streams = find_streams(prints)
    return prints, assess(profile(streams, prints.prompts), streams, prints.prompts)
