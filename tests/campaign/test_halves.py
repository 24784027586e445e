"""Words of the halves of a stream, counted by bucket."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.campaign.corpus import _halves

SAMPLE, WORDS, BUCKETS = 5, 6, 8


def counted(streams):
    texts = [t for s in streams for t in s]
    bounds = np.r_[0, np.cumsum([len(s) for s in streams])].astype(np.int64)
    offsets = np.r_[0, np.cumsum([len(t) for t in texts])].astype(np.int64)
    tokens = np.array([w for t in texts for w in t], np.uint32)
    every = np.arange(len(texts), dtype=np.int64)
    none = np.zeros(len(texts), np.int64)
    ends, columns, first, second = _halves(bounds, every, none, none, every, offsets, tokens, SAMPLE, WORDS, BUCKETS)
    rows = [slice(a, b) for a, b in pairwise(ends)]
    return [
        dict(zip(columns[r].tolist(), zip(first[r].tolist(), second[r].tolist(), strict=True), strict=True))
        for r in rows
    ]


def naive(stream):
    texts = [set(t[:WORDS]) for t in stream[:SAMPLE]]
    halves = texts[::2], texts[1::2]
    buckets = sorted({w % BUCKETS for t in texts for w in t})
    share = [
        {b: sum(w % BUCKETS == b for t in half for w in t) / max(1, len(half)) for b in buckets} for half in halves
    ]
    return {b: (share[0][b], share[1][b]) for b in buckets}


def test_words_of_one_bucket_are_told_apart_and_a_word_counts_once_a_payload():
    # 1, 9 and 17 share a bucket; the second payload has two of them, one of these twice.
    assert counted([[[1, 1, 2], [9, 17, 9], [1]]]) == [{1: (1.0, 2.0), 2: (0.5, 0.0)}]


words = st.integers(0, 40) | st.sampled_from([2**32 - 1, 2**31 + 1, 2**31])
streams = st.lists(st.lists(st.lists(words, max_size=9), max_size=8), min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(streams)
def test_counts_are_those_of_sets_of_words(streams):
    assert counted(streams) == [naive(s) for s in streams]
