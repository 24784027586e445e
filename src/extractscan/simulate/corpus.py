"""Corpora of task prompts: item ``k`` of a corpus is the same text for whoever asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from extractscan.simulate.dice import Dice
from extractscan.simulate.grammar import grammar

if TYPE_CHECKING:
    from extractscan.simulate.settings import Actor

TASK_KINDS: Final = (
    "question", "maths", "coding", "classifying", "essay", "translating", "reviewing", "extracting", "brainstorm",
    "rewriting", "planning", "comparing", "story", "summarising", "reasoning",
)  # fmt: skip
"""Symbols of one kind of task prompt each; every grammar has them."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A data set of prompts: ``kinds`` are the symbols it mixes. Items are found by number, without end."""

    seed: int
    name: str
    language: str
    kinds: tuple[str, ...]

    def item(self, k: int) -> str:
        """Return item ``k``."""
        return _item(self, k)

    def shard(self, member: int, members: int, count: int, *, block: bool) -> list[str]:
        """Return ``count`` items that no other member gets: every ``members``-th one, or one ``block``."""
        if block:
            return [self.item(member * 100_000 + k) for k in range(count)]
        return [self.item(member + members * k) for k in range(count)]


@lru_cache(maxsize=4096)
def _item(corpus: Corpus, k: int) -> str:
    dice = Dice.of(corpus.seed, "corpus", corpus.name, corpus.language, k)
    return grammar(corpus.language).write(dice.pick(corpus.kinds), dice).strip()


def corpus_of(actor: Actor, name: str | None = None, *kinds: str) -> Corpus:
    """Return the corpus of the actor's group: of all kinds of tasks, or of a few, or of ``kinds``."""
    dice = actor.shared("corpus")
    if not kinds:
        kinds = ("task",) if dice.chance(0.6) else tuple(dice.sample(TASK_KINDS, dice.between(2, 5)))
    name = name or f"{actor.plan.archetype}/{actor.plan.group}"
    return Corpus(actor.settings.seed, name, actor.language, kinds)
