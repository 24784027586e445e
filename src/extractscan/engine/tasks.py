"""What runs on the machines of a cluster: pure functions from an Arrow table to Arrow tables, importable by name.

Each is the project's own code on a part of the data: the same reader, the same fingerprints, the same clustering.
"""

from __future__ import annotations

import json
import pickle
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.cluster.components import cluster
from extractscan.engine.carried import batch_tables, report_table, texts_of
from extractscan.engine.load import united
from extractscan.engine.relational import LOCAL
from extractscan.fingerprint.minhash import BANDS, shingle
from extractscan.fingerprint.requests import fingerprint
from extractscan.logs.choose import FormatOptions
from extractscan.logs.parts import UnitReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.logs.choose import AccountFrom
    from extractscan.logs.discover import Input
    from extractscan.logs.setup import ReadOptions

UNITS: Final = pa.schema([("unit", pa.int64()), ("files", pa.binary())])
"""Units to read: ``files`` is a pickled list of ``Input``."""
LINKS: Final = pa.schema([("band", pa.int32()), ("key", pa.int64()), ("low", pa.int64()), ("high", pa.int64())])
"""What ``relational.band_edges`` takes."""
LABELS: Final = pa.schema(
    [
        ("hash", pa.int64()),
        ("root", pa.int64()),
        ("least", pa.float64()),
        ("capped", pa.int64()),
        ("capped_prompts", pa.int64()),
    ]
)
"""Clusters: for each text its ``root``, the cluster's representative, and at a root ``least`` as in ``Clusters``; and, with null
``hash``, a row a piece with its counts of hot runs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How units are read; mapping files are carried by their contents, since other machines may not have them."""

    options: ReadOptions
    mappings: tuple[str, ...]
    log_format: str | None
    account: AccountFrom | None


def unit_table(units: list[list[Input]]) -> pa.Table:
    """Units as ``UNITS``."""
    files = [pickle.dumps(unit) for unit in units]
    return pa.table({"unit": pa.array(range(len(units)), pa.int64()), "files": files}, schema=UNITS)


def read_units(reading: Reading, table: pa.Table) -> Iterator[pa.Table]:
    """Read and fingerprint units: ``UNITS`` to ``READ``."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="extractscan-")))
        paths = []
        for number, text in enumerate(reading.mappings):
            paths.append(str(folder / f"{number}.toml"))
            (folder / f"{number}.toml").write_text(text, encoding="utf-8")
        formats = FormatOptions(tuple(paths), reading.log_format, reading.account)
        for files in table["files"].to_pylist():
            reader = UnitReader(pickle.loads(files), reading.options, formats)  # noqa: S301 -- the driver's own, as is this code
            for frame in united(reader.batches()):
                yield from batch_tables(fingerprint(frame))
            yield report_table(json.dumps(reader.report().record()))


def band_links(table: pa.Table) -> Iterator[pa.Table]:
    """Links of the band graph among some texts, and one text for each band key: ``TEXTS`` to ``LINKS``."""
    texts = texts_of(table)
    shingles = shingle(texts.offsets, texts.tokens)
    able = np.flatnonzero(shingles.counts > 0)
    hashes = texts.hashes.view(np.int64)[able]
    frame = pl.DataFrame(
        {
            "band": np.repeat(np.arange(BANDS, dtype=np.int32), able.size),
            "key": shingles.band_keys[:, able].reshape(-1).astype(np.int64),
            "high": np.tile(hashes, BANDS),
        }
    ).with_columns(pl.col("high").min().over("band", "key").alias("low"))
    standing = frame.filter(pl.col("low") == pl.col("high"))
    inside = frame.filter(pl.col("low") != pl.col("high")).select(
        pl.lit(LOCAL, pl.Int32).alias("band"), pl.lit(0, pl.Int64).alias("key"), "low", "high"
    )
    for part in (standing, inside.unique(maintain_order=True)):
        yield part.select(LINKS.names).to_arrow().cast(LINKS)


def cluster_components(table: pa.Table) -> Iterator[pa.Table]:
    """Cluster texts of whole components of the band graph: ``TEXTS`` to ``LABELS``."""
    texts = texts_of(table)
    clusters = cluster(shingle(texts.offsets, texts.tokens))
    hashes = texts.hashes.view(np.int64)
    yield pa.table(
        {
            "hash": pa.array(hashes),
            "root": pa.array(hashes[clusters.label]),
            "least": pa.array(clusters.least),
            "capped": pa.array(np.zeros(hashes.size, np.int64)),
            "capped_prompts": pa.array(np.zeros(hashes.size, np.int64)),
        },
        schema=LABELS,
    )
    counts = {"capped": [clusters.capped], "capped_prompts": [clusters.capped_prompts]}
    yield pa.table({"hash": [None], "root": [None], "least": [None], **counts}, schema=LABELS)
