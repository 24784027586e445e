"""Comparing many units: sketches rule out, everything else is as if all pairs were at hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_streams import Made, build, zipf

from extractscan.campaign import corpus, groups, sketches
from extractscan.campaign.corpus import Corpora
from extractscan.campaign.frequencies import all_pairs, weighted, with_all, with_one
from extractscan.campaign.groups import SAME_CORPUS, _communities
from extractscan.campaign.likeness import Matrix, Sketched
from extractscan.campaign.overlap import Payloads
from extractscan.campaign.propose import proposals
from extractscan.campaign.sketches import TAIL, candidates, sketch

DIMENSIONS = 4096


def units(seed, sizes, common=0.5):
    """Frequencies of one unit an entry of ``sizes``, (source, payloads): words of a language and of the source, unevenly used."""
    dice = np.random.default_rng(seed)
    chance = 1.0 / (np.arange(600) + 2.0)
    chance /= chance.sum()
    ends, columns, halves = [0], [], ([], [])
    for source, payloads in sizes:
        drawn = dice.choice(600, (payloads, 25), p=chance)
        own = dice.random((payloads, 25)) >= common
        words = np.where(own, (drawn * 7919 + 104_729 * (source + 1)) % DIMENSIONS, drawn)
        counts = np.zeros((2, DIMENSIONS))
        for number, row in enumerate(words):
            counts[number % 2, np.unique(row)] += 1.0
        held = np.flatnonzero(counts.sum(axis=0))
        columns.append(held)
        for half, size in ((0, (payloads + 1) // 2), (1, payloads // 2)):
            halves[half].append(counts[half, held] / max(1, size))
        ends.append(ends[-1] + held.size)
    columns = np.concatenate(columns).astype(np.int32)
    weight = np.log((2.0 + len(sizes)) / (1.0 + np.bincount(columns, minlength=DIMENSIONS)))
    return weighted(np.array(ends), columns, np.concatenate(halves[0]), np.concatenate(halves[1]), weight)


def some(seed, n=70, sources=9):
    dice = np.random.default_rng(seed)
    return units(seed, [(int(dice.integers(sources)), int(12 * 2 ** (4 * dice.random()))) for _ in range(n)])


def select(f, chosen):
    """Return the units ``chosen``, in that order."""
    spans = [slice(f.ends[k], f.ends[k + 1]) for k in chosen]
    ends = np.r_[0, np.cumsum([s.stop - s.start for s in spans])]
    columns, first, second = (np.concatenate([a[s] for s in spans]) for a in (f.columns, f.first, f.second))
    return weighted(ends, columns, first, second, np.ones(DIMENSIONS))


def pairs(found, n):
    return np.unpackbits(found.bits, axis=1)[:, :n].astype(bool)


def by_hand(f):
    x, y = np.zeros((2, f.size, DIMENSIONS))
    row = np.repeat(np.arange(f.size), np.diff(f.ends))
    x[row, f.columns], y[row, f.columns] = f.first, f.second
    root = np.sqrt((x * y).sum(axis=1))
    out = (x @ y.T + y @ x.T) / 2 / (root[:, None] * root)
    np.fill_diagonal(out, 0.0)
    return out


# In full


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_every_way_to_compare_is_the_formula(seed, jobs):
    f = some(seed, 20, 4)
    expected = by_hand(f)
    found = all_pairs(f, jobs)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    everyone = np.arange(20)
    for one in (0, 7):
        assert np.array_equal(with_one(f, one, everyone, jobs), found[one])
    members = np.random.default_rng(seed).permutation(20)[:6]
    sums = expected[:, members].sum(axis=1) + np.isin(everyone, members)
    np.testing.assert_allclose(with_all(f, members, everyone, jobs), sums, rtol=1e-9, atol=1e-12)


def test_threads_do_not_show_even_where_they_are_used(monkeypatch):
    f = some(1)
    one = all_pairs(f, 1), with_one(f, 3, np.arange(f.size), 1), candidates(f, SAME_CORPUS, 1)
    monkeypatch.setattr("extractscan.campaign.frequencies.ALONE", 0)
    three = all_pairs(f, 3), with_one(f, 3, np.arange(f.size), 3), candidates(f, SAME_CORPUS, 3)
    assert np.array_equal(one[0], three[0])
    assert np.array_equal(one[1], three[1])
    assert np.array_equal(one[2].bits, three[2].bits)
    assert np.array_equal(one[2].links, three[2].links)


def test_a_unit_that_does_not_resemble_itself_is_like_nothing():
    f = units(3, [(0, 40), (0, 40), (0, 1), (0, 40)])  # one payload: its second half is empty
    assert f.own[2] == 0.0
    similar = Sketched(f, candidates(f, SAME_CORPUS, 1), SAME_CORPUS, 1)
    assert not all_pairs(f, 1)[2].any()
    assert not with_one(f, 2, np.arange(4), 1).any()
    assert not pairs(similar.candidates, 4)[2].any()
    assert similar.linked(2, np.arange(4)).size == 0
    assert similar.totals(np.array([2])) == 0.0
    assert [m.tolist() for m in _communities(similar)] == [[0, 1, 3]]


# By sketches


def test_sums_of_sketches_are_exact_in_float32():
    rows, _ = sketch(some(2), 1)
    assert rows.dtype == np.float32
    whole = rows.astype(np.int64)
    assert np.array_equal(whole, rows)
    # No partial sum, in any order, is longer than this: Cauchy and Schwarz.
    assert (whole * whole).sum(axis=1).max() < 2**24
    assert np.array_equal((rows @ rows.T).astype(np.int64), whole @ whole.T)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([0.0, 0.5, 0.9]))
def test_no_like_pair_is_ruled_out_and_links_are_counted_in_full(seed, sources, common):
    dice = np.random.default_rng(seed)
    f = units(seed, [(int(dice.integers(sources)), int(dice.integers(12, 90))) for _ in range(50)], common)
    alike = all_pairs(f, 1) >= SAME_CORPUS
    found = candidates(f, SAME_CORPUS, 1)
    assert not (alike & ~pairs(found, 50)).any()
    assert np.array_equal(found.links, alike.sum(axis=1))
    # Fewer cells, and none of them compared in full.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "HEAD", 64)
        patch.setattr(sketches, "TAIL", 64)
        assert not (alike & ~pairs(candidates(f, SAME_CORPUS, 1, most=-1), 50)).any()
        assert np.array_equal(candidates(f, SAME_CORPUS, 1).links, alike.sum(axis=1))


def test_the_error_is_what_is_said(monkeypatch):
    """Estimates from the integer rows, less the true similarity, in units of the standard error that the filter goes by."""
    monkeypatch.setattr(sketches, "HEAD", 64)
    f = some(5, 160, 6)
    rows, measures = sketch(f, 1)
    estimate = (rows @ np.roll(rows, 64 + TAIL, axis=1).T) / 2.0 * np.outer(measures[:, 0], measures[:, 0])
    one, two, both = measures[:, 1], measures[:, 2], measures[:, 3]
    variance = (np.outer(one, two) + np.outer(two, one) + 6.0 * np.outer(both, both)) / (4.0 * TAIL)
    above = np.triu_indices(160, 1)
    errors = ((estimate - all_pairs(f, 1)) / np.sqrt(variance))[above]
    # All pairs share the same few collisions: their errors have a common part.
    assert abs(errors.mean()) < 0.5
    assert 0.5 < errors.std() < 1.1


def test_sketches_know_no_order_of_units():
    f = some(6)
    order = np.random.default_rng(6).permutation(f.size)
    turned = select(f, order)
    plain, other = candidates(select(f, np.arange(f.size)), SAME_CORPUS, 1), candidates(turned, SAME_CORPUS, 1)
    assert np.array_equal(pairs(other, f.size), pairs(plain, f.size)[np.ix_(order, order)])
    assert np.array_equal(other.links, plain.links[order])


def test_blocks_do_not_show(monkeypatch):
    f = some(7)
    whole = candidates(f, SAME_CORPUS, 1)
    assert np.array_equal(pairs(whole, f.size), pairs(whole, f.size).T)
    monkeypatch.setattr(sketches, "TILE", 16)
    cut = candidates(f, SAME_CORPUS, 1)
    assert np.array_equal(cut.bits, whole.bits)
    assert np.array_equal(cut.links, whole.links)


def test_a_bound_on_work_leaves_the_map_complete(monkeypatch):
    monkeypatch.setattr(sketches, "HEAD", 32)
    monkeypatch.setattr(sketches, "TAIL", 64)
    f = some(8)
    alike = all_pairs(f, 1) >= SAME_CORPUS
    settled = []
    for most in (0, 20_000, 100_000, 1 << 33):
        found = candidates(f, SAME_CORPUS, 1, most=most)
        settled.append(found.settled)
        assert not (alike & ~pairs(found, f.size)).any()
    assert settled == sorted(settled)
    assert settled[0] < settled[1] < settled[2] < settled[3] == sketches.STANDARD_ERRORS


def test_blocks_do_not_show_where_work_is_bounded(monkeypatch):
    monkeypatch.setattr(sketches, "HEAD", 32)
    monkeypatch.setattr(sketches, "TAIL", 64)
    f = some(8)
    whole = candidates(f, SAME_CORPUS, 1, most=20_000)
    monkeypatch.setattr(sketches, "TILE", 16)
    cut = candidates(f, SAME_CORPUS, 2, most=20_000)
    assert 0.0 < cut.settled == whole.settled < sketches.STANDARD_ERRORS
    assert np.array_equal(cut.bits, whole.bits)
    assert np.array_equal(cut.links, whole.links)


@pytest.mark.parametrize("seed", range(4))
def test_communities_are_those_of_all_pairs(seed):
    f = some(100 + seed, 150, 20)
    expected = _communities(all_pairs(f, 1))
    found = _communities(Sketched(f, candidates(f, SAME_CORPUS, 2), SAME_CORPUS, 2))
    assert len(expected) > 5
    assert [m.tolist() for m in found] == [m.tolist() for m in expected]


def test_both_answers_agree_on_everything_that_is_asked():
    f = some(9)
    matrix = Matrix(all_pairs(f, 1), SAME_CORPUS)
    sketched = Sketched(f, candidates(f, SAME_CORPUS, 1), SAME_CORPUS, 1)
    assert np.array_equal(matrix.links(), sketched.links())
    everyone = np.arange(f.size)
    for one in range(0, f.size, 9):
        assert np.array_equal(matrix.linked(one, everyone), sketched.linked(one, everyone))
        members = np.unique(np.r_[matrix.linked(one, everyone)[:5], one])
        others = np.setdiff1d(everyone, members)
        assert np.array_equal(matrix.near(members, others), sketched.near(members, others))
        assert np.array_equal(matrix.with_one(one, members), sketched.with_one(one, members))
        np.testing.assert_allclose(sketched.totals(members), matrix.totals(members), rtol=1e-9, atol=1e-9)


# In a log


def shards_and_crowd():
    texts = zipf(1, 1, 300)
    return [Made(a, texts[50 * a : 50 * a + 50]) for a in range(6)] + [
        Made(20 + i, zipf(700 + i, 300 + i, 40)) for i in range(10)
    ]


def proposed():
    streams, prompts, profiles = build(shards_and_crowd())
    return proposals(profiles, streams, prompts, Payloads(streams))


def test_a_log_gives_the_same_groups_either_way(monkeypatch):
    full = proposed()
    streams, prompts, _ = build(shards_and_crowd())
    everyone = [np.array([s]) for s in range(streams.table.height)]
    corpora = Corpora(streams, prompts, everyone)
    assert isinstance(corpora.compare(everyone, SAME_CORPUS), Matrix)
    anew = Corpora(streams, prompts, everyone).similarity(list(everyone))
    assert np.array_equal(corpora.similarity(everyone), anew)  # counted for the comparison, or on its own
    monkeypatch.setattr(corpus, "ALL_PAIRS", 3)
    assert isinstance(corpora.compare(everyone, SAME_CORPUS), Sketched)
    sketched = proposed()
    assert [(g.kind, g.streams.tolist(), g.likeness) for g in sketched.groups] == [
        (g.kind, g.streams.tolist(), g.likeness) for g in full.groups
    ]
    assert [g.kind for g in full.groups] == ["corpus"]


def test_words_are_counted_in_pieces_that_do_not_show(monkeypatch):
    streams, prompts, _ = build(shards_and_crowd())
    everyone = [np.array([s]) for s in range(streams.table.height)]
    whole = Corpora(streams, prompts, everyone).similarity(everyone)
    monkeypatch.setattr(corpus, "PIECE", 60)
    assert np.array_equal(Corpora(streams, prompts, everyone, jobs=3).similarity(everyone), whole)


def test_units_that_are_left_out_are_counted(monkeypatch):
    assert (proposed().compared, proposed().left_out) == (16, 0)
    monkeypatch.setattr(groups, "MAX_UNITS", 6)
    few = proposed()
    assert (few.compared, few.left_out) == (6, 10)
    # The largest are kept.
    assert [g.streams.tolist() for g in few.groups] == [[0, 1, 2, 3, 4, 5]]
