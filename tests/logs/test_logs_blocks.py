"""Arrays of any length are taken apart, and texts are found and unescaped at any distance from the ends of blocks of bytes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from extractscan.logs import jsonscan
from extractscan.logs.jsonsplit import elements
from extractscan.logs.names import fold
from extractscan.logs.paths import Tree, wants
from extractscan.logs.pathscan import project
from extractscan.logs.spans import GOOD, PLAIN, QUOTED, STRING, KeyTable, as_utf8
from extractscan.logs.textspans import take

SPOTS = (*range(18), *range(55, 75), *range(120, 131))
"""Distances around the ends of blocks."""


def _buffer(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ends = np.cumsum([len(text) for text in texts])
    return np.frombuffer(b"".join(texts), np.uint8), ends - [len(text) for text in texts], ends


def test_arrays_longer_than_there_is_room_for() -> None:
    lists: list[list[object]] = [[], list(range(100)), ["a"] * 9, [{"k": [1, 2]}], list(range(1000)), [None]]
    texts = [json.dumps(one).encode() for one in lists]
    texts.insert(3, b"[" + b"1," * 500)  # never closed: counted for nothing
    buf, starts, ends = _buffer(texts)
    counts, start, end, _ = elements(buf, starts, ends)
    assert counts.tolist() == [0, 100, 9, -1, 1, 1000, 1]
    found = [bytes(buf[a:b]).decode() for a, b in zip(start, end, strict=True)]
    assert found == [one if isinstance(one, str) else json.dumps(one) for held in lists for one in held]


@pytest.mark.parametrize("trusted", [True, False])
def test_escapes_and_breaks_at_every_distance(trusted: bool) -> None:
    middles = ('"', "\\", "\\\\", "\\" * 65, "\n", "é", "漢", "😀", 'é\\"n', '"' * 70)
    texts = ["x" * before + middle + "y" * after for middle in middles for before in SPOTS for after in (0, 1, 60, 140)]  # fmt: skip
    for plain_ascii in (True, False):
        buf, starts, ends = _buffer([json.dumps(text, ensure_ascii=plain_ascii).encode() for text in texts])
        series, repaired = take(
            as_utf8(buf) if trusted else buf, starts + 1, ends - 1, np.full(len(starts), STRING, np.uint8)
        )
        assert series.to_list() == texts
        assert repaired == 0


def test_broken_bytes_at_every_distance() -> None:
    middles = (b"\xff", b"\xe6\xbc", b"\xc3", b"\x80", b"\x80\\\xe6")
    texts = [b"x" * before + middle + b"y" * 90 for middle in middles for before in SPOTS]
    buf, starts, ends = _buffer(texts)
    series, repaired = take(buf, starts, ends, np.full(len(starts), PLAIN, np.uint8))
    assert series.to_list() == [text.decode(errors="replace") for text in texts]
    assert repaired == len(texts)


def test_quotes_in_quoted_fields_at_every_distance() -> None:
    texts = ["x" * before + middle + "y" * after for middle in ('"', '""', '"' * 65, '"é"') for before in SPOTS for after in (0, 1, 140)]  # fmt: skip
    buf, starts, ends = _buffer([text.replace('"', '""').encode() for text in texts])
    for one in (buf, as_utf8(buf)):
        assert take(one, starts, ends, np.full(len(starts), QUOTED, np.uint8))[0].to_list() == texts


ESCAPES = [rf"\{c}" for c in '"\\/bfnrtu0x\''] + [r"\u0041", r"\ud83d\ude00", r"\ud83d", r"\u00g1", r"\u12", r"\\\"", r"\\u12", '"', "\\" * 64]  # fmt: skip


@pytest.mark.parametrize("after", [0, 3, 70])
def test_escapes_are_judged_at_every_distance(after: int) -> None:
    """As ``json`` judges them, and the text is what it says."""
    texts = ["x" * before + escape + "y" * after for escape in ESCAPES for before in SPOTS]
    records = [f'{{"role":"{text}"}}'.encode() for text in texts]
    buf, starts, ends = _buffer(records)
    for cut in (0, 2, 3):
        counts, *_ = elements(*_buffer([b"[" + record[: len(record) - cut] + b"]" for record in records]))
        assert [_count(record[: len(record) - cut]) for record in records] == counts.tolist()
    tree = Tree(wants({"role": ("role",)}))
    spans = project(buf, starts, ends, tree)
    read = take(buf, spans.start[0], spans.end[0], np.where(spans.status == GOOD, spans.kind[0], 0).astype(np.uint8))[0]
    for record, status, text in zip(records, spans.status, read, strict=True):
        try:
            expected = json.loads(record)["role"]
        except ValueError:
            assert status < GOOD
            continue
        assert status == GOOD
        assert text == re.sub("[\ud800-\udfff]", "\ufffd", expected)


def _count(text: bytes) -> int:
    try:
        return len(json.loads(b"[" + text + b"]"))
    except ValueError:
        return -1


@pytest.mark.parametrize("white", [1, 2, 3, 7])
def test_names_that_come_again_are_those_that_stand_there(white: int) -> None:
    """A name that was read in an earlier record is not read again; what only begins like it, is."""
    rows = [
        {"user": "a", "model": "b"},
        {"user": "c", "model": "d"},
        {"user ": "e", "models": "x", "model": "f"},
        {"users": "x", "model": "g", "user": "h"},
        {"us\\er": "i"},
        {"user": "j", "model": "k"},
        {"model": "l", "user": "m"},
        {"model": "n", "user": {"user": "x"}},
        {"x": {"user": "x", "model": "x"}, "user": "o"},
        {"k" * 70: "x", "user": "p"},
    ]
    ways = [(",", ":"), (", ", ": "), (" ,\t", " :  ")]
    for first in range(3):
        texts = [json.dumps(row, separators=ways[(first + k // white) % 3]).encode() for k, row in enumerate(rows)]
        buf, starts, ends = _buffer([*texts, b'{"user":', b'{"user"', texts[0], b" " * 64])
        buf, starts, ends = as_utf8(buf), starts[:-1], ends[:-1]
        tree = Tree(wants({"user": ("user",), "model": ("model",)}))
        names = {fold(name): ((name, 0),) for name in ("user", "model")}
        other = jsonscan.project(buf, starts, ends, KeyTable(names, tree.cells, frozenset()))
        spans = project(buf, starts, ends, tree)
        assert (spans.start == other.start).all()
        assert (spans.end == other.end).all()
        assert spans.status.tolist() == [0] * len(rows) + [-2, -2, 0]
        found = {
            name: take(buf, spans.start[k], spans.end[k], np.where(spans.kind[k] == STRING, STRING, 0).astype(np.uint8))[0].to_list()
            for k, name in enumerate(tree.cells)
        }  # fmt: skip
        assert found["user"] == ["a", "c", "e", "h", "i", "j", "m", None, "o", "p", None, None, "a"]
        assert found["model"] == ["b", "d", "f", "g", None, "k", "l", "n", None, None, None, None, "b"]
