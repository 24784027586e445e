"""Candidate campaigns: accounts that share frames, accounts that draw on one corpus, accounts that ask nothing.

Three kinds are proposed:

* **frame**: all accounts that use one frame family, or several that go together (one operator's variants of one frame);
* **corpus**: frame families and unframed streams whose payloads come from one distribution (see ``corpus``): shards that carry no
  frame, or carry paraphrases of one;
* **near_empty**: accounts whose single requests hold next to nothing and are answered at length.

A proposal is not a verdict: most shared frames are tools, tutorials and products. Members are verified one by one against
the rest, and a member that overlaps a group whose others avoid each other is another customer of the same corpus (a
cannot-link) and is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from extractscan.campaign.corpus import Corpora
from extractscan.campaign.gates import REPEATS
from extractscan.coverage.streams import CONVERSATION, NEAR_EMPTY, SINGLE
from extractscan.verdict.signals import RESAMPLED_NATURAL

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
OUTLIER: Final = 3.5
"""Robust standard deviations below the others at which a member is no sample of their corpus."""
MAX_UNITS: Final = 4096
"""Most units whose corpora are compared pair by pair; above, the largest are kept."""
MIN_SHARDS: Final = 3
"""Accounts from which a common corpus, with no common frame, is worth a proposal, and from which avoiding one another is more than
a coincidence of two customers."""
PUBLIC: Final = 0.5
"""Share of payloads that others send too, above which a stream is explained by a public set and is no shard."""
GO_TOGETHER: Final = 0.5
"""Jaccard similarity of the accounts of two frame families from which they are variants used by the same senders."""
WITHIN: Final = 0.8
"""Share of a frame's accounts that also use a commoner one, from which it is a variant of some of the same senders."""
CANNOT_LINK_SHARE: Final = 0.9
CANNOT_LINK_MIN: Final = 10
"""A member with this share of all overlap inside a group, and at least so many payloads of it, is no shard."""
ASKS_NOTHING: Final = 10
"""Near-empty requests of an account from which it is more than a ping."""

ESSAY: Final = 128
"""Median output tokens from which an answer to nothing is more than a greeting or the reply to a ping."""
LIKENESS_SAMPLE: Final = 24
"""Members of a group whose payload distributions are compared pair by pair."""

Kind = Literal["frame", "corpus", "near_empty"]


@dataclass(frozen=True, slots=True)
class Group:
    """A candidate campaign: its streams (numbers, sorted) and how it was proposed; an account may have several streams in it.

    ``likeness`` is the mean similarity of its members' payload distributions, 1 for samples of one corpus (None where too few
    members have enough payloads), ``families`` the frame families in it.
    """

    kind: Kind
    streams: NDArray[np.int64]
    likeness: float | None
    families: tuple[int, ...]


def frame_groups(profiles: pl.DataFrame) -> list[Group]:
    """Groups of frame families: each family that several accounts use, and families that the same accounts use."""
    framed = profiles.filter(pl.col("family") >= 0).select("stream", "account", "family").sort("family", "account")
    users = framed.group_by("family", maintain_order=True).agg(pl.col("account").unique().sort(), pl.col("stream"))
    several = users.filter(pl.col("account").list.len() >= 2)
    held = {f: s.to_numpy() for f, s in zip(several["family"].to_list(), several["stream"], strict=True)}
    return [
        Group("frame", np.sort(np.concatenate([held[f] for f in members])), None, tuple(members))
        for members in _families_together(several)
    ]


def _families_together(users: pl.DataFrame) -> list[list[int]]:
    """Sets of families whose accounts are about the same, each family in one set."""
    families = users["family"].to_list()
    accounts = [frozenset(a) for a in users["account"].to_list()]
    by_account: dict[int, list[int]] = {}
    for i, held in enumerate(accounts):
        for a in held:
            by_account.setdefault(a, []).append(i)
    sets: list[list[int]] = []
    taken: set[int] = set()
    # Largest first, so that variants gather around the frame that most of the senders use.
    for i in sorted(range(len(families)), key=lambda k: (-len(accounts[k]), families[k])):
        if i in taken:
            continue
        taken.add(i)
        gathered = [families[i]]
        for j in sorted({j for a in accounts[i] for j in by_account[a]} - taken):
            common = len(accounts[i] & accounts[j])
            alike = common >= 2 and common >= GO_TOGETHER * (len(accounts[i]) + len(accounts[j]) - common)
            inside = common >= MIN_SHARDS and common >= WITHIN * len(accounts[j])
            if alike or inside:
                taken.add(j)
                gathered.append(families[j])
        sets.append(sorted(gathered))
    return sets


def _units(profiles: pl.DataFrame, public: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Streams of each unit: a frame family, or one unframed single-turn stream that is large enough."""
    tests = (pl.col("requests") >= REPEATS * pl.col("payloads")) & (pl.col("resampled") <= RESAMPLED_NATURAL)
    unknown = pl.Series(public[profiles["stream"].to_numpy()] < PUBLIC)
    enough = profiles.filter((pl.col("payloads") >= MIN_PAYLOADS) & ~tests & unknown)
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


def _verified(members: NDArray[np.int64], similarity: NDArray[np.float64]) -> NDArray[np.int64]:
    """Drop the member that is least like the mean of the others, until none is unlike or an outlier."""
    total = similarity[np.ix_(members, members)].sum(axis=1)
    while members.size > 1:
        likeness = total / (members.size - 1)
        worst = int(np.argmin(likeness))
        middle = float(np.median(likeness))
        spread = max(1.4826 * float(np.median(np.abs(likeness - middle))), 0.02)
        unlike = likeness[worst] < SAME_CORPUS
        outlier = members.size >= 6 and likeness[worst] < middle - OUTLIER * spread
        if not unlike and not outlier:
            break
        # Sums go down by what the dropped one brought: to add them up anew would be cubic in the size of a community.
        total = np.delete(total - similarity[members, members[worst]], worst)
        members = np.delete(members, worst)
    return members


def _communities(similarity: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Disjoint sets of units, each of whose members is like the mean of the others."""
    linked = similarity >= SAME_CORPUS
    free = np.ones(linked.shape[0], bool)
    out = []
    for seed in np.lexsort((np.arange(free.size), -linked.sum(axis=1))):
        if not free[seed]:
            continue
        members = _verified(np.unique(np.r_[np.flatnonzero(linked[seed] & free), seed]), similarity)
        if members.size < 2:
            continue
        # A small sample may miss the seed by chance and still lie close to the whole.
        free[members] = False
        outside = np.flatnonzero(free)
        near = outside[similarity[np.ix_(outside, members)].mean(axis=1) >= SAME_CORPUS]
        members = _verified(np.sort(np.r_[members, near]), similarity)
        free[members] = False
        out.append(members)
    return out


def corpus_groups(profiles: pl.DataFrame, units: list[NDArray[np.int64]], corpora: Corpora) -> list[Group]:
    """Groups of streams that draw on one corpus: its unframed streams, its framed ones, and all of them."""
    similarity = corpora.similarity(units)
    family = dict(profiles.select("stream", "family").iter_rows())
    account = dict(profiles.select("stream", "account").iter_rows())
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
            chosen = np.sort(np.concatenate([units[m] for m in members]))
            if len({account[int(s)] for s in chosen}) >= MIN_SHARDS:
                named = tuple(sorted({int(family[int(s)]) for s in chosen if family[int(s)] >= 0}))
                out.append(Group("corpus", chosen, likeness, named))
    return out


def near_empty_groups(profiles: pl.DataFrame) -> list[Group]:
    """The accounts that ask nothing and get long answers, if there are several."""
    asking = profiles.filter(
        (pl.col("family") == NEAR_EMPTY)
        & (pl.col("requests") >= ASKS_NOTHING)
        & (pl.col("requests") * 2 >= pl.col("requests").sum().over("account"))
        & (pl.col("output_tokens") >= ESSAY)
    )
    return [Group("near_empty", asking["stream"].to_numpy(), None, ())] if asking.height >= 2 else []


def member_likeness(group: Group, profiles: pl.DataFrame, corpora: Corpora) -> float | None:
    """Median similarity of the payload distributions of a group's accounts, over at most ``LIKENESS_SAMPLE`` of them."""
    enough = profiles[group.streams.tolist()].filter(pl.col("payloads") >= MIN_PAYLOADS)
    stream, account = enough["stream"].to_numpy(), enough["account"].to_numpy()
    accounts = np.unique(account)
    if accounts.size < 2:
        return None
    step = -(-accounts.size // LIKENESS_SAMPLE)
    similarity = corpora.similarity([stream[account == a] for a in accounts[::step]])
    above = similarity[np.triu_indices(similarity.shape[0], 1)]
    return float(np.median(above))


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


def propose(profiles: pl.DataFrame, streams: Streams, prompts: Texts, payloads: Payloads) -> list[Group]:
    """All candidate campaigns of a log."""
    single_turn = profiles.filter(pl.col("family") != CONVERSATION)
    public = payloads.shared_share(2)
    account = profiles["account"].to_numpy().astype(np.int64)
    units = _units(single_turn, public)
    corpora = Corpora(streams, prompts, units)
    groups = frame_groups(single_turn) + corpus_groups(single_turn, units, corpora)
    groups = [without_foreign_customers(g, account, profiles["requests"].to_numpy(), payloads) for g in groups]
    groups = [g for g in groups if g.kind != "corpus" or np.unique(account[g.streams]).size >= MIN_SHARDS]
    groups = [replace(g, likeness=member_likeness(g, profiles, corpora)) for g in groups]
    return groups + near_empty_groups(single_turn)
