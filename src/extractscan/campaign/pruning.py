"""Dropping members that are unlike the rest, one by one, without looking at all of the rest each time.

Whoever is least like the others goes, and every sum of similarities falls by what the dropped one brought: where hundreds leave a
community of thousands, these are millions of comparisons. But who goes next is among the few that are least like the others already.
Only these are followed for a number of drops. What all of the dropped brought is then taken from the sums of the others at once (a sum of
products is the product of a sum). Sums only fall: if none of the others has come as low as those who went, nobody else could have gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.campaign.likeness import Likeness

FOLLOWED: Final = 256
"""Members that are followed; a community of no more is followed as a whole."""
DROPS: Final = FOLLOWED // 4
"""Drops after which the others are looked at: half as many each time that this was too late, twice as many when it was not."""


def without_unlike(
    members: NDArray[np.int64], total: NDArray[np.float64], similar: Likeness, threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Drop whoever is least like the mean of the others while that is under ``threshold``; returns who is left, and their sums.

    ``members`` are sorted unit numbers, ``total`` is the sum of each one's similarities with the others.
    """
    drops = DROPS
    while members.size > FOLLOWED and total.min() / (members.size - 1) < threshold:
        few = np.zeros(members.size, bool)
        few[np.argsort(total, kind="stable")[:FOLLOWED]] = True
        while True:
            gone, sums, left, still = _follow(members[few], total[few], members.size, drops, similar, threshold)
            rest = total[~few] - similar.sums(gone, members[~few])
            # The first to go is the least of all in any case.
            if sums[1:].max(initial=-np.inf) < rest.min():
                break
            drops = max(1, drops // 2)
        members, total = np.r_[left, members[~few]], np.r_[still, rest]
        order = np.argsort(members)
        members, total = members[order], total[order]
        drops = min(2 * drops, DROPS)
    if members.size <= FOLLOWED:
        _, _, members, total = _follow(members, total, members.size, members.size, similar, threshold)
    return members, total


def _follow(
    members: NDArray[np.int64],
    total: NDArray[np.float64],
    size: int,
    drops: int,
    similar: Likeness,
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Drop at most ``drops`` of some members of a community of ``size``; returns the dropped, their sums, the others and theirs."""
    gone: list[int] = []
    sums: list[float] = []
    while size > 1 and members.size and len(gone) < drops:
        likeness = total / (size - 1)
        worst = int(np.argmin(likeness))
        if likeness[worst] >= threshold:
            break
        gone.append(int(members[worst]))
        sums.append(float(total[worst]))
        # To add the sums up anew would be cubic in the size of a community.
        total = np.delete(total - similar.with_one(gone[-1], members), worst)
        members = np.delete(members, worst)
        size -= 1
    return np.array(gone, np.int64), np.array(sums), members, total
