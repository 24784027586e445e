import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_profiles import profiles
from scipy.stats import nbinom

from extractscan.coverage.coincidence import DISPERSION, LEFT
from extractscan.coverage.streams import ASKS_NOTHING, CONVERSATION, NEAR_EMPTY, SINGLE
from extractscan.verdict.signals import (
    A_CHANGE,
    CAPS,
    HINT,
    OUTPUT_SPREAD,
    PEOPLE_BURST,
    by_content,
    elicitation_bits,
    independence_bits,
    pattern_bits,
    people_burst,
    stream_signals,
)

few = settings(max_examples=60, deadline=None, derandomize=True)


def evidence(table, signal=None):
    """Rows of evidence by stream, of one signal or of all."""
    rows = stream_signals(table).iter_rows(named=True)
    return {r["stream"]: r for r in rows if r["signal"] == signal} if signal else list(rows)


# Independence


@pytest.mark.parametrize("expected", [5.0, 40.0, 1000.0])
def test_what_follows_like_a_shuffled_list_speaks_for_a_harvest_and_what_comes_in_bursts_against(expected):
    seen = np.array([1.0, PEOPLE_BURST, 3.0]) * expected
    bits = independence_bits(seen, np.full(3, expected), np.full(3, 10**6), PEOPLE_BURST)
    assert bits[0] > 0 > bits[1] > bits[2]


@few
@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1.01, 4))
def test_independence_is_a_ratio_of_poisson_counts(seen, expected, burst):
    many = np.array([10**9])
    (bits,) = independence_bits(np.array([seen]), np.array([expected]), many, burst)
    # log2 Poisson(seen; expected) / Poisson(seen; burst * expected), halved for words that come together
    by_hand = (-expected + burst * expected - seen * np.log(burst)) / np.log(2) / 2
    assert bits == pytest.approx(by_hand if expected > 0 else 0.0, rel=1e-9, abs=1e-9)
    (more,) = independence_bits(np.array([seen + 1]), np.array([expected]), many, burst)
    assert more <= bits


@pytest.mark.parametrize(("prompts", "most"), [(1, 0.0), (2, A_CHANGE), (3, 2 * A_CHANGE), (7, 6 * A_CHANGE)])
def test_a_few_prompts_are_a_few_changes_of_topic_however_long_they_are(prompts, most):
    """A thousand topic words, and none of them in two prompts."""
    (bits,) = independence_bits(np.array([0.0]), np.array([1000.0]), np.array([prompts]), PEOPLE_BURST)
    assert bits == most
    (against,) = independence_bits(np.array([3000.0]), np.array([1000.0]), np.array([prompts]), PEOPLE_BURST)
    assert against < 0.0


def test_only_unframed_single_requests_can_be_a_shuffled_list():
    busy = {"topic_words_seen": 100.0, "topic_words_expected": 100.0}
    found = evidence(profiles(busy, {**busy, "family": CONVERSATION}, {**busy, "family": 3}), "exchangeable_prompts")
    assert list(found) == [0]
    assert found[0]["bits"] == CAPS["independence"]
    assert found[0]["value"] == 1.0


def test_evidence_that_is_not_there_is_not_claimed():
    """The sentence states what was seen, also where it speaks against: no bits, no word of a list."""
    found = evidence(profiles({"topic_words_seen": 300.0, "topic_words_expected": 100.0}), "exchangeable_prompts")
    assert found[0]["bits"] == 0.0
    assert "3.0 times as often" in found[0]["detail"]


def test_the_logs_own_conversations_say_how_people_are():
    talk = [{"family": CONVERSATION, "topic_words_seen": 2.0 * e, "topic_words_expected": e} for e in np.full(30, 50.0)]
    assert people_burst(profiles(*talk)) == 2.0
    assert people_burst(profiles(*talk[:19])) == PEOPLE_BURST
    wild = [{**t, "topic_words_seen": 5000.0} for t in talk]
    assert people_burst(profiles(*wild)) == 2.5
    mute = [{**t, "topic_words_seen": 0.0} for t in talk]
    assert people_burst(profiles(*mute)) == 1.2
    assert people_burst(profiles()) == PEOPLE_BURST


# Elicitation


def lengths(*tokens):
    return profiles(*({"output_tokens": t} for t in tokens))


def test_outputs_are_measured_against_the_logs_own_automated_traffic():
    outputs = [*np.linspace(50, 150, 40), 2000.0]
    bits = elicitation_bits(lengths(*outputs))
    logs = np.log1p(outputs)
    middle = np.median(logs)
    np.testing.assert_allclose(bits, (logs - middle) / (1.4826 * np.median(np.abs(logs - middle))))
    found = evidence(lengths(*outputs), "long_outputs")
    assert found[40]["bits"] == CAPS["elicitation"]
    assert found[0]["bits"] == 0.0
    assert "below" in found[0]["detail"]
    assert "above" in found[40]["detail"]


def test_two_long_answers_are_no_habit():
    """What one stream's median may be off by counts beyond what the others' medians are."""
    usual = [{"output_tokens": t, "requests": 40} for t in np.linspace(50, 150, 41)]
    rows = [{"output_tokens": 400.0, "requests": n} for n in (2, 8, 40, 4000)]
    bits = elicitation_bits(profiles(*usual, *rows))
    logs = np.log1p([r["output_tokens"] for r in (*usual, *rows)])
    spread = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    for found, n in zip(bits[41:], (2, 8, 40, 4000), strict=True):
        error = OUTPUT_SPREAD**2 * np.pi / 2 * max(1 / n - 1 / 40, 0)
        assert found == pytest.approx((logs[-1] - np.median(logs)) / np.sqrt(spread**2 + error))
    assert bits[41] < bits[42] < bits[43] == bits[44]


def test_conversations_are_no_reference_and_are_not_scored():
    rows = [{"output_tokens": t} for t in np.linspace(50, 150, 30)]
    talk = [{"output_tokens": 3000.0, "family": CONVERSATION}] * 50
    alone, mixed = elicitation_bits(profiles(*rows)), elicitation_bits(profiles(*rows, *talk))
    np.testing.assert_array_equal(alone, mixed[:30])
    assert max(evidence(profiles(*rows, *talk), "long_outputs")) == 29


@pytest.mark.parametrize(
    "outputs",
    [
        [None] * 30,
        [100.0] * 19,  # too few to compare with
        [*np.linspace(50, 150, 30), None],
        [*[100.0] * 30, None],  # all alike: no spread
        [None],
        [],
    ],
)
def test_what_has_no_output_tokens_is_not_assessed(outputs):
    found = evidence(lengths(*outputs), "long_outputs")
    assert len(found) == len(outputs)
    for stream, tokens in enumerate(outputs):
        if tokens is None:
            assert not found[stream]["assessed"]
            assert found[stream]["value"] is None
            assert found[stream]["bits"] == 0.0
        assert found[stream]["assessed"] or found[stream]["bits"] == 0.0
        assert isinstance(found[stream]["detail"], str)


def test_where_all_outputs_are_alike_none_is_long():
    assert not elicitation_bits(lengths(*[100.0] * 30)).any()


# Patterns


def test_each_pattern_shows_alone():
    quiet = {"output_tokens": 100.0}
    table = profiles(
        quiet,
        {"distinct_word_pairs": 20.0, "payloads": 200, **quiet},
        {"family": NEAR_EMPTY, "output_tokens": 600.0, "payloads": 10},
        {"harvest_flags": 0.5},
        {"chained": 0.9},
        {"resampled": 0.8},
        {"repeats": 0.0, "repeats_expected": 40.0},
        {"returned": 0.9},
        {"tagged": 0.9},
    )
    found = {r["stream"]: r for r in evidence(table) if r["signal"] != "long_outputs"}
    assert [(s, found[s]["signal"], found[s]["family"]) for s in sorted(found)] == [
        (1, "slot_grid", "elicitation"),
        (2, "near_empty_prompts", "pattern"),
        (3, "harvest_flags", "pattern"),
        (4, "chained_prompts", "pattern"),
        (5, "resampled_prompts", "pattern"),
        (6, "enumerated_grid", "pattern"),
        (7, "returned_responses", "pattern"),
        (8, "tagged_responses", "elicitation"),
    ]
    assert len([r for r in evidence(table) if r["signal"] != "long_outputs"]) == len(found)
    assert all(r["bits"] > 0 and r["detail"] for r in found.values())


def test_a_little_of_a_pattern_is_natural():
    table = profiles(
        {"chained": 0.2, "resampled": 0.2, "distinct_word_pairs": 160.0},
        {"chained": 1.0, "payloads": 23},
        {"resampled": 1.0, "payloads": 19},
        {"distinct_word_pairs": 1.0, "payloads": 23},
        {"distinct_word_pairs": 1.0, "payload_words": 1.5},
        {"family": NEAR_EMPTY, "output_tokens": 64.0, "payloads": 1},
        {"family": NEAR_EMPTY, "output_tokens": None, "payloads": 1},
        {"family": NEAR_EMPTY, "output_tokens": 900.0, "requests": 9, "payloads": 1},
        {"family": NEAR_EMPTY, "output_tokens": 900.0, "requests": ASKS_NOTHING, "payloads": 1},
        {"family": NEAR_EMPTY, "output_tokens": 900.0, "requests": 40, "payloads": 11},
        {"harvest_flags": None},
        {"repeats": 40.0, "repeats_expected": 40.0},
        {"repeats": 40.0, "repeats_expected": 0.0},
        {"repeats_expected": 0.0},
        {"returned": 0.2, "tagged": 0.5},
        {"returned": None, "tagged": None},
    )
    assert not [r for r in evidence(table) if r["signal"] not in {"long_outputs", "exchangeable_prompts"}]


def enumerated(seen, expected):
    return float(pattern_bits(profiles({"repeats": float(seen), "repeats_expected": float(expected)})).enumerated[0])


@few
@given(st.integers(0, 300), st.floats(0.01, 1e3))
def test_a_sweep_is_a_ratio_of_negative_binomial_counts(seen, expected):
    def chance(mean):
        return nbinom.logpmf(seen, mean / (DISPERSION - 1), 1 / DISPERSION)

    by_hand = (chance(LEFT * expected) - chance(expected)) / np.log(2)
    assert enumerated(seen, expected) == pytest.approx(max(0.0, by_hand), rel=1e-6, abs=1e-6)


@few
@given(st.integers(0, 1000), st.floats(0, 1e5))
def test_a_sweep_shows_by_what_it_does_not_repeat(seen, expected):
    bits = enumerated(seen, expected)
    assert bits >= enumerated(seen + 1, expected) - 1e-9
    assert enumerated(0, expected + 1.0) >= enumerated(0, expected) - 1e-9
    assert bits == 0.0 or seen < expected


def test_a_sweep_says_what_was_seen_and_what_was_expected():
    found = evidence(profiles({"repeats": 3.0, "repeats_expected": 61.4}), "enumerated_grid")[0]
    assert "repeat 3 times; 61 would be expected" in found["detail"]
    assert found["value"] == 3.0
    assert 0.0 < found["bits"] <= CAPS["pattern"]


def test_conversations_are_no_sweep():
    assert not evidence(profiles({"family": CONVERSATION, "repeats_expected": 90.0}), "enumerated_grid")


def test_a_framed_sweep_is_one_as_well():
    assert list(evidence(profiles({"family": 4, "repeats_expected": 90.0}), "enumerated_grid")) == [0]


def test_what_products_do_too_is_a_hint():
    found = pattern_bits(profiles({"harvest_flags": 1.0, "distinct_word_pairs": 1.0, "payloads": 5000}))
    assert found.grid.tolist() == [HINT]
    assert found.flags.tolist() == [HINT]


# All together


@few
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "family": st.sampled_from([-3, -2, -1, 0, 5]),
                "requests": st.integers(1, 10**9),
                "payloads": st.integers(1, 10**6),
                "topic_words_seen": st.floats(0, 1e6),
                "topic_words_expected": st.just(0.0) | st.floats(1e-3, 1e6),
                "payload_words": st.floats(0, 1e4),
                "distinct_word_pairs": st.integers(0, 10**5).map(float),
                "chained": st.floats(0, 1),
                "resampled": st.floats(0, 1),
                "output_tokens": st.none() | st.floats(0, 1e7),
                "harvest_flags": st.none() | st.floats(0, 1),
                "repeats": st.integers(0, 10**6).map(float),
                "repeats_expected": st.just(0.0) | st.floats(1e-9, 1e12),
                "returned": st.none() | st.floats(0, 1),
                "tagged": st.none() | st.floats(0, 1),
            }
        ),
        max_size=40,
    )
)
def test_any_profile_gives_finite_capped_evidence(rows):
    table = profiles(*rows)
    for r in evidence(table):
        assert 0.0 <= r["bits"] <= CAPS[r["family"]]
        assert r["bits"] == 0.0 or r["assessed"]
        assert r["detail"]
        assert r["value"] is None or np.isfinite(r["value"])


@few
@given(st.integers(2, 100))
def test_volume_is_no_signal(factor):
    """All counts of a stream times a factor, what it sends the same: nothing changes but sample sizes that were too small."""
    rows = [
        {"topic_words_seen": 20.0, "topic_words_expected": 20.0, "output_tokens": float(60 + 3 * i), "chained": 0.3}
        for i in range(30)
    ]
    once = evidence(profiles(*rows))
    many = evidence(profiles(*({**r, "requests": 40 * factor} for r in rows)))
    assert once == many


def test_rows_in_another_order_say_the_same():
    dice = np.random.default_rng(1)
    rows = [
        {
            "topic_words_seen": float(dice.integers(0, 60)),
            "topic_words_expected": 40.0,
            "output_tokens": float(dice.integers(10, 900)),
            "resampled": float(dice.random()),
            "family": int(dice.integers(-3, 3)),
        }
        for _ in range(60)
    ]
    table = profiles(*rows)
    assert stream_signals(table.sample(fraction=1.0, shuffle=True, seed=4)).equals(stream_signals(table))


def talkers(seen, expected, **more):
    """One conversation stream among thirty whose prompts burst as people's do."""
    people = [{"family": CONVERSATION, "topic_words_seen": 30.0, "topic_words_expected": 20.0}] * 30
    one = {
        "family": CONVERSATION,
        "topic_words_seen": seen,
        "topic_words_expected": expected,
        "conversing": 1.0,
        **more,
    }
    return profiles(*people, one)


def test_conversation_ids_are_believed_where_the_prompts_bear_them_out():
    kept = by_content(talkers(90.0, 60.0)).row(-1, named=True)
    assert (kept["family"], kept["conversing"]) == (CONVERSATION, 1.0)


def test_a_list_threaded_through_one_conversation_is_a_list():
    listed = by_content(talkers(100.0, 100.0)).row(-1, named=True)
    assert (listed["family"], listed["conversing"]) == (SINGLE, 0.0)


def test_a_framed_stream_keeps_its_frame_whatever_its_ids_say():
    framed = by_content(talkers(100.0, 100.0, family=7)).row(-1, named=True)
    assert (framed["family"], framed["conversing"]) == (7, 0.0)


def test_few_words_decide_nothing_about_ids():
    assert by_content(talkers(3.0, 3.0)).row(-1, named=True)["family"] == CONVERSATION
