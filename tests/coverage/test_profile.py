from datetime import timedelta

import numpy as np
import pytest
from coverage_help import START, canonical, hanzi, streams_of, word, words
from polars.testing import assert_frame_equal

from extractscan.coverage.neighbours import LAGS, SAMPLE, WORDS
from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.fingerprint.requests import fingerprint, merge

PREFIX = "Summarise the following text in one sentence:"


def profiles_of(rows, jobs=1):
    prints, streams = streams_of(rows)
    return profile(streams, prints.prompts, jobs=jobs)


def only(rows):
    """The one stream of a log, as a dictionary."""
    table = profiles_of(rows)
    assert table.height == 1
    return table.row(0, named=True)


def texts(some):
    return [{"prompt": text} for text in some]


def test_counts_of_a_small_stream():
    rows = [
        {
            "prompt": f"{PREFIX} {words(0, 2)}",
            "output_tokens": 10,
            "max_tokens": 10,
            "temperature": 0.0,
            "end_user": "u",
        },
        {"prompt": f"{PREFIX} {words(9, 4)}", "output_tokens": 30, "max_tokens": 90, "n": 2, "end_user": "v"},
        {"prompt": f"{PREFIX} {words(20, 3)}", "output_tokens": 20, "logprobs": True, "end_user": "u"},
        {"prompt": f"{PREFIX} {words(30, 3)}", "output_tokens": 40, "input_tokens": 7, "n": 1, "logprobs": False},
        {"prompt": f"{PREFIX} {words(40, 3)}", "temperature": 1.0},
        {"prompt": f"{PREFIX.lower()} {words(40, 3)}!", "output_tokens": 50},  # another prompt, the same payload
    ]
    one = only(rows)
    assert (one["prompts"], one["payloads"], one["requests"]) == (6, 5, 6)
    assert one["payload_words"] == pytest.approx(18 / 6)  # the frame is not counted
    assert one["distinct_word_pairs"] == 1 + 3 + 2 + 2 + 2
    assert one["output_tokens"] == 30.0
    assert one["input_tokens"] == 7.0
    assert one["highest_temperature"] == 1.0
    assert one["harvest_flags"] == pytest.approx(2 / 6)
    assert one["end_users"] == 2
    assert one["conversing"] is None  # the log cannot tell
    assert one["last_us"] - one["first_us"] == 5 * 60_000_000
    assert one["chained"] == one["resampled"] == 0.0


def test_what_the_log_lacks_is_null_not_zero():
    one = only(texts([words(0), words(9)]))
    unknown = (
        "conversing",
        "output_tokens",
        "input_tokens",
        "highest_temperature",
        "returned",
        "tagged",
    )
    for name in unknown:
        assert one[name] is None, name
    assert one["end_users"] == 0


def test_conversing_is_known_once_the_log_has_conversations():
    rows = [{"account_id": "a", "prompt": words(0), "conversation_id": "c", "turn": t} for t in range(2)]
    table = profiles_of([*rows, {"account_id": "b", "prompt": words(20)}])
    assert table["conversing"].to_list() == [1.0, 0.0]


def test_a_prompt_that_grows_is_chained():
    chain = [words(0, n) for n in (4, 5, 6, 7)]
    # Of three steps the first starts from four words, of which it says nothing.
    assert only(texts(chain))["chained"] == pytest.approx(2 / 3)
    assert only(texts(chain[::-1]))["chained"] == 0.0
    # Two chains side by side: each grows within the next few.
    both = [words(start, n) for n in (5, 6, 7) for start in (0, 100)]
    assert only(texts(both))["chained"] == pytest.approx(4 / 5)
    apart = [words(0, 5), *(words(100 + 9 * k, 6) for k in range(LAGS)), words(0, 6)]
    assert only(texts(apart))["chained"] == 0.0


def test_nine_words_in_ten_are_contained():
    base = [word(i) for i in range(10)]
    nine, eight = [*base[:9], word(50), word(51)], [*base[:8], word(50), word(51), word(52)]
    assert only(texts([" ".join(base), " ".join(nine)]))["chained"] == 1.0
    assert only(texts([" ".join(base), " ".join(eight)]))["chained"] == 0.0


def test_a_response_that_comes_back_in_one_of_the_next_prompts():
    answers = [words(1000 + 20 * i, 12) for i in range(8)]
    asks = [words(20 * i, 6) for i in range(8)]
    evolved = [f"{asks[i]} rewrite this: {answers[i - 1]}" if i else asks[0] for i in range(8)]
    log = [{"prompt": p, "response": r} for p, r in zip(evolved, answers, strict=True)]
    assert only(log)["returned"] == 1.0  # of seven: of the last nothing is known
    plain = [{"prompt": p, "response": r} for p, r in zip(asks, answers, strict=True)]
    assert only(plain)["returned"] == 0.0
    late = [*plain[:1], *plain[1 : 1 + LAGS], {"prompt": evolved[1], "response": answers[1]}]
    assert only(late)["returned"] == 0.0
    short = [{"prompt": p, "response": word(i)} for i, p in enumerate(asks)]
    assert only(short)["returned"] is None


def test_an_answer_quoted_from_its_own_prompt_does_not_return():
    """Questions about one passage: each answer stands in it, and so in every next prompt too."""
    passage = words(0, 60)
    asks = [f"{passage} {words(1000 + 9 * i, 6)}" for i in range(6)]
    quotes = [words(7 * i, 9) for i in range(6)]
    assert only([{"prompt": p, "response": r} for p, r in zip(asks, quotes, strict=True)])["returned"] == 0.0


def test_a_run_that_a_prompt_repeats_is_one():
    """A prompt that says one sentence of the answer over and over does not hold the answer."""
    answer = words(1000, 40)
    again = " ".join([words(1000, 5)] * 8)
    log = [{"prompt": f"{words(9 * i, 6)} {again}", "response": answer} for i in range(6)]
    assert only(log)["returned"] == 0.0


def test_tagged_responses_are_a_share_of_those_that_are_known():
    tagged, plain = "<think>so</think><answer>four</answer>", "<b>four</b> it is"
    log = [{"prompt": words(9 * i), "response": r} for i, r in enumerate([tagged, plain, tagged, None])]
    assert only(log)["tagged"] == pytest.approx(2 / 3)


def test_a_prompt_sent_again_soon_is_resampled():
    def at(*minutes_and_texts):
        return [{"prompt": words(9 * i), "timestamp": START + timedelta(minutes=m)} for m, i in minutes_and_texts]

    assert only(at((0, 0), (1, 0), (2, 0), (3, 1)))["resampled"] == pytest.approx(2 / 4)
    assert only(at((0, 0), (60, 0)))["resampled"] == pytest.approx(1 / 2)
    assert only(at((0, 0), (61, 0)))["resampled"] == 0.0
    assert only(at((0, 0), (1, 1), (2, 0)))["resampled"] == 0.0  # something else came between


def test_another_account_between_two_samples_changes_nothing():
    rows = [{"account_id": a, "prompt": words(0)} for a in ("a", "b", "a", "b")]
    assert profiles_of(rows)["resampled"].to_list() == [0.5, 0.5]


def topical(script, seed=5, topics=12, each=10):
    """Prompts about one subject after another: eight words, three of them from twelve of the subject."""
    dice = np.random.default_rng(seed)
    out = []
    for topic in range(topics):
        for _ in range(each):
            own = dice.permutation(12)[:3] + 12 * topic
            order = dice.permutation(np.r_[own, dice.integers(2000, 12000, 5)]).tolist()
            out.append(" ".join(map(word, order)) if script == "latin" else "".join(hanzi(i, 1) for i in order))
    return out


@pytest.mark.parametrize("script", ["latin", "han"])
def test_burst_ratio_of_topical_and_of_shuffled_prompts(script):
    def ratio(prompts):
        one = only(texts(prompts))
        assert one["topic_words_expected"] > 20
        return one["topic_words_seen"] / one["topic_words_expected"]

    prompts = topical(script)
    assert ratio(prompts) > 1.3
    dice = np.random.default_rng(1)
    shuffled = [ratio(dice.permutation(prompts).tolist()) for _ in range(60)]
    assert np.mean(shuffled) == pytest.approx(1.0, abs=0.12)  # of one: standard deviation 0.27


def test_topic_words_by_hand():
    """Ten prompts, one word in the first two, one in the first and the last; all other words once."""
    rest = [[word(100 + 3 * i + k) for k in range(3)] for i in range(10)]
    for place, name in ((0, 0), (1, 0), (0, 1), (9, 1)):
        rest[place].append(word(name))
    one = only(texts([" ".join(r) for r in rest]))
    neighbours = 9 + 8 + 7  # pairs at distances 1, 2, 3
    assert one["topic_words_seen"] == 1.0
    assert one["topic_words_expected"] == pytest.approx(2 * neighbours / 45)


def test_a_word_that_many_prompts_have_is_no_topic():
    one = only(
        texts(
            [f"{words(9 * i, 2)} both {words(9 * i + 4, 3)}" for i in range(4)]
            + [words(100 + 9 * i, 4) for i in range(6)]
        )
    )
    assert one["topic_words_expected"] == 0.0


def test_a_grid_of_slots_has_few_word_pairs():
    """Ten by ten by ten: 1,000 prompts, of which 512 are looked at, from twenty words a slot at most."""
    grid = [f"{word(a)} {word(10 + b)} {word(20 + c)}" for a in range(10) for b in range(10) for c in range(10)]
    one = only(texts(np.random.default_rng(2).permutation(grid).tolist()))
    assert one["prompts"] == 1000
    assert one["distinct_word_pairs"] == 200  # every a with every b, every b with every c
    free = only(texts([words(5 * i, 3) for i in range(600)]))
    assert free["distinct_word_pairs"] == 2 * SAMPLE


def test_long_payloads_are_looked_at_up_to_a_limit():
    one = only(texts([words(1000 * i, 200) for i in range(3)]))
    assert one["payload_words"] == 200.0
    assert one["distinct_word_pairs"] == 3 * (WORDS - 1)


@pytest.mark.parametrize(
    ("prompts", "mean"), [(["one prompt of five words"], 5.0), (["word"], 1.0), ([""], 0.0), (["", "?", "word"], 1 / 3)]
)
def test_streams_of_next_to_nothing(prompts, mean):
    one = only(texts(prompts))
    assert one["prompts"] == len(prompts)
    assert one["topic_words_seen"] == one["topic_words_expected"] == one["chained"] == 0.0
    assert one["payload_words"] == pytest.approx(mean)


@pytest.mark.parametrize("rows", [[], [{"prompt": None}]])
def test_no_streams_at_all(rows):
    table = profiles_of(rows)
    assert table.height == 0
    assert set(profiles_of(texts(["a b c"])).columns) == set(table.columns)


def test_order_and_threads_change_nothing():
    dice = np.random.default_rng(9)
    rows = [
        {
            "account_id": f"a{account}",
            "prompt": f"{PREFIX if framed else ''} {words(start, size)}",
            "output_tokens": size,
            "conversation_id": "c" if talk == 0 else None,
        }
        for account, framed, start, size, talk in dice.integers([0, 0, 0, 1, 0], [5, 2, 60, 9, 3], (400, 5)).tolist()
    ]
    frame = canonical(rows)
    shuffled = merge([fingerprint(frame.sample(fraction=1.0, shuffle=True, seed=1))])
    straight = profiles_of(rows)
    assert_frame_equal(straight, profile(find_streams(shuffled), shuffled.prompts, jobs=3))
    assert straight["requests"].sum() == 400
