from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from extractscan.fingerprint.requests import KEPT_TOKENS, MEASURES, NAMES, fingerprint, merge
from extractscan.fingerprint.tokens import tokenise
from extractscan.logs.schema import CANONICAL

START = datetime(2026, 3, 2, tzinfo=UTC)


def frame(rows):
    return pl.DataFrame([{c: row.get(c) for c in CANONICAL} for row in rows], schema=CANONICAL, orient="row")


def row(number=0, account="a", prompt="hello there", minute=0, **more):
    return {
        "request_id": f"r{number}",
        "account_id": account,
        "timestamp": START + timedelta(minutes=minute),
        "prompt": prompt,
        **more,
    }


def prints(*rows):
    return merge([fingerprint(frame(rows))])


def tokens(texts, i):
    return texts.tokens[texts.offsets[i] : texts.offsets[i + 1]].tolist()


def alone(text):
    return tokenise(pl.Series([text])).values.tolist()


def same(a, b):
    assert_frame_equal(a.requests, b.requests)
    assert a.accounts.to_list() == b.accounts.to_list()
    assert (a.duplicates, a.present) == (b.duplicates, b.present)
    for x, y in ((a.prompts, b.prompts), (a.systems, b.systems)):
        for name in ("hashes", "offsets", "tokens", "chars"):
            assert np.array_equal(getattr(x, name), getattr(y, name)), name


def test_a_small_log():
    p = prints(
        row(1, "bob", "Good  morning", 5, ip="9.9.9.9", status=200),
        row(2, "ann", "good morning", 2, system="Be brief.", response="hi", ip="1.1.1.1"),
        row(3, "bob", None, 1, n=4),
    )
    assert p.accounts.to_list() == ["ann", "bob"]
    table = p.requests
    assert table["account"].to_list() == [1, 0, 1]  # in order of time
    assert table["account"].dtype == pl.UInt32
    assert table["prompt"].to_list() == [-1, 0, 0]  # the same but for case and space
    assert table["system"].to_list() == [-1, 0, -1]
    assert table["has_response"].to_list() == [False, True, False]
    assert sorted(table["ip"].to_list()[1:]) == [0, 1]  # ranks of hashes of the addresses
    assert table["ip"][0] is None
    assert table["n"].to_list() == [4, None, None]
    assert table["time_us"].to_list() == [int(START.timestamp() * 1e6) + 60_000_000 * m for m in (1, 2, 5)]
    assert tokens(p.prompts, 0) == alone("good morning")
    assert tokens(p.systems, 0) == alone("be brief")
    assert p.prompts.chars.tolist() == [11]
    assert len(p.prompts) == len(p.systems) == 1
    assert p.present == {"ip", "status", "n", "prompt", "system", "response"}
    assert p.duplicates == 0


def test_hashes_ascend_and_prompts_are_found_by_them():
    texts = [f"prompt {chr(97 + i)} {chr(98 + i)}" for i in range(20)]
    p = prints(*(row(i, prompt=t, minute=i) for i, t in enumerate(texts)))
    assert (p.prompts.hashes[1:] > p.prompts.hashes[:-1]).all()
    for text, where in zip(texts, p.requests["prompt"].to_list(), strict=True):
        assert tokens(p.prompts, where) == alone(text)


def test_no_text_is_left():
    p = prints(row(1, prompt="a secret", system="another", response="third", ip="1.2.3.4", end_user="me"))
    assert pl.String not in p.requests.dtypes


def test_an_empty_prompt_is_a_prompt():
    p = prints(
        row(1, prompt=""), row(2, prompt=None, minute=1), row(3, prompt="?!", minute=2), row(4, prompt="  ", minute=3)
    )
    prompt = p.requests["prompt"].to_list()
    assert prompt[1] == -1
    assert prompt[0] == prompt[3] != prompt[2]
    assert p.prompts.tokens.size == 0
    assert sorted(p.prompts.chars.tolist()) == [0, 2]


def test_a_request_delivered_twice_counts_once():
    twice = row(1, prompt="Hello THERE"), row(1, prompt="hello there", status=200)
    p = prints(*twice, row(2), row(1, minute=1), row(1, account="b"), row(1, prompt="else"))
    assert p.duplicates == 1
    assert p.requests.height == 5
    # Which of the two stays does not hang on which came first.
    same(p, prints(row(1, prompt="else"), row(1, account="b"), row(1, minute=1), row(2), *twice[::-1]))


def test_all_prompts_null_and_no_rows_at_all():
    p = prints(row(1, prompt=None), row(2, prompt=None))
    assert p.requests["prompt"].to_list() == [-1, -1]
    assert len(p.prompts) == len(p.systems) == 0
    assert p.prompts.offsets.tolist() == [0]
    empty = prints()
    assert empty.requests.height == 0
    assert empty.accounts.len() == 0
    assert empty.present == frozenset()
    assert empty.requests.schema == p.requests.schema


def test_an_empty_batch_changes_nothing():
    rows = [row(i, prompt=f"text {chr(97 + i)}", minute=i) for i in range(5)]
    same(prints(*rows), merge([fingerprint(frame([])), fingerprint(frame(rows)), fingerprint(frame([]))]))


@pytest.mark.parametrize("size", [KEPT_TOKENS - 1, KEPT_TOKENS, KEPT_TOKENS + 1, 3 * KEPT_TOKENS + 1])
def test_long_texts_keep_both_ends(size):
    text = " ".join("w" + "".join(chr(97 + i // 26**k % 26) for k in range(3)) for i in range(size))
    whole = alone(text)
    assert len(whole) == size
    half = KEPT_TOKENS // 2
    kept = whole if size <= KEPT_TOKENS else whole[:half] + whole[-half:]
    p = prints(row(1, prompt=text, system=text), row(2, prompt="a short one", minute=1))
    assert tokens(p.prompts, p.requests["prompt"][0]) == kept
    assert tokens(p.prompts, p.requests["prompt"][1]) == alone("a short one")
    assert tokens(p.systems, 0) == kept
    # Cutting again, when batches are united, cuts nothing more.
    parts = merge([fingerprint(frame([row(1, prompt=text)])), fingerprint(frame([row(2, prompt=text + " end")]))])
    assert sorted([tokens(parts.prompts, 0), tokens(parts.prompts, 1)]) == sorted(
        [kept, (whole + alone("end")) if size < KEPT_TOKENS else whole[:half] + whole[-half + 1 :] + alone("end")]
    )


# --- properties -------------------------------------------------------------------------------------------------------

TEXT = st.one_of(
    st.none(),
    st.sampled_from(["", "?", "Hi", "hi ", "one two three", "One  two three!", "你好", "\uff28\uff29", "3 4", "5 6"]),
)
ROW = st.builds(
    row,
    st.integers(0, 3),
    st.sampled_from(["a", "b", "ä", ""]),
    TEXT,
    st.integers(0, 3),
    system=TEXT,
    response=TEXT,
    status=st.one_of(st.none(), st.integers(200, 201)),
    temperature=st.one_of(st.none(), st.sampled_from([0.0, 0.7])),
    logprobs=st.one_of(st.none(), st.booleans()),
    ip=st.one_of(st.none(), st.sampled_from(["1", "2"])),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=25), st.lists(st.integers(0, 25), max_size=5), st.randoms(use_true_random=False))
def test_neither_order_nor_split_nor_threads_change_anything(rows, cuts, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    edges = [0, *sorted(min(c, len(rows)) for c in cuts), len(rows)]
    parts = [fingerprint(frame(shuffled[a:b]), jobs=3) for a, b in pairwise(edges)]
    random.shuffle(parts)
    one = prints(*rows)
    same(one, merge(parts))
    distinct = {(r["request_id"], r["account_id"], r["timestamp"], _normal(r["prompt"])) for r in rows}
    assert one.requests.height == len(distinct) == len(rows) - one.duplicates


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=20))
def test_codes_are_ranks_and_delivering_all_twice_changes_a_count_only(rows):
    one, twice = prints(*rows), prints(*rows, *rows)
    assert_frame_equal(one.requests, twice.requests)
    assert twice.duplicates == len(rows) + one.duplicates
    for name in ("account", *NAMES):
        codes = one.requests[name].drop_nulls().unique().sort()
        assert codes.to_list() == list(range(codes.len()))
    assert set(MEASURES) <= set(one.requests.columns)
    at = one.requests["prompt"].to_numpy()
    assert ((at >= -1) & (at < len(one.prompts))).all()


def _normal(text):
    return None if text is None else " ".join(text.replace("\uff28\uff29", "HI").lower().split())
