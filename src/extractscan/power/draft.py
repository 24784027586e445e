"""One simulated campaign before it is in the log: loads, texts, and rows of cover traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from extractscan.power.kinds import Exhausted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.power.csr import Ragged
    from extractscan.power.kinds import Kind
    from extractscan.power.supply import Supply


@dataclass(frozen=True, slots=True)
class Spec:
    """What a campaign is to be: its kind, accounts, median requests of an account, share of cover traffic, and which repeat."""

    kind: str
    accounts: int
    requests: int
    cover: float
    repeat: int

    def generator(self, seed: int, kind: int) -> np.random.Generator:
        """Return its own source of chance, which no other campaign of the run changes."""
        return np.random.default_rng([seed, kind, self.accounts, self.requests, round(self.cover * 1e6), self.repeat])


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign: ``loads`` (int64, accounts) requests of each account and as many ``texts`` in all, dealt out in this order.

    ``sources`` (int64) are the supply's sources that it borrowed; ``cover`` (int64) are rows of the log's requests to be copied, those
    of account ``i`` from ``cover_bounds[i]`` to ``cover_bounds[i + 1]``.
    """

    loads: NDArray[np.int64]
    texts: Ragged
    sources: NDArray[np.int64]
    cover: NDArray[np.int64]
    cover_bounds: NDArray[np.int64]


def expected_requests(accounts: int, requests: int, spread: float) -> int:
    """Requests of a campaign, cover apart: the mean of log-normal loads is above their median."""
    return round(accounts * requests * float(np.exp(spread * spread / 2.0)))


def expected_cover(total: int, cover: float) -> int:
    """Requests of cover traffic beside ``total`` of the campaign."""
    return round(total * cover / (1.0 - cover))


def draft(
    spec: Spec,
    kind: Kind,
    supply: Supply,
    free: NDArray[np.bool_],
    talkers: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    spread: float,
) -> Draft:
    """Draw up a campaign from sources that are ``free`` and from ``talkers`` (both bool, marked as used where they are).

    Loads are log-normal about ``spec.requests`` with standard deviation ``spread`` of their logarithm. Cover is ``spec.cover`` of
    all requests of an account, copied from one or more accounts of the log whose conversations no other account got. Raises
    ``Exhausted`` when there is not enough left, and then marks nothing.
    """
    loads = np.maximum(1, np.rint(spec.requests * np.exp(spread * rng.standard_normal(spec.accounts)))).astype(np.int64)
    made = kind.make(supply, free, int(loads.sum()), rng)
    wanted = np.rint(loads * spec.cover / (1.0 - spec.cover)).astype(np.int64)
    rows, bounds, used = _cover(supply, talkers, wanted, rng)
    free[made.sources] = False
    talkers[used] = False
    return Draft(loads, made.texts, made.sources, rows, bounds)


def _cover(
    supply: Supply, talkers: NDArray[np.bool_], wanted: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of conversations for each account, their bounds, and the talkers (positions in the supply's) who gave them."""
    bounds = np.r_[np.int64(0), np.cumsum(wanted)]
    if not bounds[-1]:
        return np.zeros(0, np.int64), bounds, np.zeros(0, np.int64)
    first = supply.talk_bounds
    sizes = np.diff(first)
    order = rng.permutation(np.flatnonzero(talkers))
    parts: list[NDArray[np.int64]] = []
    used = 0
    for count in wanted.tolist():
        missing = count
        while missing > 0:
            if used == order.size:
                raise Exhausted
            who = order[used]
            used += 1
            taken = min(missing, int(sizes[who]))
            parts.append(np.arange(first[who], first[who] + taken))
            missing -= taken
    return np.concatenate(parts), bounds, order[:used]
