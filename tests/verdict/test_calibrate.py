"""P-values, q-values, and whether a stated rate holds where exchangeability does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from extractscan.verdict.calibrate import (
    benjamini_hochberg,
    benjamini_yekutieli,
    conformal_p,
    fewest,
    harmonic,
    highest,
    inherited_q,
)

few = settings(max_examples=80, deadline=None, derandomize=True)
bits = st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.0, 7.25]), max_size=30).map(lambda x: np.array(x, float))
p_values = st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=40).map(np.array)


@pytest.mark.parametrize(
    ("scores", "baseline", "expected"),
    [
        ([5.0], [], [1.0]),
        ([5.0], [1.0, 2.0, 3.0], [0.25]),
        ([3.0], [1.0, 2.0, 3.0], [0.5]),  # a tie counts against
        ([3.0 + 1e-9], [1.0, 2.0, 3.0], [0.5]),  # and so does what only rounding tells apart
        ([0.0, 2.5, 9.0], [0.0, 0.0, 2.0, 4.0], [1.0, 0.4, 0.2]),
        ([], [1.0], []),
    ],
)
def test_p_is_the_rank_in_the_baseline(scores, baseline, expected):
    found = conformal_p(np.array(scores, float), np.array(baseline, float))
    np.testing.assert_allclose(found, expected)


@few
@given(bits, bits)
def test_p_falls_as_bits_rise_and_is_never_zero(scores, baseline):
    p = conformal_p(np.sort(scores), baseline)
    assert np.all(np.diff(p) <= 0)
    assert np.all((p >= 1 / (baseline.size + 1)) & (p <= 1))
    np.testing.assert_allclose(p, [(1 + sum(baseline >= s)) / (baseline.size + 1) for s in np.sort(scores)])


@few
@given(p_values)
def test_q_values_are_those_of_scipy(p):
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p, method="bh"))
    np.testing.assert_allclose(benjamini_yekutieli(p), false_discovery_control(p, method="by"))


@few
@given(p_values)
def test_q_rises_with_p_and_yekutieli_asks_more(p):
    hochberg, yekutieli = benjamini_hochberg(p), benjamini_yekutieli(p)
    order = np.argsort(p)
    for q in (hochberg, yekutieli):
        assert np.all(np.diff(q[order]) >= 0)
        assert np.all(q <= 1)
    assert np.all(yekutieli >= hochberg)
    assert np.all(hochberg >= p - 1e-12)


def test_no_tests_no_q():
    assert benjamini_hochberg(np.array([])).size == 0
    assert benjamini_yekutieli(np.array([])).size == 0


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
@pytest.mark.parametrize(("tests", "baseline"), [(1, 19), (20, 60), (20, 20), (500, 5000), (500, 100), (3, 0)])
def test_fewest_is_where_rejection_begins(tests, baseline, rate):
    for adjust, factor in ((benjamini_hochberg, 1.0), (benjamini_yekutieli, harmonic(tests))):
        needed = fewest(tests, baseline, rate, factor)
        for count in (needed - 1, needed):
            if 0 < count <= tests:
                p = np.r_[np.full(count, 1 / (baseline + 1)), np.ones(tests - count)]
                assert (adjust(p)[0] <= rate * (1 + 1e-9)) == (count >= needed)
        if needed > tests:
            assert adjust(np.full(tests, 1 / (baseline + 1))).min() > rate


def test_a_member_has_the_q_of_its_own_bits():
    tested_p, tested_q = np.array([0.2, 0.01, 0.05]), np.array([0.4, 0.03, 0.1])
    p = np.array([0.01, 0.02, 0.05, 0.2, 0.21])
    np.testing.assert_allclose(inherited_q(p, tested_p, tested_q), [0.03, 0.1, 0.1, 0.4, 1.0])


def test_the_highest_of_each_cluster():
    np.testing.assert_allclose(highest(np.array([1.0, 5.0, 2.0, 0.0]), np.array([9, 4, 9, 7])), [5.0, 0.0, 2.0])


# Whether the rate holds


def innocent_logs(dice, size, share):
    """Realised rates in 400 trials: seven clean periods and a log, 20 clusters each, of ``size`` accounts of almost equal bits."""
    false = np.zeros(3)
    for _ in range(400):
        log, *clean = [np.repeat(dice.exponential(size=20), size) + 1e-3 * dice.random(20 * size) for _ in range(8)]
        cluster = np.repeat(np.arange(20), size)
        baseline = np.concatenate(clean)
        units = np.concatenate([highest(c, cluster) for c in clean])
        unit_p = conformal_p(highest(log, cluster), units)
        q = inherited_q(conformal_p(log, units), unit_p, benjamini_yekutieli(unit_p))
        careless = benjamini_yekutieli(conformal_p(log, baseline))
        campaigns = benjamini_hochberg(unit_p)
        false += [(x <= share).any() for x in (q, careless, campaigns)]
    return false / 400


@pytest.mark.parametrize("size", [1, 20])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_the_stated_rate_holds_where_clusters_move_as_one(size, share):
    accounts, _, campaigns = innocent_logs(np.random.default_rng(5), size, share)
    noise = 3 * np.sqrt(share * (1 - share) / 400)
    assert accounts <= share + noise
    assert campaigns <= share + noise


def test_accounts_that_move_as_one_must_not_count_as_many():
    """Why members are tested as one: else one innocent product passes far too often."""
    _, careless, _ = innocent_logs(np.random.default_rng(5), 20, 0.05)
    assert careless > 0.1


def test_what_stands_out_passes():
    dice = np.random.default_rng(3)
    log, clean = dice.exponential(size=500), dice.exponential(size=5000)
    log[:40] += 30
    q = benjamini_yekutieli(conformal_p(log, clean))
    assert (q[:40] <= 0.05).all()
    assert (q[40:] > 0.05).all()
