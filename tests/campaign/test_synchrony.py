import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.campaign.synchrony import HOUR_US, Activity, synchrony_bits


def activity(hours):
    """Activity of streams that are each active in the given hours since the epoch."""
    rows = [(s, h * HOUR_US + s) for s, active in enumerate(hours) for h in active]
    return Activity(pl.DataFrame(rows, schema=["stream", "time_us"], orient="row"), len(hours))


def together(hours):
    members = np.arange(len(hours))
    return activity(hours).together(members, members)


few = settings(max_examples=60, deadline=None, derandomize=True)


@few
@given(st.lists(st.sets(st.integers(480_000, 480_072), min_size=1, max_size=12), min_size=1, max_size=6))
def test_pairs_are_counted_as_sets_and_margins_say(hours):
    seen, expected = together(hours)
    pairs = [(i, j) for i in range(len(hours)) for j in range(i)]
    assert seen == sum(len(hours[i] & hours[j]) for i, j in pairs)

    def rates(active):
        days = [h // 24 for h in active]
        times = [h % 24 for h in active]
        return {(d, t): days.count(d) * times.count(t) / len(active) for d in set(days) for t in set(times)}

    by_hand = [rates(active) for active in hours]
    total = sum(by_hand[i][b] * by_hand[j].get(b, 0.0) for i, j in pairs for b in by_hand[i])
    assert expected == pytest.approx(total, abs=1e-9)


def test_streams_of_one_account_are_one_member():
    made = activity([{480_000, 480_001}, {480_000}, {480_000}])
    assert made.together(np.arange(3), np.array([0, 0, 1]))[0] == 1


def office(dice, days, hours):
    """Hours of an account that keeps office hours on some days, each for itself."""
    return {
        480_000 + 24 * int(d) + int(t)
        for d, t in zip(dice.integers(0, days, hours), dice.integers(9, 17, hours), strict=True)
    }


def test_office_hours_in_common_are_no_schedule():
    dice = np.random.default_rng(1)
    seen, expected = together([office(dice, 30, 40) for _ in range(30)])
    assert seen == pytest.approx(expected, rel=0.1)
    assert synchrony_bits(seen, expected) < 0.1


def test_accounts_that_one_scheduler_drives_are_told():
    """The same days and times of day, but the hours are those in which the scheduler runs."""
    dice = np.random.default_rng(1)
    runs = np.array(sorted(office(dice, 30, 60)))
    seen, expected = together([set(dice.choice(runs, 20, replace=False).tolist()) for _ in range(30)])
    assert synchrony_bits(seen, expected) > 3.0


def test_nothing_in_common_is_nothing():
    assert together([{480_000}, {480_100}]) == (0, 0.0)
    assert Activity(pl.DataFrame(schema={"stream": pl.Int64, "time_us": pl.Int64}), 0).together(
        np.zeros(0, np.int64), np.zeros(0, np.int64)
    ) == (0, 0.0)
    assert synchrony_bits(0, 0.0) == 0.0


@few
@given(st.integers(0, 10**6), st.floats(0.0, 1e6))
def test_it_never_speaks_against_a_group_and_grows_with_what_is_seen(seen, expected):
    assert 0.0 <= synchrony_bits(seen, expected) <= synchrony_bits(2 * seen + 1, expected)
