"""Whose words they are: a grammar as one owner speaks it.

Every data set, product and person has a distribution of its own over the same grammar: some of its alternatives, at frequencies of
its own (a power of the rank, the ranks permuted by owner), some synonyms rather than others, and names and terms that nobody else
has, without end. So a collection is like itself and unlike others, as collections are. The numbers below were chosen by how alike
public collections of prompts are (docs/detection.md); benchmarks/detection/likeness.py measures that of any log.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil, gcd
from typing import TYPE_CHECKING, Final

from extractscan.simulate.dice import Quick, hash_of
from extractscan.simulate.grammar import Grammar, Synonym, grammar

if TYPE_CHECKING:
    from extractscan.simulate.dice import Dice
    from extractscan.simulate.grammar import Alternative

KEPT: Final = 3
"""Alternatives of a symbol that even the narrowest owner has."""
SECOND: Final = (0.1, 0.5)
"""Share of the synonym that an owner prefers second."""
COINED_SCALE: Final = 12.0
"""Rank of coined words from which their frequencies fall as a power law."""
_REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Breadth:
    """Ranges from which an owner's numbers are drawn, each uniformly.

    ``productions`` and ``words``: share of the alternatives that the owner has, of symbols that stand for more than a word and for
    one. ``skew``: power to which a uniform number is raised to give a rank, 1 for equal frequencies. ``coined``: share of the words
    of an endless symbol that are coined. ``growth``: exponent of the growth of coined words with text (Heaps).
    """

    productions: tuple[float, float]
    words: tuple[float, float]
    skew: tuple[float, float]
    coined: tuple[float, float]
    growth: tuple[float, float]


COLLECTION: Final = Breadth((0.3, 0.65), (0.2, 0.6), (1.0, 1.5), (0.7, 0.95), (0.7, 0.88))
"""A data set, a product, a company."""
PERSON: Final = Breadth((0.35, 0.75), (0.25, 0.6), (1.0, 1.5), (0.3, 0.7), (0.6, 0.8))
"""One writer."""
LISTER: Final = Breadth((1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (0.3, 0.6), (0.7, 0.88))
"""Whoever draws up the axes of a grid, or a list of statements, and leaves nothing out."""


@dataclass(frozen=True, slots=True)
class _Own:
    """A symbol as the owner has it: of ``rule``, ``kept`` alternatives from ``first`` in steps of ``step``."""

    rule: tuple[Alternative, ...]
    kept: int
    first: int
    step: int
    skew: float
    coined: float
    growth: float
    single: bool


class Dialect(Grammar):
    """The grammar of a language as an owner speaks it."""

    def __init__(self, base: Grammar, owner: int, breadth: Breadth) -> None:
        super().__init__(base.language, base.rules, base.endless)
        self._owner = owner
        self._breadth = breadth
        self._own: dict[str, _Own] = {}
        self._said: dict[Synonym, tuple[str, str, float]] = {}
        self._coins: dict[tuple[str, int], Alternative] = {}
        self._coining = False
        dice = Quick(owner)
        self._general = tuple(_within(dice, span) for span in (breadth.productions, breadth.words, breadth.skew))

    def _pick(self, symbol: str, dice: Dice, used: set[tuple[str, int]]) -> Alternative:
        own = self._own.get(symbol)
        if own is None:
            own = self._own[symbol] = self._begin(symbol)
        if own.coined and not self._coining and dice.unit() < own.coined:
            # Frequencies that fall as rank ** (-1 / growth) let the number of different words grow as text ** growth.
            rank = COINED_SCALE * ((1.0 - dice.unit()) ** (-own.growth / (1.0 - own.growth)) - 1.0)
            return self._coin(symbol, int(min(rank, 1e15)))
        at = int(own.kept * dice.unit() ** own.skew)
        if own.single:
            if (symbol, at) in used:
                at = (at + 1) % own.kept
            used.add((symbol, at))
        return own.rule[(own.first + own.step * at) % len(own.rule)]

    def _begin(self, symbol: str) -> _Own:
        rule = self._rules[symbol]
        size, single = len(rule), symbol in self._words
        dice = Quick(self._owner ^ _bits(symbol))
        productions, words, skew = self._general
        share = (words if single else productions) * (0.7 + 0.6 * dice.unit())
        coined = growth = 0.0
        if symbol in self._endless:
            coined, growth = _within(dice, self._breadth.coined), _within(dice, self._breadth.growth)
        return _Own(
            rule,
            kept=min(size, max(KEPT, ceil(share * size))),
            first=dice.below(size),
            step=dice.pick(_steps(size)),
            skew=1.0 + (skew - 1.0) * 2 * dice.unit(),
            coined=coined,
            growth=growth,
            single=single,
        )

    def _coin(self, symbol: str, rank: int) -> Alternative:
        known = self._coins.get((symbol, rank))
        if known is None:
            out: list[str] = []
            # Not the increment of ``Quick``, or the dice of one rank would go on as those of the next.
            dice = Quick(self._owner ^ _bits(symbol) ^ (rank + 1) * 0xD1342543DE82EF95 & 2**64 - 1)
            # A coined word is made of listed ones: else one could come to be made of itself.
            self._coining = True
            try:
                self._expand(self._endless[symbol], dice, {}, out, set())
            finally:
                self._coining = False
            if len(self._coins) > _REMEMBERED:
                self._coins.clear()
            known = self._coins[symbol, rank] = ("".join(out),)
        return known

    def _say(self, synonym: Synonym, dice: Dice) -> str:
        said = self._said.get(synonym)
        if said is None:
            own = Quick(self._owner ^ _bits(synonym.words[0]))
            said = self._said[synonym] = (own.pick(synonym.words), own.pick(synonym.words), _within(own, SECOND))
        first, second, share = said
        return second if dice.unit() < share else first


@cache
def _bits(name: str) -> int:
    return hash_of("symbol", name)


@cache
def _steps(size: int) -> tuple[int, ...]:
    """Return the steps that visit all of ``size``; neighbours, which are of one subject in many lists, as often as all others."""
    others = tuple(step for step in range(2, min(size, 200)) if gcd(step, size) == 1)
    return (*(1,) * max(1, len(others)), *others)


def _within(dice: Dice, span: tuple[float, float]) -> float:
    return span[0] + (span[1] - span[0]) * dice.unit()


@lru_cache(maxsize=1024)
def dialect(language: str, breadth: Breadth, *owner: int | str) -> Dialect:
    """Return the grammar of a language code as ``owner`` (a seed and a name) speaks it."""
    return Dialect(grammar(language), hash_of(language, *owner), breadth)
