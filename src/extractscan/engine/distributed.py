"""Reading, fingerprints and clusters on an engine, with the result that one machine has.

What is large is done where the engine does it: reading, fingerprints, exact duplicates, the band graph, its components, and
the clustering of each component; ``assessing`` goes on from there. Only for a case do the fingerprints come to the driver.
``docs/spark.md`` says how far that reaches.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from extractscan.cluster.components import Clusters
from extractscan.engine import carried, relational, tasks
from extractscan.engine.assessing import score_accounts
from extractscan.engine.limits import MOST_ROWS, TASK_MEMORY, Limits
from extractscan.engine.runs import run_key
from extractscan.engine.verbs import TooLargeError
from extractscan.fingerprint.requests import FingerprintBatch, merge
from extractscan.logs.parts import PartedReader, UnitReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractscan.engine.load import LogSource
    from extractscan.engine.local import Scored
    from extractscan.engine.verbs import Engine, Frame
    from extractscan.fingerprint.requests import Fingerprints, Texts
    from extractscan.logs.result import ReadSummary
    from extractscan.progress import Observer

LINK_BYTES: Final = 16
"""What a link takes on the driver."""


@dataclass(frozen=True, slots=True)
class Fronted:
    """What reading and clustering leave on an engine: all that was ``read``, distinct ``prompts``, ``labels`` of clusters."""

    engine: Engine
    read: Frame
    prompts: Frame
    labels: Frame
    summary: ReadSummary


@dataclass(frozen=True, slots=True)
class ClusterFront:
    """The stages on an engine, which ``engine_of`` makes for the key of a run."""

    engine_of: Callable[[str], Engine]
    limits: Limits

    def fingerprints(self, source: LogSource, observer: Observer) -> tuple[Fingerprints, Clusters, ReadSummary]:
        """Logs to fingerprints and clusters, which come to the driver. Raises as ``read_and_cluster`` does."""
        return fingerprint_and_cluster(source, self.engine_of, self.limits, observer)

    def scored(self, source: LogSource, observer: Observer) -> Scored:
        """Judge accounts; no request comes to the driver. Raises as ``read_and_cluster`` does."""
        done = read_and_cluster(source, self.engine_of, self.limits, observer)
        return score_accounts(done.engine, done.read, done.prompts, done.labels, done.summary, self.limits, observer)


def read_and_cluster(
    source: LogSource, engine_of: Callable[[str], Engine], limits: Limits, observer: Observer, *, fetched: bool = False
) -> Fronted:
    """Read logs, fingerprint them and cluster their prompts; with ``fetched``, only what fits on the driver.

    Raises ``InputError`` when nothing can be read or too much cannot, ``UsageError`` for inputs that only this machine has,
    ``TooLargeError`` where a limit is passed.
    """
    reader = PartedReader(*source.open(observer).setup, observer)
    units = reader.units(limits.unit_bytes)
    reading = tasks.Reading(
        reader.setup[1],
        tuple(Path(path).read_text(encoding="utf-8") for path in reader.setup[2].mappings),
        reader.setup[2].log_format,
        reader.setup[2].account,
    )
    engine = engine_of(run_key(units, reading))
    observer.stage("reading and fingerprints")
    frame = engine.begin(tasks.unit_table(units), max(1, len(units)))
    read = engine.persist(engine.map_arrow(frame, partial(tasks.read_units, reading), carried.READ), "read")
    reports = engine.collect_small(relational.of_kind(read, "report").select("report"))["report"].to_pylist()
    reader.finish(UnitReport.of(json.loads(report)) for report in reports)
    observer.stage("clustering")
    prompts = engine.persist(
        relational.distinct_texts(relational.of_kind(read, "prompts").select(*carried.TEXTS.names, "bytes")), "prompts"
    )
    if fetched:
        _check_driver(engine, read, prompts, limits)
    return Fronted(engine, read, prompts, cluster_texts(engine, prompts, limits), reader.summary)


def fingerprint_and_cluster(
    source: LogSource, engine_of: Callable[[str], Engine], limits: Limits, observer: Observer
) -> tuple[Fingerprints, Clusters, ReadSummary]:
    """The same, with the fingerprints of all requests on the driver: what a case is written from."""
    done = read_and_cluster(source, engine_of, limits, observer, fetched=True)
    engine, read = done.engine, done.read
    observer.stage("fingerprints to the driver")
    systems = relational.distinct_texts(relational.of_kind(read, "systems").select(*carried.TEXTS.names, "bytes"))
    rows = relational.of_kind(read, "rows").select(*carried.ROWS.names)
    batch = FingerprintBatch(
        carried.rows_frame(engine.collect_small(rows)),
        carried.texts_of(engine.collect_small(done.prompts)),
        carried.texts_of(engine.collect_small(systems)),
    )
    prints = merge([batch])
    return prints, clusters_of(engine.collect_small(done.labels), prints.prompts), done.summary


def _check_driver(engine: Engine, read: Frame, prompts: Frame, limits: Limits) -> None:
    """Whether the fingerprints fit on the driver. Raises ``TooLargeError``."""
    held = [relational.of_kind(read, "rows"), prompts, relational.of_kind(read, "systems")]
    counts = [frame.select(nw.col("bytes").sum(), nw.len().alias("rows")) for frame in held]
    counted = engine.collect_small(nw.concat(counts, how="vertical"), len(held))
    total = sum(taken or 0 for taken in counted["bytes"].to_pylist())
    rows = max(counted["rows"].to_pylist())
    if rows > MOST_ROWS:
        raise TooLargeError(f"{rows:,} rows are more than the {MOST_ROWS:,} that one machine can number")
    if total > limits.driver_bytes:
        raise TooLargeError(
            f"the fingerprints, which a case is written from, take {total / 2**30:.1f} GiB, more than the "
            f"{limits.driver_bytes / 2**30:.1f} GiB that this machine may hold; score "
            f"without --case, or the log in parts (--since, --until), or on a machine with more memory"
        )


def cluster_texts(engine: Engine, prompts: Frame, limits: Limits) -> Frame:
    """Clusters of distinct texts as ``tasks.LABELS``; texts that share no band with any other are left out."""
    bands = engine.map_arrow(prompts, tasks.band_links, tasks.LINKS)
    links = engine.persist(relational.band_edges(engine.persist(bands, "bands")), "links")
    named, most = find_components(engine, links, limits)
    if most > limits.component_rows:
        raise TooLargeError(
            f"{most:,} prompts hang together by bands that they share, more than the {limits.component_rows:,} that one task "
            f"may cluster; where a task may take more memory, say --spark-conf {TASK_MEMORY}=16g"
        )
    joined = prompts.join(named, on="hash", how="inner")
    return engine.persist(
        engine.map_arrow(joined, tasks.cluster_components, tasks.LABELS, together="component"), "clusters"
    )


def find_components(engine: Engine, links: Frame, limits: Limits) -> tuple[Frame, int]:
    """Components of the band graph, and the size of the largest; on the driver where the links fit."""
    count = relational.height(engine, links)
    if count * LINK_BYTES > limits.link_bytes:
        named = engine.persist(relational.components(engine, links, name="components"), "components")
        return named, relational.largest(engine, named, "component")
    table = united_links(engine.collect_small(links))
    most = int(np.unique(table["component"].to_numpy(), return_counts=True)[1].max(initial=0))
    return engine.begin(table, 1), most


def united_links(links: pa.Table) -> pa.Table:
    """Components of links on this machine: ``hash`` and ``component``, its smallest text."""
    low, high = (links[name].to_numpy() for name in ("low", "high"))
    hashes, place = np.unique(np.concatenate([low, high]), return_inverse=True)
    graph = coo_array((np.ones(low.size, np.int8), (place[: low.size], place[low.size :])), (hashes.size, hashes.size))
    _, component = connected_components(graph, directed=False)
    least = np.unique(component, return_index=True)[1]  # hashes ascend: the first of each is its smallest
    return pa.table({"hash": hashes, "component": hashes[least][component]})


def clusters_of(labels: pa.Table, texts: Texts) -> Clusters:
    """Clusters by the positions of ``texts``, as the local engine numbers them."""
    label = np.arange(len(texts))
    least = np.ones(len(texts))
    counts = labels.filter(pc.is_null(labels["hash"]))
    found = labels.filter(pc.is_valid(labels["hash"]))
    place = np.searchsorted(texts.hashes, found["hash"].to_numpy().view(np.uint64))
    label[place] = np.searchsorted(texts.hashes, found["root"].to_numpy().view(np.uint64))
    least[place] = found["least"].to_numpy()
    capped = counts["capped"].to_numpy()
    longest = counts["capped_prompts"].to_numpy()
    return Clusters(label, least, int(capped.sum()), int(longest.max(initial=0)))
