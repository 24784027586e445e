"""Kernel that finds values at wanted paths of nested JSON in one pass, without building objects.

The same grammar (``jsongrammar``) and the same judgement of bad rows as ``jsonscan``, but objects, first elements and lists of attributes
on the way to a wanted value are gone into. A string on the way is reported as it is: it may be JSON text, for another
pass over its unescaped bytes (see ``cells``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.jsongrammar import (
    EARLY,
    INVALID,
    NOT_OBJECT,
    kind_of,
    scratch,
    skip_key,
    skip_space,
    skip_string,
    skip_value,
)
from extractscan.logs.jsonnames import key_hash, read_name, remember, seen_before
from extractscan.logs.paths import NODE_FACTOR
from extractscan.logs.spans import ABSENT, BLANK, GOOD, NUMBER, STRING, Spans, offsets, readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.logs.paths import Tree

_NODE: Final = np.uint64(NODE_FACTOR)
_LEVELS: Final = 32
_MEMBERS: Final = 32
"""Members that an object is thought to have."""
_SLOTS: Final = 511
"""One less than how many names are remembered, a power of two."""


def project(buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any], tree: Tree, node: int = 0) -> Spans:
    """Find the wanted values in each JSON value ``buf[starts[i]:ends[i]]``, whose place in the tree is ``node``."""
    spans = Spans(buf, tree.cells, len(starts))
    levels, seen = np.empty((5, _LEVELS), np.int64), np.zeros((4, _SLOTS + 1), np.int64)
    _project(
        readable(buf), offsets(starts), offsets(ends), scratch(), levels, seen, node, tree.hashes, tree.child, tree.first,
        tree.count, tree.inner, tree.element, tree.each, tree.listed, tree.deferred, tree.feed_cell, tree.feed_rank,
        tree.keep_blank, spans.start, spans.end, spans.kind, spans.rank, spans.status,
    )  # fmt: skip
    return spans


@leaf
def _lookup(hashes: Any, child: Any, node: int, name: Any) -> int:
    h = name ^ (np.uint64(node) * _NODE)
    mask = len(hashes) - 1
    at = np.int64(h & np.uint64(mask))
    while child[at] >= 0 and hashes[at] != h:
        at = (at + 1) & mask
    return int(child[at])


@leaf
def _record(
    buf: Any, node: int, begin: int, end: int, row: int, first: Any, count: Any, deferred: Any, feed_cell: Any,
    feed_rank: Any, keep_blank: Any, out_start: Any, out_end: Any, out_kind: Any, out_rank: Any,
) -> None:  # fmt: skip
    kind = kind_of(buf[begin])
    if kind == ABSENT or (kind == NUMBER and buf[end - 1] == 121):  # null, NaN, -Infinity
        return
    a, b = begin, end
    if kind == STRING:
        a, b = begin + 1, end - 1
    for f in range(first[node], first[node] + count[node]):
        cell = feed_cell[f]
        if feed_rank[f] > out_rank[cell, row] or (a == b and not keep_blank[cell]):
            continue
        out_start[cell, row] = a
        out_end[cell, row] = b
        out_kind[cell, row] = kind
        out_rank[cell, row] = feed_rank[f]
    cell = deferred[node]
    if kind == STRING and cell >= 0 and b - a > 1:
        out_start[cell, row] = a
        out_end[cell, row] = b
        out_kind[cell, row] = kind
        out_rank[cell, row] = 0


@leaf
def read_entry(buf: Any, i: int, end: int, stack: Any) -> tuple[int, Any, int, int]:
    """Read the object ``{key, value}`` at ``i``: index after it (negative on error), hash of the key, span of the value.

    The value's span is that of the first member of its own object (``{"stringValue": …}``), empty if there is none.
    """
    name_hash, begin, stop = np.uint64(0), i, i
    i = skip_space(buf, i + 1, end)
    if i < end and buf[i] == 125:
        return i + 1, name_hash, begin, stop
    while True:
        i = skip_space(buf, i, end)
        name = i + 1
        i = skip_key(buf, i, end)
        if i < 0:
            return i, name_hash, begin, stop
        i = skip_space(buf, i, end)
        at = i
        i = skip_value(buf, i, end, stack)
        if i < 0:
            return i, name_hash, begin, stop
        if buf[name] == 107 and buf[at] == 34:  # k
            name_hash = key_hash(buf, at + 1, i - 1)
        elif buf[name] == 118:  # v
            begin, stop = at, i
            if buf[at] == 123:
                k = skip_space(buf, at + 1, i)
                begin, stop = at, at
                if buf[k] != 125:
                    k = skip_space(buf, skip_key(buf, k, i), i)
                    begin, stop = k, skip_value(buf, k, i, stack)
        i = skip_space(buf, i, end)
        if i >= end:
            return EARLY, name_hash, begin, stop
        if buf[i] == 125:
            return i + 1, name_hash, begin, stop
        if buf[i] != 44:
            return INVALID, name_hash, begin, stop
        i += 1


@leaf
def _project(
    buf: Any, starts: Any, ends: Any, stack: Any, levels: Any, seen: Any, root: int, hashes: Any, child_of: Any, first: Any,
    count: Any, inner: Any, element: Any, each: Any, listed: Any, deferred: Any, feed_cell: Any, feed_rank: Any,
    keep_blank: Any, out_start: Any, out_end: Any, out_kind: Any, out_rank: Any, status: Any,
) -> None:  # fmt: skip
    s_node, s_begin, s_open, s_fresh, s_member = levels[0], levels[1], levels[2], levels[3], levels[4]
    for row in range(len(starts)):
        end = ends[row]
        i = skip_space(buf, starts[row], end)
        if i >= end:
            status[row] = BLANK
            continue
        list_root = buf[i] == 91 and (element[root] >= 0 or listed[root])
        if buf[i] != 123 and not list_root:
            i = skip_value(buf, i, end, stack)
            if i >= 0:
                i = NOT_OBJECT if skip_space(buf, i, end) == end else INVALID
            status[row] = i
            continue
        s_node[0], s_begin[0], s_open[0], s_fresh[0], s_member[0] = root, i, buf[i], 1, 0
        level = 0
        i = skip_space(buf, i + 1, end)
        fresh = True
        while True:
            if i >= end:
                i = EARLY
                break
            opening = s_open[level]
            closed = False
            if fresh and buf[i] == opening + 2:
                i += 1
                closed = True
            else:
                node = s_node[level]
                child = -1
                if opening == 123:
                    slot = (node * _MEMBERS + s_member[level]) & _SLOTS
                    s_member[level] += 1
                    if seen_before(buf, i, end, seen, slot, node):
                        i = skip_space(buf, i + seen[1, slot], end)
                        child = seen[3, slot]
                    else:
                        name = i
                        i, h = read_name(buf, i, end)
                        if i < 0:
                            break
                        child = _lookup(hashes, child_of, node, h)
                        i = skip_space(buf, i, end)
                        remember(seen, slot, name, i, node, child)
                    if i >= end:
                        i = EARLY
                        break
                elif listed[node]:
                    if buf[i] == 123:
                        i, key, a, b = read_entry(buf, i, end, stack)
                        if i < 0:
                            break
                        child = _lookup(hashes, child_of, node, key)
                        if child >= 0 and b > a:
                            _record(
                                buf, child, a, b, row, first, count, deferred, feed_cell, feed_rank, keep_blank,
                                out_start, out_end, out_kind, out_rank,
                            )  # fmt: skip
                        child = -2
                elif s_fresh[level]:
                    child = element[node]
                    s_fresh[level] = each[node]
                if child != -2:
                    c = buf[i]
                    if child >= 0 and (
                        (c == 123 and inner[child]) or (c == 91 and (element[child] >= 0 or listed[child]))
                    ):
                        level += 1
                        s_node[level], s_begin[level], s_open[level] = child, i, c
                        s_fresh[level], s_member[level] = 1, 0
                        i = skip_space(buf, i + 1, end)
                        fresh = True
                        continue
                    begin = i
                    i = skip_string(buf, i + 1, end) if c == 34 else skip_value(buf, i, end, stack)
                    if i < 0:
                        break
                    if child >= 0 and c != 110:
                        _record(
                            buf, child, begin, i, row, first, count, deferred, feed_cell, feed_rank, keep_blank, out_start,
                            out_end, out_kind, out_rank,
                        )  # fmt: skip
            while True:
                if closed:
                    closed = False
                    node, begin = s_node[level], s_begin[level]
                    level -= 1
                    if level < 0:
                        break
                    if count[node]:
                        _record(
                            buf, node, begin, i, row, first, count, deferred, feed_cell, feed_rank, keep_blank, out_start,
                            out_end, out_kind, out_rank,
                        )  # fmt: skip
                i = skip_space(buf, i, end)
                if i >= end:
                    i = EARLY
                    break
                if buf[i] == 44:
                    i = skip_space(buf, i + 1, end)
                    fresh = False
                    break
                if buf[i] == s_open[level] + 2:
                    i += 1
                    closed = True
                    continue
                i = INVALID
                break
            if i < 0 or level < 0:
                break
        if i >= 0:
            i = GOOD if skip_space(buf, i, end) == end else INVALID
        status[row] = i
