"""How people type: slips, lower case, missing marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from extractscan.simulate.dice import Dice

_CLOSING: Final = (".", "?", "\u3002", "\uff1f", "\u060c", "\u061f")
"""Full stops and question marks of the five languages, and the Arabic comma."""


def typed(text: str, dice: Dice, slips: float) -> str:
    """Return ``text`` as a person with ``slips`` (0 careful to 1 careless) would have typed it."""
    text = " ".join(text.split(" ")).replace("  ", " ").strip()
    if "\n" in text:
        return text
    if text.isascii() or text[:1].isascii():
        if dice.chance(slips * 0.6):
            text = text.lower()
        if dice.chance(slips * 0.5):
            text = text.replace("'", "").replace(",", "")
        if dice.chance(slips * 0.35) and len(text) > 12:
            text = _slip(text, dice)
    if dice.chance(0.2 + slips * 0.4) and text[-1:] in _CLOSING:
        text = text[:-1]
    return text


def _slip(text: str, dice: Dice) -> str:
    at = dice.between(1, len(text) - 3)
    if not (text[at].isalpha() and text[at + 1].isalpha()):
        return text
    kind = dice.below(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]
