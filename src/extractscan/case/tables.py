"""A scored log as the tables of a case: pure, in a fixed order, without text of a prompt.

All floating-point columns are rounded to six decimals, as in every report, so that the last bits of a sum, which may hang on the
number of threads, leave no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from extractscan.campaign.choose import campaign_id
from extractscan.case import layout
from extractscan.fingerprint.merge import WHOLE
from extractscan.fingerprint.replies import COLUMNS as REPLIES
from extractscan.fingerprint.store import texts_table
from extractscan.report.document import DECIMALS
from extractscan.report.neutralise import json_text
from extractscan.verdict.report import stream_name, worst_streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from extractscan.cluster.components import Clusters
    from extractscan.engine.local import Kept, Scored
    from extractscan.fingerprint.requests import Fingerprints, Texts
    from extractscan.verdict.findings import Evidence, Gate

EVIDENCE_SCHEMA: Final = {
    "scope": pl.String(),
    "number": pl.Int64(),
    "signal": pl.String(),
    "family": pl.String(),
    "value": pl.Float64(),
    "bits": pl.Float64(),
    "assessed": pl.Boolean(),
    "detail": pl.String(),
}
"""``scope`` is ``stream`` or ``group``, ``number`` which."""
GATE_SCHEMA: Final = {
    "scope": pl.String(),
    "number": pl.Int64(),
    "gate": pl.String(),
    "factor": pl.Float64(),
    "detail": pl.String(),
}


def tables(scored: Scored) -> Iterator[tuple[str, pa.Table]]:
    """Give each table of the case with its path in it, one at a time.

    ============================ =================================================================================
    table                        a row for each
    ============================ =================================================================================
    ``evidence``                 signal of a stream, or of a group of accounts that was judged
    ``gates``                    gate of the same
    ``groups``                   group of accounts that was judged: kind, accounts, likeness, bits
    ``fingerprints/accounts``    account: number and id
    ``fingerprints/names``       model and organisation: column, code, value
    ``fingerprints/requests``    request: see ``fingerprint.requests``, with ``stream`` and ``item``
    ``fingerprints/prompts``     distinct prompt: hash, characters, token hashes, cluster, ``least`` (see ``cluster``)
    ``fingerprints/systems``     distinct system prompt
    ``fingerprints/streams``     stream: its profile, kind, frame size, bits, campaign, and whether it decided
    ``fingerprints/items``       distinct prompt of a stream
    ============================ =================================================================================

    Raises ``ValueError`` if ``scored`` was made without ``keep``.
    """
    kept = scored.kept
    if kept is None:
        raise ValueError("a case needs what assess_logs keeps with keep=True")
    yield layout.EVIDENCE, _frame(_evidence(scored))
    yield layout.GATES, _frame(_gates(scored))
    yield layout.GROUPS, _frame(_groups(scored))
    yield layout.SENDERS, _frame(_senders(kept.prints))
    yield layout.NAMES, _frame(_names(kept.prints))
    yield layout.REQUESTS, _frame(_requests(kept))
    yield layout.PROMPTS, _prompts(kept.prints.prompts, kept.clusters)
    yield layout.SYSTEMS, texts_table(kept.prints.systems)
    yield layout.STREAMS, _frame(_streams(scored, kept))
    yield layout.ITEMS, _frame(kept.streams.items)


def _frame(frame: pl.DataFrame) -> pa.Table:
    """Round, and bring into one chunk a column, so that the bytes do not hang on how the frame was built."""
    rounded = frame.with_columns(pl.col(pl.Float64, pl.Float32).cast(pl.Float64).round(DECIMALS))
    table: pa.Table = rounded.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    return table


def _evidence(scored: Scored) -> pl.DataFrame:
    rows = [
        row
        for scope, each in _scopes(scored)
        for number, evidence, _ in each
        for row in _evidence_rows(scope, number, evidence)
    ]
    return pl.DataFrame(rows, EVIDENCE_SCHEMA, orient="row")


def _scopes(
    scored: Scored,
) -> Iterator[tuple[str, Iterator[tuple[int, tuple[Evidence, ...], tuple[Gate, ...]]]]]:
    assessment = scored.assessment
    yield "stream", ((v.stream, v.evidence, v.gates) for v in assessment.verdicts)
    yield "group", ((number, j.evidence, j.gates) for number, j in enumerate(assessment.judged))


def _evidence_rows(scope: str, number: int, evidence: Iterable[Evidence]) -> Iterator[tuple[Any, ...]]:
    for e in evidence:
        yield scope, number, e.signal, e.family, e.value, float(e.bits), e.assessed, e.detail


def _gates(scored: Scored) -> pl.DataFrame:
    rows = [
        (scope, number, gate.gate, float(gate.factor), gate.detail)
        for scope, each in _scopes(scored)
        for number, _, gates in each
        for gate in gates
    ]
    return pl.DataFrame(rows, GATE_SCHEMA, orient="row")


def _groups(scored: Scored) -> pl.DataFrame:
    rows = [
        (number, j.group.kind, int(j.accounts.size), j.group.likeness, float(j.bits), j.organic)
        for number, j in enumerate(scored.assessment.judged)
    ]
    schema = {
        "number": pl.Int64(),
        "kind": pl.String(),
        "accounts": pl.Int64(),
        "likeness": pl.Float64(),
        "bits": pl.Float64(),
        "organic": pl.Boolean(),
    }
    return pl.DataFrame(rows, schema, orient="row")


def _senders(prints: Fingerprints) -> pl.DataFrame:
    ids = [json_text(account) for account in prints.accounts.to_list()]
    return pl.DataFrame(
        {"account": pl.int_range(len(ids), dtype=pl.UInt32, eager=True), "account_id": pl.Series(ids, dtype=pl.String)}
    )


def _names(prints: Fingerprints) -> pl.DataFrame:
    rows = [
        (column, code, json_text(value))
        for column in sorted(prints.names)
        for code, value in enumerate(prints.names[column].to_list())
    ]
    return pl.DataFrame(rows, {"column": pl.String, "code": pl.UInt32, "value": pl.String}, orient="row")


def _requests(kept: Kept) -> pl.DataFrame:
    """All requests, those without a prompt too; their ``stream`` and ``item`` are null."""
    requests, placed = kept.prints.requests, kept.streams.requests
    rows = np.flatnonzero(requests["prompt"].to_numpy() >= 0)
    out = []
    for name in ("stream", "item"):
        values: NDArray[np.int64] = np.full(requests.height, -1, np.int64)
        values[rows] = placed[name].to_numpy()
        out.append(pl.Series(name, values).replace(-1, None))
    return requests.with_columns(
        *out, *(pl.col(name).cast(pl.Int64) for name in ("prompt", "system", *WHOLE))
    ).with_columns(pl.col(REPLIES).cast(pl.UInt64))


def _prompts(prompts: Texts, clusters: Clusters) -> pa.Table:
    return texts_table(prompts, cluster=clusters.label, least=np.round(clusters.least, DECIMALS))


def _streams(scored: Scored, kept: Kept) -> pl.DataFrame:
    assessment = scored.assessment
    profiles = assessment.profiles
    accounts = scored.measured.accounts
    deciding = {verdict.stream for verdict in worst_streams(assessment).values()}
    member = {
        int(s): campaign_id([accounts[a] for a in c.accounts]) for c in assessment.campaigns for s in c.group.streams
    }
    verdicts = {v.stream: v for v in assessment.verdicts}
    numbers = profiles["stream"].to_list()
    families = profiles["family"].to_list()
    return profiles.with_columns(
        pl.Series("kind", [stream_name(f) for f in families], dtype=pl.String),
        pl.Series("frame_words", [kept.streams.frame_words.get(f) for f in families], dtype=pl.Int64),
        pl.Series("bits", [max(0.0, verdicts[s].bits) if s in verdicts else 0.0 for s in numbers], dtype=pl.Float64),
        pl.Series("agreeing", [verdicts[s].families if s in verdicts else 0 for s in numbers], dtype=pl.Int64),
        pl.Series("decided", [s in deciding for s in numbers], dtype=pl.Boolean),
        pl.Series("campaign_id", [member.get(s) for s in numbers], dtype=pl.String),
    )
