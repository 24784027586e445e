"""Evidence and gates of groups, and the choice of campaigns among them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.campaign.ties import load_bits, partition_bits, succession_bits
from extractscan.verdict.findings import Evidence, Gate, Tie
from extractscan.verdict.signals import CAPS

if TYPE_CHECKING:
    from extractscan.campaign.groups import Group
    from extractscan.campaign.overlap import Payloads

ACCEPT: Final = 3.0
"""Bits after gates from which a group is reported as a campaign."""
ORGANIC: Final = -3.0
"""Load bits under which a group's loads are those of independent customers: eight to one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A group with its evidence (bits capped by family), gates and total after gates."""

    group: Group
    evidence: tuple[Evidence, ...]
    gates: tuple[Gate, ...]
    bits: float
    load: float
    organic: bool


def senders(requests: pl.DataFrame) -> pl.DataFrame:
    """For each account: its commonest ``org_id``, ``ip`` and ``payment_id`` (codes, null if unknown) and ``end_users``."""
    commonest = [pl.col(name).drop_nulls().mode().min().alias(name) for name in ("org_id", "ip", "payment_id")]
    return (
        requests.group_by("account")
        .agg(*commonest, pl.col("end_user").drop_nulls().n_unique().alias("end_users"))
        .sort("account")
    )


def _capped(signal: str, value: float, bits: float, detail: str, family: str | None = None) -> Evidence:
    family = family or signal
    return Evidence(signal, family, value, float(np.clip(bits, 0.0, CAPS[family])), True, detail)


def judge(group: Group, profiles: pl.DataFrame, people: pl.DataFrame, payloads: Payloads) -> Judged:
    """Weigh a group. ``profiles`` has a row a stream in stream order, ``people`` a row an account in account order."""
    members = profiles[group.streams.tolist()]
    k = members.height
    requests = members["requests"].to_numpy()
    logs = np.log(requests)
    load = load_bits(requests)
    overlap = payloads.overlap(group.streams)
    first, last = members["first_us"].to_numpy(), members["last_us"].to_numpy()
    spread = float(np.median(np.abs(logs - np.median(logs))))
    evidence = [
        _capped(
            "even_load",
            spread,
            load,
            f"loads of {k} accounts differ by a median factor of {np.exp(spread):.2f}",
            "load",
        ),
        _capped(
            "partition",
            float(overlap.inside),
            partition_bits(overlap),
            f"members share {overlap.inside} payloads among themselves; {overlap.expected:.0f} would be expected from what "
            f"they share with {overlap.outsiders} other streams of the same source",
        ),
        _capped(
            "succession",
            float(k),
            succession_bits(first, last),
            f"{k} accounts are active one after another, not side by side",
        ),
    ]
    if group.likeness is not None:
        evidence.append(
            _capped(
                "one_corpus",
                group.likeness,
                2.0 * group.likeness if group.likeness >= 0.8 else 0.0,
                f"payloads of {k} accounts look like samples of one collection (similarity {group.likeness:.2f}, 1 is the same)",
                "corpus",
            )
        )
    gates = _gates(members, people[members["account"].to_list()], payloads, group, load)
    total = sum(e.bits for e in evidence if e.family != "corpus")
    if total > 0:
        total += sum(e.bits for e in evidence if e.family == "corpus")
    for gate in gates:
        total *= gate.factor
    return Judged(group, tuple(evidence), tuple(gates), total, load, load <= ORGANIC)


def _gates(members: pl.DataFrame, people: pl.DataFrame, payloads: Payloads, group: Group, load: float) -> list[Gate]:
    k = members.height
    gates = []
    if load <= ORGANIC:
        gates.append(
            Gate("organic_load", 0.3, f"the loads of its {k} accounts differ as those of independent customers do")
        )
    organisations = people["org_id"].drop_nulls()
    if k >= 3 and organisations.len() >= 3:
        top = int(organisations.value_counts(sort=True)["count"][0])
        if top >= 0.8 * k:
            gates.append(Gate("one_organisation", 0.2, f"{top} of {k} accounts belong to one organisation"))
    addresses = people["ip"].drop_nulls()
    if k >= 4 and addresses.len() >= 4 and addresses.n_unique() * 3 <= k:
        gates.append(
            Gate(
                "one_network",
                0.3,
                f"{k} accounts come from {addresses.n_unique()} addresses: a class, an office or one host",
            )
        )
    shared = float(np.average(payloads.shared_share(2)[group.streams]))
    if shared >= 0.2:
        gates.append(
            Gate(
                "public_items",
                max(0.1, 1.0 - 1.1 * shared),
                f"{shared:.0%} of the payloads are also sent by several others",
            )
        )
    talk = members["conversing"].mean()
    if isinstance(talk, float) and talk >= 0.2:
        gates.append(Gate("conversations", 1.0 - 0.9 * talk, f"{talk:.0%} of the requests belong to conversations"))
    resellers = int((people["end_users"] >= 5).sum())
    if resellers * 2 >= k:
        gates.append(Gate("end_users", 0.2, f"{resellers} of {k} accounts serve five or more end users"))
    return gates


def campaign_id(accounts: list[str]) -> str:
    """Return a name that depends on the members alone: the hash of the smallest account id."""
    return "c-" + hashlib.blake2b(min(accounts).encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def choose(
    groups: list[Group], profiles: pl.DataFrame, people: pl.DataFrame, payloads: Payloads
) -> tuple[list[Judged], list[Judged]]:
    """Choose campaigns so that no account is in two; returns them, strongest first, and every group as judged.

    A frame is the firmer tie, so that at equal bits it goes before a corpus; a group whose members another campaign has taken is
    judged again without them.
    """
    from extractscan.campaign.groups import Group  # noqa: PLC0415 - groups imports nothing from here, but types do

    judged = [judge(g, profiles, people, payloads) for g in groups]
    order = sorted(
        judged,
        key=lambda j: (-round(j.bits, 6), j.group.kind != "frame", -j.group.streams.size, int(j.group.streams[0])),
    )
    account = profiles["account"].to_numpy()
    taken: set[int] = set()
    chosen = []
    for candidate in order:
        if candidate.bits < ACCEPT:
            continue
        streams = candidate.group.streams
        free = np.array([int(a) not in taken for a in account[streams]])
        if free.sum() < 2:
            continue
        if not free.all():
            candidate = judge(  # noqa: PLW2901 - the same candidate, without members that are taken
                Group(candidate.group.kind, streams[free], candidate.group.likeness, candidate.group.families),
                profiles,
                people,
                payloads,
            )
            if candidate.bits < ACCEPT:
                continue
        taken.update(int(a) for a in account[candidate.group.streams])
        chosen.append(candidate)
    return chosen, judged


def ties(judged: Judged) -> tuple[Tie, ...]:
    """How the members hang together, strongest first; strength is the share of the family's cap that was reached."""
    out = [
        Tie(e.signal, round(e.bits / CAPS[e.family], 6), judged.group.streams.size, e.detail)
        for e in judged.evidence
        if e.bits > 0
    ]
    if judged.group.kind == "frame":
        out.insert(0, Tie("shared_frame", 1.0, judged.group.streams.size, "all members use one frame"))
    return tuple(sorted(out, key=lambda t: (-t.strength, t.kind)))
