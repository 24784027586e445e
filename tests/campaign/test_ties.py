import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from extractscan.campaign.ties import (
    CUSTOMER_SPREAD,
    LOAD_REACH,
    SHARD_SPREAD,
    SMALL,
    SUCCESSION_DISPERSION,
    UNEVEN,
    customer_spread,
    load_bits,
    succession_bits,
)

DAY = 86_400_000_000

counts = st.lists(st.integers(1, 10**6), min_size=2, max_size=40)
intervals = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=3, max_size=40)


few = settings(max_examples=60, deadline=None, derandomize=True)


# Load


def load_by_hand(requests, customers, floor=1):
    """Log2 of a mixture: half of operators load as customers do, the others by a ratio of likeliest truncated densities."""
    logs = np.log(np.asarray(requests, float))
    middle = np.median(logs)
    cut = np.maximum(np.rint(np.exp(np.clip(logs, middle - LOAD_REACH, middle + LOAD_REACH))), 1)
    lowest = min(floor, cut.min())
    steps = np.linspace(-6, 6, 601)

    def chance(n, centre, spread):
        """Poisson-log-normal, by the trapezoid rule; for many requests the normal of ln n, with Poisson noise in its variance."""
        if n > SMALL:
            return norm.pdf(np.log(n), centre, np.sqrt(spread**2 + 1 / n)) / n
        return np.trapezoid(poisson.pmf(n, np.exp(centre + spread * steps)) * norm.pdf(steps), steps)

    def likeliest(spread):
        best = -np.inf
        for centre in np.linspace(-3.0, 12.0, 151):
            seen = 1 - sum(chance(m, centre, spread) for m in range(int(lowest)))
            if seen < 1e-9:
                continue
            with np.errstate(divide="ignore"):
                best = max(best, sum(np.log(chance(n, centre, spread)) for n in cut) - len(cut) * np.log(seen))
        return best

    k = len(requests)
    ratio = (likeliest(SHARD_SPREAD) - likeliest(customers)) * (k - 1) / k
    return np.logaddexp(np.log(1 - UNEVEN) + ratio, np.log(UNEVEN)) / np.log(2)


@pytest.mark.parametrize(
    ("requests", "customers", "floor"),
    [
        ((2, 3, 2, 4, 2, 3), 1.0, 1),
        ((5, 6, 9, 5, 7), 1.0, 5),
        ((12, 30, 41, 200), 0.8, 12),
        ((30, 31, 29, 33), 1.0, 1),
        ((60, 900, 4_000, 77), 1.0, 5),
        ((1_000_000, 1), 1.0, 1),
    ],
)
def test_load_is_a_mixture_of_truncated_densities(requests, customers, floor):
    by_hand = load_by_hand(requests, customers, floor)
    assert load_bits(np.array(requests), customers, floor) == pytest.approx(by_hand, abs=0.01)


def test_just_above_the_floor_any_loads_look_even():
    """The tail of customers' loads, cut off at five requests, is no evidence; the same evenness far above the floor is."""
    tail = np.array([5, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 13])
    assert load_bits(tail, floor=5) < 2.0
    assert load_bits(tail, floor=1) > 5.0
    assert load_bits(10 * tail, floor=5) > 5.0


@few
@given(counts, st.floats(SHARD_SPREAD, 2.0))
def test_uneven_loads_are_one_bit_against_a_group_at_the_most(requests, customers):
    assert load_bits(np.array(requests), customers) >= np.log2(UNEVEN) == -1.0


def test_ever_less_even_loads_are_ever_less_evidence():
    bits = [load_bits(np.exp(5 + spread * np.linspace(-1, 1, 12))) for spread in (0, 0.3, 0.6, 0.9, 1.2, 5.0)]
    assert bits == sorted(bits, reverse=True)
    assert bits[0] > 5
    assert bits[-1] == pytest.approx(-1.0, abs=0.05)


@few
@given(counts, st.randoms(use_true_random=False))
def test_load_does_not_know_the_order_of_accounts(requests, dice):
    shuffled = requests.copy()
    dice.shuffle(shuffled)
    assert load_bits(np.array(requests)) == load_bits(np.array(shuffled))


@pytest.mark.parametrize("requests", [[], [7], [10**9]])
def test_one_account_has_no_load_to_compare(requests):
    assert load_bits(np.array(requests, np.int64)) == 0.0


def test_even_shards_and_uneven_customers_are_told_apart():
    dice = np.random.default_rng(1)
    shards = [load_bits(np.exp(dice.normal(5, 0.2, 12)).astype(np.int64)) for _ in range(200)]
    customers = [load_bits(np.exp(dice.normal(5, 1.2, 12)).astype(np.int64)) for _ in range(200)]
    assert np.quantile(shards, 0.05) > 4
    assert np.quantile(customers, 0.95) < 0.5
    assert np.median(customers) < -0.8


def test_more_even_accounts_are_more_evidence():
    assert load_bits(np.full(12, 100)) > load_bits(np.full(6, 100)) > load_bits(np.full(3, 100)) > 0


@few
@given(counts)
def test_ten_times_the_volume_is_no_more_than_the_noise_that_falls_away(requests):
    """Volume itself does not count: beyond Poisson noise, which even loads lose less by, a common factor changes nothing."""
    high = np.array(requests) * 10**6
    assert load_bits(high * 10) == pytest.approx(load_bits(high), abs=1e-3 * len(requests))


def test_a_single_outlier_does_not_decide():
    even = np.full(12, 100)
    one = even.copy()
    one[0] = 10**9
    far = even.copy()
    far[0] = 10**6
    assert load_bits(one) > 0
    assert load_bits(one) == pytest.approx(load_bits(far), abs=0.05)


def test_loads_say_nothing_where_customers_are_as_even_as_shards():
    assert load_bits(np.array([80, 100, 120, 95]), SHARD_SPREAD) == pytest.approx(0.0, abs=1e-12)


# Succession


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
    return (
        (expected - seen + (seen * np.log(seen / expected) if seen > 1e-9 else 0.0)) / SUCCESSION_DISPERSION / np.log(2)
    )


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


# The spread of comparable senders


@few
@given(st.lists(st.integers(1, 10**7), max_size=60), st.randoms(use_true_random=False))
def test_the_spread_of_customers_is_bounded_and_knows_no_order(requests, dice):
    shuffled = requests.copy()
    dice.shuffle(shuffled)
    spread = customer_spread(np.array(requests, np.int64), 100.0)
    assert SHARD_SPREAD <= spread <= CUSTOMER_SPREAD
    assert spread == customer_spread(np.array(shuffled, np.int64), 100.0)


def test_too_few_comparable_senders_leave_the_cautious_default():
    assert customer_spread(np.full(9, 100), 100.0) == CUSTOMER_SPREAD
    assert customer_spread(np.full(50, 100), 100_000.0) == CUSTOMER_SPREAD


def test_where_all_senders_are_alike_evenness_says_nothing():
    alike = customer_spread(np.full(50, 100), 100.0)
    assert load_bits(np.full(12, 100), alike) < load_bits(np.full(12, 100)) / 2
