"""The parts of benchmarks/peers that need no peer: the exact pairs, the scores, the table."""

import sys
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[2] / "benchmarks" / "peers"


@pytest.fixture(autouse=True)
def found_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in ("exact", "table", "shingling", "outcome", "settings"):
        sys.modules.pop(name, None)


SETS = [
    frozenset("abcdefghij"),
    frozenset("abcdefghi"),  # 9 of 10
    frozenset("abcdefgh"),  # 8 of 10, 8 of 9
    frozenset("xyz"),
    frozenset(),
    frozenset("xyz"),
    frozenset("abcdefgxyz"),  # 7 of 13
    frozenset(),
]


def test_exact_pairs_by_a_table():
    from exact import pairs_over

    assert pairs_over(SETS, 0.8) == {(0, 1), (0, 2), (1, 2), (3, 5)}
    assert pairs_over(SETS, 0.85) == {(0, 1), (1, 2), (3, 5)}
    assert pairs_over(SETS, 1.0) == {(3, 5)}


@given(st.lists(st.frozensets(st.sampled_from("abcdefgh")), max_size=12), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_exact_pairs_are_those_of_comparing_all(sets, threshold):
    from exact import pairs_over

    every = {
        (i, j)
        for i, j in combinations(range(len(sets)), 2)
        if sets[i] | sets[j] and len(sets[i] & sets[j]) >= threshold * len(sets[i] | sets[j]) - 1e-9
    }
    assert pairs_over(sets, threshold) == every


def test_scores_of_labels_and_flags():
    from exact import Score, score_flags, score_labels

    truth = {(0, 1), (0, 2), (1, 2), (3, 5)}
    rows = [0, 1, 2, 3, 5, 6]
    assert score_labels([0, 0, 2, 3, 9, 3, 3, 9], truth, rows) == Score(2, 2, 2, 2 / 3, 2 / 3)
    flags = [False, True, True, False, True, True, True, True]
    assert score_flags(flags, truth, rows) == Score(-1, -1, -1, 1.0, 0.75)


def test_pairs_become_labels():
    from outcome import labels_of

    assert labels_of([(1, 3), (4, 3), (2, 5)], 7) == [0, 1, 2, 1, 1, 2, 6]


def test_shingles_of_scripts_with_and_without_word_breaks():
    from shingling import shingle_sets, shingles

    assert shingles("Item 12: The RED fox!") == ["item 0 the", "0 the red", "the red fox"]
    assert shingles("你好吗?") == ["你 好 吗"]
    assert shingles("two words") == []
    assert shingle_sets(["a b c a b c", "x"]) == ([0], [["a b c", "b c a", "c a b"]])


def test_the_table_gives_ratios_to_ours_with_as_many_cores():
    from exact import Score
    from table import Row, render

    rows = [
        Row("extractscan", "1", "own", "1", 2.0, 1.0, 1 << 20, Score(9, 1, 2, 0.9, 1.0)),
        Row("flagger", "2", "python", "1", 5.0, 4.0, 3 << 20, Score(-1, -1, -1, 0.5, 0.25)),
        Row("lonely", "3", "python", "all 2", 5.0, 4.0, 3 << 20, Score(1234, 0, 0, 1.0, 1.0)),
    ]
    lines = render(rows).splitlines()
    assert lines[2] == "| extractscan | 1 | own | 1 | 2.00 | 1.00 | 1.0 | 1.0 | 1 | 9 | 1 | 2 | 0.900 | 1.000 |"
    assert "| 2.5 | 4.0 | 3 | no pairs | no pairs | no pairs | 0.500 | 0.250 |" in lines[3]
    assert "| 5.00 | 4.00 |  |  | 3 | 1,234 |" in lines[4]


def test_every_tool_has_an_adapter():
    from settings import ADAPTERS

    assert {path.stem for path in (FOLDER / "adapters").glob("*.py")} - {"__init__"} == set(ADAPTERS.values())
