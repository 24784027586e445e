"""Paths: how they are cut, and the scanner against its slow twin."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.logs import pathscan
from extractscan.logs.paths import PathError, Tree, Want, cuts, lookup, parse_path, wants
from extractscan.logs.spans import GOOD, STRING


def project(records, tree, node=0):
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
    buf = np.frombuffer(b"\n".join(lines), np.uint8)
    ends = np.cumsum([len(x) + 1 for x in lines]) - 1
    starts = ends - [len(x) for x in lines]
    spans = pathscan.project(buf, starts, ends, tree, node)
    out = {}
    for i, cell in enumerate(spans.slots):
        out[cell] = [
            bytes(buf[a:b]).decode() if k else None
            for a, b, k in zip(spans.start[i], spans.end[i], spans.kind[i], strict=True)
        ]
    return out, spans


def test_paths_are_parsed():
    assert parse_path("a.b[0].c-d") == ("a", "b", "[0]", "c-d")
    assert parse_path("a[*].b") == ("a", "[*]", "b")
    for bad in ("", ".a", "a.", "a..b", "a[1]", "[0]", "a[0]b"):
        with pytest.raises(PathError):
            parse_path(bad)
    assert list(cuts(("a", "b", "c"))) == [("a", "b", "c"), ("a.b", "c"), ("a", "b.c"), ("a.b.c",)]


def test_values_are_found_in_objects_lists_attributes_and_under_dotted_names():
    tree = Tree(wants({"m": ["at.gen.model"], "x": ["l[0].x"], "e": ["ev[*].at.y"]}), attributes=["at"])
    found, spans = project(
        [
            {"at": {"gen": {"model": "a"}}, "l": [{"x": 1}, {"x": 2}]},
            {"at": [{"key": "z", "value": {"intValue": "1"}}, {"value": {"stringValue": "b"}, "key": "gen.model"}]},
            {
                "at.gen": {"model": "c"},
                "ev": [{"at": {"y": 1}}, {"no": 0}, {"at": [{"key": "y", "value": {"intValue": "2"}}]}],
            },
            {"at.gen.model": "d", "l": [], "ev": {}},
            b'{"at":{"gen":{"model":"e"}}',
            b'{"at":{"gen":{"model":"e"}}}}',
            b'{"at":[{"key":"gen.model","value":{}},{"key":1},3,[]]}',
        ],
        tree,
    )
    assert found["m"] == ["a", "b", "c", "d", "e", "e", None]
    assert found["x"] == ["1", None, None, None, None, None, None]
    assert found["e"] == [None, None, "2", None, None, None, None]
    assert (spans.status == GOOD).tolist() == [True, True, True, True, False, False, True]


def test_the_best_path_wins_in_any_order_of_members():
    tree = Tree(wants({"a": ["first", "second.x"]}))
    assert project(
        [{"first": 1, "second": {"x": 2}}, {"second": {"x": 2}, "first": 1}, {"second": {"x": 2}, "first": None}], tree
    )[0]["a"] == ["1", "1", "2"]


NAMES = ("a", "b", "c.d", "d")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('xy\\"é', max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=12,
)
PATHS = ("a", "a.b", "a.b.c", "b.c.d", "c.d", "a[0].b", "b[0][0]", "d.a.b", "d[*].a")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), min_size=1, max_size=4))
def test_the_scanner_agrees_with_plain_python(records):
    tree = Tree([Want(parse_path(path), path, 0) for path in PATHS])
    found, spans = project(records, tree)
    assert (spans.status == GOOD).all()
    for i, cell in enumerate(PATHS):
        at = spans.slots.index(cell)
        for row, record in enumerate(records):
            text = found[cell][row]
            got = None if text is None else json.loads(f'"{text}"' if spans.kind[at, row] == STRING else text)
            reached = [v for keys in cuts(parse_path(cell)) if (v := _strictly(record, keys)) not in (None, "")]
            assert got in reached if reached else got is None, (i, cell, record)


def _strictly(record, keys):
    for key in keys:
        if key == "[0]":
            record = record[0] if isinstance(record, list) and record else None
        elif key == "[*]":
            return next((v for one in reversed(record if isinstance(record, list) else [])
                         if (v := _strictly(one, keys[list(keys).index(key) + 1 :])) not in (None, "")), None)  # fmt: skip
        else:
            record = record.get(key) if isinstance(record, dict) else None
    return record


@given(st.binary(max_size=60))
def test_no_bytes_break_the_scanner(body):
    tree = Tree(wants({"a": ["a.b", "a[0].b", "at.c"]}), attributes=["at"])
    project([body, b'{"at":' + body + b"}", b'{"a":[' + body], tree)


def test_lookup_goes_into_texts_and_attributes():
    record = {"m": '{"a": {"b": 1}}', "at": [{"key": "x.y", "value": {"stringValue": "z"}}], "l": [[{"q": 2}]]}
    assert lookup(record, parse_path("m.a.b")) == 1
    assert lookup(record, parse_path("at.x.y")) == "z"
    assert lookup(record, parse_path("l[0][0].q")) == 2
    assert lookup(record, parse_path("m.a.c")) is None
