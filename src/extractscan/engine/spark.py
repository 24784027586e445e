"""Scoring with Spark: the heavy stages on its cluster, the rest here, the same findings."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from extractscan.engine.distributed import ClusterFront
from extractscan.engine.limits import Limits, for_tasks
from extractscan.engine.spark_engine import SparkEngine
from extractscan.engine.spark_session import plain_errors, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from extractscan.cluster.components import Clusters
    from extractscan.engine.load import LogSource
    from extractscan.engine.local import Front, Scored
    from extractscan.engine.spark_session import Place
    from extractscan.fingerprint.requests import Fingerprints
    from extractscan.logs.result import ReadSummary
    from extractscan.progress import Observer


def memory_limit() -> int:
    """Half of this machine's memory, in bytes, where it does not tell what is free: merging takes as much again as what is merged."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@dataclass(frozen=True, slots=True)
class SparkFront:
    """The stages on a session, with a run folder; errors of Spark's are an ``EngineError``."""

    session: SparkSession
    folder: str
    limits: Limits

    def _front(self, observer: Observer) -> ClusterFront:
        return ClusterFront(lambda key: SparkEngine(self.session, self.folder, key, observer.note), self.limits)

    def fingerprints(self, source: LogSource, observer: Observer) -> tuple[Fingerprints, Clusters, ReadSummary]:
        """Logs to fingerprints and clusters, all of which come here."""
        with plain_errors():
            return self._front(observer).fingerprints(source, observer)

    def scored(self, source: LogSource, observer: Observer) -> Scored:
        """Judge the accounts of logs."""
        with plain_errors():
            return self._front(observer).scored(source, observer)


@contextlib.contextmanager
def spark_front(place: Place, work: str | None, limits: Limits | None = None) -> Iterator[Front]:
    """The stages on Spark, for ``judge_logs``.

    ``work`` is the URI of the run folder, which must be storage that every machine of the cluster reaches; what is finished in it is
    not done again. Without one a folder in this machine's temporary folder is taken, and removed: for a cluster on this machine.
    """
    with contextlib.ExitStack() as stack:
        if work is None:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="extractscan-"))).as_uri()
        elif "://" not in work:
            work = Path(work).resolve().as_uri()
        bounds, settings = for_tasks(limits or Limits(memory_limit()), place.settings)
        opened: SparkSession = stack.enter_context(session(replace(place, settings=settings)))

        yield SparkFront(opened, work, bounds)
