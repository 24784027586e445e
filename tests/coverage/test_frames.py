import time
from collections import Counter

import numpy as np
import pytest
from coverage_help import frames_of, hanzi, token_set, tokens_of, word, words
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.frames import MAX_DEPTH, MIN_SUPPORT, find_frames, without
from extractscan.coverage.ladders import commonest

PREFIX = "Summarise the following text in one sentence:"  # 7 words
SUFFIX = "Answer with a single letter only, please."  # 7 words
CHINESE = "请把下面的句子翻译成英文:"  # 12 characters
SIX = range(6)


def skeleton(frames, group):
    return frames.skeleton[frames.skeleton_offsets[group] : frames.skeleton_offsets[group + 1]].tolist()


@pytest.mark.parametrize(
    ("texts", "front", "back", "fixed"),
    [
        ([f"{PREFIX} {words(3 * i)}" for i in SIX], 7, 0, PREFIX),
        ([f"{words(3 * i)}. {SUFFIX}" for i in SIX], 0, 7, SUFFIX),
        ([f"{PREFIX} {words(3 * i)}. {SUFFIX}" for i in SIX], 7, 7, PREFIX + " " + SUFFIX),
        ([f"{CHINESE}{hanzi(4 * i)}" for i in SIX], 12, 0, CHINESE),
        ([f"{hanzi(4 * i)} {CHINESE}" for i in SIX], 0, 12, CHINESE),
        # Fixed words with gaps, neither end shared: 6 words of 9 are the template.
        (
            [f"{word(3 * i)} went to the {word(3 * i + 1)} and bought some {word(3 * i + 2)}" for i in SIX],
            0,
            0,
            "went to the and bought some",
        ),
        # Short, but nearly all have it.
        ([f"Sentiment of: {words(3 * i)}" for i in SIX], 2, 0, "sentiment of"),
        ([f"翻译如下{hanzi(4 * i)}" for i in SIX], 4, 0, "翻译如下"),
        # Items that differ in a number only are all frame.
        (
            [f"Item {i} of a list that goes on and on" for i in range(10, 16)],
            10,
            0,
            "item 0 of a list that goes on and",
        ),
    ],
)
def test_a_frame_is_told_from_its_payload(texts, front, back, fixed):
    _, frames = frames_of(texts)
    assert frames.group.tolist() == [0] * 6
    assert frames.front.tolist() == [front] * 6
    assert frames.back.tolist() == [back] * 6
    assert skeleton(frames, 0) == token_set(fixed)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["", "?", "!!", "...", "¿", ";;", "--"],
        [f"{PREFIX} {words(0)}"],
        [f"{PREFIX} {words(3 * i)}" for i in range(4)],  # four alike are within what people do
        # Four words are grammar, unless four prompts in five start with them.
        [f"what is the best {words(3 * i)}" for i in SIX] + [words(100 + 4 * i, 4) for i in range(2)],
        [f"please {words(4 * i, 4)}" for i in SIX],  # one word is, always
        [f"你好吗{hanzi(4 * i)}" for i in SIX],  # three characters are a word and a half
        [words(5 * i, 5) for i in range(50)],
        [f"{word(7 * i)} the {words(7 * i + 1)} of {words(7 * i + 4)}" for i in SIX],  # two fixed words of nine
    ],
)
def test_what_is_no_frame(texts):
    _, frames = frames_of(texts)
    assert (frames.group == -1).all()
    assert not frames.front.any()
    assert not frames.back.any()
    assert frames.skeleton.size == 0


@pytest.mark.parametrize(
    ("framed", "of", "expected"), [(9, 200, 0), (10, 200, 10), (7, 140, 7), (6, 140, 0), (5, 100, 5)]
)
def test_a_frame_needs_its_share_of_the_sheet(framed, of, expected):
    texts = [f"{PREFIX} {words(3 * i)}" for i in range(framed)] + [words(2000 + 4 * i, 4) for i in range(of - framed)]
    _, frames = frames_of(texts)
    assert (frames.group >= 0).sum() == expected


def test_two_frames_and_talk_on_one_sheet():
    texts = [f"{PREFIX} {words(3 * i)}" for i in range(10)]
    texts += [f"{words(100 + 3 * i)}. {SUFFIX}" for i in range(8)]
    texts += [words(500 + 3 * i) for i in range(6)]
    _, frames = frames_of(texts)
    assert frames.group.tolist() == [0] * 10 + [1] * 8 + [-1] * 6
    assert frames.front.tolist() == [7] * 10 + [0] * 14
    assert frames.back.tolist() == [0] * 10 + [7] * 8 + [0] * 6


def test_the_path_ends_where_no_half_goes_on():
    """Ten share seven words; then four, three and three go three ways: a frame of seven, not three frames."""
    ways = ["into french now"] * 4 + ["with much wit"] * 3 + ["as a poem"] * 3
    _, frames = frames_of([f"{PREFIX} {way} {words(3 * i)}" for i, way in enumerate(ways)])
    assert frames.group.tolist() == [0] * 10
    assert frames.front.tolist() == [7] * 10


def test_a_prompt_without_a_word_belongs_to_no_template():
    texts = [f"{word(3 * i)} went to the {word(3 * i + 1)} and bought some {word(3 * i + 2)}" for i in range(20)]
    _, frames = frames_of([*texts, "", "?", "!!"])
    assert frames.group.tolist() == [0] * 20 + [-1] * 3


def test_a_prompt_may_be_all_frame():
    texts = [PREFIX, f"{PREFIX[:-1]}"] + [f"{PREFIX} {words(3 * i)}" for i in SIX]
    t, frames = frames_of(texts)
    assert np.diff(t.offsets)[:2].tolist() == [7, 7]
    assert frames.front[:2].tolist() == [7, 7]


def test_ends_do_not_overlap():
    """Where front and back are the same words, they are counted once."""
    _, frames = frames_of(["one two three four five six" + mark for mark in ("", ".", "!", "?", " -", " ;")])
    assert frames.front.tolist() == [6] * 6
    assert frames.back.tolist() == [0] * 6


def test_frames_are_measured_up_to_a_depth():
    long = words(0, 400)
    t, frames = frames_of([f"{long} {words(1000 + 3 * i)}" for i in SIX])
    assert frames.front.tolist() == [MAX_DEPTH] * 6
    assert frames.back.tolist() == [0] * 6
    assert np.diff(t.offsets).tolist() == [403] * 6


def test_without_frees_the_items_of_a_group():
    texts = [f"{PREFIX} {words(3 * i)}" for i in SIX] + [f"{words(100 + 3 * i)}. {SUFFIX}" for i in SIX]
    _, frames = frames_of(texts)
    assert without(frames, np.array([False, False])) is frames
    freed = without(frames, np.array([True, False]))
    assert freed.group.tolist() == [-1] * 6 + [1] * 6
    assert freed.front.tolist() == [0] * 12
    assert freed.back.tolist() == [0] * 6 + [7] * 6


# --- properties -------------------------------------------------------------------------------------------------------

# Short vocabularies, so that frames of all kinds, ties and part frames come up by themselves.
PROMPT = st.lists(st.sampled_from(["a", "b", "c", "the", "of", "你", "好", "吗"]), max_size=9).map(" ".join)
FRAMED = st.tuples(st.sampled_from([PREFIX, CHINESE, "", "a b c the of a"]), PROMPT, st.sampled_from(["", SUFFIX])).map(
    " ".join
)
SHEET = st.lists(st.one_of(PROMPT, FRAMED), max_size=30)


@settings(deadline=None)
@given(st.lists(SHEET, max_size=6))
def test_what_holds_for_any_sheets(sheets):
    texts = [text for sheet in sheets for text in sheet]
    sizes = [len(sheet) for sheet in sheets]
    t, frames = frames_of(texts, sizes or [0])
    _, again = frames_of(texts, sizes or [0], jobs=3)
    for name in ("group", "front", "back", "skeleton_offsets", "skeleton"):
        assert np.array_equal(getattr(frames, name), getattr(again, name)), name
    assert (frames.front >= 0).all()
    assert (frames.back >= 0).all()
    assert (frames.front + frames.back <= np.diff(t.offsets)).all()
    assert not (frames.front + frames.back)[frames.group < 0].any()
    # Groups are numbered without gaps, sheet after sheet, and each has its support.
    groups, sent = np.unique(frames.group[frames.group >= 0], return_counts=True)
    assert groups.tolist() == list(range(frames.skeleton_offsets.size - 1))
    assert (sent >= MIN_SUPPORT).all()
    for g in groups.tolist():
        s = skeleton(frames, g)
        assert s == sorted(set(s))
    # A sheet knows nothing of its neighbours: no table or scratch carries over.
    at, before = 0, 0
    for sheet in sheets:
        _, alone = frames_of(sheet)
        part = frames.group[at : at + len(sheet)]
        assert np.array_equal(np.where(part >= 0, part - before, -1), alone.group)
        assert np.array_equal(frames.front[at : at + len(sheet)], alone.front)
        assert np.array_equal(frames.back[at : at + len(sheet)], alone.back)
        at += len(sheet)
        before += alone.skeleton_offsets.size - 1


@settings(deadline=None)
@given(SHEET, st.randoms(use_true_random=False))
def test_ladders_and_templates_know_no_order(sheet, random):
    places = list(range(len(sheet)))
    random.shuffle(places)
    _, straight = frames_of(sheet)
    _, shuffled = frames_of([sheet[p] for p in places])
    assert np.array_equal(straight.group[places], shuffled.group)
    assert np.array_equal(straight.front[places], shuffled.front)
    assert np.array_equal(straight.back[places], shuffled.back)


# Values whose slots collide, run into one another and wrap around the end of a table of 16 to 64 slots.
HASHES = st.integers(0, 3).flatmap(
    lambda k: st.sampled_from([0, 1, 2, 13, 14, 15, 31, 63]).map(lambda low: low + 64 * k)
)


@settings(deadline=None)
@given(st.lists(st.lists(HASHES, max_size=30).map(lambda v: np.array(v, np.uint32)), max_size=6))
def test_thecommonest_value_and_a_table_that_is_given_back_empty(rounds):
    longest = max((values.size for values in rounds), default=0)
    slots = 16
    while slots <= 2 * longest:
        slots *= 2
    table = np.zeros((slots, 2), np.int64)
    for values in rounds:
        best, most = commonest(values, table)
        counts = Counter(values.tolist())
        assert most == max(counts.values(), default=0)
        assert best == min((v for v, c in counts.items() if c == most), default=0)
        assert not table[:, 1].any()


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["prefix", "unframed", "many"])
def test_a_sheet_of_a_hundred_thousand_prompts(kind):
    n = 100_000
    random = np.random.default_rng(3)
    drawn = random.integers(0, 1 << 31, (n, 20), dtype=np.uint32) & ~np.uint32(1)
    if kind != "unframed":
        frames = random.integers(0, 1 << 31, (1 if kind == "prefix" else 100, 10), dtype=np.uint32) & ~np.uint32(1)
        drawn[:, :10] = frames[np.arange(n) % len(frames)]
    started = time.process_time()
    found = find_frames(np.array([0, n]), np.arange(n), np.arange(n + 1, dtype=np.int64) * 20, drawn.ravel())
    assert time.process_time() - started < 10
    # Each of a hundred frames holds one prompt in a hundred, under the share that a frame must have.
    assert (found.group >= 0).all() == (kind == "prefix")


def test_a_hundred_thousand_sheets():
    n = 100_000
    t = tokens_of([f"{PREFIX} {words(3 * i)}" for i in SIX])
    found = find_frames(np.arange(n + 1) * 6, np.tile(np.arange(6), n), t.offsets, t.values)
    assert np.array_equal(found.group, np.repeat(np.arange(n), 6))
    assert (found.front == 7).all()
