"""Request and response bodies, of whatever dialect, to columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.logs import messages, pathscan
from extractscan.logs.cells import SSE, Gathered, Values, among, cell, opened
from extractscan.logs.dialects import REQUEST, RESPONSE
from extractscan.logs.dialects.streams import from_lists, from_texts
from extractscan.logs.jsonsplit import elements
from extractscan.logs.paths import Tree, wants
from extractscan.logs.spans import ARRAY, GOOD, OBJECT, PLAIN, STRING

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

_REQUEST: Final = Tree(wants(REQUEST))
_RESPONSE: Final = Tree(wants(RESPONSE))
_REQUEST_SLOTS: Final = tuple(slot for slot in _REQUEST.cells if slot not in {"messages", "system"})
_RESPONSE_SLOTS: Final = tuple(slot for slot in _RESPONSE.cells if slot not in {"text", "items", "calls", "closed"})
_TALK: Final = ("system", "prompt", "response", "opening", "turn")
_SCALARS: Final = (OBJECT, ARRAY)


def read_request(values: Values) -> dict[str, pl.Series]:
    """Columns of request bodies, one a row: system, prompt, opening, turn, and what was asked for.

    A body that is no JSON, or JSON of no known shape, is the prompt itself.
    """
    out = Gathered(len(values))
    for part in opened(values):
        _talk(part.of_kind(ARRAY), part, out)
        _plain(part.of_kind(PLAIN, SSE), part, "prompt", out)
        where = part.of_kind(OBJECT)
        if len(where):
            _request_objects(where, part.at(where), out)
    return out.columns()


def _request_objects(where: NDArray[Any], part: Values, out: Gathered) -> None:
    spans = pathscan.project(part.buf, part.start, part.end, _REQUEST)
    known = spans.kind.any(axis=0)
    asked = cell(spans, "messages")
    if asked is not None:
        inner = Gathered(len(where))
        for piece in opened(asked):
            _talk(piece.of_kind(ARRAY), piece, inner)
            _plain(piece.of_kind(PLAIN), piece, "prompt", inner)
        out.add_all(where, inner.columns())
    system = cell(spans, "system")
    if system is not None:
        out.add("system", where, text_or_parts(system))
    for slot in _REQUEST_SLOTS:
        found = cell(spans, slot)
        if found is not None:
            out.add(slot, where, scalars(found))
    _unknown(where, part, (spans.status != GOOD) | ~known, "prompt", out)


def read_response(values: Values) -> dict[str, pl.Series]:
    """Columns of response bodies: response, finish_reason, tool_calls, tokens and the like. Streams are put together."""
    out = Gathered(len(values))
    for part in opened(values):
        _plain(part.of_kind(PLAIN), part, "response", out)
        streamed = part.of_kind(SSE)
        if len(streamed):
            out.add_all(streamed, from_texts(part.at(streamed)))
        listed = part.of_kind(ARRAY)
        if len(listed):
            _response_lists(listed, part.at(listed), out)
        where = part.of_kind(OBJECT)
        if len(where):
            _response_objects(where, part.at(where), out)
    return out.columns()


def _response_lists(where: NDArray[Any], part: Values, out: Gathered) -> None:
    """Lists: of messages, of the events of a stream, or of parts; whichever gives a text first."""
    talk = messages.read_spans(part.buf, part.start, part.end)
    out.add_all(where, {slot: talk[slot] for slot in ("response", "finish_reason", "tool_calls")})
    left = np.flatnonzero(talk["response"].is_null().to_numpy())
    if len(left):
        found = from_lists(part.at(left))
        out.add_all(where[left], found)
        if "response" in found:
            left = left[found["response"].is_null().to_numpy()]
        rest = part.at(left)
        text, calls = messages.parts_of(rest.buf, rest.start, rest.end)
        out.add("response", where[left], text)
        out.add("tool_calls", where[left], _counts(calls))


def _response_objects(where: NDArray[Any], part: Values, out: Gathered) -> None:
    spans = pathscan.project(part.buf, part.start, part.end, _RESPONSE)
    text = cell(spans, "text")
    if text is not None:
        said = text.of_kind(STRING)  # it stays a text, whatever it looks like: a model may well answer in JSON
        out.add("response", where[said], text.at(said).text())
        listed = text.of_kind(ARRAY)
        if len(listed):
            parts = text.at(listed)
            answer, calls = messages.parts_of(parts.buf, parts.start, parts.end)
            out.add("response", where[listed], answer)
            out.add("tool_calls", where[listed], _counts(calls))
    items = cell(spans, "items")
    if items is not None:
        listed = items.of_kind(ARRAY)
        if len(listed):
            parts = items.at(listed)
            talk = messages.read_spans(parts.buf, parts.start, parts.end)
            out.add("response", where[listed], talk["response"])
            _, calls = messages.parts_of(parts.buf, parts.start, parts.end)
            out.add("tool_calls", where[listed], _counts(calls))
        said = items.of_kind(STRING)
        out.add("response", where[said], items.at(said).text())
    named = cell(spans, "calls")
    if named is not None:
        listed = named.of_kind(ARRAY)
        counts, *_ = elements(named.buf, named.start[listed], named.end[listed])
        out.add("tool_calls", where[listed], _counts(counts.astype(np.int64)))
    for slot in _RESPONSE_SLOTS:
        found = cell(spans, slot)
        if found is not None:
            out.add(slot, where, scalars(found))
    _unknown(where, part, (spans.status != GOOD) | ~spans.kind.any(axis=0), "response", out)


def text_or_parts(values: Values) -> pl.Series:
    """A text, or the text of a list of parts."""
    out = Gathered(len(values))
    said = values.of_kind(STRING, PLAIN)
    out.add("text", said, values.at(said).text() if len(said) else None)
    listed = values.of_kind(ARRAY)
    if len(listed):
        parts = values.at(listed)
        out.add("text", listed, messages.parts_text(parts.buf, parts.start, parts.end))
    found = out.columns()
    return found["text"] if "text" in found else pl.Series([None], dtype=pl.String).new_from_index(0, len(values))


def scalars(values: Values) -> pl.Series | None:
    """Values that are no objects and no lists, as text."""
    plain = ~among(values.kind, _SCALARS)
    if not (plain & (values.kind != 0)).any():
        return None
    return values.only(plain).text()


def _talk(where: NDArray[Any], part: Values, out: Gathered) -> None:
    """Lists of messages; one of another kind is a list of texts, or a text of its own."""
    if not len(where):
        return
    lists = part.at(where)
    read = messages.read_spans(lists.buf, lists.start, lists.end)
    out.add_all(where, {slot: read[slot] for slot in _TALK})
    other = np.flatnonzero(~read["readable"].to_numpy())
    if not len(other):
        return
    rest = lists.at(other)
    counts, start, end, kind = elements(rest.buf, rest.start, rest.end)
    first = np.concatenate([[0], np.cumsum(np.maximum(counts, 0))])[:-1]
    inner = np.flatnonzero(counts > 0)
    inner = inner[kind[first[inner]] == ARRAY]  # a list of lists: a batch of one conversation
    if len(inner):
        at = first[inner]
        rows = where[other[inner]]
        _talk(rows, Values(rest.buf, start[at], end[at], kind[at]).spread(rows, out.rows), out)
        other = np.setdiff1d(other, other[inner])
        rest = lists.at(other)
    text = messages.parts_text(rest.buf, rest.start, rest.end)
    out.add("prompt", where[other], text)
    nothing = text.is_null().to_numpy()
    _unknown(where[other], rest, nothing, "prompt", out)


def _plain(where: NDArray[Any], part: Values, slot: str, out: Gathered) -> None:
    if len(where):
        out.add(slot, where, part.at(where).text())


def _unknown(where: NDArray[Any], part: Values, unknown: NDArray[np.bool_], slot: str, out: Gathered) -> None:
    """What is of no known shape is a text, unless there is nothing in it."""
    left = np.flatnonzero(unknown & (part.end - part.start > 2))
    if len(left):
        rest = part.at(left)
        kind = np.full(len(left), PLAIN, np.uint8)
        out.add(slot, where[left], Values(rest.buf, rest.start, rest.end, kind).text())


def _counts(counts: NDArray[np.int64]) -> pl.Series:
    """Numbers of calls; none is null, as it is in a log that does not say."""
    return messages.positive(counts, 1)
