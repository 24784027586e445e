import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.families import CONTAINED, CONTAINED_WORDS, MIN_WORDS, SAME, families

SETS = st.lists(st.frozensets(st.integers(0, 15), max_size=12), max_size=30)


def found(sets, weights=None):
    skeletons = [np.array(sorted(s), np.uint32) for s in sets]
    offsets = np.r_[np.int64(0), np.cumsum([s.size for s in skeletons])].astype(np.int64)
    words = np.concatenate(skeletons) if skeletons else np.empty(0, np.uint32)
    weight = np.array(weights if weights is not None else [1] * len(sets), np.int64)
    return families(offsets, words, weight).tolist()


def alike(a, b):
    common, smaller = len(a & b), min(len(a), len(b))
    return common >= SAME * len(a | b) or (smaller >= CONTAINED_WORDS and common >= CONTAINED * smaller)


def plainly(sets, weights):
    """The same rule, word for word: heads by weight, each takes what is free and like it."""
    total = {}
    for s, w in zip(sets, weights, strict=True):
        total[s] = total.get(s, 0) + w
    free = [s for s in total if len(s) >= MIN_WORDS]
    free.sort(key=lambda s: (-total[s], np.array(sorted(s), np.uint32).tobytes()))
    label, number = {}, 0
    while free:
        head = free[0]
        for s in [s for s in free if s is head or alike(s, head)]:
            label[s] = number
        free = [s for s in free if s not in label]
        number += 1
    return [label.get(s, -1) for s in sets]


def run(first, last):
    return frozenset(range(first, last + 1))


@pytest.mark.parametrize(
    ("a", "b", "together"),
    [
        (run(1, 6), run(1, 6), True),
        (run(1, 6), run(3, 8), True),  # 4 of 8 words: Jaccard exactly 0.5
        (run(1, 5), run(3, 8), False),  # 3 of 8
        (run(1, 6), run(1, 24), True),  # contained, six words
        (run(1, 6), run(1, 25), False),  # in a text of more than four times as many words, which proves nothing
        (run(1, 5), run(1, 20), False),  # contained, but five words are grammar
        (run(1, 6), run(2, 24), True),  # 5 of the 6: at least 0.8
        (run(1, 6), run(3, 24), False),  # 4 of the 6
        (run(1, 3), run(1, 3), False),  # too few words for a frame at all
        (run(1, 8), run(20, 30), False),
        (frozenset(), run(1, 8), False),
    ],
)
def test_two_skeletons(a, b, together):
    for left, right in ((a, b), (b, a)):
        x, y = found([left, right])
        assert (x == y and x >= 0) == together


def test_families_do_not_chain():
    steps = [run(0, 5), run(2, 7), run(4, 9)]  # each is like the next, the ends share two words of ten
    assert found(steps, [1, 9, 1]) == [0, 0, 0]
    assert found(steps, [9, 5, 1]) == [0, 0, 1]
    assert found(steps, [1, 5, 9]) == [1, 0, 0]


def test_weights_of_equal_skeletons_add_up():
    a, b, c = run(0, 5), run(2, 7), run(4, 9)
    assert found([a, a, a, b, c], [2, 2, 2, 5, 1]) == [0, 0, 0, 0, 1]


def test_too_few_words_is_no_family():
    assert found([run(1, 3), run(1, 4), frozenset()]) == [-1, 0, -1]
    assert found([]) == []
    assert found([frozenset()]) == [-1]


@settings(deadline=None)
@given(SETS, st.data())
def test_the_index_loses_no_pair(sets, data):
    weights = data.draw(st.lists(st.integers(0, 5), min_size=len(sets), max_size=len(sets)))
    assert found(sets, weights) == plainly(sets, weights)


@settings(deadline=None)
@given(SETS, st.randoms(use_true_random=False))
def test_order_changes_nothing(sets, random):
    places = list(range(len(sets)))
    random.shuffle(places)
    straight, shuffled = found(sets), found([sets[p] for p in places])
    assert [straight[p] for p in places] == shuffled


def test_thousands_of_variants_of_one_frame_are_one_family():
    """A name in a system prompt makes as many skeletons as there are names: no word of the frame is rare then."""
    frame = run(0, 9)
    assert set(found([frame | {100 + 2 * i, 101 + 2 * i} for i in range(3000)])) == {0}


def test_many_different_skeletons_take_no_quadratic_time():
    """System prompts that carry a passage each: thirty words of frame, 120 of content."""
    random = np.random.default_rng(1)
    sets = [run(0, 29) | frozenset(random.integers(100, 200_000, 120).tolist()) for _ in range(3000)]
    assert len(set(found(sets))) == 3000  # 5 s for each thousand squared when every pair is compared
