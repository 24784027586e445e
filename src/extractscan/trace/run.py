"""Tracing from files: the data set and the logs in, findings out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.campaign.choose import campaign_id
from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.power.load import load
from extractscan.trace.containment import THRESHOLD
from extractscan.trace.explain import ALPHA, trace
from extractscan.trace.suspect import read_suspect
from extractscan.verdict.assess import assess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.logs.result import ReadSummary
    from extractscan.progress import Observer
    from extractscan.trace.findings import Tracing


def find_campaigns(prints: Fingerprints, *, jobs: int = 1) -> dict[str, list[int]]:
    """Campaigns of a log as ``score`` finds them: id to the positions of the members in ``prints.accounts``."""
    streams = find_streams(prints, jobs=jobs)
    assessment = assess(profile(streams, prints.prompts, jobs=jobs), streams, prints.prompts)
    names = prints.accounts.to_list()
    found = {campaign_id([names[a] for a in c.accounts]): [int(a) for a in c.accounts] for c in assessment.campaigns}
    return dict(sorted(found.items()))


def trace_logs(
    suspect: str,
    logs: Sequence[str],
    *,
    observer: Observer,
    suspect_columns: Mapping[str, str] | None = None,
    log_columns: Mapping[str, str] | None = None,
    threshold: float = THRESHOLD,
    alpha: float = ALPHA,
    since: datetime | None = None,
    until: datetime | None = None,
    max_bad_rows: float | None = None,
    keep_text: bool = False,
    jobs: int = 1,
) -> tuple[Tracing, ReadSummary]:
    """Trace the data set ``suspect`` in ``logs``. Raises ``InputError`` when either cannot be read."""
    wanted = read_suspect(suspect, observer=observer, columns=suspect_columns, jobs=jobs, keep_text=keep_text)
    prints, summary = load(
        logs, observer=observer, since=since, until=until, max_bad_rows=max_bad_rows, columns=log_columns, jobs=jobs
    )
    observer.stage("finding campaigns")
    campaigns = find_campaigns(prints, jobs=jobs)
    found = trace(prints, wanted, campaigns, observer=observer, threshold=threshold, alpha=alpha, jobs=jobs)
    return found, summary
