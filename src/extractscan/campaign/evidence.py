"""What a group of accounts amounts to: evidence in bits, gates, and a total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.campaign.gates import group_gates
from extractscan.campaign.groups import MIN_PAYLOADS, MIN_SHARDS, SMALLEST
from extractscan.campaign.load import CUSTOMER_SPREAD, customer_spread, load_bits
from extractscan.campaign.means import means_bits, sharing_rate, without_common
from extractscan.campaign.members import PLAINLY_EVEN
from extractscan.campaign.partition import partition_bits
from extractscan.campaign.pivot import choices, pivot_bits, pivots
from extractscan.campaign.succession import succession_bits
from extractscan.campaign.synchrony import FEWEST, Activity, synchrony_bits
from extractscan.coverage.streams import CARRIED_ON, SINGLE, TURNS
from extractscan.verdict.findings import Evidence, Gate, Tie
from extractscan.verdict.signals import CAPS, RESAMPLED_NATURAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.campaign.groups import Group
    from extractscan.campaign.overlap import Overlap, Payloads
    from extractscan.campaign.partition import Meetings


MEANS: Final = ("org_id", "ip", "payment_id")
"""What accounts are run with."""
SUPPORTING: Final = frozenset({"corpus", "means"})
"""Families that add to a group's evidence and are never its only reason."""
ORGANIC: Final = -0.8
"""Load bits under which a group's loads are those of independent customers: all but a tenth of what there can be."""
MOSTLY_RUNS: Final = 0.8
"""Share of a group's members whose later turns carry on runs, from which its loads are numbers of runs."""
MOST: Final = 0.5
"""Share of a group's members who send each payload, from which it is a test or an exercise that all of them were given."""
PLAINLY_SHARED_OUT: Final = 3.0
"""Partition bits, eight to one, from which public items do not excuse a group: a test or an exercise is the same for all who sit it, and
they meet in it. Who shares out a public list harvests with it."""
UNLIKE: Final = 0.7
ALIKE: Final = 0.95
"""Likeness of payload distributions up to which members work on different data, and from which on one source: its expectation
for samples of one source is 1 and its standard error at most 0.1."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A group with its member accounts (numbers, sorted), evidence (bits capped by family), gates and total after gates.

    ``organic`` says that its loads are those of independent customers.
    """

    group: Group
    accounts: NDArray[np.int64]
    evidence: tuple[Evidence, ...]
    gates: tuple[Gate, ...]
    bits: float
    organic: bool


@dataclass(frozen=True, slots=True)
class Population:
    """What judging groups needs of the whole log.

    ``profiles`` has a row a stream, in stream order; ``senders`` a row an account number: its commonest ``org_id``, ``ip`` and
    ``payment_id`` (codes, null if unknown), ``end_users``, ``single_turn``, its requests outside conversations, and
    ``colleagues``, the accounts of its organisation; ``pivot`` says by account number who moved to a new model at once, ``sharing``
    at what rate any two accounts share a payment instrument or a rare address; ``singles`` are ``account`` and ``requests`` of the
    unframed single-turn streams that are large enough to be compared, by requests.
    """

    profiles: pl.DataFrame
    senders: pl.DataFrame
    payloads: Payloads
    meetings: Meetings
    activity: Activity
    pivot: NDArray[np.int8]
    sharing: float
    singles: pl.DataFrame


def senders_seen(requests: pl.DataFrame) -> pl.DataFrame:
    """Of each ``account`` its commonest ``MEANS``, of equals the least, and how many ``end_users`` it serves."""
    commonest = [pl.col(name).drop_nulls().mode().min().alias(name) for name in MEANS]
    return requests.group_by("account").agg(*commonest, pl.col("end_user").drop_nulls().n_unique().alias("end_users"))


def population(profiles: pl.DataFrame, requests: pl.DataFrame, payloads: Payloads, meetings: Meetings) -> Population:
    """Gather what is known of accounts."""
    activity = Activity(requests, profiles.height)
    return population_of(profiles, senders_seen(requests), payloads, meetings, activity, pivots(requests))


def population_of(
    profiles: pl.DataFrame,
    seen: pl.DataFrame,
    payloads: Payloads,
    meetings: Meetings,
    activity: Activity,
    pivot: pl.Series,
) -> Population:
    """Unite what is known of accounts; ``seen`` is as ``senders_seen`` gives it."""
    alone = (
        profiles.filter(~pl.col("family").is_in(TURNS))
        .group_by("account")
        .agg(pl.col("requests").sum().alias("single_turn"))
    )
    highest = profiles["account"].max()
    total = int(highest) + 1 if isinstance(highest, int) else 0
    carries = np.zeros(total, bool)
    carries[profiles.filter(pl.col("family") == CARRIED_ON)["account"].to_numpy()] = True
    # A row for every number, since accounts without a prompt leave gaps.
    senders = (
        pl.DataFrame({"account": np.arange(total, dtype=np.uint32)})
        .join(seen, on="account", how="left", maintain_order="left")
        .join(alone, on="account", how="left", maintain_order="left")
        .with_columns(
            pl.col("end_users").fill_null(0),
            pl.col("single_turn").fill_null(0),
            pl.Series("runs", carries),
            pl.when(pl.col("org_id").is_not_null()).then(pl.len().over("org_id")).otherwise(0).alias("colleagues"),
        )
    )
    # Addresses that many share tie nobody together; gates look at all addresses.
    rare = without_common(senders)["ip"].alias("rare_ip")
    senders = senders.with_columns(rare)
    singles = (
        profiles.filter((pl.col("family") == SINGLE) & (pl.col("payloads") >= MIN_PAYLOADS))
        .select("account", "requests")
        .sort("requests")
    )
    rate = sharing_rate(_by_means(senders))
    return Population(profiles, senders, payloads, meetings, activity, choices(pivot), rate, singles)


def _capped(signal: str, family: str, value: float, bits: float, detail: str) -> Evidence:
    return Evidence(signal, family, value, float(np.minimum(bits, CAPS[family])), True, detail)


def _customers(group: Group, accounts: NDArray[np.int64], requests: NDArray[np.int64], known: Population) -> float:
    """How much the loads of unrelated customers spread, by what this log shows of the group's kind."""
    if group.families:
        return CUSTOMER_SPREAD
    account, sent = (known.singles[name].to_numpy() for name in ("account", "requests"))
    return customer_spread(sent[~np.isin(account, accounts)], float(np.median(requests)))


def _known_to_all(overlap: Overlap) -> float:
    """How far a group's payloads are public: sent by others as well, or by most of the group, as a test or an exercise is."""
    return max(overlap.public, overlap.common if overlap.common >= MOST else 0.0)


def _meetings_in_words(overlap: Overlap, chance: float) -> str:
    """What a partition is inferred from, as observed."""
    said = f"of {overlap.pairs:,.0f} pairs of payloads of different members {overlap.inside:,} coincide"
    if overlap.outsiders:
        said += f"; {overlap.expected:,.0f} would at the rate at which they meet {overlap.outsiders:,} outside streams"
    if chance * overlap.pairs >= 1.0:
        said += f"; {chance * overlap.pairs:,.0f} must by their make-up if each were drawn for itself"
    return said


def _by_means(accounts: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({"org_id": accounts["org_id"], "payment_id": accounts["payment_id"], "ip": accounts["rare_ip"]})


def _members(streams: pl.DataFrame, owner: NDArray[np.int64], senders: pl.DataFrame) -> pl.DataFrame:
    """The streams of a group by member (``owner``, 0 to k - 1), beside what is known of each as a sender.

    By NumPy: groups are many and small, and a grouping by Polars takes a millisecond whatever its size.
    """
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    requests = streams["requests"].to_numpy()
    # Of what is null in all of a member's streams nothing is added, and nothing is the highest.
    talk = np.nan_to_num(streams["conversing"].cast(pl.Float64).to_numpy()) * requests
    highest = np.fmax.reduceat(streams["highest_temperature"].cast(pl.Float64).to_numpy()[order], starts)
    sent = np.add.reduceat(requests[order], starts)
    members = pl.DataFrame(
        {
            "requests": sent,
            "payloads": np.add.reduceat(streams["payloads"].to_numpy()[order].astype(np.int64), starts),
            "resampled": np.bincount(owner, weights=streams["resampled"].to_numpy()) / np.bincount(owner),
            "highest_temperature": pl.Series(highest, nan_to_null=True),
            "conversing": np.bincount(owner, weights=talk) / sent,
            "first_us": np.minimum.reduceat(streams["first_us"].to_numpy()[order], starts),
            "last_us": np.maximum.reduceat(streams["last_us"].to_numpy()[order], starts),
        }
    )
    return pl.DataFrame([*members.get_columns(), *senders.get_columns()])


def _one_source(group: Group) -> float:
    """How far the members of a group work on one source, 0 to 1."""
    if group.likeness is None:
        return 0.0
    return float(np.clip((group.likeness - UNLIKE) / (ALIKE - UNLIKE), 0.0, 1.0))


def foresee(groups: list[Group], known: Population) -> None:
    """Say which groups will be judged, so that what is asked of them can be found out for all at once where that is far away."""
    account = known.profiles["account"].to_numpy().astype(np.int64)
    active, meeting = [], []
    for group in groups:
        members, owner = np.unique(account[group.streams], return_inverse=True)
        if members.size >= FEWEST:
            active.append((group.streams, owner))
        if members.size >= MIN_SHARDS and _one_source(group) > 0.0:
            meeting.append((group.streams, owner))
    known.activity.foresee(active)
    known.meetings.foresee(meeting)


def judge(group: Group, known: Population) -> Judged:
    """Weigh a group: evidence in bits, each family capped, times its gates; never below 0."""
    streams = known.profiles[group.streams]
    accounts, owner = np.unique(streams["account"].to_numpy().astype(np.int64), return_inverse=True)
    members = _members(streams, owner, known.senders[accounts])
    k = members.height
    requests = members["requests"].to_numpy()
    # What a group does on the side says little about who runs it: load counts as far as it is the members' work.
    dominance = float(np.median(requests / np.maximum(members["single_turn"].to_numpy(), 1)))
    # Loads of those whose turns are runs and of those whose turns are not cannot be compared.
    runs = bool(np.mean(members["runs"].to_numpy()) >= MOSTLY_RUNS)
    load = load_bits(requests, _customers(group, accounts, requests, known), SMALLEST[group.kind])
    load = load * min(1.0, dominance) if load > 0 else load
    spread = float(np.median(np.abs(np.log(requests) - np.median(np.log(requests)))))
    overlap = known.payloads.overlap(group.streams, owner)
    # Members that work on different data cannot meet anyhow: that they do not is no partition.
    one_source = _one_source(group)
    comparable = k >= MIN_SHARDS and one_source > 0.0
    chance = known.meetings.probability(group.streams, owner, overlap) if comparable else 0.0
    partition = partition_bits(overlap, chance) if comparable else 0.0
    # Those who meet in a source as often as chance has it may each be a customer of it: the source then ties them half as much.
    drawn_apart = float(np.clip(1.0 + partition / 2.0, 0.5, 1.0))
    evidence = [
        _capped(
            "even_load",
            "load",
            spread,
            load,
            f"{'numbers of runs' if runs else 'loads'} of {k} accounts differ by a median factor of {np.exp(spread):.2f}",
        ),
        _capped(
            "partition",
            "partition",
            float(overlap.inside),
            partition * one_source,
            _meetings_in_words(overlap, chance),
        ),
        _capped(
            "succession",
            "succession",
            float(k),
            succession_bits(members["first_us"].to_numpy(), members["last_us"].to_numpy()),
            f"{k} accounts are active one after another, not side by side",
        ),
    ]
    moved, could, pivot = pivot_bits(known.pivot, accounts)
    if could:
        evidence.append(
            _capped(
                "release_pivot",
                "timing",
                float(moved),
                pivot,
                f"{moved} of {could} accounts that could moved to a new model within a day of its release",
            )
        )
    seen, expected = known.activity.together(group.streams, owner) if k >= FEWEST else (0, 0.0)
    if expected > 0.0:
        evidence.append(
            _capped(
                "synchrony",
                "timing",
                float(seen),
                synchrony_bits(seen, expected),
                f"{seen:,} times two accounts are active in the same hour; {expected:,.0f} would be by their days and times of day",
            )
        )
    sharing, means = means_bits(_by_means(members), known.sharing)
    if sharing:
        evidence.append(
            _capped(
                "shared_means",
                "means",
                sharing,
                means,
                f"{sharing:.0f} pairs of accounts of different organisations share a payment instrument or a rare address",
            )
        )
    if group.likeness is not None:
        evidence.append(
            _capped(
                "one_corpus",
                "corpus",
                group.likeness,
                # Two or three customers of one source are a coincidence, thirty are not.
                (1.5 if group.kind == "frame" else 2.0) * one_source * (1.0 - 2.0 / max(k, 2)) * drawn_apart,
                f"payloads of {k} accounts look like samples of one collection (similarity {group.likeness:.2f}; 1: the same)",
            )
        )
    if group.kind == "near_empty":
        evidence.append(
            _capped(
                "asks_nothing", "corpus", float(k), 2.0, f"{k} accounts send next to nothing and are answered at length"
            )
        )
    on_purpose = group.kind == "near_empty" or float(np.median(members["resampled"].to_numpy())) > RESAMPLED_NATURAL
    same_test = 1.0 - float(np.clip(partition * one_source / PLAINLY_SHARED_OUT, 0.0, 1.0))
    gates = group_gates(
        members,
        0.0 if group.kind == "near_empty" else _known_to_all(overlap),
        group.likeness,
        same_test=same_test,
        handed_out=float(np.clip(load / PLAINLY_EVEN, 0.0, 1.0)) if runs else 0.0,
        repeats_on_purpose=on_purpose,
    )
    # What only supports counts as far as a group has a reason of its own: in full from one bit.
    total = sum(e.bits for e in evidence if e.family not in SUPPORTING)
    reason = 1.0 if group.kind == "near_empty" else float(np.clip(total, 0.0, 1.0))
    total = max(0.0, total + reason * sum(e.bits for e in evidence if e.family in SUPPORTING))
    for gate in gates:
        total *= gate.factor
    return Judged(group, accounts, tuple(evidence), tuple(gates), total, load <= ORGANIC)


def ties(judged: Judged) -> tuple[Tie, ...]:
    """How the members hang together, strongest first; strength is the share of the family's cap that was reached."""
    size = int(judged.accounts.size)
    out = [Tie(e.signal, e.bits / CAPS[e.family], size, e.detail) for e in judged.evidence if e.bits >= 0.05]
    if judged.group.kind == "frame":
        several = len(judged.group.families)
        what = "one frame" if several == 1 else f"the same {several} frames"
        out.append(Tie("shared_frame", 1.0, size, f"all members use {what}"))
    return tuple(sorted(out, key=lambda t: (-t.strength, t.kind)))
