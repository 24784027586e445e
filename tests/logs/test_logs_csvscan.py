"""The CSV kernel against the standard library's reader."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.logs.csvscan import FIELDS, QUOTES, Fields, records
from extractscan.logs.names import NameTable
from extractscan.logs.textspans import take

SLOTS = ("a", "b", "c")
TABLE = NameTable({name: ((name, 0),) for name in SLOTS}, {})
FIELDS_ABC = Fields(list(SLOTS), TABLE, SLOTS, frozenset(SLOTS))

CELL = st.text(st.sampled_from('ab ,;"\n\r\té\u202e'), max_size=6)


def scan(text, delimiter=",", *, last=True, limit=100):
    buf = np.frombuffer(text.encode() or b"\n", np.uint8)
    spans, begin, at = records(buf, 0, FIELDS_ABC, delimiter, limit, longest=1000, last=last)
    columns = [take(buf, spans.start[i], spans.end[i], spans.kind[i])[0].to_list() for i in range(3)]
    return list(zip(*columns, strict=True)), spans.status.tolist(), begin.tolist(), at


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=6), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=200, deadline=None)
def test_records_are_those_of_the_standard_reader(rows, delimiter, line_end):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    found, status, _, _ = scan(out.getvalue(), delimiter)
    assert found == rows
    assert status == [0] * len(rows)


@given(st.lists(st.tuples(*[CELL.map(lambda cell: cell.replace("\r", ""))] * 3), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_fields_without_quotes(rows):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    found, status, _, _ = scan(out.getvalue())
    expected = [row for row in csv.reader(io.StringIO(out.getvalue(), newline="")) if row]
    assert [tuple(x or "" for x in row) for row in found] == [tuple(row) for row in expected]
    assert status == [0] * len(expected)


def test_an_empty_field_is_absent_and_an_empty_text_is_not():
    assert scan('1,,""\n')[0] == [("1", None, "")]


@pytest.mark.parametrize(
    ("text", "status", "begin"),
    [
        ("1,2,3\n4,5\n6,7,8\n", [0, FIELDS, 0], [0, 6, 10]),
        ("1,2,3,4\n5,6,7\n", [FIELDS, 0], [0, 8]),
        ('1,"2"x,3\n4,5,6\n', [QUOTES, 0], [0, 9]),
        ('1,"2,3\n4,5,6\n', [QUOTES, 0], [0, 7]),
        ('1,"a\nb",3\n4,5,6\n', [0, 0], [0, 10]),
        ('1,a"b,3\n', [0], [0]),
        ('1,"x\n2,"y",3\n4,5,6', [QUOTES, 0, 0], [0, 5, 13]),
        ("1,2,3\n\n\r\n4,5,6", [0, 0], [0, 9]),
    ],
)
def test_broken_records(text, status, begin):
    _, found, starts, _ = scan(text)
    assert (found, starts) == (status, begin)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=5), st.data())
@settings(max_examples=200, deadline=None)
def test_a_buffer_cut_anywhere_loses_nothing(rows, data):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    text = out.getvalue()
    raw = text.encode()
    cut = data.draw(st.integers(0, len(raw)))
    first = raw[:cut].decode("utf-8", "ignore")
    whole, _, _, at = scan(first, last=False) if first else ([], [], [], 0)
    rest, _, _, _ = scan(raw[at:].decode()) if raw[at:] else ([], [], [], 0)
    assert whole + rest == rows


def test_unclosed_quotes_do_not_make_the_work_quadratic():
    n = 20_000
    text = "\n".join(['1,"2,3', "4,5,6"] * n)
    _, status, _, _ = scan(text, limit=3 * n)
    assert status.count(0) >= n - 1
