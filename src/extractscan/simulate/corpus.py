"""Corpora of task prompts: item ``k`` of a corpus is the same text for whoever asks for it.

A corpus is a distribution of its own: kinds of tasks, a dialect (subjects, wordings, names), and a manner (how much is said beside
the task itself, and with what marks).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from extractscan.simulate.dialect import COLLECTION, dialect
from extractscan.simulate.dice import Dice

if TYPE_CHECKING:
    from extractscan.simulate.grammar import Grammar
    from extractscan.simulate.settings import Actor

TASK_KINDS: Final = (
    "question", "maths", "coding", "classifying", "essay", "translating", "reviewing", "extracting", "brainstorm",
    "rewriting", "planning", "comparing", "story", "summarising", "reasoning",
)  # fmt: skip
"""Symbols of one kind of task prompt each; every grammar has them."""

_MOST_ASIDES: Final = 3
_SPACED: Final = ("en", "es", "ar")


@dataclass(frozen=True, slots=True)
class Manner:
    """How the items of a corpus are put.

    ``asides``: chance of one more sentence beside the task, ``before``: share of them that come first, ``joint``: what stands
    between. ``bare``: share of items that end without their full stop, ``small``: share in lower case.
    """

    asides: float
    before: float
    joint: str
    bare: float
    small: float


@dataclass(frozen=True, slots=True)
class Corpus:
    """A data set of prompts: ``kinds`` are the symbols it mixes. Items are found by number, without end."""

    seed: int
    name: str
    language: str
    kinds: tuple[str, ...]

    @property
    def grammar(self) -> Grammar:
        """The words of the data set."""
        return dialect(self.language, COLLECTION, self.seed, "corpus", self.name)

    def item(self, k: int) -> str:
        """Return item ``k``."""
        return _item(self, k)

    def shard(self, member: int, members: int, count: int, *, block: bool) -> list[str]:
        """Return ``count`` items that no other member gets: every ``members``-th one, or one ``block``."""
        if block:
            return [self.item(member * 100_000 + k) for k in range(count)]
        return [self.item(member + members * k) for k in range(count)]


@lru_cache(maxsize=1024)
def manner(corpus: Corpus) -> Manner:
    """Return how the items of a corpus are put."""
    dice = Dice.of(corpus.seed, "manner", corpus.name, corpus.language)
    blank = " " if corpus.language in _SPACED else ""
    return Manner(
        asides=0.2 + 0.5 * dice.unit(),
        before=dice.pick((0.0, 0.2, 0.5, 1.0)),
        joint=dice.weighted((blank, "\n", "\n- "), (0.7, 0.2, 0.1)),
        bare=dice.pick((0.0, 0.0, 0.1, 0.5, 0.9)),
        small=dice.pick((0.0, 0.0, 0.0, 0.05, 0.3)),
    )


@lru_cache(maxsize=4096)
def _item(corpus: Corpus, k: int) -> str:
    dice = Dice.of(corpus.seed, "corpus", corpus.name, corpus.language, k)
    grammar, kind = corpus.grammar, dice.pick(corpus.kinds)
    text = grammar.write(kind, dice).strip()
    if kind not in TASK_KINDS and kind != "task":
        return text
    it = manner(corpus)
    parts = [text]
    while len(parts) <= _MOST_ASIDES and dice.chance(it.asides):
        parts.insert(0 if dice.chance(it.before) else len(parts), grammar.write("aside", dice).strip())
    text = it.joint.join(parts)
    if dice.chance(it.bare):
        text = text.rstrip(".。")
    return text.lower() if dice.chance(it.small) and "\n" not in text else text


def corpus_of(actor: Actor, name: str | None = None, *kinds: str) -> Corpus:
    """Return the corpus of the actor's group: of all kinds of tasks, or of a few, or of ``kinds``."""
    dice = actor.shared("corpus")
    if not kinds:
        kinds = ("task",) if dice.chance(0.4) else tuple(dice.sample(TASK_KINDS, dice.between(2, 6)))
    name = name or f"{actor.plan.archetype}/{actor.plan.group}"
    return Corpus(actor.settings.seed, name, actor.language, kinds)
