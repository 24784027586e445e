"""Answers to what the search for communities asks of the similarities of units, from a matrix or without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from extractscan.campaign.frequencies import with_all, with_one

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.campaign.frequencies import Frequencies
    from extractscan.campaign.sketches import Candidates


class Likeness(Protocol):
    """Similarities of n units, of which two are linked from a threshold. Units and members are sorted unit numbers (int64)."""

    def links(self) -> NDArray[np.int64]:
        """How many units each one is linked to (int64, n)."""

    def linked(self, one: int, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of ``units`` that ``one`` is linked to."""

    def totals(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum of each member's similarities with the others."""

    def with_one(self, one: int, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Similarity of each of ``units`` with ``one``, 0 for itself."""

    def sums(self, members: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum of the similarities of each of ``units``, none a member, with ``members``, which may be in any order."""

    def near(self, members: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of ``units``, none a member, whose mean similarity with the members reaches the threshold."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """All pairs at hand: ``similarity`` is float64 (n, n), symmetric, with diagonal 0."""

    similarity: NDArray[np.float64]
    threshold: float

    def links(self) -> NDArray[np.int64]:
        """See ``Likeness``."""
        links: NDArray[np.int64] = np.count_nonzero(self.similarity >= self.threshold, axis=1)
        return links

    def linked(self, one: int, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """See ``Likeness``."""
        return np.compress(self.similarity[one, units] >= self.threshold, units)

    def totals(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Likeness``."""
        total: NDArray[np.float64] = self.similarity[np.ix_(members, members)].sum(axis=1)
        return total

    def with_one(self, one: int, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Likeness``."""
        column: NDArray[np.float64] = self.similarity[units, one]
        return column

    def sums(self, members: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Likeness``."""
        total: NDArray[np.float64] = self.similarity[np.ix_(units, members)].sum(axis=1)
        return total

    def near(self, members: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """See ``Likeness``."""
        return np.compress(self.similarity[np.ix_(units, members)].mean(axis=1) >= self.threshold, units)


@dataclass(frozen=True, slots=True)
class Sketched:
    """No pair at hand: sketches say which are worth a look, and what is asked is computed in full when it is asked.

    Only a pair that the sketches rule out is never looked at, and ``links``, which set the order of seeds, may be estimates in part.
    Sums over members need no pairs at all, because the similarity is a product of frequencies and sums of products are
    products of sums: a community of any size costs what its members' words do.
    """

    frequencies: Frequencies
    candidates: Candidates
    threshold: float
    jobs: int

    def _among(self, row: NDArray[np.uint8], units: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.compress((row[units >> 3] >> (7 - (units & 7)).astype(np.uint8)) & np.uint8(1), units)

    def links(self) -> NDArray[np.int64]:
        """See ``Likeness``."""
        return self.candidates.links

    def linked(self, one: int, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """See ``Likeness``."""
        units = self._among(self.candidates.bits[one], units)
        return units[with_one(self.frequencies, one, units, self.jobs) >= self.threshold]

    def totals(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Likeness``."""
        f = self.frequencies
        return with_all(f, members, members, self.jobs) - (f.own[members] > 0.0)

    def with_one(self, one: int, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Likeness``."""
        return with_one(self.frequencies, one, units, self.jobs)

    def sums(self, members: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Likeness``."""
        return with_all(self.frequencies, members, units, self.jobs)

    def near(self, members: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """See ``Likeness``."""
        # A mean that reaches the threshold has a term that does.
        units = self._among(np.bitwise_or.reduce(self.candidates.bits[members], axis=0), units)
        return units[with_all(self.frequencies, members, units, self.jobs) / members.size >= self.threshold]
