"""Reproducible chance: one generator for each account, group or item, found from the seed and its name alone."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_FIRST = 64
_LARGEST = 1024
_WORD = 2**64 - 1


class Dice:
    """A numpy generator behind a buffer of uniform numbers; scalar draws cost a tenth of ``Generator`` calls."""

    __slots__ = ("_at", "_buffer", "generator")

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator
        self._buffer: list[float] = []
        self._at = 0

    @classmethod
    def of(cls, seed: int, *key: int | str) -> Dice:
        """Return the dice that belong to ``key`` under ``seed``; equal keys give equal dice, in any order of calls."""
        words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
        return cls(np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words]))))

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        at = self._at
        if at >= len(self._buffer):
            size = min(max(2 * len(self._buffer), _FIRST), _LARGEST)
            self._buffer = self.generator.random(size).tolist()
            at = 0
        self._at = at + 1
        return self._buffer[at]

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound)."""
        return int(self.unit() * bound)

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.unit() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""
        return items[int(self.unit() * len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """Return one of ``items``, drawn by ``weights`` (any positive scale)."""
        left = self.unit() * sum(weights)
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        return items[-1]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return ``count`` different ones of ``items`` in random order, or all of them if they are fewer."""
        pool = list(items)
        count = min(count, len(pool))
        for at in range(count):
            other = at + int(self.unit() * (len(pool) - at))
            pool[at], pool[other] = pool[other], pool[at]
        return pool[:count]

    def lognormal(self, median: float, sigma: float) -> float:
        """Return a log-normal number with this median and this standard deviation of its logarithm."""
        return float(median * np.exp(sigma * self.generator.standard_normal()))


class Quick(Dice):
    """Dice that begin in a nanosecond or so, for a word or two: splitmix64 (Steele, Lea and Flood, OOPSLA 2014)."""

    __slots__ = ("_state",)

    def __init__(self, state: int) -> None:
        self._state = state

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _WORD
        mixed = ((self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
        return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53


def hash_of(*key: int | str) -> int:
    """Return 64 bits that belong to ``key``."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=8).digest())


def name_of(kind: str, seed: int, *key: int | str, length: int = 12) -> str:
    """Return an identifier such as ``acct_3f…`` that tells nothing of ``key`` and is the same on every run."""
    text = "\x1f".join([kind, str(seed), *map(str, key)])
    return f"{kind}_{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()[:length]}"
