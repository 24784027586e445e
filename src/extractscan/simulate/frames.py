"""Frames: the fixed words around a payload, as a template with marks where the payload goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from extractscan.simulate.dice import Dice
    from extractscan.simulate.grammar import Grammar

_NAMES: Final = (
    "payload", "question", "response", "other", "k", "persona", "scene", "tone", "kind", "topic", "audience", "level",
)  # fmt: skip
_MARKS: Final = {name: chr(0xE000 + number) for number, name in enumerate(_NAMES)}


@dataclass(frozen=True, slots=True)
class Frame:
    """A template that a group of accounts shares. ``system``: the frame is sent as the system prompt."""

    template: str
    system: bool = False

    def fill(self, **values: str) -> tuple[str | None, str]:
        """Return system prompt and prompt with ``values`` in their places."""
        if self.system:
            payload = values["payload"]
            return self.template.replace(_MARKS["payload"], "").strip(), payload
        text = self.template
        for name, value in values.items():
            text = text.replace(_MARKS[name], value)
        return None, text[:1].upper() + text[1:]


def frame(grammar: Grammar, symbol: str, dice: Dice, *names: str, number: int | None = None) -> Frame:
    """Write the frame ``symbol`` once, with marks for the payload and for ``names``.

    ``number`` chooses an alternative, so that frames of several languages can say the same.
    """
    context = {name: _MARKS[name] for name in ("payload", *names)}
    if number is None:
        return Frame(grammar.write(symbol, dice, context))
    return Frame(grammar.variant(symbol, number, dice, context))


def placed(base: Frame, dice: Dice, system_share: float = 0.4) -> Frame:
    """Return the frame as this account sends it: inline, or as its system prompt."""
    return Frame(base.template, system=dice.chance(system_share))
