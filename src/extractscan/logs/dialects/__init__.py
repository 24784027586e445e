"""What providers put into bodies: one module a dialect, put together into one table for requests and one for responses.

A body is not first classified: its keys say what it is, row by row, and the tables hold the keys of all dialects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extractscan.logs.dialects import anthropic, bedrock, gemini, openai, others

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ALL: Final = (openai, anthropic, bedrock, gemini, others)


def _together(tables: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    out: dict[str, dict[str, None]] = {}
    for table in tables:
        for cell, paths in table.items():
            out.setdefault(cell, {}).update(dict.fromkeys(paths))
    return {cell: tuple(paths) for cell, paths in out.items()}


REQUEST: Final = _together(d.REQUEST for d in _ALL)
RESPONSE: Final = _together(d.RESPONSE for d in _ALL)
EVENT: Final = _together(d.EVENT for d in _ALL)
"""Cell to the paths that may feed it, best first.

Requests: ``messages`` (a list of messages, a list of texts or one text), ``system``, and slots of the canonical table.
Responses: ``text`` (a text, a list of parts, or a list of items), ``calls`` (a list of calls of tools), ``closed`` (what
cannot be read) and slots.
Events of a stream: ``delta`` (a piece of text, or a list of parts), ``typed`` (a piece if ``type`` says so), ``whole`` (all
of the answer), ``call`` (a call of a tool begins), and slots, of which the last in a stream counts.
"""
