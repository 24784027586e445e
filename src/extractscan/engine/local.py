"""The local engine: all stages on one machine, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import polars as pl

from extractscan.cluster.components import cluster_texts
from extractscan.coverage.accounts import account_coverage, campaign_coverage
from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.engine.load import LogSource, load
from extractscan.verdict.assess import assess
from extractscan.verdict.baseline import calibrate, check_periods, period
from extractscan.verdict.report import Measured, findings, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.cluster.components import Clusters
    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.logs.result import ReadSummary
    from extractscan.memory import Memory
    from extractscan.progress import Observer
    from extractscan.verdict.assess import Assessment
    from extractscan.verdict.baseline import Period
    from extractscan.verdict.findings import Findings


class Front(Protocol):
    """The stages elsewhere: the heavy ones, or all up to the verdict."""

    def fingerprints(self, source: LogSource, observer: Observer) -> tuple[Fingerprints, Clusters, ReadSummary]:
        """Logs to fingerprints and clusters."""

    def scored(self, source: LogSource, observer: Observer) -> Scored:
        """Judge the accounts of logs, with nothing kept."""


@dataclass(frozen=True, slots=True)
class _Part:
    """An observer of a part of the run: stages and warnings say which."""

    whole: Observer
    name: str

    def stage(self, name: str, total: int | None = None) -> None:
        self.whole.stage(f"{self.name}: {name}", total)

    def advance(self, steps: int = 1) -> None:
        self.whole.advance(steps)

    def warn(self, message: str) -> None:
        self.whole.warn(f"{self.name}: {message}")

    def note(self, message: str) -> None:
        self.whole.note(f"{self.name}: {message}")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the stages made on the way to a verdict: what a case is written from."""

    prints: Fingerprints
    clusters: Clusters
    streams: Streams


@dataclass(frozen=True, slots=True)
class Scored:
    """A log as judged, before it is put into words; ``kept`` only where it was asked for, since it is large."""

    assessment: Assessment
    measured: Measured
    kept: Kept | None = None


def local_front(
    source: LogSource, observer: Observer, *, jobs: int = 1, memory: Memory | None = None
) -> tuple[Fingerprints, Clusters, ReadSummary]:
    """Read logs, fingerprint them and cluster their prompts on this machine."""
    prints, summary = load(source, observer=observer, jobs=jobs, memory=memory)
    return prints, _clustered(prints, observer, jobs, memory), summary


def _clustered(prints: Fingerprints, observer: Observer, jobs: int, memory: Memory | None) -> Clusters:
    observer.stage("clustering")
    return cluster_texts(prints.prompts.offsets, prints.prompts.tokens, jobs=jobs, memory=memory)


def assess_logs(
    source: LogSource,
    *,
    observer: Observer,
    jobs: int = 1,
    keep: bool = False,
    memory: Memory | None = None,
    front: Front | None = None,
) -> Scored:
    """Judge the accounts of logs; with ``keep``, what a case needs is kept too.

    ``memory`` bounds what is resident; no result depends on it. ``front`` does it elsewhere.

    Raises ``InputError`` when nothing can be read or too much cannot.
    """
    if front is None:
        prints, clusters, summary = local_front(source, observer, jobs=jobs, memory=memory)
    elif keep:
        prints, clusters, summary = front.fingerprints(source, observer)
    else:
        return front.scored(source, observer)
    return _assess(prints, clusters, summary, observer=observer, jobs=jobs, keep=keep)


def assess_prints(
    prints: Fingerprints,
    summary: ReadSummary,
    *,
    observer: Observer,
    jobs: int = 1,
    keep: bool = False,
    memory: Memory | None = None,
) -> Scored:
    """Judge the accounts of requests whose fingerprints are there; ``summary`` says what they were read from."""
    clusters = _clustered(prints, observer, jobs, memory)
    return _assess(prints, clusters, summary, observer=observer, jobs=jobs, keep=keep)


def _assess(
    prints: Fingerprints, clusters: Clusters, summary: ReadSummary, *, observer: Observer, jobs: int, keep: bool
) -> Scored:
    observer.stage("streams and frames")
    streams = find_streams(prints, jobs=jobs)
    profiles = profile(streams, prints.prompts, jobs=jobs)
    observer.stage("campaigns and verdict")
    assessment = assess(profiles, streams, prints.prompts)
    coverage = account_coverage(prints.requests, clusters.label, prints.accounts.len())
    seen = (
        prints.requests.group_by("account")
        .agg(pl.len().alias("requests"), pl.col("time_us").min().alias("first"), pl.col("time_us").max().alias("last"))
        .sort("account")
    )
    return Scored(
        assessment,
        Measured(
            accounts=prints.accounts.to_list(),
            organisations=prints.organisations.to_list(),
            requests=seen["requests"].to_list(),
            first_seen=[moment(t) for t in seen["first"]],
            last_seen=[moment(t) for t in seen["last"]],
            coverage=coverage,
            campaign_coverage=campaign_coverage(
                [c.group.streams for c in assessment.campaigns], streams.requests, clusters.label
            ),
            clusters=clusters.total,
            capped_bands=clusters.capped,
            duplicates=prints.duplicates,
            present=prints.present,
            summary=summary,
        ),
        Kept(prints, clusters, streams) if keep else None,
    )


def judge_logs(
    source: LogSource,
    *,
    observer: Observer,
    jobs: int = 1,
    baselines: Sequence[str] = (),
    rate: float = 0.05,
    keep: bool = False,
    memory: Memory | None = None,
    front: Front | None = None,
) -> tuple[Findings, Scored]:
    """Score the accounts of logs: the findings, and with ``keep`` what a case is written from.

    Each of ``baselines`` (a file, folder or glob) is a clean period of its own, read as the log is but whole, and ``rate`` the false
    discovery rate to state; without any no rate is claimed. Raises ``InputError`` when nothing can be read or too much
    cannot, ``UsageError`` for a file that is in two periods.
    """
    scored = assess_logs(source, observer=observer, jobs=jobs, keep=keep, memory=memory, front=front)
    if not baselines:
        return findings(scored.assessment, scored.measured), scored
    clean: list[Period] = []
    for number, baseline in enumerate(baselines, 1):
        part = _Part(observer, "baseline" if len(baselines) == 1 else f"baseline {number}")
        whole = replace(source, inputs=(baseline,), since=None, until=None)
        judged = assess_logs(whole, observer=part, jobs=jobs, memory=memory, front=front)
        clean.append(period(judged.assessment, judged.measured))
    check_periods(clean)
    calibration = calibrate(period(scored.assessment, scored.measured), clean, rate)
    for warning in calibration.summary.warnings:
        observer.warn(f"baseline: {warning}")
    return findings(scored.assessment, scored.measured, calibration), scored
