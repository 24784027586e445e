"""Coverage statistics of many accounts or streams at once: how much of a space each visits, and how evenly.

The words are those of ecology: an *individual* is a request, a *species* a cluster of near-duplicate prompts. All
formulas agree with scikit-bio. None depends on the order of requests, of counts or of units.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from extractscan.coverage.rarefaction import richness_at
from extractscan.coverage.spectrum import Spectrum, spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_DRAWS = 50
"""Sample size, in requests, to which richness is rarefied unless told."""

Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True, slots=True)
class CoverageTable:
    """One value a unit and statistic; float64 is NaN where a statistic is undefined (for most: an empty unit).

    - ``n``: individuals (int64). ``observed``: distinct species (int64). ``singletons``, ``doubletons``: species met
      exactly once and exactly twice (int64).
    - ``unseen_mass``: share of future requests that would be new, f1/n (Good, I. J. 1953, Biometrika 40:237-264), in
      [0, 1]. ``unseen_low``, ``unseen_high``: its 95 % interval, clipped to [0, 1] (Esty, W. W. 1983, Ann. Statist.
      11:905-912: standard error sqrt((f1 (n - f1) + 2 n f2) / n^3), which estimates the coverage's spread around its
      mean for large n; its width is zero when all are singletons or when there are neither singletons nor doubletons,
      so for a handful of requests it is too narrow).
    - ``goods_coverage``: 1 - f1/n.
    - ``chao1``: estimated species in all, seen or not, bias-corrected, observed + f1 (f1 - 1) / (2 (f2 + 1)) (Chao, A.
      1984, Scand. J. Statist. 11:265-270); a lower bound, and unstable while most species are singletons.
    - ``hill_0``, ``hill_1``, ``hill_2``: effective number of species of order 0 (observed), 1 (exponential of Shannon's
      entropy) and 2 (inverse Simpson) (Hill, M. O. 1973, Ecology 54:427-432).
    - ``rarefied_richness``: expected distinct species in ``draws`` individuals (see ``coverage.rarefaction``); NaN when
      n < ``draws``.
    - ``heaps_exponent``: slope of ln E[S(k)] against ln k between half the sample and all of it, k from floor(n/2) to
      n, with E[S(k)] by rarefaction; log2(S(n) / S(n/2)) when n is even. 1: every request still new; 0: nothing new.
      This is the exponent b of Heaps' law S = a n^b at the end of the sample, free of the order of requests. NaN when
      n < 2.
    - ``log_share``: observed / species in the whole log.
    """

    n: NDArray[np.int64]
    observed: NDArray[np.int64]
    singletons: NDArray[np.int64]
    doubletons: NDArray[np.int64]
    unseen_mass: NDArray[np.float64]
    unseen_low: NDArray[np.float64]
    unseen_high: NDArray[np.float64]
    goods_coverage: NDArray[np.float64]
    chao1: NDArray[np.float64]
    hill_0: NDArray[np.float64]
    hill_1: NDArray[np.float64]
    hill_2: NDArray[np.float64]
    rarefied_richness: NDArray[np.float64]
    heaps_exponent: NDArray[np.float64]
    log_share: NDArray[np.float64]
    draws: int
    """The sample size of ``rarefied_richness``, the same for all units."""

    def columns(self) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
        """Give the statistics by name, in the order of the fields, ready for a data frame."""
        return {name: getattr(self, name) for name in STATISTICS}

    def records(self) -> list[dict[str, float | int | None]]:
        """One plain dictionary a unit for reports: the statistics and ``draws``; None where undefined."""
        lists: list[list[float | int | None]] = []
        for values in self.columns().values():
            plain: list[float | int | None] = values.tolist()
            for position in np.flatnonzero(np.isnan(values)).tolist():
                plain[position] = None
            lists.append(plain)
        return [dict(zip((*STATISTICS, "draws"), (*row, self.draws), strict=True)) for row in zip(*lists, strict=True)]


STATISTICS: tuple[str, ...] = tuple(field.name for field in fields(CoverageTable) if field.name != "draws")
"""Names of the columns of a ``CoverageTable``."""


def coverage_table(
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    total_species: int,
    *,
    draws: int = DEFAULT_DRAWS,
) -> CoverageTable:
    """Compute every statistic for every unit.

    Unit i owns ``counts[offsets[i]:offsets[i + 1]]``: how often it visited each of its species, each at least 1; units
    may be empty. ``offsets`` int64 (u + 1), ``counts`` int64. ``total_species``: species in the whole log (0: unknown,
    ``log_share`` is NaN). ``draws``: individuals to which richness is rarefied. Raises ValueError on bad shapes or
    counts.
    """
    if draws < 0 or total_species < 0:
        raise ValueError("draws and total_species must not be negative")
    units = spectrum(offsets, counts)
    n = units.individuals
    observed = units.observed
    ones, twos = units.species_seen(1), units.species_seen(2)
    size = np.where(n > 0, n, np.nan).astype(np.float64)  # NaN carries "undefined" through every quotient below
    unseen = ones / size
    half_width = Z_95 * np.sqrt((unseen * (1.0 - unseen) + 2.0 * twos / size) / size)
    f1 = ones.astype(np.float64)
    share = observed / total_species if total_species else np.full(units.units, np.nan)
    hill_1, hill_2 = _hill(units, size)
    return CoverageTable(
        n=n,
        observed=observed,
        singletons=ones,
        doubletons=twos,
        unseen_mass=unseen,
        unseen_low=np.maximum(unseen - half_width, 0.0),
        unseen_high=np.minimum(unseen + half_width, 1.0),
        goods_coverage=1.0 - unseen,
        chao1=np.where(n > 0, observed + f1 * (f1 - 1.0) / (2.0 * (twos + 1.0)), np.nan),
        hill_0=np.where(n > 0, observed.astype(np.float64), np.nan),
        hill_1=hill_1,
        hill_2=hill_2,
        rarefied_richness=richness_at(units, np.full(units.units, draws, dtype=np.int64)),
        heaps_exponent=_heaps(units),
        log_share=share,
        draws=draws,
    )


def _hill(units: Spectrum, size: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hill numbers of order 1 and 2; both lie between 1 and the observed species, which rounding must not break."""
    share = units.count / size[units.unit]
    entropy = -units.sum_by_unit(units.species * (share * np.log(share)))
    simpson = units.sum_by_unit(units.species * (share * share))
    simpson = np.where(units.individuals > 0, simpson, np.nan)
    ceiling = np.maximum(units.observed, 1).astype(np.float64)
    order_1 = np.where(units.individuals > 0, np.clip(np.exp(entropy), 1.0, ceiling), np.nan)
    return order_1, np.clip(1.0 / simpson, 1.0, ceiling)


def _heaps(units: Spectrum) -> NDArray[np.float64]:
    """Slope of the rarefaction curve in log-log terms over the last halving of the sample, in [0, 1]."""
    defined = units.individuals >= 2
    half = units.individuals // 2
    fewer = np.where(defined, richness_at(units, half), 1.0)
    every = np.where(defined, units.observed, 1).astype(np.float64)
    factor = np.where(defined, units.individuals / np.maximum(half, 1), 2.0)
    # The curve is concave from the origin, so the slope is in [0, 1] but for rounding.
    return np.where(defined, np.clip(np.log(every / fewer) / np.log(factor), 0.0, 1.0), np.nan)
