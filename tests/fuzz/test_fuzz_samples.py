"""Samples of real logs, changed: what is bad is what ``json`` calls bad, and the rest is read however it is written."""

from __future__ import annotations

import json

import pytest
from fuzzing import count, fuzz, some
from hypothesis import given
from hypothesis import strategies as st
from reading import GROUPED, check, outcome
from samples import SOURCES, changed, depth, names, parsed, plain, written

DEPTH = range(380, 1200)
"""Values nested so deep may be refused or not: what is gone into counts for less."""
MADE = ("req_", "conv_")
"""How identifiers begin that are made from what a record says, in its own words."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "log"


def judged(line):
    """A line as ``json`` reads it; None for one that is blank, False for one that it does not read, True if that is not known."""
    text = line.decode("utf-8", "replace")
    if not text.strip(" \t\r"):
        return None
    try:
        value = parsed(text)
    except ValueError:
        return False
    except RecursionError:
        return True
    return True if depth(value) in DEPTH else value


def escaped_names(line, value):
    """Whether a name in a line is written with escapes: names are compared as they are written."""
    raw = line.decode("utf-8", "replace")
    return any("\\" in json.dumps(name, ensure_ascii=False) or f'"{name}"' not in raw for name in names(value))


@fuzz("samples", 30)
@given(st.sampled_from(sorted(SOURCES)), st.booleans(), st.sampled_from(["", " ", " \t"]), st.data())
def test_changed_samples(place, name, plain_ascii, between, data):
    good = json.dumps(SOURCES[name][0]).encode()
    found = data.draw(some("samples", changed(name), most=2))
    count("samples", len(found))
    body = b"\n".join([good, *found, good]) + b"\n"
    place.write_bytes(body)
    frame, summary = check(place, rows=2, complete=False)
    lines = body.split(b"\n")
    told = [judged(line) for line in lines]
    if summary is None or summary.files[0].format.split(" ")[0] == "json" or name == GROUPED:
        return
    bad = {entry.line for entry in summary.quarantine}
    unsure = {k for k, value in enumerate(told, 1) if value is True}
    assert bad - unsure == {k for k, value in enumerate(told, 1) if value is False}, (bad, unsure)

    known = [
        isinstance(value, list) and not escaped_names(line, value) for line, value in zip(lines, told, strict=True)
    ]
    again = [
        written(value, plain_ascii=plain_ascii, between=between).encode() if sure else line
        for line, value, sure in zip(lines, told, known, strict=True)
    ]
    place.write_bytes(b"\n".join(again))
    other, *_ = outcome(place, complete=False)
    assert other.height == frame.height
    for column in frame.columns:
        for one, two in zip(frame[column].to_list(), other[column].to_list(), strict=True):
            made = isinstance(one, str) and one.startswith(MADE) and str(two).startswith(MADE)
            assert plain(one) == plain(two) or made, (column, one, two)
