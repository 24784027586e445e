"""Small logs and texts for the tests of frames, families, streams and profiles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from extractscan.coverage.frames import find_frames
from extractscan.coverage.streams import find_streams
from extractscan.fingerprint.requests import fingerprint, merge
from extractscan.fingerprint.tokens import tokenise
from extractscan.logs.schema import CANONICAL

START = datetime(2026, 3, 2, tzinfo=UTC)


def word(i):
    """Return a word without digits; different numbers, different words."""
    return "q" + "".join(chr(97 + i // 26**k % 26) for k in range(4))


def words(start, count=3):
    return " ".join(word(start + k) for k in range(count))


def hanzi(start, count=4):
    """Return characters that no frame in these tests has."""
    return "".join(chr(0x7000 + start + k) for k in range(count))


def canonical(rows):
    """Rows with a few columns to a canonical frame; one a minute, in the order given, unless a row says when."""
    full = [
        {
            "request_id": f"r{i:06}",
            "timestamp": START + timedelta(minutes=i),
            "account_id": "acct",
            **row,
        }
        for i, row in enumerate(rows)
    ]
    return pl.DataFrame([{c: row.get(c) for c in CANONICAL} for row in full], schema=CANONICAL, orient="row")


def prints_of(rows):
    return merge([fingerprint(canonical(rows))])


def streams_of(rows, jobs=1):
    prints = prints_of(rows)
    return prints, find_streams(prints, jobs=jobs)


def tokens_of(texts):
    return tokenise(pl.Series(texts, dtype=pl.String))


def frames_of(texts, sheets=None, jobs=1):
    """Frames of texts, on one sheet or on sheets of the given sizes."""
    t = tokens_of(texts)
    bounds = np.r_[np.int64(0), np.cumsum(np.array(sheets or [len(texts)], np.int64))]
    return t, find_frames(bounds, np.arange(len(texts)), t.offsets, t.values, jobs=jobs)


def token_set(*texts):
    return sorted(set(tokens_of(list(texts)).values.tolist()))
