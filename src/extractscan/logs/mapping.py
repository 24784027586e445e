"""A format: how one system's records feed the canonical table. Declared in TOML, by the package or by a user."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from extractscan.errors import UsageError
from extractscan.logs.names import LATENCY_S
from extractscan.logs.paths import PathError, lookup, parse_path
from extractscan.logs.schema import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENDED: Final = "ended"
"""The slot of the time at which a request ended; with ``timestamp`` it gives ``latency_ms``."""

ADDED_READ: Final = "cache_read_tokens"
ADDED_WRITE: Final = "cache_write_tokens"
"""Slots of cached tokens that the record's own input count leaves out (Anthropic, Bedrock): they are added to it."""

JOIN: Final = "join_key"
"""The slot of the key under which a side table (see ``sides``) holds more of a request."""

SEQUENCE: Final = "sequence"
SPEAKER: Final = "speaker"
SAID: Final = "said"
"""Slots of records that are parts of a request: their order, and who says what in one that is a single message."""

PARTS: Final = (ENDED, ADDED_READ, ADDED_WRITE, JOIN, SEQUENCE, SPEAKER, SAID)
FIELD_SLOTS: Final = (*CANONICAL, LATENCY_S, *PARTS)

BODIES: Final = ("request", "response", "conversation", "indexed", "request_reference", "response_reference")

_SECTIONS: Final = {
    "format": {"name", "title", "extends", "lacks", "note"},
    "detect": {"all", "any", "none", "equals"},
    "input": {"skip_paths", "unwrap", "explode", "bare", "filter", "attributes", "text", "unreadable", "role", "joins",
              "group"},
    "fields": set(FIELD_SLOTS),
    "outer": set(FIELD_SLOTS),
    "body": set(BODIES) | {"dialect"},
    "quality": {"truncated", "redacted"},
}  # fmt: skip
_TIMES: Final = ("iso", "epoch_s", "ms", "us", "ns", "auto")


@dataclass(frozen=True, slots=True)
class Field:
    """Where a slot's values are: paths, best first; what words among them stand for; the unit of a time."""

    paths: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    unit: str = "auto"


@dataclass(frozen=True, slots=True)
class Detect:
    """What a record of the format looks like: all of these paths, one of those, none of these, and values."""

    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    equals: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Test:
    """One condition on a record: the value at ``path`` is (``negated``: is not) one of ``values``; no values: is there."""

    path: str
    values: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A mapping, checked.

    ``unwrap`` are paths under which the record may be found too; ``explode`` are lists whose elements are the requests
    (``a[].b[]``), of which ``outer`` fields are looked for on the way; with ``bare`` a record without the list is a request
    itself. A record is kept if any of ``tests`` holds. ``attributes`` name lists of ``{key, value}``, ``texts`` strings that
    are JSON. ``unreadable`` says why records of this kind cannot be read at all. ``role`` names a side table that the
    records go to instead of being requests; ``joins`` are the side tables to take missing values from. ``group``: several
    records with one ``join_key`` are one request.
    """

    name: str
    title: str
    detect: Detect
    fields: Mapping[str, Field]
    outer: Mapping[str, Field] = field(default_factory=dict)
    bodies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lacks: str = ""
    note: str = ""
    skip_paths: tuple[str, ...] = ()
    unwrap: tuple[str, ...] = ()
    explode: tuple[tuple[str, ...], ...] = ()
    bare: bool = False
    tests: tuple[Test, ...] = ()
    attributes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()
    unreadable: str = ""
    role: str = ""
    joins: tuple[str, ...] = ()
    group: bool = False
    own: bool = False


@cache
def builtin() -> tuple[Format, ...]:
    """The formats of the package, in order of name."""
    folder = resources.files("extractscan.logs") / "formats"
    texts = {e.name: e.read_text(encoding="utf-8") for e in folder.iterdir() if e.name.endswith(".toml")}
    raw = {name: tomllib.loads(text) for name, text in texts.items()}
    by_name = {table["format"]["name"]: table for table in raw.values()}
    return tuple(sorted((_format(table, name, by_name) for name, table in raw.items()), key=lambda f: f.name))


def load(path: str | Path) -> Format:
    """A user's mapping file. Raises UsageError, with all that is wrong with it in one message."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"--mapping {path}: {(error.strerror or 'cannot be read').lower()}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--mapping {path}: not TOML: {error}") from error
    return replace(_format(table, str(path), {f.name: {} for f in builtin()}), own=True)


def _format(table: Mapping[str, Any], where: str, known: Mapping[str, Mapping[str, Any]]) -> Format:
    wrong: list[str] = []
    for section, keys in table.items():
        allowed = _SECTIONS.get(section)
        if allowed is None or not isinstance(keys, dict):
            wrong.append(f"there is no section [{section}]; there are {', '.join(_SECTIONS)}")
            continue
        wrong.extend(
            f"[{section}] has no {key!r}; it has {', '.join(sorted(allowed))}" for key in keys if key not in allowed
        )
    head, given = table.get("format", {}), table.get("input", {})
    parent = _parent(head, known, wrong)
    name = head.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        wrong.append("[format] name must be a word of a-z, 0-9 and -")
    detect = table.get("detect", {})
    found = Format(
        name=str(name),
        title=str(head.get("title", name)),
        lacks=str(head.get("lacks", "")),
        note=str(head.get("note", "")),
        detect=Detect(
            _paths(detect.get("all", []), "[detect] all", wrong),
            _paths(detect.get("any", []), "[detect] any", wrong),
            _paths(detect.get("none", []), "[detect] none", wrong),
            {_path(k, "[detect] equals", wrong): str(v) for k, v in detect.get("equals", {}).items()},
        ),
        fields=_fields(table, "fields", parent, wrong),
        outer=_fields(table, "outer", parent, wrong),
        bodies={
            key: (*_paths(table.get("body", {}).get(key, []), f"[body] {key}", wrong, check=key != "indexed"),
                  *_strings(parent.get("body", {}).get(key, []), f"[body] {key}", wrong))
            for key in BODIES
            if key in table.get("body", {}) or key in parent.get("body", {})
        },
        skip_paths=tuple(given.get("skip_paths", [])),
        unwrap=_paths(given.get("unwrap", []), "[input] unwrap", wrong),
        explode=tuple(_steps(text, wrong) for text in _strings(given.get("explode", []), "[input] explode", wrong)),
        bare=bool(given.get("bare", False)),
        tests=tuple(_test(text, wrong) for text in _strings(
            given.get("filter", parent.get("input", {}).get("filter", [])), "[input] filter", wrong) if text),
        attributes=_strings(given.get("attributes", []), "[input] attributes", wrong),
        texts=_paths([one for table in (given, parent.get("input", {}))
                      for one in _strings(table.get("text", []), "[input] text", wrong)], "[input] text", wrong),
        truncated=_strings(table.get("quality", {}).get("truncated", []), "[quality] truncated", wrong),
        redacted=_strings(table.get("quality", {}).get("redacted", []), "[quality] redacted", wrong),
        unreadable=str(given.get("unreadable", "")),
        role=str(given.get("role", "")),
        joins=_strings(given.get("joins", []), "[input] joins", wrong),
        group=bool(given.get("group", False)),
    )  # fmt: skip
    if not (found.detect.every or found.detect.some or found.detect.equals):
        wrong.append("[detect] must say what records look like: all, any or equals")
    if wrong:
        raise UsageError(f"{where}: " + "; ".join(wrong))
    return found


def _parent(head: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], wrong: list[str]) -> Mapping[str, Any]:
    name = head.get("extends")
    if name is None:
        return {}
    if name not in known:
        wrong.append(f"[format] extends: no format is called {name!r}")
        return {}
    found = known[name]
    if not found:  # a user's mapping builds on one of the package's
        text = (resources.files("extractscan.logs") / "formats" / f"{name}.toml").read_text(encoding="utf-8")
        found = tomllib.loads(text)
    above = _parent(found.get("format", {}), known, wrong)
    return {key: {**above.get(key, {}), **found.get(key, {})} for key in {*above, *found}} if above else found


def _strings(value: Any, where: str, wrong: list[str]) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        wrong.append(f"{where} must be text or a list of texts")
        return ()
    return tuple(values)


def _path(text: str, where: str, wrong: list[str]) -> str:
    try:
        parse_path(text)
    except PathError as error:
        wrong.append(f"{where}: {error}")
    return text


def _paths(value: Any, where: str, wrong: list[str], *, check: bool = True) -> tuple[str, ...]:
    texts = _strings(value, where, wrong)
    return tuple(_path(text, where, wrong) for text in texts) if check else texts


def _fields(table: Mapping[str, Any], section: str, parent: Mapping[str, Any], wrong: list[str]) -> dict[str, Field]:
    out: dict[str, Field] = {}
    for source in (table.get(section, {}), parent.get(section, {})):
        for slot, value in source.items():
            name = _ALIASES.get(slot, slot)
            where = f"[{section}] {slot}"
            if isinstance(value, dict):
                if extra := set(value) - {"path", "as", "map"}:
                    wrong.append(f"{where} has no {', '.join(sorted(extra))}; it has path, as, map")
                unit = value.get("as", "auto")
                if unit not in _TIMES:
                    wrong.append(f"{where}: as must be one of {', '.join(_TIMES)}")
                words = {str(k): str(v) for k, v in value.get("map", {}).items()}
                made = Field(_paths(value.get("path", []), where, wrong), words, unit)
            else:
                made = Field(_paths(value, where, wrong))
            before = out.get(name)
            out[name] = made if before is None else replace(before, paths=(*before.paths, *made.paths))
    return out


_ALIASES: Final = {"account": "account_id", "org": "org_id"}
for _short in _ALIASES:
    _SECTIONS["fields"].add(_short)
    _SECTIONS["outer"].add(_short)


def _steps(text: str, wrong: list[str]) -> tuple[str, ...]:
    """``a.b[].c[]`` as ``("a.b", "c")``."""
    if not re.fullmatch(r"[^\[\]]+\[\](\.[^\[\]]+\[\])*", text):
        wrong.append(f"[input] explode: {text!r} is not a path like a[].b[]")
        return ()
    return tuple(_path(part.lstrip("."), "[input] explode", wrong) for part in text.split("[]") if part)


def _test(text: str, wrong: list[str]) -> Test:
    match = re.fullmatch(r"\s*(\S+)\s+(==|!=|in|exists)\s*(.*?)\s*", text)
    if match is None:
        wrong.append(f'[input] filter: {text!r} is not PATH == "value", PATH in ["a", "b"] or PATH exists')
        return Test("x")
    path, operator, rest = match.groups()
    _path(path, "[input] filter", wrong)
    if operator == "exists":
        return Test(path)
    try:
        value = json.loads(rest)
    except ValueError:
        wrong.append(f"[input] filter: {rest!r} is no value in JSON")
        return Test(path)
    values = value if isinstance(value, list) else [value]
    return Test(path, tuple(str(v) for v in values), operator == "!=")


def fits(format_: Format, record: Mapping[str, Any]) -> float:
    """How much speaks for one record being of the format: 0 if it is not, else one for each sign that is there."""
    return max(_fits(format_.detect, _value(record, at) if at else record) for at in ("", *format_.unwrap))


def _fits(detect: Detect, record: Any) -> float:
    if record is None:
        return 0.0

    def there(path: str) -> bool:
        return _present(record, path)

    if not all(there(path) for path in detect.every) or any(there(path) for path in detect.none):
        return 0.0
    some = sum(there(path) for path in detect.some)
    values = {path: _value(record, path) for path in detect.equals}
    if any(values[path] is not None and str(values[path]) != wanted for path, wanted in detect.equals.items()):
        return 0.0
    equal = sum(value is not None for value in values.values())
    if not (equal or detect.every or detect.some):
        return 0.0
    if detect.some and not some:
        return 0.0
    # Further names of the same list say little more than the first.
    return len(detect.every) + 2 * equal + (1 + some / (1 + some) if some else 0)


@lru_cache(maxsize=4096)
def _openings(path: str) -> frozenset[str]:
    """The keys of a record with which a path can begin: one or more of its segments."""
    segments = parse_path(path)
    return frozenset(".".join(segments[: k + 1]) for k in range(len(segments)))


def _begins(record: Any, path: str) -> bool:
    """Whether a path can lead anywhere in a record: most do not, and there are hundreds of them."""
    return not isinstance(record, dict) or not record.keys().isdisjoint(_openings(path))


def _value(record: Any, path: str) -> Any:
    return lookup(record, parse_path(path)) if _begins(record, path) else None


def _present(record: Any, path: str) -> bool:
    """Whether a record has a key, even with null under it."""
    if not _begins(record, path):
        return False
    segments = parse_path(path)
    if lookup(record, segments) is not None:
        return True
    for k in range(len(segments) - 1, -1, -1):
        above = lookup(record, segments[:k]) if k else record
        if isinstance(above, dict):
            return ".".join(segments[k:]) in above
    return False


def starter(name: str, guesses: Mapping[str, Sequence[str]], detect: Sequence[str], request: str, response: str) -> str:
    """The text of a mapping file to begin with."""

    def quoted(values: Sequence[str]) -> str:
        return json.dumps(values[0] if len(values) == 1 else list(values), ensure_ascii=False)

    lines = [
        "[format]",
        f"name = {json.dumps(name)}",
        "",
        "[detect]",
        f"all = {json.dumps(list(detect), ensure_ascii=False)}",
        "",
    ]
    lines.append("[fields]")
    for slot in ("request_id", "timestamp", "account_id"):
        given = guesses.get(slot)
        lines.append(
            f"{slot} = {quoted(given)}"
            if given
            else f'# {slot} = "…"    # required'
            if slot != "request_id"
            else f'# {slot} = "…"'
        )
    lines.extend(f"{slot} = {quoted(paths)}" for slot, paths in guesses.items()
                 if slot not in ("request_id", "timestamp", "account_id") and slot in CANONICAL and paths)  # fmt: skip
    lines += ["", "[body]"]
    lines.append(f"request = {json.dumps(request, ensure_ascii=False)}" if request else '# request = "…"')
    lines.append(f"response = {json.dumps(response, ensure_ascii=False)}" if response else '# response = "…"')
    return "\n".join(lines) + "\n"
