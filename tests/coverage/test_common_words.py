"""Words that most texts of a group have."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.ladders import STEADY, common_words, steady_words


def common(texts, least=0.8, members=None):
    offsets = np.r_[0, np.cumsum([len(t) for t in texts])].astype(np.int64)
    tokens = np.array([w for t in texts for w in t], np.uint32)
    chosen = np.arange(len(texts)) if members is None else np.array(members, np.int64)
    total = sum(len(texts[m]) for m in chosen)
    out = np.zeros(int(total / (least * len(chosen))) + 2, np.uint32)
    return out[: common_words(chosen, offsets, tokens, least, out)].tolist()


def naive(texts, least):
    had = Counter(w for t in texts for w in set(t))
    return sorted(w for w, c in had.items() if c >= least * len(texts))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([[3, 1, 3], [1, 3], [2, 1, 3], [1], [1, 3]], [1, 3]),  # one in five may lack it, the first as well as the last
        ([[9], [1], [1], [1], [1]], [1]),
        ([[9], [8], [1], [1], [1]], []),
        ([[], [], []], []),
        ([[2**32 - 1, 2**32 - 2]], [2**32 - 2, 2**32 - 1]),
    ],
)
def test_words_of_four_texts_in_five(texts, expected):
    assert common(texts) == expected


def test_only_members_are_looked_at():
    assert common([[1], [2, 5], [5], [2, 5]], members=[1, 3]) == [2, 5]


texts = st.lists(st.lists(st.integers(0, 12), max_size=10), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_a_word_is_common_if_so_large_a_share_of_texts_has_it(texts, least):
    assert common(texts, least) == naive(texts, least)


def steady(texts, words, front=0, back=0, least=0.8):
    offsets = np.r_[0, np.cumsum([len(t) for t in texts])].astype(np.int64)
    tokens = np.array([w for t in texts for w in t], np.uint32)
    held = np.array(words, np.uint32)
    return held[: steady_words(np.arange(len(texts)), offsets, tokens, front, back, least, held)].tolist()


@pytest.mark.parametrize(
    ("texts", "front", "back", "expected"),
    [
        ([[1, 9, 2], [1, 8, 2], [1, 7, 2], [1, 6, 2], [1, 5, 2]], 0, 0, [1, 2]),  # a template with a slot
        ([[1, 2, 2], [1, 2], [1, 2, 2, 2], [1, 2, 2], [1, 2]], 0, 0, [1]),  # 2 is grammar: now twice, now once
        ([[1, 2, 2], [1, 2, 2], [1, 2, 2], [1, 2, 2], [1, 2]], 0, 0, [1, 2]),  # equally often in four of five
        ([[2, 9, 2], [2, 9], [2, 2, 2], [2, 9, 2], [2, 9]], 1, 0, [2]),  # it stands in the shared front
        ([[9, 2, 2], [9, 2], [9, 2, 2, 2], [2, 2], [9, 2]], 0, 1, [2]),  # and here in the shared back
        ([[1] * 9] * 5, 0, 0, []),  # more often than is counted
        ([[], []], 0, 0, []),
    ],
)
def test_a_template_says_its_words_equally_often_each_time(texts, front, back, expected):
    words = [1, 2] if any(1 in t for t in texts) else [2]
    assert steady(texts, words, front, back) == expected


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_a_word_is_steady_if_so_large_a_share_of_texts_has_it_as_often(texts, least):
    words = sorted({w for t in texts for w in t})
    often = {w: Counter(t.count(w) for t in texts if w in t) for w in words}
    assert steady(texts, words, least=least) == [
        w for w in words if max((n for c, n in often[w].items() if c < STEADY), default=0) >= least * len(texts)
    ]
