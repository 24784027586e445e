"""A conversation as an array of messages to what one request asked: system, prompt, response and turn.

Read from JSON text: ``[{"role": …, "content": …}, …]`` with the content a text or an array of parts
(``{"type": "text", "text": …}``); ``from``/``value`` and ``parts`` are known too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.logs.jsonscan import project
from extractscan.logs.jsonsplit import elements
from extractscan.logs.spans import ABSENT, ARRAY, GOOD, STRING, KeyTable, Spans
from extractscan.logs.textspans import raw, spread, take

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

_USER: Final = 1
_SYSTEM: Final = 2
_ASSISTANT: Final = 3
_ROLES: Final = {
    "user": _USER, "human": _USER, "prompter": _USER,
    "system": _SYSTEM, "developer": _SYSTEM,
    "assistant": _ASSISTANT, "model": _ASSISTANT, "ai": _ASSISTANT, "gpt": _ASSISTANT, "bot": _ASSISTANT,
    "chatbot": _ASSISTANT,
}  # fmt: skip

_MESSAGE_SLOTS: Final = ("role", "content")
_MESSAGE_KEYS: Final = KeyTable(
    {
        "role": (("role", 0),), "from": (("role", 1),),
        "content": (("content", 0),), "parts": (("content", 1),), "value": (("content", 2),), "text": (("content", 3),),
    },
    _MESSAGE_SLOTS,
    frozenset(_MESSAGE_SLOTS),
)  # fmt: skip
_PART_KEYS: Final = KeyTable(
    {"text": (("text", 0),), "content": (("text", 1),)}, ("text",), frozenset({"text"}),
)  # fmt: skip

SCHEMA: Final = {
    "system": pl.String(), "prompt": pl.String(), "response": pl.String(), "opening": pl.String(), "turn": pl.Int64(),
    "readable": pl.Boolean(),
}  # fmt: skip
"""``turn`` counts the user's earlier messages; ``opening`` is the first of them, null at turn 0; ``readable`` says that
the value was an array with messages in it."""


def read(column: pl.Series) -> pl.DataFrame:
    """One row of SCHEMA for each JSON text of ``column`` (String).

    ``prompt`` is the last message of the user that has text, ``response`` the last of the assistant after it,
    ``system`` all system and developer messages, one a line.
    """
    buf, start, end = raw(column)
    return _read(buf, start, end)


def parts_text(buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any]) -> pl.Series:
    """The text parts of each array of parts, one a line; null where there is none."""
    counts, first, last, kind = elements(buf, start, end)
    owner = np.repeat(np.arange(len(counts)), np.maximum(counts, 0))
    spans = project(buf, first, last, _PART_KEYS)
    bare = kind == STRING  # an array of plain texts
    a = np.where(bare, first, spans.start[0])
    b = np.where(bare, last, spans.end[0])
    text = bare | ((spans.status == GOOD) & (spans.kind[0] == STRING))
    where = np.flatnonzero(text)
    texts, _ = take(buf, a[where], b[where], np.full(len(where), STRING, np.uint8))
    return _joined(owner[where], texts, len(counts))


def _joined(owner: NDArray[Any], texts: pl.Series, rows: int) -> pl.Series:
    """Texts of each owner, one a line, at the owner's row of ``rows``; ``owner`` ascends."""
    table = pl.DataFrame({"row": owner.astype(np.int64), "text": texts})
    if not table["row"].is_unique().all():
        table = table.group_by("row", maintain_order=True).agg(pl.col("text").str.join("\n"))
    return spread(table["row"].to_numpy(), table["text"], rows)


def _roles(buf: NDArray[np.uint8], spans: Spans) -> NDArray[np.int8]:
    kind = np.where((spans.kind[0] == STRING) & (spans.status == GOOD), STRING, ABSENT).astype(np.uint8)
    text, _ = take(buf, spans.start[0], spans.end[0], kind)
    codes = text.str.to_lowercase().replace_strict(_ROLES, default=0, return_dtype=pl.Int8)
    return codes.fill_null(0).to_numpy()


def _read(buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any]) -> pl.DataFrame:
    counts, first, last, _ = elements(buf, start, end)
    rows = len(counts)
    owner = np.repeat(np.arange(rows), np.maximum(counts, 0))
    spans = project(buf, first, last, _MESSAGE_KEYS)
    role = _roles(buf, spans)
    kind = spans.kind[1]
    listed = np.flatnonzero((kind == ARRAY) & (role > 0))
    parts = parts_text(buf, spans.start[1][listed], spans.end[1][listed])
    of_part = np.full(len(owner), -1, np.int64)
    of_part[listed] = np.where(parts.is_not_null().to_numpy(), np.arange(len(listed)), -1)
    usable = (kind == STRING) | (of_part >= 0)

    def text_of(chosen: NDArray[Any]) -> pl.Series:
        """Text of the messages at the positions ``chosen``."""
        plain, _ = take(
            buf,
            spans.start[1][chosen],
            spans.end[1][chosen],
            np.where(kind[chosen] == STRING, STRING, ABSENT).astype(np.uint8),
        )
        if not len(listed):
            return plain
        index = pl.Series(of_part[chosen])
        return plain.zip_with(index < 0, parts.gather(pl.select(pl.when(index >= 0).then(index)).to_series()))

    user = np.flatnonzero(usable & (role == _USER))
    said = np.bincount(owner[user], minlength=rows)
    last_user, first_user = np.full(rows, -1, np.int64), np.full(rows, -1, np.int64)
    last_user[owner[user]] = user  # ascending, so that the last one stays
    first_user[owner[user[::-1]]] = user[::-1]
    answer = np.flatnonzero(usable & (role == _ASSISTANT))
    answer = answer[answer > last_user[owner[answer]]]
    last_answer = np.full(rows, -1, np.int64)
    last_answer[owner[answer]] = answer
    system = np.flatnonzero(usable & (role == _SYSTEM))

    asked = np.flatnonzero(last_user >= 0)
    later = np.flatnonzero(said > 1)
    answered = np.flatnonzero(last_answer >= 0)
    turn = pl.Series(np.maximum(said - 1, 0).astype(np.int64))
    known = np.zeros(rows, np.bool_)
    known[owner[role > 0]] = True
    return pl.DataFrame(
        {
            "system": _joined(owner[system], text_of(system), rows),
            "prompt": spread(asked, text_of(last_user[asked]), rows),
            "response": spread(answered, text_of(last_answer[answered]), rows),
            "opening": spread(later, text_of(first_user[later]), rows),
            "turn": pl.select(pl.when(pl.Series(said > 0)).then(turn)).to_series(),
            "readable": known,
        },
        schema=SCHEMA,
    )
