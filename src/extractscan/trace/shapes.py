"""The shape of a data set: which of its columns hold what was asked and what was answered.

Told from the names that the usual collections use (Alpaca, ShareGPT, chat messages, prompt and completion, one column of
text); ``--suspect-column`` overrides. A name is compared as the columns of logs are (see ``logs.names.fold``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from extractscan.errors import InputError, UsageError
from extractscan.logs.names import MESSAGES, NameTable, fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROLES: Final = ("prompt", "input", "response", "messages")
"""What ``--column`` may name: what was asked, more of it, what was answered, or whole conversations."""

SLOT_OF: Final = {"prompt": "prompt", "input": "system", "response": "response", "messages": MESSAGES}
"""The readers of logs have a fixed set of slots; ``input`` takes one that a data set has no use for."""

NAMES: Final = {
    "messages": ("conversations", "messages", "conversation", "chat", "dialog", "dialogue", "turns"),
    "prompt": (
        "instruction", "prompt", "question", "query", "user", "human", "problem", "request", "task", "input", "inputs",
        "input_text", "prompt_text", "user_input", "text", "content", "sentence", "document", "source",
    ),
    "response": (
        "output", "outputs", "response", "completion", "answer", "chosen", "assistant", "reply", "solution", "generation",
        "target", "targets", "output_text", "response_text", "gpt", "model_output",
    ),
}  # fmt: skip
"""Usual names, best first."""

EXTRA: Final = ("input", "context")
"""Beside an instruction: what it is about, sent with it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """``name`` of the shape, for people; ``columns`` maps roles to source columns."""

    name: str
    columns: dict[str, str]

    @property
    def table(self) -> NameTable:
        """The names as the readers of logs take them."""
        by_name: dict[str, tuple[tuple[str, int], ...]] = {}
        for role, source in self.columns.items():
            by_name[fold(source)] = (*by_name.get(fold(source), ()), (SLOT_OF[role], 0))
        return NameTable(by_name, {})


def recognise(name: str, columns: Sequence[str], asked: Mapping[str, str]) -> Shape:
    """Tell the shape of the file ``name`` from its columns and what the user asked for.

    Raises ``UsageError`` for a role that does not exist and ``InputError`` if no column can be told, or the one asked for is not there.
    """
    for role in asked:
        if role not in ROLES:
            raise UsageError(f"--suspect-column: there is no role {role[:40]!r}; there are {', '.join(ROLES)}")
    known = {fold(column): column for column in reversed(columns)}
    if asked:
        if missing := [source for source in asked.values() if fold(source) not in known]:
            raise InputError(f"{name} has no column {missing[0][:60]!r}; columns seen: {_listed(columns)}")
        return Shape("named columns", {role: known[fold(source)] for role, source in asked.items()})
    found = {role: known[fold(n)] for role, ns in NAMES.items() for n in reversed(ns) if fold(n) in known}
    if "messages" in found:
        kind = "ShareGPT" if fold(found["messages"]) == "conversations" else "chat messages"
        return Shape(kind, {"messages": found["messages"]})
    if "prompt" in found and fold(found["prompt"]) == "instruction":
        extra = next((known[fold(n)] for n in EXTRA if fold(n) in known), None)
        found |= {"input": extra} if extra is not None else {}
        return Shape("Alpaca" if extra is not None else "instruction and response", found)
    if "prompt" in found and "response" in found:
        return Shape("prompt and response", found)
    if "response" in found and "prompt" not in found:
        return Shape("responses", found)
    if "prompt" in found:
        return Shape("prompts", found)
    if len(columns) == 1:
        return Shape("one column of text", {"prompt": columns[0]})
    raise InputError(
        f"{name}: no column is known to hold prompts or responses; columns seen: {_listed(columns)}; "
        "name them with --suspect-column prompt=NAME,response=NAME"
    )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(repr(c)[1:-1] for c in columns[:30]) + (", …" if len(columns) > 30 else "") or "none"
