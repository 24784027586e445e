import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.campaign.succession import DISPERSION, succession_bits

DAY = 86_400_000_000
intervals = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=3, max_size=40)
few = settings(max_examples=60, deadline=None, derandomize=True)


def succession_parts_by_brute_force(first, last):
    span = max(last) - min(first)
    seen, expected, pairs = 0, 0.0, 0
    for i in range(len(first)):
        for j in range(i):
            pairs += 1
            seen += first[i] <= last[j] and first[j] <= last[i]
            expected += min(1.0, (last[i] - first[i] + last[j] - first[j]) / span)
    return seen / pairs, expected / pairs


def succession_by_hand(first, last):
    """Poisson log likelihood ratio of the overlapping pairs, seen against expected, over the dispersion, in bits."""
    if max(last) == min(first):
        return 0.0
    pairs = len(first) * (len(first) - 1) / 2
    seen, expected = (share * pairs for share in succession_parts_by_brute_force(first, last))
    if seen >= expected - 1e-9:
        return 0.0
    return (expected - seen + (seen * np.log(seen / expected) if seen > 1e-9 else 0.0)) / DISPERSION / np.log(2)


@few
@given(intervals)
def test_succession_is_a_dispersed_poisson_count_over_brute_force_pairs(drawn):
    first = [a for a, _ in drawn]
    last = [a + length for a, length in drawn]
    assert succession_bits(np.array(first), np.array(last)) == pytest.approx(succession_by_hand(first, last), abs=1e-6)


@few
@given(intervals, st.randoms(use_true_random=False))
def test_succession_does_not_know_the_order_of_accounts(drawn, dice):
    shuffled = drawn.copy()
    dice.shuffle(shuffled)
    bits = []
    for rows in (drawn, shuffled):
        first = np.array([a for a, _ in rows])
        bits.append(succession_bits(first, first + np.array([length for _, length in rows])))
    assert bits[0] == bits[1]


@few
@given(st.integers(3, 60), st.integers(0, 50))
def test_parallel_accounts_are_no_relay(k, days):
    """All at work from the first day to the last, some a little less."""
    first = np.arange(k) % 3 * 1000
    assert succession_bits(first, first + days * DAY) == 0.0


def relay(k, gap):
    first = np.arange(k) * (DAY + gap)
    return succession_bits(first, first + DAY)


@pytest.mark.parametrize("k", [4, 8, 16, 32])
def test_a_relay_is_evidence(k):
    assert relay(k, 1) > 0.8
    assert relay(k, 0.01 * DAY) > 0.8


def test_a_longer_relay_is_stronger():
    assert relay(32, 1) > relay(16, 1) > relay(8, 1) > 2.0


def test_a_relay_with_overlaps_is_weaker():
    first = np.arange(12) * DAY
    bits = [succession_bits(first, first + length) for length in (0.9 * DAY, 1.5 * DAY, 2.5 * DAY, 6.5 * DAY)]
    assert bits == sorted(bits, reverse=True)
    assert bits[0] > bits[-1]


def test_accounts_at_random_times_are_no_relay():
    dice = np.random.default_rng(3)
    found = []
    for _ in range(200):
        first = dice.integers(0, 20 * DAY, 12)
        found.append(succession_bits(first, first + dice.integers(DAY, 6 * DAY, 12)))
    assert np.mean(np.array(found) > 2.0) <= 0.02


@pytest.mark.parametrize("k", [0, 1, 2])
def test_two_accounts_are_no_relay(k):
    first = np.arange(k) * DAY
    assert succession_bits(first, first) == 0.0


def test_all_at_one_moment_is_no_relay():
    assert succession_bits(np.full(9, 5), np.full(9, 5)) == 0.0


def test_succession_of_a_large_campaign_is_quick_and_small():
    first = np.arange(200_000) * 1000
    assert succession_bits(first, first + 500) > 1000.0
