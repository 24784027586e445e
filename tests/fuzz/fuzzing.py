"""How much to fuzz, and with what.

A short run is part of the suite and always the same. ``EXTRACTSCAN_FUZZ=100000 python -m pytest tests/fuzz`` runs at least so
many inputs, new ones every time; ``--hypothesis-seed=N`` repeats a run. What is found goes into ``test_fuzz_finds``.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from functools import reduce

from hostile import HOSTILE, harmful
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from lookalikes import SHAPES

from extractscan.logs.dialects import EVENT, REQUEST, RESPONSE

TOTAL = int(os.environ.get("EXTRACTSCAN_FUZZ", "0"))
SHARES = {
    "bodies": 0.24,
    "samples": 0.1,
    "streams": 0.08,
    "text": 0.1,
    "shapes": 0.06,
    "records": 0.22,
    "columnar": 0.06,
    "findings": 0.04,
    "words": 0.1,
}
"""Of a long run: what costs little, and what a log can reach most easily, gets most."""
TOGETHER = {"bodies": 10, "streams": 8, "records": 16, "samples": 8} if TOTAL else {}
"""Inputs of one example in a long run: they are read together, which costs little more than reading one."""
COUNTS: Counter[str] = Counter()


def fuzz(name, short):
    """Settings of one property: ``short`` examples in the suite, its share of the total in a long run."""
    return settings(
        max_examples=math.ceil(TOTAL * SHARES[name] / TOGETHER.get(name, 1)) if TOTAL else short,
        deadline=None,
        derandomize=not TOTAL,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def some(name, inputs, most):
    """Lists of inputs to be read together: one to ``most`` in the suite, as many as ``TOGETHER`` says in a long run."""
    n = TOGETHER.get(name)
    return st.lists(inputs, min_size=n or 1, max_size=n or most)


def count(name, inputs=1):
    """Count inputs."""
    COUNTS[name] += inputs


# --- hostile text -----------------------------------------------------------------------------------------------------

ALPHABET = st.one_of(
    st.sampled_from(sorted({c for text in HOSTILE.values() for c in text})),
    st.sampled_from(
        "aA0 \t\n\r\"'\\/<>&|=+-@;,:[]{}()#`*_~\x00\x1b\x7f\x9b\u202e\u2066\u200b\ufeff\ud800\udfff\U000e0041"
    ),
    st.characters(exclude_categories=[]),
)
WORDS = st.one_of(
    st.text(ALPHABET, max_size=12),
    st.sampled_from(sorted(HOSTILE.values())),
    st.tuples(st.sampled_from(sorted(HOSTILE.values())), st.text(ALPHABET, max_size=4)).map("".join),
)


def acting(text, allowed="\n"):
    """What in a text acts on a terminal or hides."""
    return harmful(text, allowed=allowed)


# --- absurd JSON ------------------------------------------------------------------------------------------------------

KEYS = sorted(
    {
        part
        for table in (REQUEST, RESPONSE, EVENT)
        for paths in table.values()
        for path in paths
        for part in path.replace("[0]", "").split(".")
    }
    | {
        "role",
        "parts",
        "type",
        "tool_calls",
        "arguments",
        "function",
        "key",
        "value",
        "stringValue",
        "arrayValue",
        "values",
    }
)

FRAGMENTS = st.sampled_from(
    [
        "NaN", "Infinity", "-Infinity", "-0", "1e999", "-1e-999", "9" * 400, "-" + "9" * 30, "1" * 25 + "." + "0" * 25,
        "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e18", "1772400000", "253402300800",
        "0.1e+05", "01", "+1", "1.", ".5", "0x10", "tru", "nul", "true", "null", '""', '"', '"\\u0000"', '"\\ud800"',
        '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u12"', '"\\x"', '"\\\\"', '"\\', "{}", "[]", "{", "[", "}", "]",
        "[,]", '{"a"}', '{"a":}', '{"a":1,}', "[" * 600 + "]" * 600, "[" * 300, '{"a":' * 600 + "1" + "}" * 600,
        '{"content":' * 40 + '"x"' + "}" * 40, "[" * 511 + "]" * 511, "[" * 512 + "]" * 512,
        '"data: {\\"choices\\":[{\\"delta\\":{\\"content\\":\\"a\\"}}]}\\n\\ndata: [DONE]"',
        '"data: {"', '"event: x"', '"[{\\"role\\":\\"user\\",\\"content\\":\\"a\\"}]"', '"\\"{}\\""', '"\x01"', "/*x*/1",
        "\u2028", "\ufeff1", " 1 ", '"2026-03-01T00:00:00Z"', '"9999-12-31T23:59:59.9999999+23:59"', '"0000-00-00"',
    ]
)  # fmt: skip
"""Pieces of JSON text, some of them valid."""

NAMES = st.sampled_from(KEYS) | st.text(ALPHABET, max_size=3)


def _object(members):
    # By hand, so that a name may come twice.
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"


def _wrapped(text):
    return json.dumps(text)


TEXTS = st.one_of(FRAGMENTS, WORDS.map(json.dumps), st.sampled_from(['"user"', '"assistant"', '"text"', '"system"']))
JSON = st.recursive(
    TEXTS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]"),
        st.lists(st.tuples(NAMES, inner), max_size=4).map(_object),
        inner.map(_wrapped),
    ),
    max_leaves=10,
)
"""JSON text, mostly valid, of shapes that nobody writes: names twice, NaN, lone surrogates, JSON within strings."""


# --- spoiled bytes ----------------------------------------------------------------------------------------------------

NASTY = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from(
        [
            b"\x00", b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80",
            b"\n", b"\r\n", b"\r", b'"', b'""', b"\\", b"\\u", b"{", b"}", b"[", b"]", b",", b":", b"NaN", b"\n\n", b"'", b";", b"\t",
            b"\x1b[2J", b"\xe2\x80\xae", b"9" * 40, b"[" * 700, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"PAR1", b"\x1f\x8b",
        ]
    ),
)  # fmt: skip
SPOT = st.floats(0, 1, exclude_max=True)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), SPOT, NASTY),
        st.tuples(st.just("replace"), SPOT, NASTY),
        st.tuples(st.just("flip"), SPOT, st.integers(1, 255)),
        st.tuples(st.just("cut"), SPOT, st.none()),
        st.tuples(st.just("drop"), SPOT, st.integers(1, 64)),
        st.tuples(st.just("repeat"), SPOT, st.integers(1, 200)),
    ),
    max_size=5,
)


def _change(data, change):
    kind, spot, what = change
    at = int(spot * len(data))
    match kind:
        case "insert":
            return data[:at] + what + data[at:]
        case "replace":
            return data[:at] + what + data[at + len(what) :]
        case "flip":
            return data[:at] + bytes([data[at] ^ what]) + data[at + 1 :] if data else data
        case "cut":
            return data[:at]
        case "drop":
            return data[:at] + data[at + what :]
        case _:
            return data[:at] + data[at : at + what] * 2 + data[at + what :]


def spoiled(data, changes):
    """The bytes after the changes."""
    return reduce(_change, changes, data)


def places(record, here=()):
    """Paths of all values in a record."""
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, value in items:
        yield (*here, key)
        yield from places(value, (*here, key))


def with_text(record, path, text):
    """The record as JSON with the value at ``path`` replaced by a piece of JSON text, valid or not."""
    mark = "\u0001here\u0001"
    return json.dumps(_put(record, path, mark)).replace(json.dumps(mark), text, 1)


def _put(record, path, value):
    if not path:
        return value
    copy = dict(record) if isinstance(record, dict) else list(record)
    copy[path[0]] = _put(record[path[0]], path[1:], value)
    return copy


RECORDS = {name: records for name, (records, _) in SHAPES.items()}
PLACES = {name: sorted(places(records[0]), key=str) for name, records in RECORDS.items()}
