from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_streams import Made, build, zipf
from scipy.stats import nbinom

from extractscan.campaign.overlap import Overlap
from extractscan.campaign.partition import (
    GLANCE,
    OPEN,
    OUTSIDERS_TRUSTED,
    SAMPLE,
    SHARED_OUT,
    SHARES_LEFT,
    SOURCES,
    TRUST,
    Meetings,
    partition_bits,
)
from extractscan.coverage.coincidence import DISPERSION

few = settings(max_examples=80, deadline=None, derandomize=True)

sizes = st.floats(1.0, 1e8)
rates = st.just(0.0) | st.floats(1e-8, 1.0)
outsiders = st.integers(0, 300)
grids = st.just(0.0) | st.floats(1e-9, 1.0)


def bits(inside, pairs, rate=0.0, others=0, grid=0.0):
    """Partition bits where outsiders, if any, meet the members at a rate."""
    expected = rate * pairs if others else 0.0
    return partition_bits(Overlap(inside, pairs, expected, others, np.zeros(4, np.int64), public=0.0, common=0.0), grid)


# The ratio


def chance(count, mean):
    """Probability of a count that is negative binomial with this mean and ``DISPERSION`` times that variance."""
    return nbinom.pmf(count, mean / (DISPERSION - 1), 1 / DISPERSION) if mean else float(count == 0)


def partition_by_hand(inside, pairs, rate, others, grid):
    """Both likelihoods as sums over no source, sources of a thousand to ten million items, and one of the size that outsiders tell of."""
    alternatives = [(OPEN, 0.0, inside) if pairs * grid < 1.0 else (OPEN, grid, 0.0)]
    alternatives += [((1.0 - OPEN) / SOURCES.size, max(1.0 / source, grid), 0.0) for source in SOURCES]
    if others and rate:
        alternatives.append((TRUST * min(others, OUTSIDERS_TRUSTED), max(rate, grid), 0.0))
    independent = sum(weight * chance(inside, max(pairs * r, least)) for weight, r, least in alternatives)
    shared_out = sum(
        weight * chance(inside, max(left * pairs * r, least)) / SHARES_LEFT.size
        for weight, r, least in alternatives
        for left in SHARES_LEFT
    )
    return np.log2(SHARED_OUT * shared_out / independent + 1.0 - SHARED_OUT)


@few
@given(st.integers(0, 30), st.floats(1.0, 1e5), st.just(0.0) | st.floats(1e-6, 1e-3), outsiders, st.floats(0, 1e-3))
def test_partition_is_a_ratio_of_averaged_likelihoods(inside, pairs, rate, others, grid):
    by_hand = partition_by_hand(inside, pairs, rate, others, grid)
    assert bits(inside, pairs, rate, others, grid) == pytest.approx(by_hand, rel=1e-6, abs=1e-6)


def test_the_sizes_of_sources_are_as_likely_in_every_order_of_magnitude():
    assert SOURCES[0] == pytest.approx(1e3)
    assert SOURCES[-1] == pytest.approx(1e7)
    np.testing.assert_allclose(np.diff(np.log10(SOURCES)), 0.1)


@few
@given(st.integers(0, 10**6), sizes, rates, outsiders, grids)
def test_partition_is_finite_and_never_under_minus_one(inside, pairs, rate, others, grid):
    found = bits(inside, pairs, rate, others, grid)
    assert np.isfinite(found)
    assert found >= -1.0 - 1e-9


@pytest.mark.parametrize("pairs", [0.0, -0.0])
def test_one_member_has_nobody_to_avoid(pairs):
    assert bits(0, pairs, 0.5, 5, 0.5) == 0.0


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2])
def test_overlap_as_with_outsiders_is_evidence_against(rate):
    pairs = 50.0 / rate
    assert -1.0 <= bits(50, pairs, rate, 20) < -0.9


def test_an_empty_overlap_where_twenty_are_expected_is_evidence_and_where_none_is_expected_is_not():
    assert bits(0, 20_000.0, 1e-3, 20) > 3
    assert abs(bits(0, 20.0, 1e-3, 20)) < 0.1


def test_an_empty_overlap_in_a_grid_where_a_hundred_are_expected_is_strong():
    # By hand: independent draws avoid each other by 10^(-100 / 9), a shared list, of which up to a fiftieth is left, by
    # 10^(-2 / 9) to 1; half of operators share out.
    left = np.mean(DISPERSION ** (-100 * SHARES_LEFT / (DISPERSION - 1)))
    by_hand = 100 / (DISPERSION - 1) * np.log2(DISPERSION) + np.log2(SHARED_OUT * left)
    assert bits(0, 1e4, grid=1e-2) == pytest.approx(by_hand, abs=0.01)


@few
@given(st.integers(0, 1000), sizes, grids)
def test_every_payload_that_members_share_speaks_against(inside, pairs, grid):
    # Sources are tried at ten sizes for each order of magnitude, which leaves a ripple.
    assert bits(inside + 1, pairs, grid=grid) <= bits(inside, pairs, grid=grid) + 0.01


@few
@given(sizes)
def test_what_must_coincide_and_does_not_is_evidence(pairs):
    """The sooner two draws must coincide, the more it says that none do."""
    found = [bits(0, pairs, grid=grid) for grid in (0.0, 1e-7, 1e-5, 1e-3, 1e-1)]
    assert found == sorted(found)


def test_what_must_coincide_must_do_so_whatever_outsiders_meet():
    assert bits(0, 2000.0, 1e-8, 68, grid=0.1) == pytest.approx(bits(0, 2000.0, grid=0.1), abs=0.1)


@pytest.mark.parametrize("others", [1, 5, 50])
def test_the_more_outsiders_lead_to_expect_the_more_its_absence_tells_while_sources_may_be_large(others):
    found = [bits(0, 2e4, rate, others) for rate in (1e-6, 1e-5, 1e-4, 3e-4, 1e-3)]
    assert found == sorted(found)


def test_evidence_grows_with_the_number_of_outsiders_and_then_no_more():
    found = [bits(0, 1e4, 3e-3, others) for others in range(1, OUTSIDERS_TRUSTED + 1)]
    assert found == sorted(found)
    assert found[-1] > found[0] + 1
    assert bits(0, 1e4, 3e-3, 10 * OUTSIDERS_TRUSTED) == found[-1]


@pytest.mark.parametrize(("pairs", "rate"), [(1e5, 1e-2), (1e6, 1e-3), (1e6, 1e-2), (1e7, 1e-3)])
def test_no_overlap_at_all_is_more_evidence_than_some(pairs, rate):
    found = [bits(inside, pairs, rate, 50) for inside in (0, 1, 5, 20, 100, 1000)]
    assert np.diff(found).max() <= 0.02


def test_a_larger_campaign_that_shares_out_is_no_less_evident():
    found = [bits(0, pairs, 1e-2, 20) for pairs in (1e3, 1e4, 1e5, 1e6)]
    assert found[2] >= found[1] - 1.0
    assert found[3] >= found[1] - 1.0


# Meetings

NEVER = Overlap(0, 1e12, 0.0, 0, np.zeros(1, np.int64), public=0.0, common=0.0)
"""So many pairs, none of which coincide, that every chance is looked at closely."""


def meeting(made):
    """Probability that payloads of two of the made accounts coincide."""
    streams, prompts, profiles = build(made)
    members, owner = np.unique(profiles["account"].to_numpy().astype(np.int64), return_inverse=True)
    assert members.size == len({m.account for m in made})
    return Meetings(streams, prompts).probability(profiles["stream"].to_numpy().astype(np.int64), owner, NEVER)


def grid_of(n, seed=1):
    """All payloads of three slots of ``n`` words each, shuffled."""
    cells = [(a, 100 + b, 200 + c) for a in range(n) for b in range(n) for c in range(n)]
    return [cells[i] for i in np.random.default_rng(seed).permutation(n**3)]


@pytest.mark.parametrize("n", [4, 6, 8])
def test_payloads_that_fill_a_grid_must_meet(n):
    cells = grid_of(n)
    size = n**3 // 4
    # At the least: steps that only one half of the members took bring nothing.
    assert 0.5 <= meeting([Made(a, cells[size * a : size * a + size]) for a in range(4)]) * n**3 <= 1.05


def test_natural_payloads_promise_nothing():
    assert meeting([Made(a, zipf(a, 1, 300)) for a in range(4)]) < 1e-9


def test_payloads_of_different_slots_never_meet():
    assert meeting([Made(a, [(1000 * a + x, 5, 6) for x in range(50)]) for a in range(2)]) == 0.0


@pytest.mark.parametrize("made", [[Made(0, grid_of(3))], [Made(0, [(1, 2)]), Made(1, [(3,)])]])
def test_one_member_or_next_to_nothing_meets_nobody(made):
    assert meeting(made) == 0.0


def test_the_order_of_payloads_and_of_streams_changes_nothing():
    cells = grid_of(6)
    made = [Made(a, cells[27 * a : 27 * a + 27], family=a % 3) for a in range(8)]
    turned = [Made(m.account, m.payloads[::-1], family=m.family) for m in made[::-1]]
    streams, prompts, profiles = build(made)
    meetings = Meetings(streams, prompts)
    of = profiles["account"].to_numpy().astype(np.int64)
    order = np.array([5, 2, 7, 0, 3, 6, 1, 4])
    found = [meetings.probability(s, of[s], NEVER) for s in (order, np.arange(8))]
    assert found[0] == found[1] == meeting(turned)


def test_the_names_of_accounts_change_nothing():
    cells = grid_of(6)
    found = [
        meeting([Made(int(p), cells[20 * a : 20 * a + 20]) for a, p in enumerate(order)])
        for order in ([0, 1, 2, 3], [0, 2, 1, 3])
    ]
    assert found[0] == pytest.approx(found[1])


def test_a_payload_counts_once_however_many_members_send_it():
    cells = grid_of(4)
    once = [Made(0, cells[:32]), Made(1, cells[32:])]
    often = [Made(0, cells[:32], times=9), Made(1, cells[32:]), Made(2, cells[:32])]
    assert meeting(often) == meeting(once) > 0


def test_where_members_meet_as_often_as_their_make_up_has_it_a_glance_is_enough(monkeypatch):
    cells = grid_of(8)
    made = [Made(a, cells[128 * a : 128 * a + 128]) for a in range(4)]
    streams, prompts, profiles = build(made)
    owner = profiles["account"].to_numpy().astype(np.int64)
    asked = []
    words = Meetings._words
    monkeypatch.setattr(Meetings, "_words", lambda self, of, sample: asked.append(sample) or words(self, of, sample))
    for overlap in (replace(NEVER, pairs=1e5, inside=10_000), replace(NEVER, pairs=1e5)):
        assert Meetings(streams, prompts).probability(np.arange(4), owner, overlap) > 0
    assert asked == [GLANCE] * 4 + [SAMPLE] * 2


@pytest.mark.parametrize("pairs", [1e3, 1e6, 1e9])
def test_that_nobody_meets_says_less_than_a_bit_where_nothing_says_they_would(pairs):
    assert -1.0 <= bits(0, pairs) < 1.0
