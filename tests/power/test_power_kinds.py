import numpy as np
import pytest

from extractscan.power.draft import Spec, draft, expected_cover, expected_requests
from extractscan.power.kinds import KINDS, Exhausted

BY_NAME = {k.name: k for k in KINDS}
TOTAL = 150


def rows(texts):
    return [tuple(texts.tokens[a:b].tolist()) for a, b in zip(texts.offsets[:-1], texts.offsets[1:], strict=True)]


def make(lent, name, total=TOTAL, seed=1):
    lends = lent[3]
    return BY_NAME[name].make(lends, np.ones(lends.sizes.size, bool), total, np.random.default_rng(seed))


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_texts_are_as_many_as_asked_all_different_and_the_same_for_a_seed(lent, name):
    made = make(lent, name)
    assert len(made.texts) == TOTAL
    assert len(set(rows(made.texts))) == TOTAL
    assert rows(made.texts) == rows(make(lent, name).texts)
    assert rows(made.texts) != rows(make(lent, name, seed=2).texts)


def test_frameless_payloads_are_the_sources_own(lent):
    made, lends = make(lent, "frameless"), lent[3]
    held = rows(lends.payloads)
    allowed = {t for s in made.sources for t in held[lends.bounds[s] : lends.bounds[s + 1]]}
    assert set(rows(made.texts)) <= allowed


def test_a_frame_is_new_and_the_same_in_all(lent):
    plain, made, lends = make(lent, "frameless"), make(lent, "framed"), lent[3]
    first = rows(made.texts)
    # Payloads of one source may have words in common too.
    common = set.intersection(*(set(one) for one in first)) - set.intersection(*(set(one) for one in rows(plain.texts)))
    assert len(common) >= 6
    assert not common & set(lends.payloads.tokens.tolist())
    assert [tuple(t for t in one if t not in common) for one in first] == rows(plain.texts)


def test_a_sweep_fills_a_grid_of_its_slots(lent):
    made, lends = make(lent, "sweep"), lent[3]
    known = set(lends.payloads.tokens.tolist())
    fixed = {tuple(t for t in one if t not in known) for one in rows(made.texts)}
    assert len(fixed) == 1
    assert 8 <= len(next(iter(fixed))) <= 20
    assert len({t for one in rows(made.texts) for t in one if t in known}) <= 3 * 3 * 6  # 150 places: six values a slot


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_kind_says_when_nothing_is_left(lent, name):
    lends = lent[3]
    with pytest.raises(Exhausted):
        BY_NAME[name].make(lends, np.zeros(lends.sizes.size, bool), 10, np.random.default_rng(1))


def test_payloads_are_lent_by_quiet_accounts_and_are_theirs_alone(lent):
    prints, _streams, assessment, lends = lent
    named = np.unique(np.concatenate([np.zeros(0, np.int64), *(c.accounts for c in assessment.campaigns)]))
    assert not np.isin(lends.source_account, named).any()
    assert np.unique(lends.source_account).size == lends.source_account.size
    assert len(set(rows(lends.payloads))) == len(lends.payloads)
    assert lends.payloads.lengths.min() >= 3
    assert prints.requests["time_us"].min() == lends.first_us


def test_loads_and_cover_of_a_draft(lent):
    lends = lent[3]
    spec = Spec("frameless", 20, 10, 0.5, 0)
    free, talkers = np.ones(lends.sizes.size, bool), np.ones(lends.talk_bounds.size - 1, bool)
    drawn = draft(spec, BY_NAME["frameless"], lends, free, talkers, np.random.default_rng(5), spread=0.35)
    assert 7 <= np.median(drawn.loads) <= 14
    assert len(drawn.texts) == drawn.loads.sum()
    assert np.diff(drawn.cover_bounds).tolist() == drawn.loads.tolist()
    assert not free[drawn.sources].any()
    assert not talkers.all()
    assert np.unique(drawn.cover).size == drawn.cover.size
    even = draft(spec, BY_NAME["frameless"], lends, free, talkers, np.random.default_rng(5), spread=0.0)
    assert set(even.loads.tolist()) == {10}


def test_a_draft_that_fails_takes_nothing(lent):
    lends = lent[3]
    free, talkers = np.ones(lends.sizes.size, bool), np.zeros(lends.talk_bounds.size - 1, bool)
    with pytest.raises(Exhausted):
        draft(
            Spec("sweep", 2, 5, 0.5, 0), BY_NAME["sweep"], lends, free, talkers, np.random.default_rng(1), spread=0.35
        )
    assert free.all()


def test_expected_sizes():
    assert expected_requests(10, 100, 0.0) == 1000
    assert expected_requests(10, 100, 0.35) == 1063
    assert (expected_cover(100, 0.5), expected_cover(100, 0.0), expected_cover(100, 0.75)) == (100, 0, 300)
