"""Candidate campaigns: accounts that share frames, accounts that draw on one corpus, accounts that ask nothing.

Three kinds are proposed:

* **frame**: all accounts that use one frame family, or several that go together (one operator's variants of one frame);
* **corpus**: frame families and unframed streams whose payloads come from one distribution (see ``corpus``): shards that carry no
  frame, or carry paraphrases of one;
* **near_empty**: accounts whose single requests hold next to nothing and are answered at length.

A proposal is not a verdict: most shared frames are tools, tutorials and products. ``members`` takes out who does not belong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from extractscan.campaign.gates import REPEATS
from extractscan.campaign.likeness import Matrix
from extractscan.campaign.pruning import without_unlike
from extractscan.coverage.frames import MIN_SUPPORT
from extractscan.coverage.streams import ASKS_NOTHING, NEAR_EMPTY, SAME_NOTHING, SINGLE
from extractscan.verdict.signals import RESAMPLED_NATURAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.campaign.corpus import Corpora
    from extractscan.campaign.likeness import Likeness

MIN_PAYLOADS: Final = 12
"""Distinct payloads that a unit needs before its distribution can be compared: two halves of six."""
SAME_CORPUS: Final = 0.8
"""Disattenuated similarity of two samples of one corpus: its expectation is 1, and sampling error of the estimate is below 0.1
for a few dozen payloads; different sources of one language stay well below, since most of their weight is on topic words."""
OUTLIER: Final = 3.5
"""Robust standard deviations below the others at which a member is no sample of their corpus."""
MAX_UNITS: Final = 32768
"""Most units whose corpora are compared, in about a minute on two cores; above, the largest are kept, and the rest is counted."""
MIN_SHARDS: Final = 3
"""Accounts from which a common corpus, with no common frame, is worth a proposal, and from which avoiding one another is more than
a coincidence of two customers."""
PUBLIC: Final = 0.5
"""Share of payloads that others send too, above which a stream is explained by a public set and is no shard."""
GO_TOGETHER: Final = 0.5
"""Jaccard similarity of the accounts of two frame families from which they are variants used by the same senders."""
WITHIN: Final = 0.8
"""Share of a frame's accounts that also use a commoner one, from which it is a variant of some of the same senders."""
ESSAY: Final = 128
"""Median output tokens from which an answer to nothing is more than a greeting or the reply to a ping."""
Kind = Literal["frame", "corpus", "near_empty"]
SMALLEST: Final[dict[Kind, int]] = {"frame": MIN_SUPPORT, "corpus": MIN_PAYLOADS, "near_empty": ASKS_NOTHING}
"""Requests from which an account is found to belong to a group of a kind."""


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
        together = set(accounts[i])
        # Two accounts in common are asked for, so one may be passed over: the busiest, a reseller with thousands of frames, say.
        fresh = together - {max(together, key=lambda a: len(by_account[a]))}
        # A variant may be used by senders of whom the frame itself knows some and its other variants the rest.
        while fresh:
            found: set[int] = set()
            for j in sorted({j for a in fresh for j in by_account[a]} - taken):
                common = len(together & accounts[j])
                alike = common >= 2 and common >= GO_TOGETHER * (len(together) + len(accounts[j]) - common)
                inside = common >= MIN_SHARDS and common >= WITHIN * len(accounts[j])
                if alike or inside:
                    taken.add(j)
                    gathered.append(families[j])
                    found |= accounts[j]
            fresh = found - together
            together |= found
        sets.append(sorted(gathered))
    return sets


def units_of(profiles: pl.DataFrame, public: NDArray[np.float64]) -> tuple[list[NDArray[np.int64]], int]:
    """Streams of each unit, a frame family or one unframed single-turn stream that is large enough; and how many are left out."""
    tests = (pl.col("requests") >= REPEATS * pl.col("payloads")) & (pl.col("resampled") <= RESAMPLED_NATURAL)
    unknown = pl.Series(public[profiles["stream"].to_numpy()] < PUBLIC)
    enough = profiles.filter((pl.col("payloads") >= MIN_PAYLOADS) & ~tests & unknown)
    units = [
        members["stream"].to_numpy()
        for _, members in enough.filter(pl.col("family") >= 0).group_by(["family"], maintain_order=True)
    ]
    units += [np.array([s], np.int64) for s in enough.filter(pl.col("family") == SINGLE)["stream"]]
    left_out = max(0, len(units) - MAX_UNITS)
    if left_out:
        size = dict(profiles.select("stream", "requests").iter_rows())
        units.sort(key=lambda u: (-sum(size[int(s)] for s in u), int(u[0])))
        units = units[:MAX_UNITS]
    return sorted(units, key=lambda u: int(u[0])), left_out


def _verified(members: NDArray[np.int64], similar: Likeness) -> NDArray[np.int64]:
    """Drop the member that is least like the mean of the others, until none is unlike or an outlier."""
    total = similar.totals(members)
    while members.size > 1:
        members, total = without_unlike(members, total, similar, SAME_CORPUS)
        if members.size <= 1:
            break
        likeness = total / (members.size - 1)
        worst = int(np.argmin(likeness))
        middle = float(np.median(likeness))
        spread = max(1.4826 * float(np.median(np.abs(likeness - middle))), 0.02)
        if members.size < 6 or likeness[worst] >= middle - OUTLIER * spread:
            break
        total = np.delete(total - similar.with_one(int(members[worst]), members), worst)
        members = np.delete(members, worst)
    return members


def _communities(similarity: NDArray[np.float64] | Likeness) -> list[NDArray[np.int64]]:
    """Disjoint sets of units, each of whose members is like the mean of the others; from a matrix of all pairs or without one."""
    similar = Matrix(similarity, SAME_CORPUS) if isinstance(similarity, np.ndarray) else similarity
    links = similar.links()
    free = np.ones(links.size, bool)
    out = []
    for seed in np.lexsort((np.arange(free.size), -links)):
        if not free[seed]:
            continue
        members = _verified(np.unique(np.r_[similar.linked(int(seed), np.flatnonzero(free)), seed]), similar)
        if members.size < 2:
            continue
        # A small sample may miss the seed by chance and still lie close to the whole.
        free[members] = False
        near = similar.near(members, np.flatnonzero(free))
        members = _verified(np.sort(np.r_[members, near]), similar)
        free[members] = False
        out.append(members)
    return out


def corpus_groups(profiles: pl.DataFrame, units: list[NDArray[np.int64]], corpora: Corpora) -> list[Group]:
    """Groups of streams that draw on one corpus: its unframed streams, its framed ones, and all of them."""
    similar = corpora.compare(units, SAME_CORPUS)
    family = dict(profiles.select("stream", "family").iter_rows())
    account = dict(profiles.select("stream", "account").iter_rows())
    out = []
    for community in _communities(similar):
        framed = np.array([family[int(units[m][0])] >= 0 for m in community])
        choices = [community[~framed], community[framed]]
        if framed.any() and not framed.all():
            choices.append(community)
        for members in choices:
            if members.size < 2:
                continue
            likeness = float(similar.totals(members).sum() / (members.size * (members.size - 1)))
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
        & (pl.col("requests") >= SAME_NOTHING * pl.col("payloads"))
        & (pl.col("requests") * 2 >= pl.col("requests").sum().over("account"))
        & (pl.col("output_tokens") >= ESSAY)
    )
    return [Group("near_empty", asking["stream"].to_numpy(), None, ())] if asking.height >= 2 else []
