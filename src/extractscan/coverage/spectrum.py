"""How often each count occurs in each unit: all that a coverage statistic needs to know.

Richness, unseen mass and diversity do not ask *which* cluster was visited three times, only how many were. Sorting
once and collapsing equal counts makes every later sum short, and independent of the order in which the counts came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_INDIVIDUALS = 2**53
"""A unit may have fewer individuals than this: beyond it a float64 no longer holds every whole number."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Distinct counts by unit, sorted by unit and then by count.

    Row j says that unit ``unit[j]`` visited ``species[j]`` clusters exactly ``count[j]`` times each; all three are
    int64 of equal length. ``individuals`` and ``observed`` (int64, one value a unit) are visits and distinct clusters.
    """

    unit: NDArray[np.int64]
    count: NDArray[np.int64]
    species: NDArray[np.int64]
    individuals: NDArray[np.int64]
    observed: NDArray[np.int64]

    @property
    def units(self) -> int:
        """Number of units, empty ones included."""
        return len(self.individuals)

    def sum_by_unit(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add one value a row up to one value a unit, row after row in the spectrum's own order."""
        return np.bincount(self.unit, weights=values, minlength=self.units).astype(np.float64, copy=False)

    def species_seen(self, times: int) -> NDArray[np.int64]:
        """Count the species that each unit visited exactly ``times`` times (``times=1``: singletons)."""
        found = np.zeros(self.units, dtype=np.int64)
        rows = np.flatnonzero(self.count == times)
        found[self.unit[rows]] = self.species[rows]
        return found


def spectrum(offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> Spectrum:
    """Collapse the counts of many units into their spectra.

    ``offsets`` (length u + 1, from 0 to ``len(counts)``, never falling) cuts ``counts`` into u units, which may be
    empty; each count is at least 1. Raises ValueError when that does not hold.
    """
    offsets = np.asarray(offsets, dtype=np.int64)
    counts = np.asarray(counts, dtype=np.int64)
    _check(offsets, counts)
    units = len(offsets) - 1
    observed = np.diff(offsets)
    unit = np.repeat(np.arange(units, dtype=np.int64), observed)
    base = int(counts.max(initial=0)) + 1
    if units * base < 2**63:  # one key holds both: several times faster than sorting by two
        key = np.sort(unit * base + counts)
        first = np.flatnonzero(np.diff(key, prepend=-1))
        unit, count = np.divmod(key[first], base)
    else:
        order = np.lexsort((counts, unit))
        unit, count = unit[order], counts[order]
        first = np.flatnonzero(np.diff(unit, prepend=-1) | np.diff(count, prepend=-1))
        unit, count = unit[first], count[first]
    species = np.diff(first, append=len(counts)).astype(np.int64, copy=False)
    total = np.concatenate(([0], np.cumsum(count * species)))
    edges = np.searchsorted(unit, np.arange(units + 1))
    individuals = np.diff(total[edges]).astype(np.int64, copy=False)
    return Spectrum(unit=unit, count=count, species=species, individuals=individuals, observed=observed)


def _check(offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    if offsets.ndim != 1 or counts.ndim != 1 or len(offsets) == 0:
        raise ValueError("offsets and counts must have one dimension, and offsets at least one value")
    if offsets[0] != 0 or offsets[-1] != len(counts) or bool((np.diff(offsets) < 0).any()):
        raise ValueError("offsets must rise from 0 to the number of counts")
    if len(counts) and int(counts.min()) < 1:
        raise ValueError("every count must be at least 1")
    if float(counts.sum(dtype=np.float64)) >= MAX_INDIVIDUALS:
        raise ValueError("the counts add up to more than 2**53")
