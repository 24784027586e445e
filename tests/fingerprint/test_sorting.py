import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from extractscan.fingerprint.sorting import place, sort, sort_by_upper

ANY = st.one_of(st.integers(0, 5), st.integers(0, 2**32 - 1), st.sampled_from([0, 2**31 - 1, 2**31, 2**32 - 1]))
VALUES = arrays(np.uint32, st.one_of(st.integers(0, 60), st.integers(0, 400)), elements=ANY)


@settings(deadline=None)  # the first call compiles
@given(VALUES)
def test_sort_is_numpys(values):
    mine = values.copy()
    sort(mine)
    assert np.array_equal(mine, np.sort(values))


@pytest.mark.parametrize("size", [0, 1, 2, 47, 48, 49, 50, 96, 97, 1000])
@pytest.mark.parametrize("shape", ["up", "down", "equal", "saw", "drawn"])
def test_sort_where_insertion_gives_way_to_radix(size, shape):
    n = np.arange(size, dtype=np.uint32)
    random = np.random.default_rng(size)
    values = {
        "up": n,
        "down": n[::-1].copy(),
        "equal": np.full(size, 7, np.uint32),
        "saw": n % np.uint32(5),
        "drawn": random.integers(0, 2**32, size, dtype=np.uint32),
    }[shape]
    expected = np.sort(values)
    sort(values)
    assert np.array_equal(values, expected)


def test_sort_of_a_part_leaves_the_rest():
    values = np.array([9, 8, 7, 6, 5, 4], np.uint32)
    sort(values[1:4])
    assert values.tolist() == [9, 6, 7, 8, 5, 4]


def test_sort_is_not_quadratic():
    values = np.arange(2_000_000, dtype=np.uint32)[
        ::-1
    ].copy()  # the worst order for insertion: hours, were it quadratic
    sort(values)
    assert np.array_equal(values, np.arange(2_000_000, dtype=np.uint32))


@settings(deadline=None)  # the first call compiles
@given(VALUES, ANY)
def test_place_is_where_it_stands(values, x):
    ordered = np.unique(values)
    assert place(ordered, np.uint32(x)) == (ordered.tolist().index(x) if x in ordered else -1)
    for at in range(0, ordered.size, max(1, ordered.size // 5)):
        assert place(ordered, ordered[at]) == at


@settings(deadline=None)
@given(arrays(np.uint64, st.one_of(st.integers(0, 40), st.integers(0, 300)), elements=st.integers(0, 2**64 - 1)))
def test_sort_by_upper_halves_keeps_the_order_of_equals(values):
    few = values & np.uint64(0x80000003_FFFFFFFF)  # eight different upper halves
    for mine in (values.copy(), few):
        expected = mine[np.argsort(mine >> np.uint64(32), kind="stable")]
        sort_by_upper(mine)
        assert np.array_equal(mine, expected)
