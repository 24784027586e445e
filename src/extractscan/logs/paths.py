"""Paths into nested records: how they are written, looked up, and put together as a tree for the scanner.

A path is written ``a.b.c``; ``[0]`` after a name takes the first element of a list,
``[*]`` any. A key of a record may itself hold
dots (``gen_ai.usage.input_tokens``, a flattened column ``request.body``): every way to cut a path at its dots is tried.
A JSON text inside a string, and a list of ``{key, value}`` attributes, are gone into as if they were objects.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.logs.names import fold
from extractscan.logs.spans import name_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FIRST: Final = "[0]"
"""The segment that stands for the first element of a list."""

EACH: Final = "[*]"
"""The segment that stands for any element of a list; of several values the last counts."""

_LISTS: Final = frozenset({FIRST, EACH})

MAX_DEPTH: Final = 24
"""Segments of a path, at the most."""

_WHOLE: Final = 6
"""Longer paths are tried with every dot as a step, and in two pieces, only: the ways to cut double with each dot."""

_WORST: Final = 252

NODE_FACTOR: Final = 0x9E3779B97F4A7C15
"""Spreads the numbers of nodes over the table of children."""


class PathError(ValueError):
    """A path that cannot be understood."""


@lru_cache(maxsize=4096)
def parse_path(text: str) -> tuple[str, ...]:
    """Segments of a path. Raises PathError."""
    if not re.fullmatch(r"[^.\[\]]+(\[[0*]\])*(\.[^.\[\]]+(\[[0*]\])*)*", text):
        raise PathError(f"{text!r} is not a path like a.b[0].c")
    parts = [part for part in re.split(r"\.|(\[[0*]\])", text) if part]
    if len(parts) > MAX_DEPTH:
        raise PathError(f"{text!r} is too deep")
    return tuple(parts)


def cuts(segments: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every way to read ``segments`` as keys: neighbours may be one key with a dot in it."""
    if not segments:
        yield ()
        return
    at = _list_at(segments)
    if at < len(segments):
        for before in cuts(segments[:at]):
            for after in cuts(segments[at + 1 :]):
                yield (*before, segments[at], *after)
        return
    n = len(segments)
    if n > _WHOLE:
        yield tuple(segments)
        yield (".".join(segments),)
        for k in range(1, n):
            yield (".".join(segments[:k]), ".".join(segments[k:]))
        return
    for mask in range(1 << (n - 1)):
        keys, held = [], [segments[0]]
        for k in range(1, n):
            if mask >> (k - 1) & 1:
                held.append(segments[k])
            else:
                keys.append(".".join(held))
                held = [segments[k]]
        yield (*keys, ".".join(held))


def _list_at(segments: Sequence[str]) -> int:
    """Index of the first segment that stands for an element of a list; the number of segments if there is none."""
    return next((k for k, part in enumerate(segments) if part in _LISTS), len(segments))


def as_attributes(value: list[Any]) -> dict[str, Any] | None:
    """A list of ``{key, value: {stringValue: …}}`` as a dict; None if it is no such list."""
    out: dict[str, Any] = {}
    for entry in value:
        if not (isinstance(entry, dict) and isinstance(entry.get("key"), str) and "value" in entry):
            return None
        held = entry["value"]
        out[entry["key"]] = next(iter(held.values()), None) if isinstance(held, dict) else held
    return out if value else None


@lru_cache(maxsize=32)
def _json_in(text: str) -> Any:
    """JSON in a string, kept for a moment: one record is asked for many paths. Not to be changed."""
    return json.loads(text, strict=False)


def lookup(record: Any, segments: Sequence[str]) -> Any:
    """The value at a path in a record of plain Python objects; None if there is none. The scanner's slow twin."""
    if not segments:
        return record
    if isinstance(record, str) and record[:1] in "{[":
        with contextlib.suppress(ValueError, RecursionError):
            record = _json_in(record)
    if segments[0] == EACH:
        found = [lookup(one, segments[1:]) for one in record] if isinstance(record, list) else []
        return next((one for one in reversed(found) if one is not None), None)
    if segments[0] == FIRST:
        return lookup(record[0], segments[1:]) if isinstance(record, list) and record else None
    if isinstance(record, list):
        record = as_attributes(record)
    if not isinstance(record, dict):
        return None
    for k in range(_list_at(segments), 0, -1):
        key = ".".join(segments[:k])
        if key in record:
            found = lookup(record[key], segments[k:])
            if found is not None:
                return found
    return None


@dataclass(frozen=True, slots=True)
class Want:
    """One path and the cell that its value goes to; of several in one row the lowest ``rank`` stays."""

    path: tuple[str, ...]
    cell: str
    rank: int


class Tree:
    """Wanted paths as arrays for the kernel: nodes, an open-addressing table of their children, and their cells.

    ``attributes`` are names of lists of ``{key, value}``. ``texts`` are paths of strings that may be JSON text, and are
    then to be gone on with: ``nested`` maps the cell of each to its node. ``cells`` names all output columns. In the
    cells of ``keep_blank`` an empty string is a value.
    """

    def __init__(
        self,
        wants: Iterable[Want],
        *,
        attributes: Iterable[str] = (),
        texts: Iterable[str] = (),
        keep_blank: frozenset[str] = frozenset(),
    ) -> None:
        self._names: list[dict[str, int]] = [{}]
        feeds: list[dict[str, int]] = [{}]
        for want in wants:
            for keys in cuts(want.path):
                node = 0
                for key in keys:
                    name = key if key in _LISTS else fold(key)
                    child = self._names[node].get(name)
                    if child is None:
                        child = len(self._names)
                        self._names[node][name] = child
                        self._names.append({})
                        feeds.append({})
                    node = child
                feeds[node][want.cell] = min(want.rank, feeds[node].get(want.cell, 255))
        marked = {fold(name) for name in attributes}
        self.nested: dict[str, int] = {}
        names = sorted({cell for feed in feeds for cell in feed})
        nested: dict[int, str] = {}
        for text in sorted(set(texts)):
            for keys in cuts(parse_path(text)):
                node = self._node(keys)
                if node > 0 and self._names[node]:
                    nested[node] = f"@{text}"
                    self.nested[f"@{text}"] = node
        self.cells = (*names, *self.nested)
        position = {cell: i for i, cell in enumerate(self.cells)}
        self.keep_blank = np.array([cell in keep_blank for cell in self.cells], np.bool_)
        count = len(self._names)
        self.first, self.count = np.zeros(count, np.int32), np.zeros(count, np.int32)
        self.inner = np.zeros(count, np.bool_)
        self.element = np.full(count, -1, np.int32)
        self.each = np.zeros(count, np.bool_)
        self.listed = np.zeros(count, np.bool_)
        self.deferred = np.full(count, -1, np.int32)
        slots: list[tuple[int, int]] = []
        edges: list[tuple[int, int]] = []
        for node, children in enumerate(self._names):
            self.first[node], self.count[node] = len(slots), len(feeds[node])
            slots.extend((position[cell], rank) for cell, rank in sorted(feeds[node].items()))
            self.inner[node] = bool(children)
            if node in nested:
                self.deferred[node] = position[nested[node]]
            for name, child in children.items():
                if name in _LISTS:
                    if self.element[node] >= 0:
                        raise PathError("one list is asked for its first element and for each")
                    self.element[node] = child
                    self.each[node] = name == EACH
                    continue
                self.listed[child] = name in marked
                edges.append((edge_hash(node, name_hash(name)), child))
                escaped = fold(json.dumps(name))
                if not name.isascii() and escaped != name:
                    edges.append((edge_hash(node, name_hash(escaped)), child))
        size = 16
        while size < 4 * len(edges):
            size *= 2
        self.hashes, self.child = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
        for h, node in edges:
            at = h & (size - 1)
            while self.child[at] >= 0:
                at = (at + 1) & (size - 1)
            self.hashes[at], self.child[at] = h, node
        self.feed_cell = np.array([cell for cell, _ in slots], np.int32)
        self.feed_rank = np.array([rank for _, rank in slots], np.uint8)

    def _node(self, keys: Sequence[str]) -> int:
        node = 0
        for key in keys:
            node = self._names[node].get(key if key in _LISTS else fold(key), -1) if node >= 0 else -1
        return node

    def find(self, name: str, node: int = 0) -> int:
        """The child of ``node`` under ``name``, -1 if there is none."""
        return self._names[node].get(fold(name), -1)

    def feeds(self, node: int) -> list[tuple[str, int]]:
        """Cells that ``node`` feeds, each with its rank."""
        span = range(self.first[node], self.first[node] + self.count[node])
        return [(self.cells[self.feed_cell[k]], int(self.feed_rank[k])) for k in span]


def edge_hash(node: int, name: int) -> int:
    """Hash of a child: of its name, and of the node it hangs on."""
    return name ^ ((node * NODE_FACTOR) & 0xFFFFFFFFFFFFFFFF)


def wants(table: Mapping[str, Sequence[str]], prefixes: Sequence[str] = ()) -> list[Want]:
    """Wants of a table of cells with their paths, best first; each path is also looked for under every prefix."""
    out: list[Want] = []
    for cell, paths in table.items():
        for place, path in enumerate(paths):
            segments = parse_path(path)
            rank = min(2 * place, _WORST)
            # What is wrapped is the record; a wrapper has a name or a time of its own.
            out.append(Want(segments, cell, rank + 1))
            out.extend(Want((*parse_path(prefix), *segments), cell, rank) for prefix in prefixes)
    return out
