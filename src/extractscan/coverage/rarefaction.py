"""Rarefaction: how many distinct clusters a smaller sample of the same unit would show.

The expected number of species in m individuals drawn without replacement from a unit of n is

    E[S(m)] = sum over species i of  1 - C(n - c_i, m) / C(n, m)

with c_i the count of species i (Hurlbert, S. H. 1971, "The nonconcept of species diversity", Ecology 52:577-586;
Heck, van Belle and Simberloff 1975, Ecology 56:1459-1461). It makes units of different size comparable, and it does
not depend on the order of requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extractscan.coverage.spectrum import Spectrum, spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EXACT_STEPS = 64
"""Up to this many factors the ratio of binomials is multiplied out; beyond it Stirling's series is as good."""

_SERIES_FROM = 16
"""Stirling's series is used for arguments of at least this size."""


def chance_seen(count: NDArray[np.int64], n: NDArray[np.int64], m: NDArray[np.int64]) -> NDArray[np.float64]:
    """Probability that a species met ``count`` times among ``n`` individuals shows up in a sample of ``m``.

    Three int64 arrays of equal length with 1 <= count <= n and 0 <= m <= n; drawn without replacement:
    1 - C(n - count, m) / C(n, m). Relative error about 1e-14 up to 64 factors, and about 1e-16 n / min(count, m)
    beyond.
    """
    # C(n-c, m)/C(n, m) is a product of m factors, or of c factors when m and c change places. The shorter one is taken.
    steps = np.minimum(count, m)
    other = np.maximum(count, m).astype(np.float64)
    size = n.astype(np.float64)
    seen = np.zeros(len(steps), dtype=np.float64)
    short = steps <= EXACT_STEPS
    active = np.flatnonzero(short & (steps > 0))
    step = 0
    while len(active):
        # Adding up the chance of being seen keeps its leading digits where 1 - product would lose them.
        hit = np.minimum(other[active] / (size[active] - step), 1.0)
        so_far = seen[active]
        seen[active] = np.minimum(so_far + (1.0 - so_far) * hit, 1.0)
        step += 1
        active = active[steps[active] > step]
    long = np.flatnonzero(~short)
    if len(long):
        seen[long] = _chance_seen_series(count[long].astype(np.float64), size[long], m[long].astype(np.float64))
    return seen


def _chance_seen_series(
    count: NDArray[np.float64], n: NDArray[np.float64], m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the same for min(count, m) > 64, by Stirling's series with its large terms cancelled by hand.

    Differences of log-gamma would lose seven digits at n = 10^7; here ln n and the linear terms drop out exactly.
    """
    rest = n - count - m
    seen = np.ones(len(n), dtype=np.float64)  # with so little left over, a miss has probability under 1e-20
    rows = np.flatnonzero(rest >= _SERIES_FROM)
    c, size, draws, left = count[rows], n[rows], m[rows], rest[rows]
    log_miss = (
        (size - c + 0.5) * np.log1p(-c / size)
        + (size - draws + 0.5) * np.log1p(-draws / size)
        - (left + 0.5) * np.log1p(-(c + draws) / size)
        + (_stirling_tail(size - c) - _stirling_tail(size))
        + (_stirling_tail(size - draws) - _stirling_tail(left))
    )
    seen[rows] = np.clip(-np.expm1(log_miss), 0.0, 1.0)
    return seen


def _stirling_tail(a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give ln a! less (a + 1/2) ln a - a + ln(2 pi)/2, by three terms of Stirling's series."""
    square = a * a
    return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * square)) / square) / a


def richness_at(units: Spectrum, m: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rarefy unit i to ``m[i]`` individuals; NaN where the unit has fewer, or m is negative."""
    defined = (m >= 0) & (m <= units.individuals)
    draws = np.where(defined, m, 0)
    seen = chance_seen(units.count, units.individuals[units.unit], draws[units.unit])
    richness = units.sum_by_unit(seen * units.species)
    # Rounding must not show more species than draws, nor more than there are, nor less than one in a sample.
    richness = np.clip(richness, np.minimum(draws, 1), np.minimum(draws, units.observed))
    return np.where(defined, richness, np.nan)


def rarefaction_curve(counts: NDArray[np.int64], points: ArrayLike) -> NDArray[np.float64]:
    """Rarefy one unit to each sample size in ``points`` (individuals); returns float64 in the order given.

    ``counts`` holds one value of at least 1 a cluster. NaN where a point exceeds the unit or is negative. Raises
    ValueError on a count below 1.
    """
    counts = np.asarray(counts, dtype=np.int64)
    m = np.asarray(points, dtype=np.int64).ravel()
    one = spectrum(np.array([0, len(counts)], dtype=np.int64), counts)
    rows = len(one.count)
    many = Spectrum(
        unit=np.repeat(np.arange(len(m), dtype=np.int64), rows),
        count=np.tile(one.count, len(m)),
        species=np.tile(one.species, len(m)),
        individuals=np.repeat(one.individuals, len(m)),
        observed=np.repeat(one.observed, len(m)),
    )
    return richness_at(many, m)
