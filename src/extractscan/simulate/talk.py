"""Multi-turn talk of people: an opener on some interest, then turns that lean on what was said before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from extractscan.simulate.clock import Habit, moments, person_habit
from extractscan.simulate.noise import typed
from extractscan.simulate.settings import Call

if TYPE_CHECKING:
    from extractscan.simulate.dice import Dice
    from extractscan.simulate.grammar import Grammar
    from extractscan.simulate.settings import Actor, Shape

_OPENERS: Final = (
    "open_tech", "open_cook", "open_travel", "open_health", "open_work", "open_study", "open_home", "open_people",
    "open_shop", "open_coding", "open_curious", "open_write", "chat_open",
)  # fmt: skip
_HELD: Final = ("relative", "place", "weekday", "device", "item", "topic", "field", "job", "dish")
"""Words that stay the same for a person's burst of interest."""


@dataclass(frozen=True, slots=True)
class Talker:
    """How a person talks: words, mean number of turns, carelessness in typing, share of curt turns, favourite openers."""

    grammar: Grammar
    turns: float
    slips: float
    curt: float
    openers: tuple[str, ...]
    loyalty: float


def talker(dice: Dice, grammar: Grammar) -> Talker:
    """Return a person's manner."""
    return Talker(
        grammar=grammar,
        turns=dice.lognormal(3.5, 0.5),
        slips=dice.unit() ** 2,
        curt=0.05 + 0.25 * dice.unit(),
        openers=tuple(dice.sample(_OPENERS, dice.between(2, 5))),
        loyalty=0.3 + 0.6 * dice.unit(),
    )


def interest(dice: Dice, grammar: Grammar, loyalty: float) -> dict[str, str]:
    """Return words that a burst of talk comes back to."""
    return {name: grammar.write(name, dice) for name in _HELD if dice.chance(loyalty * 0.5)}


def turns_of(dice: Dice, person: Talker, context: dict[str, str], limit: int) -> list[str]:
    """Return the user turns of one conversation, at most ``limit``."""
    grammar = person.grammar
    count = min(limit, 1 + int(dice.generator.geometric(1 / max(1.01, person.turns))) - 1)
    opener = dice.pick(person.openers)
    turns = [typed(grammar.write(opener, dice, context), dice, person.slips)]
    while len(turns) < count:
        if dice.chance(person.curt):
            text = grammar.write("chat_short", dice, context)
        elif dice.chance(0.07):
            text = grammar.write(opener, dice, context)
        else:
            text = grammar.write("chat_follow", dice, context)
        turns.append(typed(text, dice, person.slips))
    return turns


def sessions(
    actor: Actor,
    count: int,
    span: tuple[float, float],
    *,
    person: Talker | None = None,
    habit: Habit | None = None,
    system: str | None = None,
    end_user: str | None = None,
) -> list[Call]:
    """Return ``count`` requests of multi-turn talk within ``span`` (seconds)."""
    dice = actor.dice
    person = person or talker(dice, actor.voice)
    talks: list[list[str]] = []
    left = count
    context = interest(dice, person.grammar, person.loyalty)
    while left > 0:
        if dice.chance(0.35):
            context = interest(dice, person.grammar, person.loyalty)
        turns = turns_of(dice, person, context, left)
        talks.append(turns)
        left -= len(turns)
    weekday = actor.settings.start.weekday()
    begins = moments(dice, len(talks), span, habit or person_habit(dice), weekday)
    calls = []
    for begin, turns in zip(begins, talks, strict=True):
        conversation, now = actor.new_conversation(), begin
        for turn, text in enumerate(turns):
            shape: Shape = "short" if turn and dice.chance(0.3) else "chat"
            calls.append(Call(now, text, shape, system, conversation, turn, end_user=end_user))
            now += 8.0 + dice.lognormal(45.0, 0.9)
    return calls


def cover(actor: Actor, hostile: int, span: tuple[float, float]) -> list[Call]:
    """Return the ordinary talk that a hostile account hides behind, by its cover share."""
    share = actor.cover_share
    return sessions(actor, round(hostile * share / (1 - share)), span) if share > 0 else []
