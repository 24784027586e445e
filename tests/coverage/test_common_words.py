"""Words that most texts of a group have."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.ladders import common_words


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
