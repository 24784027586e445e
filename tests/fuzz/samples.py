"""Records that real systems wrote, where they are at hand (else their look-alikes), changed as nobody would write them."""

from __future__ import annotations

import contextlib
import json

from fuzzing import CHANGES, FRAGMENTS, JSON, RECORDS, SPOT, WORDS, places, spoiled
from hypothesis import strategies as st
from logs_help import SAMPLES


def _records(path):
    text = path.read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    return [record for record in (found if isinstance(found, list) else [found]) if isinstance(record, dict)]


FILES = sorted(path for path in SAMPLES.rglob("*.json*") if path.is_file()) if SAMPLES.is_dir() else []
SOURCES = {name: found for name, found in ((str(path.relative_to(SAMPLES)), _records(path)) for path in FILES) if found}
SOURCES = SOURCES or RECORDS


class Number(str):
    """A number as it is written."""

    __slots__ = ()


class Object(list):
    """The members of an object, in order; a name may come twice."""


def parsed(text):
    """A record with its numbers as they are written, and all members. Raises ValueError."""
    value = json.loads(
        text, strict=False, object_pairs_hook=Object, parse_float=Number, parse_int=Number, parse_constant=Number
    )
    if not isinstance(value, Object):
        raise json.JSONDecodeError("not an object", text, 0)
    return value


def written(value, *, plain_ascii, between=""):
    """The JSON text of a parsed value, with white space ``between`` all tokens."""

    def text(one):
        match one:
            case Number():
                return str(one)
            case Object():
                inner = f"{between},{between}".join(f"{string(k)}{between}:{between}{text(v)}" for k, v in one)
                return f"{{{between}{inner}{between}}}"
            case list():
                return f"[{between}{f'{between},{between}'.join(map(text, one))}{between}]"
            case str():
                return string(one)
            case _:
                return json.dumps(one)

    def string(one):
        made = json.dumps(one, ensure_ascii=plain_ascii)
        # A lone surrogate has no bytes of its own.
        return made if plain_ascii else "".join(json.dumps(c)[1:-1] if "\ud800" <= c <= "\udfff" else c for c in made)

    return text(value)


def _at(record, path):
    for key in path:
        record = record[key]
    return record


def _changed(record, path, kind, absurd, word, spot):
    """The text of a record with one value changed."""
    mark = "\u0001here\u0001"
    old = _at(record, path)
    copy = json.loads(json.dumps(record))
    parent = _at(copy, path[:-1])
    text = json.dumps(old)
    if isinstance(old, str) and kind in ("cut", "insert"):
        at = int(spot * len(old))
        text = json.dumps(old[:at] + (word + old[at:] if kind == "insert" else ""))
    elif kind == "drop":
        del parent[path[-1]]
        return json.dumps(copy)
    elif kind == "nest":
        text = ("[{}]", '{{"value":{}}}', '[{{"type":"text","text":{}}}]')[int(spot * 3)].format(text)
    elif kind == "wrap":
        text = json.dumps(text)
    elif kind == "twice" and isinstance(path[-1], str):
        parent[path[-1]] = mark
        name = json.dumps(path[-1])
        return json.dumps(copy).replace(json.dumps(mark), f"{text}, {name}: {absurd}", 1)
    elif kind == "swap":
        others = [other for other in places(record) if other[: len(path)] != path]
        text = json.dumps(_at(record, others[int(spot * len(others))])) if others else text
    else:
        text = absurd
    parent[path[-1]] = mark
    return json.dumps(copy).replace(json.dumps(mark), text, 1)


@st.composite
def changed(draw, name):
    """A record of a source as one line of bytes, with a value changed and perhaps spoiled bytes."""
    record = draw(st.sampled_from(SOURCES[name]))
    path = draw(st.sampled_from(sorted(places(record), key=str)))
    kind = draw(st.sampled_from(["swap", "twice", "drop", "nest", "wrap", "cut", "insert", "absurd"]))
    text = _changed(record, path, kind, draw(FRAGMENTS | JSON), draw(WORDS), draw(SPOT))
    between = draw(st.sampled_from([None, "", " ", "\t "]))
    if between is not None:
        with contextlib.suppress(ValueError, RecursionError):
            text = written(parsed(text), plain_ascii=False, between=between)
    data = text.replace("\n", " ").encode("utf-8", "surrogatepass")
    return spoiled(data, draw(CHANGES)) if draw(st.booleans()) else data


def depth(value):
    """How deep a parsed value is nested."""
    inner = [v for _, v in value] if isinstance(value, Object) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def names(value):
    """All names in a parsed value."""
    if isinstance(value, Object):
        for name, inner in value:
            yield name
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)


def plain(value):
    """A text that is JSON, without the white space that stands between its parts."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return written(parsed(f'{{"":{value}}}'), plain_ascii=True)
    except (ValueError, RecursionError):
        return value
