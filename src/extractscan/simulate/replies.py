"""Responses: how long they are, and their text where the log shall have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from extractscan.simulate.dice import Dice
    from extractscan.simulate.grammar import Grammar
    from extractscan.simulate.settings import Shape

_LENGTHS: Final[dict[Shape, tuple[float, float]]] = {
    "prose": (320.0, 0.6),
    "long": (750.0, 0.5),
    "steps": (450.0, 0.5),
    "tagged": (480.0, 0.5),
    "label": (3.0, 0.5),
    "json": (60.0, 0.4),
    "list": (260.0, 0.5),
    "code": (180.0, 0.8),
    "chat": (190.0, 0.7),
    "short": (60.0, 0.7),
    "verdict": (160.0, 0.6),
    "prompts": (400.0, 0.4),
}
"""Shape to median tokens and standard deviation of their logarithm."""

_TEXT_LIMIT: Final = 600
"""Tokens of a response that are written out at most."""


def length(shape: Shape, dice: Dice) -> int:
    """Return output tokens of a response of this shape."""
    median, sigma = _LENGTHS[shape]
    return max(1, round(dice.lognormal(median, sigma)))


def tokens_of(text: str) -> int:
    """Return about how many tokens ``text`` has: a character each where a script has no spaces, else four."""
    if text.isascii():
        return max(1, (len(text) + 3) // 4)
    wide = sum(1 for character in text if character > "\u2e80")
    return max(1, round(wide * 0.9 + (len(text) - wide) / 3.6))


def reply(grammar: Grammar, shape: Shape, tokens: int, dice: Dice) -> str:
    """Write a response of about ``tokens`` tokens (at most 600)."""
    goal = min(tokens, _TEXT_LIMIT)
    if shape == "label":
        return grammar.write("reply_label", dice)
    if shape == "json":
        return grammar.write("reply_json", dice)
    if shape == "code":
        return _until(grammar, "reply_code", goal, dice, "\n\n")
    if shape in ("chat", "short"):
        return _until(grammar, "reply_chat", goal, dice, " ")
    if shape == "list":
        return _until(grammar, "reply_list", goal, dice, "\n")
    if shape == "prompts":
        return _until(grammar, "task", goal, dice, "\n")
    if shape in ("steps", "tagged"):
        return _steps(grammar, goal, dice, tagged=shape == "tagged")
    if shape == "verdict":
        return _until(grammar, "reply", goal, dice, " ") + f"\n{dice.between(1, 10)}/10"
    return _until(grammar, "reply", goal, dice, "\n\n")


def _until(grammar: Grammar, symbol: str, goal: int, dice: Dice, joint: str) -> str:
    parts: list[str] = []
    done = 0
    while done < goal:
        text = grammar.write(symbol, dice)
        parts.append(text)
        done += tokens_of(text)
    return joint.join(parts)


def _steps(grammar: Grammar, goal: int, dice: Dice, *, tagged: bool) -> str:
    lines: list[str] = []
    done = 0
    while done < goal or len(lines) < 2:
        line = grammar.write("reply_step", dice, {"k": str(len(lines) + 1)})
        lines.append(line)
        done += tokens_of(line)
    body, final = "\n".join(lines), grammar.write("reply_final", dice)
    return f"<think>{body}</think><final>{final}</final>" if tagged else f"{body}\n\n{final}"
