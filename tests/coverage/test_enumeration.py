import numpy as np
import pytest
from coverage_help import canonical, streams_of, word, words
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.enumeration import MIN_PROMPTS
from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.fingerprint.requests import fingerprint, merge

PREFIX = "Summarise the following text in one sentence:"


def repeats_of(rows):
    """Repeats seen and expected of each stream, in order."""
    prints, streams = streams_of(rows)
    return profile(streams, prints.prompts).select("repeats", "repeats_expected").rows()


def asked(prompts, account="a"):
    return [{"account_id": account, "prompt": p} for p in prompts]


def only(prompts):
    (one,) = repeats_of(asked(prompts))
    return one


def grid(*sizes):
    """All prompts of a grid of slots; every slot has words of its own."""
    cells = np.stack([axis.ravel() for axis in np.meshgrid(*map(np.arange, sizes))], axis=1)
    return [" ".join(word(100 * slot + int(value)) for slot, value in enumerate(cell)) for cell in cells]


def shuffled(prompts, seed=1):
    return [prompts[i] for i in np.random.default_rng(seed).permutation(len(prompts))]


def drawn(prompts, count, seed=1):
    return [prompts[i] for i in np.random.default_rng(seed).integers(0, len(prompts), count)]


@pytest.mark.parametrize("framed", [False, True], ids=["bare", "framed"])
@pytest.mark.parametrize("sizes", [(6, 6, 6), (5, 5, 5, 5)], ids=["three", "four"])
def test_a_sweep_never_repeats_where_it_would_have_to(sizes, framed):
    sweep = [f"{PREFIX} {p}" if framed else p for p in shuffled(grid(*sizes))]
    seen, expected = only(sweep)
    n = len(sweep)
    assert seen == 0.0
    # n draws from n cells: n (n - 1) / 2 pairs, each of which is one cell by a chance of 1 / n, at the least.
    assert 0.5 <= expected / ((n - 1) / 2) <= 1.1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_independent_draws_repeat_about_as_often_as_expected(seed):
    """Pairs of draws that coincide are counted as requests beyond the first, so that triples count a little less."""
    seen, expected = only(drawn(grid(8, 8, 8), 300, seed))
    assert 0.5 <= expected / (300 * 299 / 2 / 512) <= 1.1
    assert 0.7 <= seen / expected <= 2.0


def test_part_of_a_sweep_is_one_as_well():
    seen, expected = only(shuffled(grid(8, 8, 8))[:256])
    assert seen == 0.0
    assert expected > 20


def test_natural_text_is_not_dense_and_promises_nothing():
    dice = np.random.default_rng(4)
    chance = 1 / (np.arange(3000) + 3.0)
    texts = [" ".join(map(word, dice.choice(3000, 9, p=chance / chance.sum()).tolist())) for _ in range(400)]
    assert only(texts) == (0.0, 0.0)


def test_natural_text_that_passes_for_dense_promises_next_to_nothing():
    """Short questions over few words: more prompts than a quarter of the word pairs, yet no grid."""
    dice = np.random.default_rng(4)
    chance = 1 / (np.arange(60) + 3.0)
    texts = [" ".join(map(word, dice.choice(60, 8, p=chance / chance.sum()).tolist())) for _ in range(600)]
    seen, expected = only(texts)
    assert seen == 0.0
    assert expected < 0.05


def test_a_list_of_single_words_promises_nothing():
    """No word of the one half is in the other: a list has no slots."""
    assert only([f"{PREFIX} {word(i)} {word(i)}" for i in range(200)])[1] == 0.0


def test_folded_digits_do_not_pass_for_different_slots():
    """Three hundred invoices: what differs is a number, which the tokens do not tell. They repeat, and are no sweep."""
    seen, expected = only([f"{PREFIX} invoice {n}" for n in range(100, 400)])
    assert seen == 299.0
    assert expected == 0.0  # one prompt has no halves


def test_one_prompt_sent_over_and_over_is_no_grid():
    assert only([f"{PREFIX} invoice 7"] * 300) == (0.0, 0.0)


def test_a_grid_with_a_number_in_it_repeats_as_the_rest_of_it_does():
    cells = grid(6, 6, 6)
    twice = [f"{cell} part {n}" for cell in cells for n in (13, 57)]
    seen, expected = only(shuffled(twice))
    assert seen == len(cells)
    assert expected == pytest.approx(2 * len(cells), rel=0.5)


def test_long_prompts_never_coincide():
    """A grid of three slots behind seventy words of frame: no chain follows it so far."""
    frame = words(5000, 70)
    assert only([f"{frame} {cell}" for cell in shuffled(grid(6, 6, 6))])[1] == 0.0
    assert only([f"{words(5000, 50)} {cell}" for cell in shuffled(grid(6, 6, 6))])[1] > 20


@pytest.mark.parametrize(("count", "told"), [(MIN_PROMPTS - 1, False), (MIN_PROMPTS, True)])
def test_a_grid_can_be_told_from_so_many_prompts(count, told):
    seen, expected = only(shuffled(grid(3, 3, 3))[:count])
    assert seen == 0.0
    assert (expected > 0) == told


def test_requests_count_as_often_as_they_were_sent():
    sweep = shuffled(grid(5, 5, 5))
    (once, chance), (thrice, more) = only(sweep), only(sweep * 3)
    assert (once, thrice) == (0.0, 250.0)
    n = len(sweep)
    assert more / chance == pytest.approx(3 * n * (3 * n - 1) / (n * (n - 1)))


def test_streams_do_not_see_one_another():
    sweep = shuffled(grid(6, 6, 6))
    alone = only(sweep)
    both = repeats_of(asked(sweep, "a") + asked(sweep, "b") + asked([words(9 * i, 5) for i in range(40)], "c"))
    assert both == [alone, alone, (0.0, 0.0)]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_the_order_of_rows_changes_nothing(seed):
    frame = canonical(asked(drawn(grid(5, 5, 5), 120, 7)))
    found = []
    for table in (frame, frame.sample(fraction=1.0, shuffle=True, seed=seed)):
        prints = merge([fingerprint(table)])
        found.append(profile(find_streams(prints), prints.prompts).select("repeats", "repeats_expected").rows())
    assert found[0] == found[1]


def test_the_times_of_requests_change_nothing():
    sweep = grid(6, 6, 6)
    assert only(sweep) == only(sweep[::-1]) == only(shuffled(sweep))
