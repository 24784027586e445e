"""Reading, fingerprints and clusters on an engine, with the result that one machine has.

What is large is done where the engine does it: reading, fingerprints, exact duplicates, the band graph, its components, and
the clustering of each component. What comes back to the driver is what ``fingerprint.requests.merge`` takes, without any
text, and the clusters; the stages after it are those of the local engine. ``docs/spark.md`` says how far that reaches.
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
from extractscan.engine.runs import run_key
from extractscan.engine.verbs import TooLargeError
from extractscan.fingerprint.requests import FingerprintBatch, merge
from extractscan.logs.parts import UNIT_BYTES, PartedReader, UnitReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractscan.engine.load import LogSource
    from extractscan.engine.verbs import Engine, Frame
    from extractscan.fingerprint.requests import Fingerprints, Texts
    from extractscan.logs.result import ReadSummary
    from extractscan.progress import Observer

LINK_BYTES: Final = 16
"""What a link takes on the driver."""
MOST_ROWS: Final = (1 << 31) - 2
"""As many rows as a frame on one machine can have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be held where, in bytes or rows.

    ``driver_bytes`` bounds fingerprints on the driver; ``link_bytes`` the links of the band graph up to which their components are found
    there; ``component_rows`` the texts of one component, which one task clusters;
    ``unit_bytes`` is how much of small files one task reads.
    """

    driver_bytes: int
    link_bytes: int = 32 << 20
    component_rows: int = 4_000_000
    unit_bytes: int = UNIT_BYTES


def fingerprint_and_cluster(
    source: LogSource, engine_of: Callable[[str], Engine], limits: Limits, observer: Observer
) -> tuple[Fingerprints, Clusters, ReadSummary]:
    """Read logs, fingerprint them and cluster their prompts. ``engine_of`` makes the engine for the key of a run.

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
    reports = engine.collect_small(_kind(read, "report").select("report"))["report"].to_pylist()
    reader.finish(UnitReport.of(json.loads(report)) for report in reports)
    observer.stage("clustering")
    prompts = engine.persist(relational.distinct_texts(_texts(read, "prompts")), "prompts")
    _check_driver(engine, read, prompts, limits)
    labels = cluster_texts(engine, prompts, limits)
    observer.stage("fingerprints to the driver")
    systems = relational.distinct_texts(_texts(read, "systems"))
    rows = _kind(read, "rows").select(*carried.ROWS.names)
    batch = FingerprintBatch(
        carried.rows_frame(engine.collect_small(rows)),
        carried.texts_of(engine.collect_small(prompts)),
        carried.texts_of(engine.collect_small(systems)),
    )
    prints = merge([batch])
    return prints, clusters_of(engine.collect_small(labels), prints.prompts), reader.summary


def _kind(read: Frame, kind: str) -> Frame:
    return read.filter(nw.col("kind") == kind)


def _texts(read: Frame, kind: str) -> Frame:
    return _kind(read, kind).select(*carried.TEXTS.names, "bytes")


def _check_driver(engine: Engine, read: Frame, prompts: Frame, limits: Limits) -> None:
    """Whether the fingerprints fit on the driver. Raises ``TooLargeError``."""
    held = [_kind(read, "rows"), prompts, _kind(read, "systems")]
    counts = [frame.select(nw.col("bytes").sum(), nw.len().alias("rows")) for frame in held]
    counted = engine.collect_small(nw.concat(counts, how="vertical"), len(held))
    total = sum(taken or 0 for taken in counted["bytes"].to_pylist())
    rows = max(counted["rows"].to_pylist())
    if rows > MOST_ROWS:
        raise TooLargeError(f"{rows:,} rows are more than the {MOST_ROWS:,} that one machine can number")
    if total > limits.driver_bytes:
        raise TooLargeError(
            f"the fingerprints take {total / 2**30:.1f} GiB, more than the {limits.driver_bytes / 2**30:.1f} GiB that this machine may "
            f"hold; score the log in parts (--since, --until), or on a machine with more memory"
        )


def cluster_texts(engine: Engine, prompts: Frame, limits: Limits) -> Frame:
    """Clusters of distinct texts as ``tasks.LABELS``; texts that share no band with any other are left out."""
    bands = engine.map_arrow(prompts, tasks.band_links, tasks.LINKS)
    links = engine.persist(relational.band_edges(engine.persist(bands, "bands")), "links")
    named, most = find_components(engine, links, limits)
    if most > limits.component_rows:
        raise TooLargeError(
            f"{most:,} prompts hang together by bands that they share, more than the {limits.component_rows:,} that one task "
            f"may cluster"
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
