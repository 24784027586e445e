from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from extractscan.cluster import bands
from extractscan.cluster.bands import POSITION, meeting, runs, scratch

FEW_KEYS = st.sampled_from([0, 1, 63, 64, 2**16, 2**31, 2**32 - 64, 2**32 - 1])
KEYS = arrays(np.uint32, st.integers(0, 200), elements=st.one_of(FEW_KEYS, st.integers(0, 2**32 - 1)))


def shared(keys, eligible):
    """Key and position of each text that has its key in common with another, sorted; by counting."""
    counts = Counter(keys[i] for i in eligible)
    return sorted((int(keys[i]), i) for i in eligible if counts[keys[i]] > 1)


@settings(deadline=None)  # the first call compiles
@given(KEYS, st.integers(1, 4))
def test_runs_are_the_texts_that_share_a_key(keys, step):
    eligible = np.arange(0, keys.size, step, dtype=np.int64)
    seen, again, space = scratch(eligible.size)
    found = space[: runs(keys, eligible, seen, again, space)]
    assert [(int(x >> np.uint64(32)), int(x & POSITION)) for x in found] == shared(keys, eligible.tolist())


@pytest.mark.parametrize("jobs", [1, 4])
def test_texts_meet_that_share_a_band_and_have_a_shingle(jobs, monkeypatch):
    monkeypatch.setattr(bands, "FEW", 0)
    random = np.random.default_rng(4)
    sizes = random.integers(0, 8, 5000)
    band_keys = random.integers(0, 1 << 14, (5, 5000)).astype(np.uint32)
    eligible = np.flatnonzero(sizes >= 3)
    expected = {i for keys in band_keys for _, i in shared(keys.tolist(), eligible.tolist())}
    assert 0 < len(expected) < eligible.size
    assert meeting(np.r_[0, np.cumsum(sizes)], band_keys, jobs=jobs).tolist() == sorted(expected)


def test_nobody_meets_in_an_empty_log():
    assert meeting(np.zeros(1, np.int64), np.zeros((3, 0), np.uint32)).tolist() == []
