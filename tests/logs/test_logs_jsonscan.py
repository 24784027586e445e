"""The JSON kernels against the standard library's parser."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extractscan.logs import jsonscan, jsonsplit
from extractscan.logs.jsongrammar import DEEP, EARLY, INVALID, MAX_DEPTH, NOT_OBJECT
from extractscan.logs.spans import ARRAY, BLANK, FALSE, GOOD, NUMBER, OBJECT, STRING, TRUE, KeyTable
from extractscan.logs.textspans import take

KEYS = KeyTable({"a": (("a", 0),), "b": (("b", 0),), "bee": (("b", 1),)}, ("a", "b"), frozenset({"a"}))

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    ATOMS, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=3), v, max_size=4), max_leaves=12
)


def project(*texts):
    data = [t if isinstance(t, bytes) else t.encode() for t in texts]
    buf = np.frombuffer(b"".join(data) or b" ", np.uint8)
    ends = np.cumsum([len(d) for d in data])
    return jsonscan.project(buf, ends - [len(d) for d in data], ends, KEYS)


def value(spans, slot, at=0):
    """The value as Python sees it, from its span."""
    i = spans.slots.index(slot)
    kind = spans.kind[i][at : at + 1]
    if not kind[0]:
        return None
    text = take(spans.buf, spans.start[i][at : at + 1], spans.end[i][at : at + 1], kind)[0][0]
    return text if kind[0] == STRING else json.loads(text)


def same(x, y):
    if isinstance(x, float) and isinstance(y, float):
        return x == y or (math.isnan(x) and math.isnan(y))
    if isinstance(x, list) and isinstance(y, list):
        return len(x) == len(y) and all(map(same, x, y))
    if isinstance(x, dict) and isinstance(y, dict):
        return x.keys() == y.keys() and all(same(x[k], y[k]) for k in x)
    return type(x) is type(y) and x == y


@given(VALUES, VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
@example("\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "\x00\x1b\u202e[/]", True, None)
@settings(max_examples=100, deadline=None)
def test_values_are_those_of_the_standard_parser(a, b, ascii_only, indent):
    text = json.dumps({"x": b, "a": a, "y": [a], "b": b}, ensure_ascii=ascii_only, indent=indent)
    spans = project(text.encode("utf-8"))
    assert spans.status[0] == GOOD
    for slot, put in (("a", a), ("b", b)):
        absent = (isinstance(put, float) and not math.isfinite(put)) or (slot == "b" and put == "")
        assert same(value(spans, slot), None if absent else put)


@given(VALUES, st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_text_is_refused_where_the_standard_parser_refuses(a, data):
    text = bytearray(json.dumps({"a": a, "b": [a]}).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        how = data.draw(st.sampled_from(["cut", "drop", "set"]))
        if how == "cut":
            del text[at:]
        elif how == "drop":
            del text[at]
        else:
            text[at] = data.draw(st.sampled_from(b'{}[]",:\\0919eE+-.tfnNIu \x00'))
        if not text:
            break
    try:
        parsed = json.loads(bytes(text).decode("utf-8", "replace"), strict=False)
    except ValueError:
        expected = False
    else:
        expected = isinstance(parsed, dict)
    status = project(bytes(text)).status[0]
    if not text.strip():
        assert status == BLANK
    else:
        assert (status == GOOD) == expected, (bytes(text), status)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", BLANK),
        (" \t ", BLANK),
        ("{}", GOOD),
        ('{"a":1}', GOOD),
        ('{"a":1} x', INVALID),
        ('{"a":1}{"a":2}', INVALID),
        ('{"a":01}', INVALID),
        ('{"a":1,}', INVALID),
        ('{"a":"\\x"}', INVALID),
        ('{"a":"\\u12g4"}', INVALID),
        ('{"a" 1}', INVALID),
        ("garbage", INVALID),
        ("nul", EARLY),
        ('{"a":"x', EARLY),
        ('{"a":[1,2', EARLY),
        ("{", EARLY),
        ("5", NOT_OBJECT),
        ("[1]", NOT_OBJECT),
        ("null", NOT_OBJECT),
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", DEEP),
        ('{"zzz":' + "[" * 100_000, DEEP),
        ("[" * 100_000, DEEP),
        ('{"a":' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}", GOOD),
        ('{"a":NaN,"b":-Infinity}', GOOD),
    ],
)
def test_status(text, status):
    assert project(text).status[0] == status


def test_kinds_and_null_like_values():
    spans = project(
        '{"a":NaN}', '{"a":true}', '{"a":false}', '{"a":-1.5e3}', '{"a":{}}', '{"a":[]}', '{"a":""}', '{"b":""}'
    )
    assert spans.kind[0].tolist() == [0, TRUE, FALSE, NUMBER, OBJECT, ARRAY, STRING, 0]
    assert spans.kind[1].tolist() == [0] * 8


def test_better_names_win_and_the_last_of_equal_ones():
    assert value(project('{"bee":"1","b":"2","BEE":"3"}'), "b") == "2"
    assert value(project('{"bee":"1","b":null}'), "b") == "1"
    assert value(project('{"bee":"1","b":""}'), "b") == "1"
    assert value(project('{"a":"1","a":"2"}'), "a") == "2"
    assert value(project('{"A.":"x"}'), "a") == "x"


def test_lone_surrogates_and_raw_control_characters():
    assert value(project('{"a":"x\\ud800y\\udc00\\ud83d\\ude00"}'), "a") == "x\ufffdy\ufffd😀"
    assert value(project(b'{"a":"x\x00\t\x1by"}'), "a") == "x\0\t\x1by"


@given(st.binary(max_size=40))
@example(b"\xf4\x90\x80\x80 \xed\xa0\x80 \xc0\xaf \xe2\x82 \xf0\x9f\x98")
@settings(max_examples=200, deadline=None)
def test_broken_utf8_is_replaced_as_the_standard_library_does(data):
    raw = data.replace(b'"', b"").replace(b"\\", b"").replace(b"\n", b"")
    assert (value(project(b'{"a":"' + raw + b'"}'), "a") or "") == raw.decode("utf-8", "replace")


def test_repairs_never_overrun_the_room_of_later_values():
    texts = [b'{"a":"' + b"\xff" * n + b'"}' for n in (1, 5, 0, 3)] + [b'{"a":"plain text after them"}'] * 3
    spans = project(*texts)
    series, repaired = take(spans.buf, spans.start[0], spans.end[0], spans.kind[0])
    assert repaired == 3
    assert series.to_list() == ["\ufffd", "\ufffd" * 5, "", "\ufffd" * 3, *["plain text after them"] * 3]


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_elements_take_an_array_apart(values, indent, ascii_only):
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    buf = np.frombuffer(text, np.uint8)
    counts, start, end, kind = jsonsplit.elements(buf, np.array([0]), np.array([len(buf)]))
    assert counts.tolist() == [len(values)]
    found = [
        json.loads(f'"{text[a:b].decode()}"' if k == STRING else text[a:b])
        for a, b, k in zip(start, end, kind, strict=True)
    ]
    assert all(map(same, found, values))


@pytest.mark.parametrize("text", [b"", b"[", b"[1,", b"[1,]", b"{}", b"[1] 2", b"hello", b"[1 2]"])
def test_elements_of_what_is_no_array(text):
    counts, start, _, _ = jsonsplit.elements(
        np.frombuffer(text or b" ", np.uint8), np.array([0]), np.array([len(text)])
    )
    assert (counts.tolist(), len(start)) == ([-1], 0)


@given(
    st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=5),
    st.sampled_from([None, 1]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_objects_are_split_out_of_arrays_and_sequences(objects, indent, array):
    text = json.dumps(objects, indent=indent) if array else "\n".join(json.dumps(o, indent=indent) for o in objects)
    buf = np.frombuffer(text.encode() or b" ", np.uint8)
    start, end, at = jsonsplit.values(buf, 0, 100, last=True)
    assert at == len(buf)
    found = [json.loads(bytes(buf[a:b])) for a, b in zip(start, end, strict=True)]
    assert all(map(same, found, objects))


@pytest.mark.parametrize(
    "text", [b'[{"a":1},\x00,{"a":2}]', b'[{"a":1},}{"a":2}]', b'{"a":1}\x01\x01{"a":2}', b'[{"a":1}:"x"{"a":2}]']
)
def test_splitting_never_stands_still(text):
    buf = np.frombuffer(text, np.uint8)
    start, end, at = jsonsplit.values(buf, 0, 50, last=True)
    assert at == len(buf)
    assert len(start) < 10
    found = [bytes(buf[a:b]) for a, b in zip(start, end, strict=True)]
    assert found[0] == b'{"a":1}'
