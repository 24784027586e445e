import numpy as np
import pytest
from made_streams import Made, build, token, zipf

from extractscan.campaign.corpus import DIMENSIONS, SAMPLE, WORDS, Corpora

BACKGROUND = 12
"""Streams of other vocabularies that the weights of words are taken from."""


def corpora(units):
    """Similarity of units given as lists of payloads, words weighted over them and a background of other sources."""
    background = [zipf(900 + b, 100 + b, 60) for b in range(BACKGROUND)]
    streams, prompts, _ = build([Made(a, payloads) for a, payloads in enumerate([*units, *background])])
    everyone = [np.array([s]) for s in range(len(units) + BACKGROUND)]
    return streams, Corpora(streams, prompts, everyone), everyone


def similarity(units):
    _, made, everyone = corpora(units)
    return made.similarity(everyone[: len(units)])


def by_hand(units):
    """The same in plain numpy: two halves in the order of payload hashes, squared idf, disattenuated."""
    streams, _, everyone = corpora(units)
    texts = {}
    for payloads in [*units, *[zipf(900 + b, 100 + b, 60) for b in range(BACKGROUND)]]:
        texts.update(dict.fromkeys(payloads))
    texts = sorted(texts)
    halves = np.zeros((2, len(everyone), DIMENSIONS))
    for s in range(len(everyone)):
        rows = streams.items.filter(streams.items["stream"] == s).sort("payload")["prompt"].to_list()[:SAMPLE]
        for half in (0, 1):
            part = rows[half::2]
            for text in part:
                for bucket in {token(w) & (DIMENSIONS - 1) for w in {*texts[text][:WORDS]}}:
                    halves[half, s, bucket] += 0.0
                for word in {token(w) for w in texts[text][:WORDS]}:
                    halves[half, s, word & (DIMENSIONS - 1)] += 1.0 / max(1, len(part))
    spread = (halves.sum(axis=0) > 0).sum(axis=0)
    halves *= np.log((2 + len(everyone)) / (1 + spread))
    a, b = halves[:, : len(units)]
    own = (a * b).sum(axis=1)
    out = (a @ b.T + b @ a.T) / 2 / np.sqrt(own[:, None] * own[None, :])
    np.fill_diagonal(out, 0.0)
    return out


def test_the_kernel_is_the_formula():
    units = [zipf(1, 1, 30), zipf(2, 1, 41), zipf(3, 2, 30), zipf(4, 3, 13, words=140), zipf(5, 1, 450, words=5)]
    np.testing.assert_allclose(similarity(units), by_hand(units), rtol=1e-9)


@pytest.mark.parametrize("size", [20, 50, 120, 400])
def test_halves_of_one_corpus_are_alike_whatever_their_size(size):
    """The expectation is 1: no attenuation at small sizes, where raw similarity falls."""
    units = [zipf(10 + s, 1, size) for s in range(24)]
    pairs = similarity(units)[np.triu_indices(24, 1)]
    assert pairs.mean() == pytest.approx(1.0, abs=0.05)
    assert np.quantile(pairs, 0.05) > 0.8


def test_sizes_may_differ():
    units = [zipf(40 + s, 1, size) for s, size in enumerate([20, 400] * 12)]
    between = similarity(units)[::2, 1::2]
    assert between.mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("size", [20, 120, 400])
def test_two_vocabularies_are_not(size):
    units = [zipf(70 + s, 1 + s % 2, size) for s in range(16)]
    assert similarity(units)[::2, 1::2].max() < 0.1


def test_common_grammar_with_other_topics_stays_below():
    """Half of the words of every payload are of one common vocabulary, the rest each source's own."""

    def mixed(seed, vocabulary):
        own = zipf(seed, vocabulary, 100, words=10)
        common = zipf(seed + 1000, 0, 100, words=10, size=40)
        return [a + b for a, b in zip(own, common, strict=True)]

    background = [mixed(500 + v, 50 + v) for v in range(12)]
    found = similarity([mixed(s, 1 + s % 2) for s in range(12)] + background)
    assert found[:12:2, 1:12:2].max() < 0.6
    same = found[:12:2, :12:2]
    assert same[np.triu_indices(6, 1)].min() > 0.8


def test_the_measure_is_symmetric_and_knows_no_order():
    units = [zipf(1, 1, 30), zipf(2, 1, 60), zipf(3, 2, 30), zipf(4, 2, 20)]
    _, made, everyone = corpora(units)
    found = made.similarity(everyone)
    assert np.array_equal(found, found.T)
    assert not found.diagonal().any()
    order = np.random.default_rng(1).permutation(len(everyone))
    np.testing.assert_allclose(made.similarity([everyone[i] for i in order]), found[np.ix_(order, order)], rtol=1e-12)
    turned = [list(reversed(u)) for u in units]
    assert np.array_equal(similarity(turned), similarity(units))


def test_a_unit_may_be_several_streams_and_counts_a_payload_once():
    corpus = zipf(1, 1, 80)
    background = [Made(10 + b, zipf(900 + b, 100 + b, 60)) for b in range(BACKGROUND)]
    streams, prompts, _ = build(
        [Made(0, corpus[:50], 0), Made(0, corpus[40:]), Made(1, zipf(2, 1, 60)), Made(2, corpus), *background]
    )
    everyone = [np.array([s]) for s in range(streams.table.height)]
    found = Corpora(streams, prompts, everyone).similarity([np.array([0, 1]), np.array([2]), np.array([3])])
    assert found[0, 1] == pytest.approx(found[2, 1], rel=1e-12)


def test_what_does_not_even_resemble_itself_is_like_nothing():
    scattered = [(word, word + 1) for word in range(1000, 1100, 2)]
    found = similarity([scattered, zipf(1, 1, 50)])
    assert not found.any()


def test_no_units_at_all():
    streams, prompts, _ = build([])
    assert Corpora(streams, prompts, []).similarity([]).shape == (0, 0)
    streams, prompts, _ = build([Made(0, [()]), Made(1, [(1,)])])
    both = [np.array([0]), np.array([1])]
    assert not Corpora(streams, prompts, both).similarity(both).any()
