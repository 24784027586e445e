"""Whether the members of a group work in the same hours beyond what their days and their daily rhythms bring about.

One scheduler starts and stops the accounts that it drives together; customers who keep the same office hours are active in
the same hours too. Each account's own rhythm is therefore taken out: given on which days it was active how long, and at which times of
day, its hours are taken as drawn for themselves, and only hours in common beyond those speak for a common hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.tallies import distinct_values
from extractscan.jit import kernel

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

HOUR_US: Final = 3_600_000_000
HOURS: Final = 24
TOGETHER: Final = np.array([1.25, 1.5, 2.0, 3.0])
"""Times as many hours in common as by chance where one scheduler drives accounts: how much else it does is unknown."""
DRIVEN: Final = 0.25
"""Operators who drive their accounts by one schedule. It is a minority, so that its absence says little."""
DISPERSION: Final = 4.0
"""Overdispersion: each account is in many pairs, and whoever sits behind one product is stopped by the same outage."""
FEWEST: Final = 3
"""Members from which hours in common are more than a coincidence of two."""


@kernel
def _rates(
    ends: NDArray[np.int64],
    day: NDArray[np.int64],
    time: NDArray[np.int64],
    rate: NDArray[np.float64],
    own: NDArray[np.float64],
) -> None:
    """Add up in ``rate`` (days, times of day) at what rate members are active, and in ``own`` (members) each one's rates, squared.

    Hours of member ``m`` are ``ends[m]`` to ``ends[m + 1]``, in their order.
    """
    times = np.zeros(rate.shape[1])
    for m in range(ends.size - 1):
        active = ends[m + 1] - ends[m]
        times[:] = 0.0
        for i in range(ends[m], ends[m + 1]):
            times[time[i]] += 1.0
        squares = 0.0
        begin = ends[m]
        for i in range(ends[m], ends[m + 1]):
            if i + 1 == ends[m + 1] or day[i + 1] != day[i]:
                hours = i + 1.0 - begin
                share = hours * (1.0 / active)
                for t in range(times.size):
                    rate[day[i], t] += share * times[t]
                squares += hours * hours
                begin = i + 1
        both = 0.0
        for t in range(times.size):
            both += times[t] * times[t]
        if active > 0:
            own[m] = squares * both / (active * active)


class Activity:
    """In which hours of the log each stream was active."""

    def __init__(self, requests: pl.DataFrame, total: int) -> None:
        """Take ``stream`` and ``time_us`` of all requests; ``total`` counts streams."""
        hours = requests["time_us"].to_numpy() // HOUR_US
        # Days and times of day are those of UTC: where a day begins matters little, since it is the same for all.
        hours -= (hours.min(initial=0) // HOURS) * HOURS
        width = int(hours.max(initial=0)) + 1
        hours += requests["stream"].to_numpy() * width
        active = distinct_values(hours)
        self._hour = active % width
        self._rows = np.searchsorted(active, np.arange(total + 1) * width)

    def foresee(self, groups: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> None:
        """Groups of which ``together`` will be asked: nothing to prepare here."""

    def together(self, streams: NDArray[np.int64], owner: NDArray[np.int64]) -> tuple[int, float]:
        """Pairs of members active in the same hour, over all hours, and how many there would be by their rhythms alone.

        ``streams`` are stream numbers, ``owner`` the member (0 to k - 1) that each belongs to. With active hours a of a day and b of
        a time of day, of n in all, a member is taken to be active in an hour at rate a b / n: its own margins are kept.
        """
        spans = [self._hour[self._rows[s] : self._rows[s + 1]] for s in streams]
        hour = np.concatenate(spans) if spans else np.zeros(0, np.int64)
        if not hour.size:
            return 0, 0.0
        width = int(hour.max()) + 1
        keys = np.repeat(owner, [s.size for s in spans]) * width + hour
        member, hour = np.divmod(distinct_values(keys), width)
        at_once = np.bincount(hour).astype(np.float64)
        seen = int(((at_once * at_once).sum() - hour.size) / 2.0)
        ends = np.r_[0, np.cumsum(np.bincount(member))]
        own = np.zeros(ends.size - 1)
        # A day on which nobody was active adds nothing, and takes no room.
        day = (np.cumsum(np.bincount(hour // HOURS) > 0) - 1)[hour // HOURS]
        rate = np.zeros((int(day.max()) + 1, HOURS))
        _rates(ends, day, hour % HOURS, rate, own)
        return seen, max(0.0, float((rate * rate).sum() - own.sum()) / 2.0)


def synchrony_bits(seen: int, expected: float) -> float:
    """Log2 likelihood ratio of one schedule against independent hours: Poisson counts, a mixture over how far they coincide.

    Never below 0: operators who leave each account to its own hours are the most.
    """
    if expected <= 0.0:
        return 0.0
    logs = (seen * np.log(TOGETHER) - expected * (TOGETHER - 1.0)) / DISPERSION
    ratio = float(np.logaddexp.reduce(logs)) - float(np.log(TOGETHER.size))
    return max(0.0, float(np.logaddexp(np.log(DRIVEN) + ratio, np.log(1.0 - DRIVEN)) / np.log(2.0)))
