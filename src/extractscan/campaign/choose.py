"""The choice of campaigns among groups: no account is in two, and a group must bring evidence of its own."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.campaign.evidence import Judged, Population, foresee, judge
from extractscan.campaign.groups import MIN_SHARDS, Group

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPT: Final = 1.0
"""Bits after gates from which a group's evidence passes to its members: two to one that they belong together."""
PLAIN: Final = 7
"""Bits beyond which more of them do not decide which of two groups an account is in: both are plain, and the firmer tie goes first."""
MOSTLY: Final = 0.8
"""Share of a corpus group's accounts that one frame holds, from which the frame is the campaign."""
REPORT: Final = 3.0
"""Bits after gates from which a group is reported as a campaign."""


def campaign_id(accounts: Sequence[str]) -> str:
    """Return a name that depends on the members alone: the hash of the smallest account id."""
    return "c-" + hashlib.blake2b(min(accounts).encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def _own_bits(judged: Judged) -> float:
    """Bits without those of the tie that a corpus is: by these, groups of different kinds compare."""
    corpus = sum(e.bits for e in judged.evidence if e.family == "corpus")
    for gate in judged.gates:
        corpus *= gate.factor
    return judged.bits - corpus


class _Framed:
    """The accounts of frames that are campaigns by themselves."""

    def __init__(self, frames: list[Judged]) -> None:
        self._frame = np.repeat(np.arange(len(frames)), [f.accounts.size for f in frames])
        self._account = np.concatenate([f.accounts for f in frames]) if frames else np.zeros(0, np.int64)

    def mostly(self, candidate: Judged) -> bool:
        """Whether a corpus adds but a few to the accounts of one frame: those few hang on likeness alone."""
        common = np.bincount(self._frame[np.isin(self._account, candidate.accounts)])
        return bool((common >= MOSTLY * candidate.accounts.size).any())


def choose(groups: list[Group], known: Population) -> tuple[list[Judged], list[Judged]]:
    """Choose campaigns; returns them, strongest first, and every group as judged.

    A frame is the firmer tie: at equal bits, in whole ones, it goes before a corpus; a group whose members another campaign has taken
    is judged again without them.
    """
    foresee(groups, known)
    judged = [judge(g, known) for g in groups]
    order = sorted(
        judged,
        key=lambda j: (
            -min(round(_own_bits(j)), PLAIN),
            j.group.kind != "frame",
            -round(j.bits, 6),
            -j.accounts.size,
            int(j.group.streams[0]),
        ),
    )
    framed = _Framed([j for j in judged if j.group.kind == "frame" and j.bits >= REPORT])
    order = [j for j in order if j.group.kind == "frame" or not framed.mostly(j)]
    account = known.profiles["account"].to_numpy().astype(np.int64)
    family = known.profiles["family"].to_numpy()
    taken: set[int] = set()
    chosen = []
    for candidate in order:
        if candidate.bits < ACCEPT:
            continue
        streams = candidate.group.streams
        free = np.array([int(a) not in taken for a in account[streams]])
        # What is left must be worth a proposal of its kind, and has only the frames that its own streams have.
        if np.unique(account[streams[free]]).size < (MIN_SHARDS if candidate.group.kind == "corpus" else 2):
            continue
        kept = candidate
        if not free.all():
            used = set(family[streams[free]].tolist())
            named = tuple(f for f in candidate.group.families if f in used)
            rest = Group(candidate.group.kind, streams[free], candidate.group.likeness, named)
            kept = judge(rest, known)
            if kept.bits < ACCEPT:
                continue
        taken.update(int(a) for a in kept.accounts)
        chosen.append(kept)
    return chosen, judged
