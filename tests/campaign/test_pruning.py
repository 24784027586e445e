from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.campaign import pruning
from extractscan.campaign.likeness import Matrix
from extractscan.campaign.pruning import without_unlike

THRESHOLD = 0.6


def one_by_one(members, similarity):
    """The same with all sums looked at after every drop."""
    dropped = []
    while members.size > 1:
        total = similarity[np.ix_(members, members)].sum(axis=1)
        worst = int(np.argmin(total))
        if total[worst] / (members.size - 1) >= THRESHOLD:
            break
        dropped.append(int(members[worst]))
        members = np.delete(members, worst)
    return members, dropped


def similarities(seed, n, groups):
    dice = np.random.default_rng(seed)
    group = dice.integers(groups, size=n)
    similarity = np.where(group[:, None] == group, 0.9, 0.4) + dice.normal(0.0, 0.15, (n, n)).clip(-0.4, 0.4)
    similarity = np.triu(similarity, 1)
    return similarity + similarity.T


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 4), st.sampled_from([2, 4, 12, 100]))
def test_who_is_left_is_who_is_left_one_by_one(seed, n, groups, followed):
    similarity = similarities(seed, n, groups)
    similar = Matrix(similarity, THRESHOLD)
    members = np.arange(n)[np.random.default_rng(seed).random(n) < 0.9]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "FOLLOWED", followed)
        patch.setattr(pruning, "DROPS", max(1, followed // 2))
        left, total = without_unlike(members, similar.totals(members), similar, THRESHOLD)
    assert left.tolist() == one_by_one(members, similarity)[0].tolist()
    np.testing.assert_allclose(total, similarity[np.ix_(left, left)].sum(axis=1), rtol=1e-9, atol=1e-9)


def test_one_who_falls_behind_in_between_is_not_passed_over(monkeypatch):
    monkeypatch.setattr(pruning, "FOLLOWED", 3)
    # Unit 3 hangs on units 0 and 1 alone, which go first; unit 2 is too unlike the rest only as long as unit 3 is there.
    similarity = np.full((9, 9), 0.7)
    similarity[2], similarity[:, 2] = 0.62, 0.62
    similarity[3], similarity[:, 3] = 0.5, 0.5
    similarity[:2], similarity[:, :2] = 0.2, 0.2
    similarity[3, :2], similarity[:2, 3] = 1.6, 1.6
    similarity[2, 3] = similarity[3, 2] = 0.0
    np.fill_diagonal(similarity, 0.0)
    similar = Matrix(similarity, THRESHOLD)
    members = np.arange(9)
    left, _ = without_unlike(members, similar.totals(members), similar, THRESHOLD)
    expected, dropped = one_by_one(members, similarity)
    assert dropped == [0, 1, 3]
    assert left.tolist() == expected.tolist() == [2, 4, 5, 6, 7, 8]
