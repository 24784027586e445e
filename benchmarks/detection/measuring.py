"""From logs to figures: the stages of ``score`` in memory, so that a log is read once and judged many times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.tables import Matched, match, read_labels
from extractscan.fingerprint.requests import fingerprint, merge
from extractscan.logs.read import read_logs
from extractscan.logs.result import ReadSummary
from extractscan.progress import Silent
from extractscan.verdict.assess import assess
from extractscan.verdict.report import Measured, findings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.coverage.streams import Streams
    from extractscan.evaluate.evaluation import Evaluation
    from extractscan.fingerprint.requests import FingerprintBatch, Fingerprints
    from extractscan.verdict.findings import Findings

_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Log:
    """A log as far as nothing of the verdict has touched it, and its labels (``account_id, attack, archetype, campaign``)."""

    prints: Fingerprints
    streams: Streams
    profiles: pl.DataFrame
    labels: pl.DataFrame


def prepare(batches: Iterable[FingerprintBatch], labels: pl.DataFrame) -> Log:
    """Unite fingerprints and measure their streams."""
    prints = merge(batches)
    streams = find_streams(prints)
    return Log(prints, streams, profile(streams, prints.prompts), labels)


def read(log: str, labels: str) -> Log:
    """Read a log and its labels."""
    reader = read_logs([log], observer=Silent())
    return prepare((fingerprint(batch.frame) for batch in reader.batches()), read_labels(labels))


def judge(log: Log) -> Findings:
    """Judge a log as ``score`` does; counts of requests and coverage statistics, which weigh nothing, are left out."""
    names = log.prints.accounts.to_list()
    assessment = assess(log.profiles, log.streams, log.prints.prompts)
    return findings(
        assessment,
        Measured(
            accounts=names,
            requests=[0] * len(names),
            first_seen=[_NEVER] * len(names),
            last_seen=[_NEVER] * len(names),
            coverage=[{} for _ in names],
            campaign_coverage=[{} for _ in assessment.campaigns],
            clusters=0,
            capped_bands=0,
            duplicates=log.prints.duplicates,
            present=log.prints.present,
            summary=ReadSummary(),
        ),
    )


def ranking(found: Findings) -> pl.DataFrame:
    """Return ``account_id, score, severity, campaign_id`` of all accounts."""
    return pl.DataFrame(
        [(a.account_id, a.score, a.severity, a.campaign_id) for a in found.accounts],
        schema={
            "account_id": pl.String,
            "score": pl.Float64,
            "severity": pl.String,
            "campaign_id": pl.String,
        },
        orient="row",
    )


def measured(log: Log) -> Matched:
    """Judge a log and hold the ranking against its labels."""
    return match(ranking(judge(log)), log.labels)


def only(matched: Matched, archetype: str) -> Matched:
    """Leave out every attack but one kind; thresholds stay, since the benign accounts do."""
    kept = ~pl.col("attack") | (pl.col("archetype") == archetype)
    return Matched(matched.frame.filter(kept), matched.ranked, matched.missing, matched.unlabelled)


def figures(result: Evaluation) -> dict[str, float | int | None]:
    """Return the figures that every table prints; None where a class is empty."""
    at = {round(1 / o.fpr): o.recall.rate for o in result.recall_at_fpr}
    pairs = result.campaign_pairs
    out: dict[str, float | int | None] = {
        "average precision": result.average_precision,
        "AUC": result.roc_auc,
        "recall at FPR 0.1 %": at[1000],
        "recall at FPR 1 %": at[100],
        "pair recall": pairs.recall if pairs else None,
        "pair precision": pairs.precision if pairs else None,
    }
    if result.severity:
        out["recall of high"] = result.severity[0].recall.rate
        out["precision of high"] = result.severity[0].precision.rate
    return out


def by_archetype(matched: Matched) -> dict[str, dict[str, float | int | None]]:
    """Return for each kind of attack its accounts and the share above the thresholds, for all attacks at once."""
    out: dict[str, dict[str, float | int | None]] = {}
    for one_in, column in ((1000, "recall at FPR 0.1 %"), (100, "recall at FPR 1 %")):
        for kind in evaluate(matched, archetypes_one_in=one_in).attack_archetypes or ():
            row = out.setdefault(kind.archetype or "unknown", {"accounts": kind.accounts})
            row[column] = kind.above_threshold.rate if kind.above_threshold else None
    return out
