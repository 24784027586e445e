import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractscan.threads import pieces, portions, share

WEIGHTS = st.lists(st.one_of(st.just(0), st.integers(0, 9), st.integers(0, 10**9)), max_size=60)


@given(WEIGHTS, st.integers(1, 40))
def test_pieces_cover_everything_once_in_order(weights, most):
    ranges = pieces(np.array(weights, np.int64), most)
    assert [i for a, b in ranges for i in range(a, b)] == list(range(len(weights)))
    assert all(a < b for a, b in ranges)
    assert len(ranges) <= most


@given(WEIGHTS, st.integers(1, 40))
def test_no_piece_is_heavier_than_its_share_and_one_item(weights, most):
    for a, b in pieces(np.array(weights, np.int64), most):
        assert sum(weights[a:b]) <= sum(weights) / most + max(weights) + 1e-6 * sum(weights)


@pytest.mark.parametrize(
    ("weights", "most", "ranges"),
    [
        ([], 4, []),
        ([5], 4, [(0, 1)]),
        ([0, 0, 0], 4, [(0, 3)]),
        ([1, 1, 1, 1], 1, [(0, 4)]),
        ([1, 1, 1, 1, 1, 1, 1, 1], 4, [(0, 1), (1, 3), (3, 5), (5, 8)]),
    ],
)
def test_pieces_of_small_tables(weights, most, ranges):
    assert pieces(np.array(weights, np.int64), most) == ranges


@pytest.mark.parametrize(
    ("items", "jobs", "count"), [(0, 4, 0), (99, 4, 1), (100, 4, 2), (250, 4, 3), (5000, 2, 16), (5000, 1, 1)]
)
def test_portions_are_worth_a_start_and_not_too_many(items, jobs, count):
    ranges = portions(np.ones(items, np.int64), jobs, 100)
    assert len(ranges) == count
    assert [i for a, b in ranges for i in range(a, b)] == list(range(items))


@pytest.mark.parametrize("jobs", [0, 1, 2, 5])
def test_results_come_in_the_order_of_the_ranges(jobs):
    ranges = [(i, i + 1) for i in range(50)]
    assert share(lambda a, b: (a, b), ranges, jobs) == ranges
    assert share(lambda a, b: (a, b), [], jobs) == []


def test_two_jobs_do_run_at_once():
    meeting = threading.Barrier(2, timeout=20)  # breaks, and raises, unless two are inside together
    assert len(share(lambda _a, _b: meeting.wait(), [(0, 1), (1, 2)], 2)) == 2


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_failure_in_a_piece_is_raised(jobs):
    def work(a, _b):
        if a == 2:
            raise ValueError("piece 2")
        return a

    with pytest.raises(ValueError, match="piece 2"):
        share(work, [(i, i + 1) for i in range(4)], jobs)


def test_work_that_shares_work_does_not_wait_for_itself():
    def inner(a, b):
        return share(lambda c, d: (c, d), [(a, b)] * 3, 3)

    ranges = [(i, i + 1) for i in range(100)]
    assert share(inner, ranges, 4) == [[r] * 3 for r in ranges]
