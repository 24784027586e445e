import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from extractscan.trace import chance
from extractscan.trace.cover import greedy_cover


@pytest.mark.parametrize("mean", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("dispersion", [1.0, 2.5])
def test_tail_and_quantile_are_those_of_a_negative_binomial(mean, dispersion):
    k = 1 / dispersion
    law = stats.nbinom(k, k / (k + mean))
    x = np.arange(1.0, 30.0)
    assert np.allclose(chance.tail(x, np.full(x.size, mean), dispersion), law.sf(x - 1), rtol=1e-9, atol=0)
    assert chance.quantile(0.975, mean, dispersion) == law.ppf(0.975)


def test_the_fit_ignores_those_who_took_the_set():
    rng = np.random.default_rng(1)
    exposed = rng.integers(5, 200, 600).astype(float)
    met = rng.poisson(0.02 * exposed * rng.exponential(1.0, 600)).astype(float)
    met[:150] += exposed[:150]
    fitted = chance.fit(met, met, exposed)
    assert 0.01 < fitted.rate < 0.04
    assert 400 < fitted.innocents <= 455


def test_p_values_of_innocents_are_not_too_small():
    rng = np.random.default_rng(2)
    exposed = rng.integers(5, 200, 2000).astype(float)
    met = rng.poisson(0.02 * exposed * rng.exponential(1.0, 2000)).astype(float)
    fitted = chance.fit(met, met, exposed)
    p = chance.tail(met, fitted.rate * exposed, fitted.dispersion)
    for level in (0.1, 0.01):
        assert (p <= level).mean() < 1.5 * level


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 20)), min_size=1, unique=True))
def test_the_cover_covers_and_every_pick_adds(pairs):
    account, item = (np.array(c, np.int64) for c in zip(*sorted(pairs), strict=True))
    picks = greedy_cover(account, item, np.arange(9))
    chosen = [a for a, _ in picks]
    gains = [g for _, g in picks]
    assert len(set(chosen)) == len(chosen)
    assert sum(gains) == np.unique(item).size
    assert gains == sorted(gains, reverse=True)
    assert set(item[np.isin(account, chosen)]) == set(item)


def test_nothing_to_cover():
    empty = np.zeros(0, np.int64)
    assert greedy_cover(empty, empty, np.arange(3)) == []
