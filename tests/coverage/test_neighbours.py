"""Words that neighbouring prompts share, counted in one pass, against prompts held against each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.neighbours import CHAIN_WORDS, LAGS, RARE, SAMPLE, WORDS, text_statistics


def csr(texts):
    offsets = np.r_[0, np.cumsum([len(t) for t in texts])].astype(np.int64)
    return offsets, np.array([w for t in texts for w in t], np.uint32)


def measured(streams, cut=(0, 0), jobs=1):
    """Statistics of streams, lists of texts of which each has the frame ``cut``."""
    texts = [t for s in streams for t in s]
    bounds = np.r_[0, np.cumsum([len(s) for s in streams])].astype(np.int64)
    ends = [np.full(len(texts), c, np.int64) for c in cut]
    return text_statistics(bounds, np.arange(len(texts)), *ends, *csr(texts), jobs=jobs)


def naive(stream):
    """The same of one stream without a frame, prompt against prompt."""
    texts = [t[:WORDS] for t in stream[:SAMPLE]]
    n = len(texts)
    sets = [set(t) for t in texts]
    pairs = {(a * 0x9E3779B1) % 2**32 ^ b for t in texts for a, b in pairwise(t)}
    row = [0.0, 0.0, sum(map(len, stream[:SAMPLE])) / n, float(len(pairs)), 0.0]
    if n < 2 or not any(sets):
        return row
    near = [(m, m + lag) for m in range(n) for lag in range(1, LAGS + 1) if m + lag < n]
    had = {w: sum(w in s for s in sets) for s in sets for w in s}
    topic = {w for w, c in had.items() if 2 <= c <= max(2.0, RARE * n)}
    row[0] = float(sum(len(sets[a] & sets[b] & topic) for a, b in near))
    row[1] = sum(had[w] * (had[w] - 1) / 2.0 for w in topic) * len(near) / (n * (n - 1) / 2.0)
    grew = {
        a
        for a, b in near
        if CHAIN_WORDS <= len(sets[a]) < len(sets[b]) and 10 * len(sets[a] & sets[b]) >= 9 * len(sets[a])
    }
    row[4] = len(grew) / (n - 1)
    return row


def test_three_prompts():
    # 1, 2, 3, 6 and 7 are in two of three prompts, all of which are neighbours; 4 is in all; the first grows into the last.
    stream = [[1, 2, 4, 6, 7], [3, 4, 4], [1, 2, 3, 4, 6, 7, 8]]
    assert measured([stream]).tolist() == [[5.0, 5.0, 5.0, 8.0, 0.5]]


def test_a_frame_is_cut_off_and_a_word_that_comes_again_later_than_the_lags_is_no_neighbour():
    stream = [[9, 1, 9]] + [[9, w, 9] for w in (2, 3, 4)] + [[9, 1, 9]]
    assert measured([stream], cut=(1, 1)).tolist() == [[0.0, 0.9, 1.0, 0.0, 0.0]]


def test_payloads_of_which_nothing_is_left_and_a_single_prompt():
    assert measured([[[5, 6], [7, 8]], [[1, 2, 1, 2]]], cut=(1, 1)).tolist() == [[0.0] * 5, [0, 0, 2.0, 1.0, 0]]


words = st.integers(0, 30) | st.sampled_from([2**32 - 1, 2**32 - 2, 2**31])
streams = st.lists(st.lists(st.lists(words, max_size=12), min_size=1, max_size=14), min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(streams)
def test_one_pass_counts_what_prompt_against_prompt_does(streams):
    assert measured(streams).tolist() == [naive(s) for s in streams]
    assert measured(streams, jobs=3).tolist() == measured(streams).tolist()


def test_only_the_sample_and_the_first_words_are_looked_at():
    rng = np.random.default_rng(3)
    stream = rng.integers(0, 4000, (SAMPLE + 20, WORDS + 9)).tolist()
    found, expected = measured([stream])[0], naive(stream)
    assert found.tolist() == expected
