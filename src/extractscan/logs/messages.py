"""A conversation as an array of messages to what one request asked: system, prompt, response and turn.

Read from JSON text: ``[{"role": …, "content": …}, …]`` with the content a text or an array of parts
(``{"type": "text", "text": …}``). The names that providers and tools use for the same are known too: ``from`` and
``value``, ``parts``, a ``message`` inside, ``message.role`` flattened. Parts that are thoughts, or calls and results of
tools, are no text of the user or the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.logs import pathscan
from extractscan.logs.jsonsplit import elements, owners
from extractscan.logs.paths import Tree, wants
from extractscan.logs.spans import ABSENT, ARRAY, GOOD, STRING, TRUE
from extractscan.logs.textspans import picked, raw, spread, take
from extractscan.logs.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from extractscan.logs.spans import Spans

USER: Final = 1
SYSTEM: Final = 2
ASSISTANT: Final = 3

ROLE_CODES: Final = {
    "user": USER, "human": USER, "prompter": USER, "humanmessage": USER,
    "system": SYSTEM, "developer": SYSTEM, "systemmessage": SYSTEM,
    "assistant": ASSISTANT, "model": ASSISTANT, "ai": ASSISTANT, "gpt": ASSISTANT, "bot": ASSISTANT,
    "chatbot": ASSISTANT, "aimessage": ASSISTANT,
}  # fmt: skip
ROLES: Final = Words(ROLE_CODES)
"""Words for who speaks."""

_MESSAGE: Final = Tree(
    wants(
        {
            "role": ("role", "from", "message.role", "author.role", "kwargs.type", "type"),
            "content": (
                "content", "parts", "value", "text", "message.content", "message.contents", "data.content",
                "kwargs.content",
            ),
            "finish_reason": ("finish_reason", "message.finish_reason"),
            "calls": ("tool_calls", "message.tool_calls"),
        }
    ),
    keep_blank=frozenset({"content"}),
)  # fmt: skip
_ROLE, _CONTENT = _MESSAGE.cells.index("role"), _MESSAGE.cells.index("content")
_FINISH, _CALLS = _MESSAGE.cells.index("finish_reason"), _MESSAGE.cells.index("calls")

_PART: Final = Tree(
    wants(
        {
            "text": ("text", "message_content.text", "guardContent.text.text", "content"),
            "type": ("type", "message_content.type"),
            "call": ("toolUse", "functionCall"),
            "thought": ("thought",),
        }
    ),
    keep_blank=frozenset({"text"}),
)
_TEXT, _TYPE = _PART.cells.index("text"), _PART.cells.index("type")
_CALL, _THOUGHT = _PART.cells.index("call"), _PART.cells.index("thought")
_OTHER_PART: Final = 1
_TOOL_PART: Final = 2
_PART_TYPES: Final = Words(
    dict.fromkeys(
        (
            "thinking", "redacted_thinking", "reasoning", "summary_text", "tool_result", "tool_call_response",
            "function_call_output", "image", "image_url", "input_image", "document", "file", "audio", "blob", "uri",
        ),
        _OTHER_PART,
    )
    | dict.fromkeys(("tool_use", "server_tool_use", "tool_call", "function_call", "mcp_call"), _TOOL_PART)
)  # fmt: skip

SCHEMA: Final = {
    "system": pl.String(), "prompt": pl.String(), "response": pl.String(), "opening": pl.String(), "turn": pl.Int64(),
    "finish_reason": pl.String(), "tool_calls": pl.Int64(), "readable": pl.Boolean(),
}  # fmt: skip
"""``turn`` counts the user's earlier messages; ``opening`` is the first of them, null at turn 0; ``finish_reason`` and
``tool_calls`` (a number, null if there is none) are those of the answer; ``readable`` says that the value was an array
with messages in it."""


def read(column: pl.Series) -> pl.DataFrame:
    """One row of SCHEMA for each JSON text of ``column`` (String).

    ``prompt`` is the last message of the user that has text, ``response`` the last of the assistant after it,
    ``system`` all system and developer messages, one a line.
    """
    return read_spans(*raw(column))


def read_spans(buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any]) -> pl.DataFrame:
    """As ``read``, for JSON texts ``buf[start[i]:end[i]]``."""
    rows = len(start)
    owner, spans, role, kind = _messages(buf, start, end)
    listed = np.flatnonzero((kind == ARRAY) & (role > 0))
    parts, part_calls = parts_of(buf, spans.start[_CONTENT][listed], spans.end[_CONTENT][listed])
    of_part = np.full(len(owner), -1, np.int64)
    of_part[listed] = np.where(parts.is_not_null().to_numpy(), np.arange(len(listed)), -1)
    usable = (kind == STRING) | (of_part >= 0)

    def text_of(chosen: NDArray[Any]) -> pl.Series:
        """Text of the messages at the positions ``chosen``."""
        plain, _ = take(
            buf,
            spans.start[_CONTENT][chosen],
            spans.end[_CONTENT][chosen],
            np.where(kind[chosen] == STRING, STRING, ABSENT).astype(np.uint8),
        )
        if not len(listed):
            return plain
        at = of_part[chosen]
        return plain.zip_with(pl.Series(at < 0), picked(parts, at)) if (at >= 0).any() else plain

    calls = np.zeros(len(owner), np.int64)
    calls[listed] = part_calls
    listing = np.flatnonzero((spans.kind[_CALLS] == ARRAY) & (role == ASSISTANT))
    if len(listing):
        named, *_ = elements(buf, spans.start[_CALLS][listing], spans.end[_CALLS][listing])
        calls[listing] += np.maximum(named, 0)

    def finish_of(chosen: NDArray[Any]) -> pl.Series:
        at = _FINISH
        return take(buf, spans.start[at][chosen], spans.end[at][chosen], spans.kind[at][chosen])[0]

    return reduce(owner, role, usable, text_of, rows, calls=calls, finish_of=finish_of)


def _messages(
    buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any]
) -> tuple[NDArray[np.int64], Spans, NDArray[np.int8], NDArray[np.uint8]]:
    """Of every message: the row of its array, its spans, the code of who speaks, and the kind of its content."""
    counts, first, last, _ = elements(buf, start, end)
    spans = pathscan.project(buf, first, last, _MESSAGE)
    good = spans.status == GOOD
    role = ROLES.of(buf, spans.start[_ROLE], spans.end[_ROLE], np.where(good, spans.kind[_ROLE], ABSENT))
    return owners(counts), spans, role, np.where(good, spans.kind[_CONTENT], ABSENT).astype(np.uint8)


def reduce(
    owner: NDArray[Any],
    role: NDArray[Any],
    usable: NDArray[Any],
    text_of: Callable[[NDArray[Any]], pl.Series],
    rows: int,
    *,
    calls: NDArray[Any] | None = None,
    finish_of: Callable[[NDArray[Any]], pl.Series] | None = None,
) -> pl.DataFrame:
    """One row of SCHEMA for each of ``rows`` conversations.

    Messages are in order and grouped by ``owner``, the row that they belong to; ``role`` is a code of ROLES, ``usable``
    says that there is text, ``text_of`` gives it for positions. ``calls`` counts calls of tools.
    """
    user = np.flatnonzero(usable & (role == USER))
    said = np.bincount(owner[user], minlength=rows)
    last_user, first_user = np.full(rows, -1, np.int64), np.full(rows, -1, np.int64)
    last_user[owner[user]] = user  # ascending, so that the last one stays
    first_user[owner[user[::-1]]] = user[::-1]
    after = np.flatnonzero(role == ASSISTANT)
    after = after[after > last_user[owner[after]]]
    answer = after[usable[after]]
    last_answer, last_turn = np.full(rows, -1, np.int64), np.full(rows, -1, np.int64)
    last_answer[owner[answer]] = answer
    last_turn[owner[after]] = after
    system = np.flatnonzero(usable & (role == SYSTEM))

    asked = np.flatnonzero(last_user >= 0)
    later = np.flatnonzero(said > 1)
    answered = np.flatnonzero(last_answer >= 0)
    ended = np.flatnonzero(last_turn >= 0)
    known = np.zeros(rows, np.bool_)
    known[owner[role > 0]] = True
    none = pl.Series([None], dtype=pl.String).new_from_index(0, rows)
    called = np.zeros(rows, np.int64)
    if calls is not None:
        np.add.at(called, owner[after], calls[after])
    return pl.DataFrame(
        {
            "system": joined(owner[system], text_of(system), rows) if len(system) else none,
            "prompt": spread(asked, text_of(last_user[asked]), rows),
            "response": spread(answered, text_of(last_answer[answered]), rows) if len(answered) else none,
            "opening": spread(later, text_of(first_user[later]), rows) if len(later) else none,
            "turn": positive(said.astype(np.int64), 1) - 1,
            "finish_reason": spread(ended, finish_of(last_turn[ended]), rows) if finish_of and len(ended) else none,
            "tool_calls": positive(called, 1),
            "readable": known,
        },
        schema=SCHEMA,
    )


def parts_text(buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any]) -> pl.Series:
    """The text parts of each array of parts, one a line; null where there is none."""
    return parts_of(buf, start, end)[0]


def parts_of(buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any]) -> tuple[pl.Series, NDArray[np.int64]]:
    """The text parts of each array of parts, one a line (null where there is none), and how many calls of tools are in it."""
    rows = len(start)
    if not rows:
        return pl.Series([], dtype=pl.String), np.zeros(0, np.int64)
    counts, first, last, kind = elements(buf, start, end)
    owner = owners(counts)
    spans = pathscan.project(buf, first, last, _PART)
    sort = _PART_TYPES.of(buf, spans.start[_TYPE], spans.end[_TYPE], spans.kind[_TYPE])
    bare = kind == STRING  # an array of plain texts
    a = np.where(bare, first, spans.start[_TEXT])
    b = np.where(bare, last, spans.end[_TEXT])
    good = spans.status == GOOD
    thought = spans.kind[_THOUGHT] == TRUE
    text = bare | (good & (spans.kind[_TEXT] == STRING) & (sort == 0) & ~thought)
    where = np.flatnonzero(text)
    texts, _ = take(buf, a[where], b[where], np.full(len(where), STRING, np.uint8))
    calls = np.bincount(owner[good & ((sort == _TOOL_PART) | (spans.kind[_CALL] != ABSENT))], minlength=rows)
    return joined(owner[where], texts, rows), calls.astype(np.int64)


def positive(counts: NDArray[np.int64], least: int) -> pl.Series:
    """Numbers, null where they are under ``least``."""
    return pl.Series(pa.array(counts, mask=counts < least))


def joined(owner: NDArray[Any], texts: pl.Series, rows: int, between: str = "\n") -> pl.Series:
    """Texts of each owner put together, at the owner's row of ``rows``; ``owner`` ascends."""
    if (owner[1:] > owner[:-1]).all():
        return spread(owner, texts, rows)
    table = pl.DataFrame({"row": owner.astype(np.int64), "text": texts})
    table = table.group_by("row", maintain_order=True).agg(pl.col("text").str.join(between))
    return spread(table["row"].to_numpy(), table["text"], rows)


def turns(buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any]) -> pl.DataFrame:
    """Every message of a user as a request: columns ``@owner`` (row), system, prompt, response, opening, turn."""
    owner, spans, role, kind = _messages(buf, start, end)
    texts, _ = take(
        buf, spans.start[_CONTENT], spans.end[_CONTENT], np.where(kind == STRING, kind, ABSENT).astype(np.uint8)
    )
    listed = np.flatnonzero((kind == ARRAY) & (role > 0))
    if len(listed):
        parts = parts_text(buf, spans.start[_CONTENT][listed], spans.end[_CONTENT][listed])
        texts = texts.zip_with(texts.is_not_null(), spread(listed, parts, len(texts)))
    table = pl.DataFrame({"@owner": owner.astype(np.int64), "role": role, "text": texts}).filter(
        pl.col("text").is_not_null() & (pl.col("role") > 0)
    )
    is_user = pl.col("role") == USER
    table = table.with_columns(turn=is_user.cast(pl.Int64).cum_sum().over("@owner") - 1)
    systems = table.filter(pl.col("role") == SYSTEM).group_by("@owner").agg(system=pl.col("text").str.join("\n"))
    asked = table.filter(is_user).select("@owner", "turn", prompt="text")
    answers = (
        table.filter((pl.col("role") == ASSISTANT) & (pl.col("turn") >= 0))
        .group_by("@owner", "turn")
        .agg(response=pl.col("text").first())
    )
    opening = asked.filter(pl.col("turn") == 0).select("@owner", opening="prompt")
    return (
        asked.join(answers, on=["@owner", "turn"], how="left")
        .join(systems, on="@owner", how="left")
        .join(opening, on="@owner", how="left")
        .with_columns(opening=pl.when(pl.col("turn") > 0).then("opening"))
        .sort("@owner", "turn")
        .select("@owner", "system", "prompt", "response", "opening", "turn")
    )
