"""Counting by hash and sorting of distinct values, against NumPy and plain counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.fingerprint.tallies import distinct_values, tallies

values = st.lists(st.integers(0, 9) | st.sampled_from([2**63, 2**64 - 1, 2**32, 2**32 + 16]), max_size=60)


def test_how_often_values_occur():
    shown, asked = np.array([5, 0, 5, 2**64 - 1], np.uint64), np.array([0, 5, 7, 2**64 - 1, 5], np.uint64)
    assert tallies(shown, asked).tolist() == [1, 2, 0, 1, 2]
    assert tallies(shown[:0], asked).tolist() == [0] * 5


@settings(max_examples=60, deadline=None)
@given(values, values)
def test_tallies_are_counts(shown, asked):
    counts = Counter(shown)
    assert tallies(np.array(shown, np.uint64), np.array(asked, np.uint64)).tolist() == [counts[x] for x in asked]


@pytest.mark.parametrize("dtype", [np.int64, np.uint32, np.uint64])
def test_distinct_values_are_those_of_numpy(dtype):
    drawn = np.random.default_rng(1).integers(0, 40, 100).astype(dtype)
    found = distinct_values(drawn)
    assert found.dtype == dtype
    assert found.tolist() == np.unique(drawn).tolist()
    assert distinct_values(drawn[:0]).size == 0
