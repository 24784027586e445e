"""The surface of recall over requests per account, share of cover and accounts, by injecting and scoring again.

Several campaigns are put into one copy of the log to save time, as long as they are a small part of it and borrow from different
senders. Where a verdict puts accounts of two of them together all the same, neither counts: each is injected again, apart from
those that it met.

Accounts of one campaign are found together or not at all, so the campaign is the unit: its recall is one observation, in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.evaluate.metrics import wilson
from extractscan.power.draft import Draft, Spec, draft, expected_cover, expected_requests
from extractscan.power.inject import inject
from extractscan.power.kinds import KINDS, LENDABLE, Exhausted, Kind
from extractscan.power.supply import Supply, account_ranks, supply
from extractscan.verdict.assess import assess
from extractscan.verdict.findings import SEVERITIES, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.progress import Observer
    from extractscan.verdict.assess import Assessment

REQUESTS_SHARE: Final = 0.1
ACCOUNTS_SHARE: Final = 0.1
"""Shares of the log's requests and accounts that all campaigns of one scoring may add, unless there is only one: what an account is
compared with must stay the log."""
PEERS_SHARE: Final = 0.1
"""Share of the log's senders with a frame, or without, that the other campaigns of a scoring may add for the largest of their kind:
even loads of many others beside it would make its own look ordinary."""
BUDGET: Final = 15_000_000
"""Requests that a run scores in all when nobody says how many repeats, unless these are too few: about two minutes on two cores."""
OVERHEAD: Final = 100_000
"""Requests that take as long as what a scoring costs whatever the size of the log."""
REPEATS: Final = (4, 20)
"""Fewest and most repeats that are chosen: with under four, an interval says nothing, and beyond twenty hardly more."""
OUTWEIGHED: Final = 0.5
"""Share of the log's requests, or accounts, that one campaign may add at all."""
TRIES: Final = 3
"""Times that a campaign may meet another before it is injected alone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try: a grid of accounts, requests of each and shares of cover, for some kinds.

    ``severity`` is the least grade that counts as found, ``repeats`` the campaigns of each cell (None: by the log's size), ``spread`` the
    standard deviation of the logarithm of loads.
    """

    accounts: tuple[int, ...]
    requests: tuple[int, ...]
    cover: tuple[float, ...]
    kinds: tuple[str, ...]
    severity: Severity
    repeats: int | None
    seed: int
    spread: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A share in [0, 1] with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the grid.

    ``recall`` is the mean over campaigns of the share of accounts that were found; ``found`` of ``campaigns`` had at least half of
    their accounts found; ``pairs`` is the mean share of pairs of accounts that the verdict put into one campaign (None for single
    accounts). Where the log cannot supply such a campaign, ``reason`` says why and the rest is None or 0.
    """

    kind: str
    cover: float
    accounts: int
    requests: int
    campaigns: int
    found: int
    recall: Interval | None
    pairs: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Surface:
    """All cells, in the order of kinds, cover, accounts and requests; the log's size and span; and how it was done.

    ``plan`` says how many repeats there were.
    ``first_us`` and ``last_us`` are microseconds since 1970 UTC. ``scorings`` counts scorings of the log beside the first,
    ``apart`` the campaigns that were injected again since they met another. ``lent`` and ``sources`` are the payloads that the log has
    to lend, and their senders.
    """

    plan: Plan
    cells: tuple[Cell, ...]
    requests: int
    accounts: int
    first_us: int
    last_us: int
    lent: int
    sources: int
    scorings: int
    apart: int


@dataclass(frozen=True, slots=True)
class _Outcome:
    recall: float
    pairs: float | None


def unable(spec: Spec, kind: Kind, lends: Supply, prints: Fingerprints, spread: float) -> str | None:
    """Why the log cannot hold or supply such a campaign, or None."""
    total = expected_requests(spec.accounts, spec.requests, spread)
    cover = expected_cover(total, spec.cover)
    needed, held = kind.needs(total), len(lends.payloads)
    if "prompt" not in prints.present:
        return "the log has no prompts"
    if not lends.automated.size:
        return "the log has no automated requests without a finding to take settings from"
    if needed > LENDABLE * held:
        return f"it would need {needed:,} payloads and the log can lend {int(LENDABLE * held):,}"
    if cover and not lends.talk.size:
        return "the log has no conversations to copy as cover"
    if cover > LENDABLE * lends.talk.size:
        half = int(LENDABLE * lends.talk.size)
        return f"its cover would be {cover:,} requests of conversations and the log can lend {half:,}"
    if total + cover > OUTWEIGHED * prints.requests.height or spec.accounts > OUTWEIGHED * prints.accounts.len():
        return "it would outweigh the log"
    return None


def measure(prints: Fingerprints, plan: Plan, *, observer: Observer, jobs: int = 1) -> Surface:
    """Measure the surface of a log. Deterministic for one log, plan and version."""
    observer.stage("scoring the log as it is")
    lends = supply(prints, *_judged(prints, jobs))
    kinds = {k.name: (number, k) for number, k in enumerate(KINDS) if k.name in plan.kinds}
    grid = [
        Spec(name, accounts, requests, cover, 0)
        for name in kinds
        for cover in plan.cover
        for accounts in plan.accounts
        for requests in plan.requests
    ]
    reasons = {spec: unable(spec, kinds[spec.kind][1], lends, prints, plan.spread) for spec in grid}
    able = [spec for spec in grid if reasons[spec] is None]
    run = _Run(prints, lends, plan, kinds, observer, jobs)
    repeats = run.repeats(able) if plan.repeats is None else plan.repeats
    outcomes, apart = run.all([replace(spec, repeat=repeat) for repeat in range(repeats) for spec in able])
    cells = tuple(_cell(spec, reasons[spec], outcomes, repeats) for spec in grid)
    return Surface(
        replace(plan, repeats=repeats),
        cells,
        prints.requests.height,
        prints.accounts.len(),
        lends.first_us,
        lends.last_us,
        len(lends.payloads),
        lends.sizes.size,
        run.scorings,
        apart,
    )


def _judged(prints: Fingerprints, jobs: int) -> tuple[Streams, Assessment]:
    """Judge a log as ``score`` does."""
    streams = find_streams(prints, jobs=jobs)
    return streams, assess(profile(streams, prints.prompts, jobs=jobs), streams, prints.prompts)


def _cell(spec: Spec, reason: str | None, outcomes: dict[Spec, _Outcome], repeats: int) -> Cell:
    seen = [outcomes[one] for repeat in range(repeats) if (one := replace(spec, repeat=repeat)) in outcomes]
    where = (spec.kind, spec.cover, spec.accounts, spec.requests)
    if not seen:
        return Cell(*where, 0, 0, None, None, reason or "the log could not supply it")
    recall = float(np.mean([o.recall for o in seen]))
    pairs = [o.pairs for o in seen if o.pairs is not None]
    return Cell(
        *where,
        len(seen),
        sum(o.recall >= 0.5 for o in seen),
        Interval(recall, *wilson(recall, len(seen))),
        float(np.mean(pairs)) if pairs else None,
        None,
    )


class _Run:
    """Scorings of one log with campaigns in it."""

    def __init__(
        self,
        prints: Fingerprints,
        lends: Supply,
        plan: Plan,
        kinds: dict[str, tuple[int, Kind]],
        observer: Observer,
        jobs: int,
    ) -> None:
        self._prints, self._lends, self._plan, self._kinds = prints, lends, plan, kinds
        self._observer, self._jobs = observer, jobs
        self.scorings = 0

    def all(self, queue: Sequence[Spec]) -> tuple[dict[Spec, _Outcome], int]:
        """Inject and score every campaign; returns what came out and how many had to be injected again."""
        # Kinds and sizes are mixed, so that scorings are alike and progress is steady.
        order = np.random.default_rng([self._plan.seed, len(queue)]).permutation(len(queue))
        pending = [queue[i] for i in order]
        self._observer.stage("injecting campaigns and scoring", len(pending))
        outcomes: dict[Spec, _Outcome] = {}
        met: dict[Spec, set[Spec]] = {}
        tries: dict[Spec, int] = {}
        while pending:
            batch = self._batch(pending, met, tries)
            done, together, waiting = self._score(batch)
            outcomes |= done
            for one, others in together.items():
                met.setdefault(one, set()).update(others)
                tries[one] = tries.get(one, 0) + 1
            # Who found nothing left to borrow goes first next time; if the whole log did not suffice, it never will.
            gone = set(done) | (set(waiting) if len(waiting) == len(batch) else set())
            back = set(together) | gone
            pending = [*waiting, *(s for s in pending if s not in back and s not in waiting), *together]
            pending = [s for s in pending if s not in gone]
            self._observer.advance(len(gone))
        return outcomes, len(tries)

    def _size(self, spec: Spec) -> int:
        total = expected_requests(spec.accounts, spec.requests, self._plan.spread)
        return total + expected_cover(total, spec.cover)

    def repeats(self, specs: Sequence[Spec]) -> int:
        """Number of repeats that ``BUDGET`` allows, within ``REPEATS``."""
        pending, scorings = list(specs), 0
        while pending:
            batch = set(self._batch(pending, {}, {}))
            pending = [s for s in pending if s not in batch]
            scorings += 1
        cost = max(scorings, 1) * (self._prints.requests.height + OVERHEAD)
        return int(np.clip(BUDGET // cost, *REPEATS))

    def _batch(self, pending: Sequence[Spec], met: Mapping[Spec, set[Spec]], tries: Mapping[Spec, int]) -> list[Spec]:
        """Take the first campaign and all others that fit beside it."""
        requests = REQUESTS_SHARE * self._prints.requests.height
        accounts = ACCOUNTS_SHARE * self._prints.accounts.len()
        peers = {True: PEERS_SHARE * self._lends.framed_senders, False: PEERS_SHARE * self._lends.unframed_senders}
        batch: list[Spec] = []
        beside: dict[bool, list[int]] = {True: [], False: []}
        for spec in pending:
            size, framed = self._size(spec), self._kinds[spec.kind][1].framed
            kin = [*beside[framed], spec.accounts]
            fits = size <= requests and spec.accounts <= accounts and sum(kin) - max(kin) <= peers[framed]
            fits = fits and tries.get(spec, 0) < TRIES and met.get(spec, set()).isdisjoint(batch)
            if batch and not fits:
                continue
            batch.append(spec)
            if tries.get(spec, 0) >= TRIES:
                break
            beside[framed] = kin
            requests -= size
            accounts -= spec.accounts
        return batch

    def _score(self, batch: Sequence[Spec]) -> tuple[dict[Spec, _Outcome], dict[Spec, set[Spec]], list[Spec]]:
        """Score one copy of the log.

        Returns the outcome of each campaign that kept to itself; of each other those that it met; and those for which the log
        had nothing left to lend.
        """
        free = np.ones(self._lends.sizes.size, bool)
        talkers = np.ones(self._lends.talk_bounds.size - 1, bool)
        placed: list[Spec] = []
        drafts: list[Draft] = []
        waiting: list[Spec] = []
        for spec in batch:
            number, kind = self._kinds[spec.kind]
            rng = spec.generator(self._plan.seed, number)
            try:
                drafts.append(draft(spec, kind, self._lends, free, talkers, rng, spread=self._plan.spread))
            except Exhausted:
                waiting.append(spec)
            else:
                placed.append(spec)
        if not placed:
            return {}, {}, waiting
        first = placed[0]
        rng = np.random.default_rng(
            [*first.generator(self._plan.seed, self._kinds[first.kind][0]).integers(1 << 32, size=4)]
        )
        injected = inject(self._prints, self._lends, drafts, rng)
        prints = injected.prints
        _, assessment = _judged(prints, self._jobs)
        self.scorings += 1
        members = [injected.accounts_of(i) for i in range(len(placed))]
        ranks = account_ranks(assessment, prints.accounts.len())
        together = _together(assessment, members)
        worst = SEVERITIES.index(self._plan.severity)
        done = {}
        for i, spec in enumerate(placed):
            if i not in together:
                recall = float((ranks[members[i]] <= worst).mean())
                done[spec] = _Outcome(recall, _pairs(assessment, members[i]))
        return done, {placed[i]: {placed[j] for j in others} for i, others in together.items()}, waiting


def _together(assessment: Assessment, members: Sequence[NDArray[np.int64]]) -> dict[int, set[int]]:
    """Of each injected campaign that the verdict put together with another, the others."""
    owner = {int(a): i for i, accounts in enumerate(members) for a in accounts}
    out: dict[int, set[int]] = {}
    for campaign in assessment.campaigns:
        held = {owner[int(a)] for a in campaign.accounts if int(a) in owner}
        if len(held) > 1:
            for i in held:
                out.setdefault(i, set()).update(held - {i})
    return out


def _pairs(assessment: Assessment, members: NDArray[np.int64]) -> float | None:
    """Share of pairs of accounts that are in one campaign of the verdict; None for one account."""
    if members.size < 2:
        return None
    inside = [int(np.isin(members, campaign.accounts).sum()) for campaign in assessment.campaigns]
    return sum(n * (n - 1) for n in inside) / (members.size * (members.size - 1))
