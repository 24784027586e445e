import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from extractscan.coverage.coincidence import CUT, DISPERSION, END, ORDERS, WORDS, coincidence, log_counts, words_of
from extractscan.fingerprint.requests import Texts

few = settings(max_examples=80, deadline=None, derandomize=True)


def texts_of(texts):
    """Texts of lists of small word numbers."""
    sizes = [len(t) for t in texts]
    offsets = np.r_[0, np.cumsum(sizes)].astype(np.int64)
    tokens = np.array([w for t in texts for w in t], np.uint32)
    return Texts(np.arange(len(texts), dtype=np.uint64), offsets, tokens, np.array(sizes, np.int64))


def words(texts, names=None):
    held = texts_of(texts)
    named = np.arange(len(texts), dtype=np.uint64) if names is None else np.array(names, np.uint64)
    return words_of(held.offsets[:-1], held.offsets[1:], named, held)


# Counts


@few
@given(st.integers(0, 500), st.floats(1e-3, 1e4))
def test_counts_are_negative_binomial(count, mean):
    expected = nbinom.logpmf(count, mean / (DISPERSION - 1), 1 / DISPERSION)
    assert log_counts(count, np.array([mean]))[0] == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("mean", [0.5, 3.0, 40.0])
def test_counts_have_the_mean_and_the_dispersion_that_they_claim(mean):
    counts = np.arange(3000)
    chances = np.array([np.exp(log_counts(int(c), np.array([mean]))[0]) for c in counts])
    assert chances.sum() == pytest.approx(1.0)
    assert chances @ counts == pytest.approx(mean)
    assert chances @ (counts - mean) ** 2 == pytest.approx(DISPERSION * mean)


def test_counts_at_several_means_at_once():
    means = np.array([0.0, 1e-9, 2.0, 1e9])
    together = log_counts(4, means)
    assert together.tolist() == [log_counts(4, means[i : i + 1])[0] for i in range(4)]
    assert np.isfinite(together).all()
    assert log_counts(0, np.zeros(1))[0] == pytest.approx(0.0, abs=1e-9)  # nothing expected, nothing seen


@few
@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_nothing_is_the_less_likely_the_more_is_expected(a, b):
    low, high = sorted((a, b))
    none = log_counts(0, np.array([low, high]))
    assert none[0] >= none[1]


# Words


def test_words_are_closed_by_a_mark():
    found, owner = words([[5, 6], [], [7]])
    assert found.tolist() == [5, 6, END, END, 7, END]
    assert owner.tolist() == [0, 0, 0, 1, 2, 2]


def test_a_part_of_each_text_may_be_taken():
    held = texts_of([[1, 2, 3, 4], [5, 6]])
    found, owner = words_of(np.array([1, 5]), np.array([3, 4]), np.zeros(2, np.uint64), held)
    assert found.tolist() == [2, 3, END, END]  # and one whose frame is longer than itself has no words
    assert owner.tolist() == [0, 0, 0, 1]


def test_long_texts_are_cut_and_told_apart_by_name():
    long = list(range(1, WORDS + 2))
    found, owner = words([long[:-1], long, long], names=[7, 8, 9])
    assert owner.tolist() == [0] * (WORDS + 1) + [1] * (WORDS + 1) + [2] * (WORDS + 1)
    assert found[WORDS :: WORDS + 1].tolist() == [END, CUT + np.uint64(8), CUT + np.uint64(9)]
    assert found[:WORDS].tolist() == long[:-1]


def test_words_of_nothing():
    found, owner = words([[1]][:0])
    assert found.size == owner.size == 0


@pytest.mark.parametrize("texts", [[[]], [[], []]])
def test_words_where_no_text_has_any(texts):
    found, owner = words(texts)
    assert found.tolist() == [END] * len(texts)
    assert owner.tolist() == list(range(len(texts)))


# Coincidence


def chain_by_hand(shown, asked, order):
    """Mean probability of the asked texts under a chain over the last words, by dictionaries."""
    starts, steps = {}, {}
    for text in shown:
        held = [None] * order + list(text) + ["end"]
        for i in range(order, len(held)):
            context = tuple(held[i - order : i])
            starts[context] = starts.get(context, 0) + 1
            steps[context, held[i]] = steps.get((context, held[i]), 0) + 1
    total = 0.0
    for text in asked:
        held = [None] * order + list(text) + ["end"]
        chance = 1.0
        for i in range(order, len(held)):
            context = tuple(held[i - order : i])
            chance *= steps.get((context, held[i]), 0) / starts.get(context, 1)
        total += chance
    return total / len(asked)


some_texts = st.lists(st.lists(st.integers(1, 4), max_size=6), min_size=1, max_size=25)


@few
@given(some_texts, some_texts)
def test_coincidence_is_that_of_a_chain_of_words(shown, asked):
    by_hand = max(chain_by_hand(shown, asked, order) for order in ORDERS)
    assert coincidence(words(shown), words(asked)) == pytest.approx(by_hand, rel=1e-9, abs=1e-12)


@few
@given(some_texts, some_texts, st.randoms(use_true_random=False))
def test_coincidence_is_a_probability_and_knows_no_order(shown, asked, dice):
    chance = coincidence(words(shown), words(asked))
    assert 0.0 <= chance <= 1.0
    for texts in (shown, asked):
        dice.shuffle(texts)
    assert coincidence(words(shown), words(asked)) == pytest.approx(chance, rel=1e-9)


def test_coincidence_by_hand():
    """One word of two, then one of two: a quarter each, and a text that has a word more is never met."""
    shown = words([[1, 3], [1, 4], [2, 3], [2, 4]])
    assert coincidence(shown, words([[1, 3]])) == pytest.approx(1 / 4)
    assert coincidence(shown, words([[1, 3], [2, 4], [1, 3, 3]])) == pytest.approx(1 / 6)
    assert coincidence(shown, words([[3]])) == 0.0
    # Ends are steps too: of three words that were shown two are the last ones, of two first words one is.
    assert coincidence(words([[1], [1, 1]]), words([[1]])) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("one", "other"), [(0, 3), (3, 0), (0, 0)])
def test_nothing_coincides_with_nothing(one, other):
    some = [[1], [1], [1]]
    assert coincidence(words(some[:one]), words(some[:other])) == 0.0


@pytest.mark.parametrize("over", [0, 1])
def test_texts_longer_than_a_chain_never_coincide(over):
    """Each is the same for as long as it is followed."""
    long = [1] * (WORDS + over)
    same = coincidence(words([long] * 5, names=range(5)), words([long] * 5, names=range(5, 10)))
    assert (same > 0) == (over == 0)


def test_a_grid_shows_all_of_its_steps_in_one_half():
    grid = [[a, 10 + b, 20 + c] for a in range(5) for b in range(5) for c in range(5)]
    grid = [grid[i] for i in np.random.default_rng(1).permutation(125)]
    # At the least: in a small grid some steps are in one half only.
    assert 0.6 < 125 * coincidence(words(grid[::2]), words(grid[1::2])) < 1.05


def test_natural_text_promises_nothing():
    """Words as uneven as those of a language, seven to twelve a text: the chain has not been where the other half goes."""
    dice = np.random.default_rng(1)
    chance = 1 / (np.arange(1000) + 3.0)
    texts = [dice.choice(1000, dice.integers(7, 13), p=chance / chance.sum()).tolist() for _ in range(2000)]
    assert coincidence(words(texts[::2]), words(texts[1::2])) < 1e-7
