"""Candidate campaigns: accounts that share a frame, and accounts that draw on one corpus.

A group is a set of streams, at most one an account. Two kinds are proposed:

* **frame**: all accounts that use one frame family;
* **corpus**: frame families and unframed streams whose payloads come from one distribution (see ``corpus``): shards that carry no
  frame, or carry paraphrases of one.

A proposal is not a verdict: most shared frames are tools, tutorials and products. Members are verified one by one against
the rest, and a member that overlaps a group whose others avoid each other is another customer of the same corpus (a
cannot-link) and is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from extractscan.campaign.corpus import corpus_similarity
from extractscan.coverage.streams import CONVERSATION, SINGLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.campaign.overlap import Payloads
    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts

MIN_PAYLOADS: Final = 12
"""Distinct payloads that a unit needs before its distribution can be compared: two halves of six."""
SAME_CORPUS: Final = 0.8
"""Disattenuated similarity of two samples of one corpus: its expectation is 1, and sampling error of the estimate is below 0.1
for a few dozen payloads; different sources of one language stay well below, since most of their weight is on topic words."""
MAX_UNITS: Final = 4096
"""Most units whose corpora are compared pair by pair; above, the largest are kept."""
CANNOT_LINK_SHARE: Final = 0.9
CANNOT_LINK_MIN: Final = 10
"""A member with this share of all overlap inside a group, and at least so many payloads of it, is no shard."""

Kind = Literal["frame", "corpus"]


@dataclass(frozen=True, slots=True)
class Group:
    """A candidate campaign: its streams (numbers, sorted) and how it was proposed.

    ``likeness`` is the mean similarity of a member's unit to the other units (None for a frame group), ``families`` the frame
    families in it.
    """

    kind: Kind
    streams: NDArray[np.int64]
    likeness: float | None
    families: tuple[int, ...]


def _one_stream_an_account(table: pl.DataFrame) -> NDArray[np.int64]:
    """Keep each account's largest stream of a group."""
    kept = table.sort(["account", "requests", "stream"], descending=[False, True, False]).unique(
        "account", keep="first", maintain_order=True
    )
    return np.sort(kept["stream"].to_numpy())


def frame_groups(profiles: pl.DataFrame, min_accounts: int = 2) -> list[Group]:
    """One group a frame family that several accounts use."""
    framed = profiles.filter(pl.col("family") >= 0)
    out = []
    for (family,), members in framed.group_by(["family"], maintain_order=True):
        streams = _one_stream_an_account(members)
        if streams.size >= min_accounts:
            out.append(Group("frame", streams, None, (int(str(family)),)))
    return out


def _units(profiles: pl.DataFrame) -> list[NDArray[np.int64]]:
    """Streams of each unit: a frame family, or one unframed single-turn stream that is large enough."""
    enough = profiles.filter(pl.col("payloads") >= MIN_PAYLOADS)
    units = [
        members["stream"].to_numpy()
        for _, members in enough.filter(pl.col("family") >= 0).group_by(["family"], maintain_order=True)
    ]
    units += [np.array([s], np.int64) for s in enough.filter(pl.col("family") == SINGLE)["stream"]]
    if len(units) > MAX_UNITS:
        size = dict(profiles.select("stream", "requests").iter_rows())
        units.sort(key=lambda u: (-sum(size[int(s)] for s in u), int(u[0])))
        units = units[:MAX_UNITS]
    return sorted(units, key=lambda u: int(u[0]))


def unit_similarity(units: list[NDArray[np.int64]], streams: Streams, prompts: Texts) -> NDArray[np.float64]:
    """Similarity of the payload distributions of units, (n, n)."""
    items = streams.items
    stream = items["stream"].to_numpy()
    payload = items["payload"].to_numpy()
    bounds = [0]
    order: list[NDArray[np.int64]] = []
    for unit in units:
        rows = np.concatenate([np.arange(*np.searchsorted(stream, [s, s + 1], side="left")) for s in unit])
        # By payload hash: an order that time does not know, and the same payload once.
        _, first = np.unique(payload[rows], return_index=True)
        order.append(rows[first])
        bounds.append(bounds[-1] + first.size)
    if not order:
        return np.zeros((0, 0))
    return corpus_similarity(
        np.array(bounds, np.int64),
        items["prompt"].to_numpy(),
        items["front"].to_numpy(),
        items["back"].to_numpy(),
        np.concatenate(order).astype(np.int64),
        prompts.offsets,
        prompts.tokens,
    )


def _communities(similarity: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Disjoint sets of units, each of whose members is like the mean of the others."""
    linked = similarity >= SAME_CORPUS
    free = np.ones(linked.shape[0], bool)
    out = []
    for seed in np.lexsort((np.arange(free.size), -linked.sum(axis=1))):
        if not free[seed]:
            continue
        members = np.unique(np.r_[np.flatnonzero(linked[seed] & free), seed])
        while members.size > 1:
            likeness = similarity[np.ix_(members, members)].sum(axis=1) / (members.size - 1)
            if likeness.min() >= SAME_CORPUS:
                break
            members = np.delete(members, int(np.argmin(likeness)))
        if members.size < 2:
            continue
        free[members] = False
        # A small sample may miss the seed by chance and still lie close to the whole.
        outside = np.flatnonzero(free)
        near = outside[similarity[np.ix_(outside, members)].mean(axis=1) >= SAME_CORPUS]
        free[near] = False
        out.append(np.sort(np.r_[members, near]))
    return out


def corpus_groups(profiles: pl.DataFrame, streams: Streams, prompts: Texts) -> list[Group]:
    """Groups of streams that draw on one corpus: its unframed streams, its framed ones, and all of them."""
    units = _units(profiles)
    similarity = unit_similarity(units, streams, prompts)
    family = dict(profiles.select("stream", "family").iter_rows())
    out = []
    for community in _communities(similarity):
        framed = np.array([family[int(units[m][0])] >= 0 for m in community])
        choices = [community[~framed], community[framed]]
        if framed.any() and not framed.all():
            choices.append(community)
        for members in choices:
            if members.size < 2:
                continue
            inner = similarity[np.ix_(members, members)]
            likeness = float(inner.sum() / (members.size * (members.size - 1)))
            chosen = np.concatenate([units[m] for m in members])
            table = profiles.filter(pl.col("stream").is_in(chosen.tolist()))
            kept = _one_stream_an_account(table)
            if kept.size >= 2:
                named = tuple(sorted({int(f) for f in table["family"] if f >= 0}))
                out.append(Group("corpus", kept, likeness, named))
    return out


def without_foreign_customers(group: Group, payloads: Payloads) -> Group:
    """Take out members that overlap a group whose others avoid each other."""
    members = group.streams
    while members.size > 2:
        pairs = payloads.overlap(members).pairs
        total = int(pairs.sum()) // 2
        mine = pairs.sum(axis=1)
        worst = int(np.argmax(mine))
        if mine[worst] < max(CANNOT_LINK_MIN, CANNOT_LINK_SHARE * total):
            break
        members = np.delete(members, worst)
    return Group(group.kind, members, group.likeness, group.families)


def propose(profiles: pl.DataFrame, streams: Streams, prompts: Texts, payloads: Payloads) -> list[Group]:
    """All candidate campaigns of a log."""
    single_turn = profiles.filter(pl.col("family") != CONVERSATION)
    groups = frame_groups(single_turn) + corpus_groups(single_turn, streams, prompts)
    return [without_foreign_customers(g, payloads) for g in groups]
