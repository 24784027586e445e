"""All archetypes by name, and how the names of a command line are understood."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from extractscan.errors import UsageError
from extractscan.simulate.attacks.registry import ATTACKS
from extractscan.simulate.benign.registry import BENIGN
from extractscan.simulate.grammar import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.simulate.settings import Archetype

ARCHETYPES: Final[dict[str, Archetype]] = {archetype.name: archetype for archetype in (*BENIGN, *ATTACKS)}
"""Name to archetype."""

PIPELINES: Final = "pipelines"
"""Short for all the names that begin with ``pipeline_``."""


def choose(text: str, known: Iterable[Archetype], option: str) -> tuple[str, ...]:
    """Return the names in ``text`` (parted by commas, or ``all``, or ``none``), in the order of the registry.

    Raises ``UsageError`` for an unknown name, with the nearest known one.
    """
    archetypes = list(known)
    wanted = _split(text)
    if wanted == ["none"]:
        return ()
    if wanted == ["all"]:
        return tuple(archetype.name for archetype in archetypes if not archetype.asked)
    names = [archetype.name for archetype in archetypes]
    wanted = [name for word in wanted for name in _expanded(word, names)]
    for word in wanted:
        if word not in names:
            raise UsageError(_unknown(word, names, option))
    return tuple(name for name in names if name in wanted)


def choose_languages(text: str) -> tuple[str, ...]:
    """Return language codes in the order given. Raises ``UsageError`` for an unknown one."""
    wanted = [_language(word) for word in _split(text)]
    if wanted == ["all"]:
        return tuple(LANGUAGES)
    for word in wanted:
        if word not in LANGUAGES:
            raise UsageError(_unknown(word, list(LANGUAGES), "--languages"))
    if not wanted:
        raise UsageError("--languages needs at least one language")
    return tuple(dict.fromkeys(wanted))


def _split(text: str) -> list[str]:
    return [word.strip().lower().replace("-", "_") for word in text.split(",") if word.strip()]


def _expanded(word: str, names: list[str]) -> list[str]:
    if word == PIPELINES:
        return [name for name in names if name.startswith("pipeline_")] or [word]
    return [word.removeprefix("attack:")]


def _language(word: str) -> str:
    return next((code for code, name in LANGUAGES.items() if word == name.lower()), word)


def _unknown(word: str, names: list[str], option: str) -> str:
    near = difflib.get_close_matches(word, names, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
    return f"{option}: unknown name {word[:60]!r}; {hint}"
