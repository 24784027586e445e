"""A log compared with clean periods: what is kept of a period, p- and q-values, and what speaks against the comparison.

A baseline must be **benign**, of **the same kinds of customers**, and of **about the same length of time** as the log. Each
``--baseline`` is one period, scored by itself with the same stages, since bits hang on what else a log holds; their accounts and
groups are then one pool.

Two families of tests:

* **accounts**, by the bits of the worst stream. Accounts of one campaign, or whose worst streams share a frame, rise and fall together:
  if one of them exceeds the baseline, all may, and to count them as so many discoveries would let a single innocent product
  pass (with products of twenty even accounts and seven periods, in over a tenth of logs at a stated 5 %). So they are tested as one,
  by their highest bits, against the baseline's made up in the same way, with Benjamini-Yekutieli; a member's q is that of its own
  bits.
* **campaigns**: the campaigns that ``score`` reports were chosen *because* they are strong, so their bits cannot be compared with
  those of groups at large and tested alone. All groups that were judged are tested, in the log and in the baseline, but none
  that has half its accounts in a stronger one (the same accounts found in another way are no second test). Benjamini-Hochberg.

What is guaranteed, if the log's innocent accounts and groups are exchangeable with the baseline's: of what passes (q at or under the
stated rate), an expected share of at most that rate is false, among campaigns, and among accounts where those that were tested
as one count as one. What is not: anything about a baseline with harvests in it (it hides what resembles them), of other customers,
or of another time in which customers behaved otherwise (drift); and no q-value says how likely one given account is innocent. If
whole months differ, K periods can show no more than 1 / (K + 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.errors import UsageError
from extractscan.verdict.assess import LOW, severity
from extractscan.verdict.calibrate import (
    benjamini_hochberg,
    benjamini_yekutieli,
    conformal_p,
    fewest,
    harmonic,
    highest,
    inherited_q,
)
from extractscan.verdict.findings import BaselineSummary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from extractscan.campaign.evidence import Judged
    from extractscan.logs.result import FileSummary
    from extractscan.verdict.assess import Assessment
    from extractscan.verdict.report import Measured

MIX: Final = 0.25
"""Difference of two distributions from which they are plainly not of the same customers: a quarter of all accounts would have to be
of another kind. Harvests move the log's, but seldom are they a quarter of all accounts."""
NOISE: Final = 1.95
"""Kolmogorov-Smirnov: two samples of one distribution differ by more than this times sqrt(1/n + 1/m) once in a thousand times."""
SPAN: Final = 2.0
"""Times as long, from which a period is of another length: loads and what is shared grow with time."""
FAR: Final = 2.0
"""Times the largest baseline account's requests, from which the baseline has none like it."""
SAME_ACCOUNTS: Final = 0.5
"""Share of a group's accounts that a stronger group has, from which it is the same group found in another way."""


@dataclass(frozen=True, slots=True)
class Period:
    """What a scored log leaves for comparison.

    ``bits``, ``cluster``, ``requests`` and ``kind`` are by account number: bits of the worst stream (0 at the least), the number of
    what rises and falls with it, requests, and the family of the largest stream's kind (frames are 0, others as in
    ``coverage.streams``, ``NO_STREAM`` without a prompt). ``groups`` are the bits of its ``disjoint`` groups, the chosen campaigns
    first, in their order; ``campaigns`` is their number and ``high`` how many accounts are graded high by their bits.
    """

    bits: NDArray[np.float64]
    cluster: NDArray[np.int64]
    requests: NDArray[np.int64]
    kind: NDArray[np.int64]
    groups: NDArray[np.float64]
    campaigns: int
    high: int
    names: frozenset[str]
    first: datetime | None
    last: datetime | None
    present: frozenset[str]
    files: tuple[FileSummary, ...]


NO_STREAM: Final = -100
"""Kind of an account without prompts."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """P- and q-values by account number, and of the campaigns in the order of the assessment; what the run says of them."""

    rate: float
    account_p: NDArray[np.float64]
    account_q: NDArray[np.float64]
    campaign_p: NDArray[np.float64]
    campaign_q: NDArray[np.float64]
    sentence: str
    summary: BaselineSummary

    def reason(self, grade: str, q: float) -> str | None:
        """Why a finding that its bits make ``grade`` is not high, or None if it may be what it is."""
        if grade != "high" or q <= self.rate:
            return None
        return f"high by its bits, but q {q:.3f} is over the stated rate of {self.rate:g}"


def disjoint(chosen: Sequence[Judged], judged: Sequence[Judged]) -> list[Judged]:
    """Chosen campaigns in their order, then the other groups, strongest first, without those that are half the same accounts."""
    kept = list(chosen)
    taken = {int(a) for c in chosen for a in c.accounts}
    rest = sorted(judged, key=lambda j: (-round(j.bits, 6), -j.accounts.size, int(j.group.streams[0])))
    for candidate in rest:
        members = candidate.accounts.tolist()
        if sum(a in taken for a in members) < SAME_ACCOUNTS * len(members):
            kept.append(candidate)
            taken.update(members)
    return kept


def period(assessment: Assessment, measured: Measured) -> Period:
    """Reduce a scored log to what comparison needs."""
    total = len(measured.accounts)
    account = assessment.profiles["account"].to_numpy().astype(np.int64)
    family = assessment.profiles["family"].to_numpy().astype(np.int64)
    sent = assessment.profiles["requests"].to_numpy()
    stream = np.fromiter((v.stream for v in assessment.verdicts), np.int64, len(assessment.verdicts))
    found = np.fromiter((v.bits for v in assessment.verdicts), np.float64, stream.size)
    families = np.fromiter((v.families for v in assessment.verdicts), np.int64, stream.size)
    worst = _last_by(account[stream], np.lexsort((-stream, found, account[stream])), total)
    bits = np.zeros(total)
    has = worst >= 0
    bits[has] = np.maximum(found[worst[has]], 0.0)
    decided = np.full(total, NO_STREAM)
    decided[has] = family[stream[worst[has]]]
    # Numbers of clusters: campaigns, then frames, then accounts by themselves.
    campaigns = len(assessment.campaigns)
    frames = int(family.max(initial=-1)) + 1
    cluster = np.where(decided >= 0, campaigns + decided, campaigns + frames + np.arange(total))
    for number, c in enumerate(assessment.campaigns):
        cluster[c.accounts] = number
    largest = _last_by(account, np.lexsort((-np.arange(account.size), sent, account)), total)
    kind = np.where(largest >= 0, np.minimum(family[largest], 0) if family.size else 0, NO_STREAM)
    groups = disjoint(assessment.campaigns, assessment.judged)
    graded = np.flatnonzero(bits >= LOW)
    high = sum(severity(float(bits[a]), int(families[worst[a]])) == "high" for a in graded)
    return Period(
        bits=bits,
        cluster=cluster,
        requests=np.array(measured.requests, np.int64),
        kind=kind,
        groups=np.array([g.bits for g in groups], np.float64),
        campaigns=campaigns,
        high=high,
        names=frozenset(measured.accounts),
        first=min(measured.first_seen, default=None),
        last=max(measured.last_seen, default=None),
        present=measured.present,
        files=tuple(measured.summary.files),
    )


def _last_by(key: NDArray[np.int64], order: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """For each key under ``total``, the last position in ``order`` (sorted by key) that has it; -1 where none has."""
    out = np.full(total, -1, np.int64)
    out[key[order]] = order  # the last write holds
    return out


def check_periods(clean: Sequence[Period]) -> None:
    """Raise ``UsageError`` if a file is in two periods: it would count twice, and make p-values too small."""
    met: set[str] = set()
    for files in ({f.sha256: f.path for f in c.files if f.rows_kept} for c in clean):
        for digest in sorted(met & files.keys()):
            raise UsageError(f"--baseline: {files[digest]} holds the same as another baseline; each may be given once")
        met |= files.keys()


def calibrate(log: Period, clean: Sequence[Period], rate: float) -> Calibration:
    """Compare a log with clean periods at a stated false discovery rate in (0, 1)."""
    units = np.concatenate([highest(c.bits, c.cluster) for c in clean])
    groups = np.concatenate([c.groups for c in clean])
    unit_p = conformal_p(highest(log.bits, log.cluster), units)
    account_p = conformal_p(log.bits, units)
    account_q = inherited_q(account_p, unit_p, benjamini_yekutieli(unit_p))
    group_p = conformal_p(log.groups, groups)
    campaign_q = benjamini_hochberg(group_p)[: log.campaigns]
    warnings = differences(log, clean)
    summary = BaselineSummary(
        stated_rate=rate,
        periods=len(clean),
        files=tuple(f for c in clean for f in c.files),
        accounts=sum(c.bits.size for c in clean),
        independent=units.size,
        groups=groups.size,
        warnings=warnings,
    )
    return Calibration(
        rate=rate,
        account_p=account_p,
        account_q=account_q,
        campaign_p=group_p[: log.campaigns],
        campaign_q=campaign_q,
        sentence=_sentence(
            summary,
            (int((account_q <= rate).sum()), int((campaign_q <= rate).sum())),
            (unit_p.size, group_p.size),
        ),
        summary=summary,
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _sentence(summary: BaselineSummary, passed: tuple[int, int], tests: tuple[int, int]) -> str:
    """What is claimed, and what a baseline of this size cannot show; ``passed`` and ``tests`` are of accounts and campaigns."""
    rate = summary.stated_rate
    accounts, campaigns = passed
    claim = (
        f"Compared with a baseline of {_count(summary.periods, 'period')}, {_count(summary.accounts, 'account')} and "
        f"{_count(summary.groups, 'group')} of accounts. {_count(accounts, 'account')} and {_count(campaigns, 'campaign')} "
        f"pass at q <= {rate:g}: if the baseline is benign and its customers are like this log's, at most {rate:.1%} of each "
        "are expected to be false (Benjamini-Yekutieli for accounts, those of one campaign or frame counted as one; "
        "Benjamini-Hochberg for campaigns)."
    )
    kinds = (
        ("account", tests[0], fewest(tests[0], summary.independent, rate, harmonic(tests[0]))),
        ("campaign", tests[1], fewest(tests[1], summary.groups, rate)),
    )
    impossible = [f"any {noun}" for noun, number, needed in kinds if needed > number > 0]
    several = [_count(needed, noun) for noun, number, needed in kinds if 1 < needed <= number]
    if impossible:
        claim += f" The baseline is too small for {' or '.join(impossible)} to pass."
    if several:
        claim += f" To pass, {' or '.join(several)} together would have to exceed all of the baseline."
    return claim + (" More clean periods lower this." if impossible or several else "")


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Kolmogorov-Smirnov distance of two samples."""
    points = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(x), points, side="right") / x.size for x in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def differences(log: Period, clean: Sequence[Period]) -> tuple[str, ...]:
    """Say what speaks against exchangeability, a sentence each: crude checks, whose silence proves nothing."""
    out: list[str] = []
    requests = np.concatenate([c.requests for c in clean])
    if log.requests.size == 0 or requests.size == 0:
        return ("the log or the baseline has no accounts",)
    limit = max(MIX, NOISE * float(np.sqrt(1.0 / log.requests.size + 1.0 / requests.size)))
    if _distance(np.log(log.requests), np.log(requests)) > limit:
        out.append(
            f"accounts are of another size than in the baseline: a median of {np.median(log.requests):.0f} requests against "
            f"{np.median(requests):.0f}"
        )
    far = int((log.requests > FAR * requests.max()).sum())
    if far:
        out.append(
            f"{_count(far, 'account')} sent more than {FAR:g} times as many requests as any in the baseline, which so has none like it"
        )
    kind = np.concatenate([c.kind for c in clean])
    kinds = np.union1d(log.kind, kind)
    shares = [(k[:, None] == kinds[None, :]).mean(axis=0) for k in (log.kind, kind)]
    if 0.5 * float(np.abs(shares[0] - shares[1]).sum()) > limit:
        out.append("the mix of conversations, framed and unframed traffic is another than in the baseline")
    lengths = [_seconds(p) for p in clean]
    if any(not 1.0 / SPAN <= (_seconds(log) + 1.0) / (length + 1.0) <= SPAN for length in lengths):
        shown = ", ".join(f"{length / 86400:.1f}" for length in lengths[:5])
        out.append(f"the log is {_seconds(log) / 86400:.1f} days long, the baseline {shown}")
    unlike = sorted(set().union(*(log.present ^ c.present for c in clean)))
    if unlike:
        out.append(
            f"columns that only the log or only the baseline has, and whose signals so do not compare: {', '.join(unlike)}"
        )
    high = sum(c.high for c in clean)
    if high:
        out.append(
            f"{_count(high, 'account')} of the baseline would be graded high: look at them first, since harvests in a baseline hide "
            "those in the log"
        )
    out += _met_twice(log, clean)
    return tuple(out)


def _seconds(period_: Period) -> float:
    if period_.first is None or period_.last is None:
        return 0.0
    return (period_.last - period_.first).total_seconds()


def _overlap(one: Period, other: Period) -> int:
    """Accounts that two periods share, if they overlap in time."""
    if one.first is None or other.first is None or one.last is None or other.last is None:
        return 0
    return len(one.names & other.names) if one.first <= other.last and other.first <= one.last else 0


def _met_twice(log: Period, clean: Sequence[Period]) -> list[str]:
    """Requests that stand on both sides, or twice on one."""
    out = []
    shared = max((_overlap(log, c) for c in clean), default=0)
    if shared:
        out.append(
            f"the baseline overlaps the log in time and in {_count(shared, 'account')}, which are compared with themselves"
        )
    again = max((_overlap(a, b) for i, a in enumerate(clean) for b in clean[:i]), default=0)
    if again:
        out.append(f"two periods of the baseline overlap in time and in {_count(again, 'account')}, which count twice")
    return out
