"""Arrays of any length are taken apart, and texts are unescaped at any distance from the ends of words of eight bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from extractscan.logs.jsonsplit import elements
from extractscan.logs.spans import PLAIN, STRING, as_utf8
from extractscan.logs.textspans import take


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
    texts = ["x" * before + middle + "y" * after for middle in ('"', "\\", "\n", "é", "漢", "😀", "é\\") for before in range(18) for after in (0, 1, 9)]  # fmt: skip
    for plain_ascii in (True, False):
        buf, starts, ends = _buffer([json.dumps(text, ensure_ascii=plain_ascii).encode() for text in texts])
        series, repaired = take(
            as_utf8(buf) if trusted else buf, starts + 1, ends - 1, np.full(len(starts), STRING, np.uint8)
        )
        assert series.to_list() == texts
        assert repaired == 0


def test_broken_bytes_at_every_distance() -> None:
    texts = [
        b"x" * before + middle + b"y" * 9 for middle in (b"\xff", b"\xe6\xbc", b"\xc3", b"\x80") for before in range(18)
    ]
    buf, starts, ends = _buffer(texts)
    series, repaired = take(buf, starts, ends, np.full(len(starts), PLAIN, np.uint8))
    assert series.to_list() == [text.decode(errors="replace") for text in texts]
    assert repaired == len(texts)
