from __future__ import annotations

from fractions import Fraction
from math import comb, exp, lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.rarefaction import EXACT_STEPS, chance_seen, rarefaction_curve, richness_at
from extractscan.coverage.spectrum import spectrum


def exact_richness(counts: list[int], m: int) -> Fraction:
    n = sum(counts)
    return sum((1 - Fraction(comb(n - c, m), comb(n, m)) for c in counts), Fraction(0))


def one(value: int) -> np.ndarray:
    return np.array([value], dtype=np.int64)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.data())
def test_richness_equals_exact_rational_arithmetic(counts: list[int], data: st.DataObject) -> None:
    m = data.draw(st.integers(0, sum(counts)))
    got = richness_at(spectrum(np.array([0, len(counts)]), np.array(counts)), one(m))
    assert got[0] == pytest.approx(float(exact_richness(counts, m)), rel=1e-13)


@settings(max_examples=60)
@given(st.integers(EXACT_STEPS - 3, 900), st.integers(EXACT_STEPS - 3, 900), st.integers(0, 4000))
def test_series_agrees_with_exact_binomials(count: int, m: int, rest: int) -> None:
    n = max(count, m) + rest
    exact = 1 - Fraction(comb(n - count, m), comb(n, m))
    assert chance_seen(one(count), one(n), one(m))[0] == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize("count", [1, 2, 3, 40, 63, 64, 65, 100, 1000])
@pytest.mark.parametrize("m", [1, 50, 64, 65, 1000])
def test_ten_million_individuals_lose_no_digits(count: int, m: int) -> None:
    n = 10**7
    exact = float(1 - Fraction(comb(n - count, m), comb(n, m)))
    assert chance_seen(one(count), one(n), one(m))[0] == pytest.approx(exact, rel=1e-10)


def test_differences_of_log_gamma_would_lose_digits() -> None:
    # Why the series is written out: the plain form is a thousand times worse at the same place.
    n, c, m = 10**7, 100, 100
    plain = 1 - exp(lgamma(n - c + 1) + lgamma(n - m + 1) - lgamma(n + 1) - lgamma(n - c - m + 1))
    exact = float(1 - Fraction(comb(n - c, m), comb(n, m)))
    good = chance_seen(one(c), one(n), one(m))[0]
    assert abs(good - exact) * 1000 < abs(plain - exact)


def test_no_jump_where_the_method_changes() -> None:
    m = np.arange(EXACT_STEPS - 5, EXACT_STEPS + 6)
    seen = chance_seen(np.full(len(m), 500), np.full(len(m), 10**6), m)
    step = np.diff(seen)
    assert step == pytest.approx(np.full(len(step), step.mean()), rel=0.02)
    assert (step > 0).all()


def test_monte_carlo_mean() -> None:
    rng = np.random.default_rng(20240)
    counts = np.array([40, 20, 10, 5, 5, 2, 2, 1, 1, 1, 1, 1])
    m = 25
    drawn = rng.multivariate_hypergeometric(counts, m, size=20_000)
    distinct = (drawn > 0).sum(axis=1)
    error = distinct.std() / np.sqrt(len(distinct))
    assert abs(rarefaction_curve(counts, [m])[0] - distinct.mean()) < 4 * error


def test_curve_rises_concavely_from_the_origin_to_the_observed() -> None:
    counts = np.array([300, 120, 70, 9, 4, 2, 1, 1])
    n = int(counts.sum())
    curve = rarefaction_curve(counts, np.arange(n + 1))
    assert curve[0] == 0.0
    assert curve[1] == 1.0
    assert curve[-1] == len(counts)
    assert (np.diff(curve) > -1e-12).all()
    assert (np.diff(curve, n=2) < 1e-12).all()


def test_curve_keeps_the_order_of_points_and_marks_the_impossible() -> None:
    curve = rarefaction_curve(np.array([2, 1]), [3, 1, 4, -1])
    assert curve[:2].tolist() == [2.0, 1.0]
    assert np.isnan(curve[2:]).all()
    assert rarefaction_curve(np.array([2, 1]), []).tolist() == []
    assert np.isnan(rarefaction_curve(np.array([], dtype=np.int64), [1])).all()


def test_each_unit_has_its_own_sample_size() -> None:
    # Units: {2, 2}, empty, {1, 1, 1}, {4}
    got = richness_at(spectrum(np.array([0, 2, 2, 5, 6]), np.array([2, 2, 1, 1, 1, 4])), np.array([2, 0, 2, 5]))
    assert got[0] == pytest.approx(2 * (1 - 1 / 6))
    assert got[1] == 0.0
    assert got[2] == pytest.approx(2.0)
    assert np.isnan(got[3])
