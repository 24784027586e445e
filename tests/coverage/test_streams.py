import time

import numpy as np
import polars as pl
import pytest
from coverage_help import canonical, hanzi, prints_of, streams_of, words
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from extractscan.coverage.streams import CARRIED_ON, CONVERSATION, NEAR_EMPTY, SINGLE, find_streams
from extractscan.fingerprint.requests import fingerprint, merge

PREFIX = "Summarise the following text in one sentence:"
SUFFIX = "Answer with a single letter only, please."
OPENER = "what is the difference between"
CHINESE = "请把下面的句子翻译成英文:"
SIX = range(6)


def families_of(rows):
    """Families of each account, in order, by account id."""
    prints, streams = streams_of(rows)
    names = prints.accounts.to_list()
    found = {}
    for account, family in streams.table.select("account", "family").iter_rows():
        found.setdefault(names[account], []).append(family)
    return found


def asks(account, texts, **more):
    return [{"account_id": account, "prompt": text, **more} for text in texts]


def test_an_account_falls_into_a_frame_talk_conversations_and_next_to_nothing():
    rows = asks("a", [f"{PREFIX} {words(3 * i)}" for i in SIX])
    rows += asks("a", [words(100 + 4 * i, 4) for i in range(3)])
    rows += [{"account_id": "a", "prompt": words(200 + 4 * i, 4), "conversation_id": "c", "turn": i} for i in range(2)]
    rows += asks("a", ["hi", "ok", "?", ""])
    _, streams = streams_of(rows)
    assert streams.table.rows() == [(0, 0, NEAR_EMPTY, 4), (1, 0, CONVERSATION, 2), (2, 0, SINGLE, 3), (3, 0, 0, 6)]
    assert streams.frame_words == {0: 7}
    assert streams.items.filter(pl.col("stream") == 3)["front"].to_list() == [7] * 6
    assert streams.items.filter(pl.col("stream") < 3)["front"].to_list() == [0] * 9


def test_one_word_inside_a_conversation_belongs_to_it():
    rows = [{"prompt": p, "conversation_id": "c", "turn": i} for i, p in enumerate(["tell me a joke", "no", "ok"])]
    assert families_of(rows) == {"acct": [CONVERSATION]}


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_a_system_prompt_and_the_same_words_inline_are_one_family(language):
    frame, payload = (
        (PREFIX, lambda i: words(4 * i, 4)) if language == "english" else (CHINESE, lambda i: hanzi(5 * i, 5))
    )
    texts = [payload(i) for i in SIX]
    rows = asks("system", texts, system=frame) + asks("prefix", [f"{frame} {t}" for t in texts])
    rows += asks("suffix", [f"{t}. {frame}" for t in texts])
    prints, streams = streams_of(rows)
    assert streams.table["family"].to_list() == [0, 0, 0]
    # The payload is the same one wherever the frame stands.
    payloads = streams.items.group_by("account", maintain_order=True).agg("payload")["payload"].to_list()
    assert payloads[0] == payloads[1] == payloads[2]
    assert len(set(payloads[0])) == 6
    assert prints.accounts.to_list() == ["prefix", "suffix", "system"]
    size = 7 if language == "english" else 12
    assert streams.items["front"].to_list() == [size] * 6 + [0] * 12
    assert streams.items["back"].to_list() == [0] * 6 + [size] * 6 + [0] * 6


def test_payloads_differ_where_texts_do():
    rows = asks("a", [f"{PREFIX} {words(3 * i)}" for i in SIX]) + asks(
        "b", [f"{PREFIX} {words(50 + 3 * i)}" for i in SIX]
    )
    _, streams = streams_of(rows)
    assert streams.items["payload"].n_unique() == 12


@pytest.mark.parametrize(("others", "natural"), [(0, False), (2, False), (3, True), (6, True)])
def test_an_opener_that_many_use_now_and_then_is_no_frame(others, natural):
    rows = asks("heavy", [f"{OPENER} {words(4 * i, 4)}" for i in SIX])
    for k in range(others):
        rows += asks(f"other{k}", [f"{OPENER} {words(100 + 4 * k, 4)}", words(300 + 4 * k, 4)])
    found = families_of(rows)
    assert found["heavy"] == [SINGLE if natural else 0]


def test_a_frame_that_more_accounts_have_than_chat_with_it_stays():
    rows = []
    for k in range(4):
        rows += asks(f"shard{k}", [f"{OPENER} {words(24 * k + 4 * i, 4)}" for i in SIX])
    for k in range(3):
        rows += asks(f"other{k}", [f"{OPENER} {words(300 + 4 * k, 4)}", words(500 + 4 * k, 4)])
    found = families_of(rows)
    assert [found[f"shard{k}"] for k in range(4)] == [[0]] * 4


def test_a_chinese_opener_too():
    rows = asks("heavy", [f"请问一下你能不能告诉我{hanzi(4 * i)}" for i in SIX])
    for k in range(3):
        rows += asks(f"other{k}", [f"请问一下你能不能告诉我{hanzi(100 + 4 * k)}"])
    assert families_of(rows)["heavy"] == [SINGLE]


def test_a_short_system_prompt_that_everybody_has_is_no_frame():
    generic = "You are a helpful assistant."
    rows = [r for k in range(6) for r in asks(f"a{k}", [words(40 * k + 4 * i, 4) for i in SIX], system=generic)]
    assert all(found == [SINGLE] for found in families_of(rows).values())
    few = [r for r in rows if r["account_id"] < "a4"]  # four accounts: nothing says that it is everybody's
    assert all(found != [SINGLE] for found in families_of(few).values())


@pytest.mark.parametrize(("writers", "framed"), [(0, False), (1, False), (2, True)])
def test_a_short_system_prompt_that_others_write_into_their_prompts_is_a_frame(writers, framed):
    frame = "Reason aloud, step by step:"
    rows = [r for k in range(6) for r in asks(f"a{k}", [words(40 * k + 4 * i, 4) for i in SIX], system=frame)]
    for k in range(writers):
        rows += asks(f"b{k}", [f"{frame} {words(400 + 40 * k + 4 * i, 4)}" for i in SIX])
    found = families_of(rows)
    assert all((found[f"a{k}"] != [SINGLE]) is framed for k in range(6))
    if framed:
        assert len({tuple(f) for f in found.values()}) == 1


def test_the_grammar_of_long_payloads_ties_no_frames():
    """Two frames with nothing in common, before payloads that all hold the same thirty small words, now once and now more often."""
    small = [words(1000 + i, 1) for i in range(30)]
    dice = np.random.default_rng(2)

    def payload(k):
        return " ".join([*dice.permutation(small * 2)[: 45 + k % 9], *small, words(40 * k, 12)])

    rows = asks("a", [f"{PREFIX} {payload(i)}" for i in range(20)])
    rows += asks("b", [f"{SUFFIX} {payload(100 + i)}" for i in range(20)])
    found = families_of(rows)
    assert found["a"] != found["b"]
    assert min(found["a"] + found["b"]) >= 0


@pytest.mark.parametrize(
    ("lengths", "family"),
    [
        ([1, 1, 1, 1, 1], [SINGLE]),  # ids are decoration
        ([3, 1, 1, 1], [CONVERSATION]),  # people ask once and leave
        ([3, 1, 1, 1, 1, 1, 1], [CONVERSATION, SINGLE]),  # one longer among too many short ones
        ([2], [CONVERSATION]),
    ],
)
def test_conversations_of_one_turn(lengths, family):
    rows, at = [], 0
    for c, length in enumerate(lengths):
        for turn in range(length):
            rows.append({"prompt": words(4 * at, 4), "conversation_id": f"c{c}", "turn": turn})
            at += 1
    assert families_of(rows) == {"acct": family}


def test_conversations_are_an_accounts_own():
    """The same id in two accounts is two conversations."""
    rows = [
        {"account_id": a, "prompt": words(10 * i, 4), "conversation_id": "1"} for i, a in enumerate(["a", "b", "c"])
    ]
    assert families_of(rows) == {"a": [SINGLE], "b": [SINGLE], "c": [SINGLE]}


def test_a_turn_beyond_the_first_tells_without_an_id():
    rows = [{"prompt": words(0, 4), "turn": 0}, {"prompt": words(10, 4), "turn": 3}]
    assert families_of(rows) == {"acct": [CONVERSATION, SINGLE]}


def test_items_count_and_keep_the_order_of_first_use():
    texts = [words(4 * i, 4) for i in (3, 1, 3, 2, 1, 3)]
    prints, streams = streams_of(asks("a", texts))
    assert streams.items["times"].to_list() == [3, 2, 1]
    assert streams.requests["item"].to_list() == [0, 1, 0, 2, 1, 0]
    assert streams.items["prompt"].to_list() == prints.requests["prompt"].gather([0, 1, 3]).to_list()


def test_an_item_splits_where_its_requests_do():
    rows = asks("a", [words(0, 4)]) + [
        {"account_id": "a", "prompt": words(0, 4), "conversation_id": "c", "turn": t} for t in range(2)
    ]
    _, streams = streams_of(rows)
    assert streams.items.select("stream", "times").rows() == [(0, 2), (1, 1)]
    assert streams.requests["item"].to_list() == [1, 0, 0]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"prompt": None}, {"prompt": None, "system": "Be brief."}],
        [{"prompt": "one single prompt"}],
        [{"prompt": ""}],
        [{"prompt": "", "system": ""}] * 3,
    ],
)
def test_edges(rows):
    prints, streams = streams_of(rows)
    sent = sum(r["prompt"] is not None for r in rows)
    assert streams.requests.height == streams.table["requests"].sum() == streams.items["times"].sum() == sent
    assert len(prints.prompts) == (sent > 0)
    assert streams.frame_words == {}


# --- properties -------------------------------------------------------------------------------------------------------

TEXT = st.one_of(
    st.sampled_from(["", "hi", "?", words(0, 4), words(4, 4), words(8, 5)]),
    st.integers(0, 12).map(lambda i: f"{PREFIX} {words(3 * i)}"),
    st.integers(0, 12).map(lambda i: f"{words(3 * i)}. {SUFFIX}"),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "account_id": st.sampled_from(["a", "a", "a", "b", "c"]),
            "prompt": st.one_of(st.none(), TEXT, TEXT, TEXT),
            "system": st.sampled_from([None, None, SUFFIX, "Be brief."]),
            "conversation_id": st.sampled_from([None, None, "x", "y"]),
            "turn": st.sampled_from([None, 0, 0, 1]),
        }
    ),
    max_size=50,
)


@settings(deadline=None, max_examples=50)
@given(ROWS, st.randoms(use_true_random=False))
def test_streams_add_up_whatever_the_order_and_the_threads(rows, random):
    frame = canonical(rows)
    prints, streams = prints_of(rows), find_streams(prints_of(rows))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=random.randrange(1000))
    again = find_streams(merge([fingerprint(shuffled)]), jobs=3)
    for name in ("table", "items", "requests"):
        assert_frame_equal(getattr(streams, name), getattr(again, name))
    assert streams.frame_words == again.frame_words

    table, items, requests = streams.table, streams.items, streams.requests
    assert requests.height == sum(r["prompt"] is not None for r in rows)
    assert table["stream"].to_list() == list(range(table.height))
    assert table.select("account", "family").rows() == sorted(table.select("account", "family").unique().rows())
    assert table["requests"].to_list() == np.bincount(requests["stream"], minlength=table.height).tolist()
    assert items["times"].to_list() == np.bincount(requests["item"], minlength=items.height).tolist()
    # Each request's item is of its stream, its account and its prompt.
    own = items[requests["item"].to_list()]
    for name in ("stream", "account", "prompt"):
        assert own[name].to_list() == requests[name].to_list()
    assert table["account"].to_numpy()[items["stream"].to_numpy()].tolist() == items["account"].to_list()
    length = np.diff(prints.prompts.offsets)[items["prompt"].to_numpy()]
    assert (items["front"].to_numpy() + items["back"].to_numpy() <= length).all()
    assert set(streams.frame_words) >= set(table["family"].to_list()) - {SINGLE, CONVERSATION, NEAR_EMPTY, CARRIED_ON}


def test_as_many_system_prompts_as_accounts_take_no_quadratic_time():
    """A name in every system prompt: a unit for each account, too short to be one family."""
    n = 50_000
    frame = canonical([{"prompt": words(0, 4)}]).select(pl.all().repeat_by(n).explode())
    frame = frame.with_columns(
        pl.Series("account_id", [f"a{i:06}" for i in range(n)]),
        pl.Series("system", [f"You talk with {words(2 * i, 2)}." for i in range(n)]),
    )
    prints = merge([fingerprint(frame)])
    started = time.process_time()
    streams = find_streams(prints)
    assert time.process_time() - started < 20
    assert streams.table.height == n
    assert streams.table["family"].n_unique() > n - 20  # some pairs of 100,000 names have one 32-bit hash
