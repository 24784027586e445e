"""Campaigns across nights: tonight's are matched with earlier ones by the members that they share.

The id of a campaign in the results is made of its members, so that one run and many nights give the same bytes. Here it gets a second
one that lasts. Of all pairs of an earlier and a campaign of tonight that share at least half of the smaller one's members, the pair that
shares most goes first; each campaign is in one pair. What remains of the others is said: tonight's was *split from* an earlier
one that goes on as another, an earlier one was *merged into* one that goes on under another's name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

SHARED: Final = 0.5
"""Share of the smaller campaign's members from which two are one: more than half of a campaign cannot go on in two others."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Which campaign is which: ``lasting`` gives the lasting id of each of tonight's, ``split_from`` that of the one it was split from.

    ``merged_into`` gives, for an earlier id that does not go on, the id that most of its members are in now.
    """

    lasting: dict[str, str]
    split_from: dict[str, str]
    merged_into: dict[str, str]


def trace(
    earlier: Mapping[str, AbstractSet[str]], active: AbstractSet[str], tonight: Mapping[str, AbstractSet[str]]
) -> Lineage:
    """Match the members of tonight's campaigns, by their id in the results, with those of earlier ones, by lasting id.

    ``active`` are the earlier ones that had not closed: of two that share as many members an active one goes first.
    """
    holders: dict[str, list[str]] = {}
    for old, members in earlier.items():
        for member in members:
            holders.setdefault(member, []).append(old)
    shared: dict[tuple[str, str], int] = {}
    for new, members in tonight.items():
        for member in members:
            for old in holders.get(member, ()):
                shared[old, new] = shared.get((old, new), 0) + 1
    pairs = [
        (old, new)
        for (old, new), number in shared.items()
        if number >= SHARED * min(len(earlier[old]), len(tonight[new]))
    ]
    pairs.sort(key=lambda p: (-shared[p], p[0] not in active, abs(len(earlier[p[0]]) - len(tonight[p[1]])), p))
    lasting: dict[str, str] = {}
    goes_on: dict[str, str] = {}
    for old, new in pairs:
        if old not in goes_on and new not in lasting:
            goes_on[old], lasting[new] = new, old
    split_from: dict[str, str] = {}
    merged_into: dict[str, str] = {}
    for old, new in pairs:
        if new not in lasting and old in active:
            split_from.setdefault(new, old)
    taken = set(earlier)
    for new in sorted(tonight):
        if new not in lasting:
            lasting[new] = _unused(new, tonight[new], taken)
            taken.add(lasting[new])
    for old, new in pairs:
        if old not in goes_on and old in active:
            merged_into.setdefault(old, lasting[new])
    return Lineage(lasting, split_from, merged_into)


def _unused(name: str, members: AbstractSet[str], taken: AbstractSet[str]) -> str:
    """Return a lasting id: that of the results unless another campaign has it, or one made of all members."""
    number = 0
    while name in taken:
        text = "\0".join([str(number), *sorted(members)])
        name = "c-" + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        number += 1
    return name
