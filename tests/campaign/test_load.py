import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from extractscan.campaign.load import (
    CENTRES,
    CUSTOMER_SPREAD,
    LOAD_REACH,
    SHARD_SPREAD,
    SMALL,
    UNEVEN,
    customer_spread,
    load_bits,
)

counts = st.lists(st.integers(1, 10**6), min_size=2, max_size=40)
few = settings(max_examples=60, deadline=None, derandomize=True)


def load_by_hand(requests, customers, floor=1):
    """Log2 of a mixture: half of operators load as customers do, the others by a ratio of likeliest truncated densities."""
    logs = np.log(np.asarray(requests, float))
    middle = np.median(logs)
    cut = np.maximum(np.rint(np.exp(np.clip(logs, middle - LOAD_REACH, middle + LOAD_REACH))), 1)
    lowest = min(floor, cut.min())
    steps = np.linspace(-6, 6, 241)

    def chance(n, centre, spread):
        """Poisson-log-normal, by the trapezoid rule; for many requests the normal of ln n, with Poisson noise in its variance."""
        if n > SMALL:
            return norm.pdf(np.log(n), centre, np.sqrt(spread**2 + 1 / n)) / n
        return np.trapezoid(poisson.pmf(n, np.exp(centre + spread * steps)) * norm.pdf(steps), steps)

    def likelihood(centre, spread):
        seen = 1 - sum(chance(m, centre, spread) for m in range(int(lowest)))
        if seen < 1e-9:
            return -np.inf
        with np.errstate(divide="ignore"):
            return sum(np.log(chance(n, centre, spread)) for n in cut) - len(cut) * np.log(seen)

    def likeliest(spread):
        near = CENTRES[np.abs(CENTRES - middle) < 3.5]
        centre = max(near, key=lambda c: likelihood(c, spread))
        return max(likelihood(c, spread) for c in centre + np.linspace(-0.1, 0.1, 11))

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
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=40))
def test_ten_times_the_volume_is_no_more_than_the_noise_that_falls_away(requests):
    """Volume itself does not count: beyond Poisson noise, which even loads lose less by, a common factor changes nothing."""
    high = np.array(requests) * 10**4
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
