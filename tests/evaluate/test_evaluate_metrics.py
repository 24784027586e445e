from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, roc_auc_score

from extractscan.evaluate.metrics import (
    Z_95,
    TieGroups,
    average_precision,
    pair_score,
    precision_at,
    proportion,
    roc_auc,
    threshold_for,
    tie_groups,
    wilson,
)

# A few distinct scores make ties common.
RANKING = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1, max_size=60)
MEMBERS = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=40)


def groups(rows: list[tuple[float, bool]]) -> TieGroups:
    return tie_groups(np.array([score for score, _ in rows]), np.array([attack for _, attack in rows], dtype=bool))


def caught(ranking: TieGroups, allowed: int) -> tuple[int, int]:
    above = ranking.score > threshold_for(ranking, allowed)
    return int(ranking.attackers[above].sum()), int(ranking.benign[above].sum())


@given(RANKING)
def test_average_precision_and_auc_are_those_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    score, truth = [score for score, _ in rows], [attack for _, attack in rows]
    ranking = groups(rows)
    if any(truth):
        assert average_precision(ranking) == pytest.approx(average_precision_score(truth, score), abs=1e-12)
    else:
        assert average_precision(ranking) is None
    if any(truth) and not all(truth):
        assert roc_auc(ranking) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    else:
        assert roc_auc(ranking) is None


@given(RANKING, st.integers(0, 70))
def test_threshold_is_the_lowest_that_keeps_its_promise(rows: list[tuple[float, bool]], allowed: int) -> None:
    ranking = groups(rows)
    hits, false_alarms = caught(ranking, allowed)
    assert false_alarms <= allowed
    for candidate in [*{score for score, _ in rows}, -np.inf]:
        if sum(score > candidate and not attack for score, attack in rows) <= allowed:
            assert sum(score > candidate and attack for score, attack in rows) <= hits


@given(RANKING, st.integers(0, 70))
def test_precision_at_k_sorts_benign_first_in_ties(rows: list[tuple[float, bool]], k: int) -> None:
    top = sorted(rows, key=lambda row: (-row[0], row[1]))[:k]
    assert precision_at(groups(rows), k) == proportion(sum(attack for _, attack in top), len(top))


@given(MEMBERS)
def test_pairs_are_those_of_the_quadratic_count(members: list[tuple[int, int]]) -> None:
    pairs = list(itertools.combinations(members, 2))
    predicted = [a[0] == b[0] >= 0 for a, b in pairs]
    true = [a[1] == b[1] >= 0 for a, b in pairs]
    columns = np.array(members, dtype=np.int64).reshape(-1, 2)
    got = pair_score(columns[:, 0], columns[:, 1])
    both = sum(p and t for p, t in zip(predicted, true, strict=True))
    assert (got.predicted, got.true, got.both) == (sum(predicted), sum(true), both)


@given(RANKING, st.randoms(use_true_random=False))
def test_order_of_accounts_changes_nothing(rows: list[tuple[float, bool]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    for measure in (average_precision, roc_auc, lambda g: precision_at(g, 7), lambda g: threshold_for(g, 3)):
        assert measure(groups(rows)) == measure(groups(shuffled))


@given(st.integers(0, 300), st.integers(0, 300))
def test_wilson_interval_is_that_of_scipy(hits: int, more: int) -> None:
    total = hits + more
    got = proportion(hits, total)
    if total == 0:
        assert (got.rate, got.low, got.high) == (None, None, None)
        return
    interval = binomtest(hits, total).proportion_ci(method="wilson")
    assert got.low == pytest.approx(interval.low, abs=1e-12)
    assert got.high == pytest.approx(interval.high, abs=1e-12)
    assert 0 <= got.low <= got.rate <= got.high <= 1


def test_by_hand() -> None:
    # attackers +, benign -; scores 0.9: +, 0.8: + -, 0.5: -, 0.1: +
    ranking = groups([(0.8, False), (0.1, True), (0.9, True), (0.5, False), (0.8, True)])
    assert ranking.score.tolist() == [0.9, 0.8, 0.5, 0.1]
    assert average_precision(ranking) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    # Of six pairs the attackers win 2 + 1.5 + 0.
    assert roc_auc(ranking) == pytest.approx(3.5 / 6)
    assert caught(ranking, 0) == (1, 0)  # the attacker at 0.8 is tied with a benign account
    assert caught(ranking, 1) == (2, 1)
    assert caught(ranking, 2) == (3, 2)
    assert threshold_for(ranking, 2) == -np.inf
    assert precision_at(ranking, 2).rate == 0.5  # of the tie the benign account comes first
    assert precision_at(ranking, 3).rate == pytest.approx(2 / 3)
    assert precision_at(ranking, 100) == proportion(3, 5)
    assert precision_at(ranking, 0) == proportion(0, 0)


def test_pairs_by_hand() -> None:
    # Predicted {a, b, c} and {d, e}; true {a, b} and {c, d, e}; f is alone in both.
    got = pair_score(np.array([0, 0, 0, 1, 1, -1]), np.array([5, 5, 7, 7, 7, -1]))
    assert (got.predicted, got.true, got.both) == (4, 4, 2)
    assert (got.precision, got.recall) == (0.5, 0.5)
    alone = pair_score(np.array([-1, -1]), np.array([-1, -1]))
    assert (alone.precision, alone.recall) == (None, None)


def test_two_million_accounts_in_one_campaign_are_counted_not_enumerated() -> None:
    everyone = np.zeros(2_000_000, dtype=np.int64)
    assert pair_score(everyone, everyone).both == 2_000_000 * 1_999_999 // 2


@given(st.floats(0.01, 0.99), st.integers(1, 400))
def test_the_ends_of_the_interval_are_shares_from_which_the_rate_is_as_far_as_chance_takes_it(
    rate: float, total: int
) -> None:
    low, high = wilson(rate, total)
    assert 0.0 <= low < rate < high <= 1.0
    for end in (low, high):
        assert (rate - end) ** 2 == pytest.approx(Z_95**2 * end * (1.0 - end) / total)


def test_an_interval_reaches_the_end_that_was_seen() -> None:
    assert wilson(0.0, 12) == (0.0, pytest.approx(0.2425, abs=1e-4))
    assert wilson(1.0, 12) == (pytest.approx(0.7575, abs=1e-4), 1.0)
