"""Who of a proposed group does not belong to it, and how alike the rest are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.campaign.groups import MIN_PAYLOADS, SMALLEST, Group
from extractscan.campaign.load import load_bits

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from extractscan.campaign.overlap import Payloads

KNOWN: Final = 0.2
"""Share of a member's payloads that others send too, above which it works on something public."""
BYSTANDERS: Final = 0.25
"""Share of a group up to which members of another kind are taken out of it: those who run a public test, or have sent many times what
the others have. Where more are so, the group is not what was proposed, and its gates and loads say it."""
CANNOT_LINK_SHARE: Final = 0.9
CANNOT_LINK_MIN: Final = 10
"""A member with this share of all overlap inside a group, and at least so many payloads of it, is no shard."""
LIKENESS_SAMPLE: Final = 24
"""Members of a group whose payload distributions are compared pair by pair."""
PLAINLY_EVEN: Final = 4.0
"""Load bits from which a group's loads are plainly handed out: sixteen to one."""
OUTSIZED: Final = 4.0
OUTSIZED_FACTOR: Final = 4.0
"""Robust standard deviations of ln(requests), and the factor, above the median from which a member of a group is no shard of the
same list. A shard that came late or was banned has sent less, none has a reason to
have sent many times as much."""


def member_units(group: Group, profiles: pl.DataFrame) -> list[NDArray[np.int64]]:
    """Streams of the accounts of a group whose payload distributions are compared, at most ``LIKENESS_SAMPLE``; none if fewer than two."""
    enough = profiles["payloads"].to_numpy()[group.streams] >= MIN_PAYLOADS
    stream = group.streams[enough]
    account = profiles["account"].to_numpy()[stream]
    accounts = np.unique(account)
    if accounts.size < 2:
        return []
    step = -(-accounts.size // LIKENESS_SAMPLE)
    return [stream[account == a] for a in accounts[::step]]


def without_foreign_customers(
    group: Group, account: NDArray[np.int64], requests: NDArray[np.int64], payloads: Payloads
) -> Group:
    """Take out members that overlap a group whose others avoid each other; ``account`` and ``requests`` are by stream."""
    streams = group.streams
    while True:
        members, owner = np.unique(account[streams], return_inverse=True)
        if members.size <= 2:
            break
        met = payloads.overlap(streams, owner).met
        total = int(met.sum()) // 2
        most = int(met.max())
        if most < max(CANNOT_LINK_MIN, CANNOT_LINK_SHARE * total):
            break
        # Of two who meet only each other, the one whose load is less like the others' is the foreign one.
        tied = np.flatnonzero(met == most)
        logs = np.log(np.bincount(owner, weights=requests[streams]))
        worst = int(tied[np.argmax(np.abs(logs - np.median(logs))[tied])])
        streams = streams[owner != worst]
    return Group(group.kind, streams, group.likeness, group.families)


def without_outsized(group: Group, account: NDArray[np.int64], requests: NDArray[np.int64]) -> Group:
    """Take out the few members who have sent many times what the others have; ``account`` and ``requests`` are by stream."""
    members, owner = np.unique(account[group.streams], return_inverse=True)
    sent = np.bincount(owner, weights=requests[group.streams]).astype(np.int64)
    logs = np.log(sent)
    away = logs - np.median(logs)
    limit = max(np.log(OUTSIZED_FACTOR), OUTSIZED * 1.4826 * float(np.median(np.abs(away))))
    outsized = away > limit
    if not outsized.any() or outsized.sum() > BYSTANDERS * members.size:
        return group
    # Among customers the largest is only the largest: it must not be taken out to make the others look alike.
    if load_bits(sent[~outsized], floor=SMALLEST[group.kind]) < PLAINLY_EVEN:
        return group
    return replace(group, streams=group.streams[~outsized[owner]])


def without_evaluations(
    group: Group, account: NDArray[np.int64], evaluates: NDArray[np.bool_], public: NDArray[np.float64]
) -> Group:
    """Take out the few members who plainly run a public test: at temperature 0, in a few days, on items that others send.

    By stream: ``account``, whether it ``evaluates`` (see ``gates``), the share of its payloads that is ``public``.

    A frame may be known to evaluations too (*think step by step*). Where most of a group looks so, its gates say it.
    """
    testing = evaluates[group.streams] & (public[group.streams] >= KNOWN)
    members = account[group.streams]
    tested = np.unique(members[testing])
    if not tested.size or tested.size > BYSTANDERS * np.unique(members).size:
        return group
    return replace(group, streams=group.streams[~np.isin(members, tested)])
