"""Streams made by hand, with profiles and texts as the earlier stages would give them, for tests of campaigns."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from extractscan.coverage.streams import SINGLE, Streams
from extractscan.fingerprint.requests import Texts

DAY = 86_400_000_000

REQUESTS = {
    **dict.fromkeys(("account", "org_id", "ip", "payment_id", "end_user"), pl.UInt32),
    "time_us": pl.Int64,
    "model": pl.UInt32,
    "stream": pl.Int64,
}


@dataclass
class Made:
    """One stream: ``payloads`` are tuples of word numbers, each sent ``times`` times; ``more`` overrides profile columns."""

    account: int
    payloads: list
    family: int = SINGLE
    times: int = 1
    org: int | None = None
    ip: int | None = None
    payment: int | None = None
    users: int = 0
    first_us: int = 0
    last_us: int = 10 * DAY
    more: dict = field(default_factory=dict)


def zipf(seed, vocabulary, count, words=20, size=400):
    """Return distinct payloads over ``size`` words of a vocabulary that are used as unevenly as those of a language."""
    dice = np.random.default_rng([seed, vocabulary])
    chance = 1.0 / (np.arange(size) + 3.0)
    drawn = dice.choice(size, (count, words), p=chance / chance.sum()) + 1 + vocabulary * 100_000
    return [tuple(row) for row in drawn.tolist()]


def token(word):
    """Spread word numbers over the hash space (as tokens are); the last bit marks scripts without word breaks."""
    return (word * 2_654_435_761 >> 3) % 2**32 & ~1


def build(made):
    """Return streams, texts and profiles of made streams, in any order; times are those of each stream's profile."""
    made = sorted(made, key=lambda m: (m.account, m.family))
    assert len({(m.account, m.family) for m in made}) == len(made)
    distinct = sorted({p for m in made for p in m.payloads})
    number = {p: i for i, p in enumerate(distinct)}
    sizes = [len(p) for p in distinct]
    prompts = Texts(
        np.arange(len(distinct), dtype=np.uint64),
        np.r_[0, np.cumsum(sizes)].astype(np.int64),
        np.array([token(w) for p in distinct for w in p], np.uint32),
        np.array(sizes, np.int64) * 5,
    )
    hashes = np.random.default_rng(5).permutation(len(distinct)).astype(np.uint64)
    items = pl.DataFrame(
        [
            (s, m.account, number[p], m.times, 0, 0, int(hashes[number[p]]))
            for s, m in enumerate(made)
            for p in dict.fromkeys(m.payloads)
        ],
        schema={
            "stream": pl.Int64,
            "account": pl.UInt32,
            "prompt": pl.Int64,
            "times": pl.Int64,
            "front": pl.Int64,
            "back": pl.Int64,
            "payload": pl.UInt64,
        },
        orient="row",
    )
    requests = pl.DataFrame(
        [
            (m.account, m.org, m.ip, m.payment, i % m.users if m.users else None, m.first_us, None, s)
            for s, m in enumerate(made)
            for i in range(max(1, m.users))
        ],
        schema=REQUESTS,
        orient="row",
    )
    profiles = pl.DataFrame(
        [
            {
                "stream": s,
                "account": m.account,
                "family": m.family,
                "requests": m.times * len(m.payloads),
                "payloads": len(set(m.payloads)),
                "conversing": 0.0,
                "resampled": 0.0,
                "output_tokens": 300.0,
                "highest_temperature": None,
                "first_us": m.first_us,
                "last_us": m.last_us,
                **m.more,
            }
            for s, m in enumerate(made)
        ],
        schema={
            "stream": pl.Int64,
            "account": pl.UInt32,
            "family": pl.Int64,
            "requests": pl.Int64,
            "payloads": pl.UInt32,
            "conversing": pl.Float64,
            "resampled": pl.Float64,
            "output_tokens": pl.Float64,
            "highest_temperature": pl.Float64,
            "first_us": pl.Int64,
            "last_us": pl.Int64,
        },
    )
    table = profiles.select("stream", "account", "family", "requests")
    return Streams(table, items, requests, {}), prompts, profiles
