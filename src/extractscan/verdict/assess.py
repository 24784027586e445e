"""From evidence to findings: what each account's worst stream amounts to, and which campaigns there are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from extractscan.campaign.choose import REPORT, choose
from extractscan.campaign.corpus import Corpora
from extractscan.campaign.evidence import Judged, population
from extractscan.campaign.gates import BENCHMARK, BENCHMARK_FACTOR, EVALUATES
from extractscan.campaign.overlap import Payloads
from extractscan.campaign.partition import Meetings
from extractscan.campaign.propose import propose
from extractscan.coverage.streams import CARRIED_ON, NEAR_EMPTY, TURNS
from extractscan.verdict.findings import Evidence, Gate, Severity
from extractscan.verdict.signals import CAPS, MIN_RESAMPLED, RESAMPLED_NATURAL, by_content, stream_signals

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from extractscan.campaign.evidence import Population
    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts

PRIOR: Final = 8.0
"""Bits at which the score is 0.5: even odds where one account in 256 is part of a harvest. High findings are those above it."""
HIGH: Final = 8.0
MEDIUM: Final = 5.0
LOW: Final = 3.0
COLLEAGUES: Final = 8
"""Accounts of one organisation from which an account is more likely a colleague's than an operator's."""
ORGANIC_FACTOR: Final = 0.3
"""What is left of a stream's evidence when its frame is a product's: the frame explains what its users have in common."""
FAMILY_MIN: Final = 1.0
"""Bits from which a family counts as agreeing."""


def score(bits: float) -> float:
    """Map bits to (0, 1): the posterior at the prior of ``PRIOR`` bits, for ranking; no error rate is claimed for it."""
    return float(1.0 / (1.0 + 2.0 ** (PRIOR - bits)))


def severity(bits: float, families: int) -> Severity:
    """Grade of a finding. High needs two families that agree, whatever the bits."""
    if bits >= HIGH and families >= 2:
        return "high"
    if bits >= MEDIUM:
        return "medium"
    return "low" if bits >= LOW else "none"


@dataclass(frozen=True, slots=True)
class StreamVerdict:
    """One stream as judged: bits after gates, families that agree, its evidence and gates."""

    stream: int
    bits: float
    families: int
    evidence: tuple[Evidence, ...]
    gates: tuple[Gate, ...]


def _total(evidence: list[Evidence]) -> tuple[float, int]:
    """Sum by family, each capped; and the number of families with at least ``FAMILY_MIN`` bits."""
    families: dict[str, float] = {}
    for e in evidence:
        families[e.family] = families.get(e.family, 0.0) + e.bits
    capped = {f: min(b, CAPS[f]) for f, b in families.items()}
    return sum(capped[f] for f in sorted(capped)), sum(b >= FAMILY_MIN for b in capped.values())


def _stream_gates(
    profile: dict[str, float | int | None], shared: float, organic: Gate | None, end_users: int, colleagues: int
) -> list[Gate]:
    gates = []
    talk = profile["conversing"]
    if profile["family"] in TURNS:
        carry = " and only carry on what was asked" if profile["family"] == CARRIED_ON else ""
        gates.append(Gate("conversations", 0.1, f"requests belong to conversations of several turns{carry}"))
    elif talk is not None and talk >= 0.5:
        gates.append(
            Gate("conversations", 1.0 - 0.9 * float(talk), f"{talk:.0%} of the requests belong to conversations")
        )
    requests, payloads = float(profile["requests"] or 0), float(profile["payloads"] or 1)
    again = requests / payloads
    nothing = profile["family"] == NEAR_EMPTY  # what is next to nothing is bound to be sent again, and by others
    resampled = float(profile["resampled"] or 0.0) > RESAMPLED_NATURAL and payloads >= MIN_RESAMPLED
    if again >= 4.0 and not nothing and not resampled:
        gates.append(
            Gate(
                "exact_repetition",
                max(0.1, 4.0 / again / 2.0),
                f"each payload is sent {again:.0f} times: tests or load",
            )
        )
    if shared >= 0.2 and not nothing:
        gates.append(
            Gate(
                "public_items",
                max(0.1, 1.0 - 1.1 * shared),
                f"{shared:.0%} of the payloads are also sent by several others",
            )
        )
    if profile["evaluates"]:
        gates.append(Gate("benchmark", BENCHMARK_FACTOR, BENCHMARK))
    if colleagues >= COLLEAGUES:
        gates.append(Gate("one_organisation", 0.5, f"its organisation has {colleagues} accounts that send requests"))
    if end_users >= 5:
        gates.append(Gate("end_users", 0.2, f"it serves {end_users} end users"))
    if organic is not None:
        gates.append(organic)
    return gates


@dataclass(frozen=True, slots=True)
class Assessment:
    """Verdicts before they are put into words: one a stream, the campaigns that are reported, and every group as judged.

    ``left_out`` counts the smallest frames and senders, which were not compared when corpora were sought.
    """

    verdicts: list[StreamVerdict]
    campaigns: list[Judged]
    profiles: pl.DataFrame
    judged: list[Judged]
    left_out: int


def assess(profiles: pl.DataFrame, streams: Streams, prompts: Texts) -> Assessment:
    """Judge all streams and campaigns of a log."""
    profiles = by_content(profiles)
    payloads = Payloads(streams)
    known = population(profiles, streams.requests, payloads, Meetings(streams, prompts))
    return assess_population(known, partial(Corpora, streams, prompts))


def assess_population(known: Population, corpora_of: Callable[[list[NDArray[np.int64]]], Corpora]) -> Assessment:
    """Judge by what is known of a log; profiles are those ``by_content``."""
    profiles, payloads = known.profiles, known.payloads
    proposed = propose(profiles, payloads, corpora_of)
    campaigns, judged = choose(proposed.groups, known)
    inherited: dict[int, Judged] = {int(s): c for c in campaigns for s in c.group.streams}
    organic: dict[int, Gate] = {}
    for j in judged:
        if j.organic and j.group.kind == "frame":
            for s in j.group.streams:
                organic[int(s)] = Gate(
                    "organic_load",
                    ORGANIC_FACTOR,
                    f"it shares its frame with {j.accounts.size - 1} accounts whose loads differ as customers' do",
                )
    own: dict[int, list[Evidence]] = {}
    for stream, signal, family, value, bits, assessed, detail in stream_signals(profiles).iter_rows():
        own.setdefault(stream, []).append(Evidence(signal, family, value, bits, assessed, detail))
    shared = payloads.shared_share(2)
    users = known.senders["end_users"].to_numpy()
    colleagues = known.senders["colleagues"].to_numpy()
    verdicts = []
    for row in profiles.with_columns(EVALUATES.alias("evaluates")).iter_rows(named=True):
        stream = row["stream"]
        evidence = list(own.get(stream, []))
        campaign = inherited.get(stream)
        if campaign is None:
            account = row["account"]
            gates = _stream_gates(
                row, float(shared[stream]), organic.get(stream), int(users[account]), int(colleagues[account])
            )
        else:
            # A member answers for what its campaign is: one that wears a conversation id is no less a shard.
            evidence += [e for e in campaign.evidence if e.bits != 0]
            gates = list(campaign.gates)
        bits, families = _total(evidence)
        for gate in gates:
            bits *= gate.factor
        verdicts.append(StreamVerdict(stream, bits, families, tuple(evidence), tuple(gates)))
    return Assessment(verdicts, [c for c in campaigns if c.bits >= REPORT], profiles, judged, proposed.left_out)
