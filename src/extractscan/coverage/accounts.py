"""Coverage statistics of every account: how often it visited which near-duplicate clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.coverage.statistics import coverage_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.statistics import CoverageTable


def account_coverage(
    requests: pl.DataFrame, cluster_of_prompt: NDArray[np.int64], accounts: int
) -> list[dict[str, float | int | None]]:
    """Coverage of accounts 0 to ``accounts - 1``; ``requests`` has ``account`` and ``prompt`` (-1: the log has none).

    ``cluster_of_prompt`` is the label of ``Clusters``: a cluster is named by a member that represents itself.
    """
    clusters = int(np.count_nonzero(cluster_of_prompt == np.arange(cluster_of_prompt.size)))
    return coverage_of(requests, cluster_of_prompt, accounts, clusters).records()


def coverage_of(
    requests: pl.DataFrame, cluster_of_prompt: NDArray[np.int64], accounts: int, clusters: int
) -> CoverageTable:
    """Coverage as statistics; ``cluster_of_prompt`` numbers clusters from 0, of which the whole log has ``clusters``."""
    prompt = requests["prompt"].to_numpy()
    given = prompt >= 0
    # One number holds account and cluster: sorted in place, equal ones stand together.
    width = max(cluster_of_prompt.size, 1)  # a number for each prompt is enough
    visit = requests["account"].to_numpy()[given].astype(np.int64) * width
    visit += cluster_of_prompt[prompt[given]]
    visit.sort()
    first = np.flatnonzero(np.diff(visit, prepend=-1))
    times = np.diff(first, append=visit.size).astype(np.int64)
    offsets = np.searchsorted(visit[first] // width, np.arange(accounts + 1)).astype(np.int64)
    return coverage_table(offsets, times, clusters)


def campaign_coverage(
    campaigns: list[NDArray[np.int64]], requests: pl.DataFrame, cluster_of_prompt: NDArray[np.int64]
) -> list[dict[str, float | int | None]]:
    """Coverage of the union of each campaign's streams; ``requests`` are those of ``Streams``."""
    width = max((int(c.max(initial=-1)) for c in campaigns), default=-1)
    owner = np.full(max(width, int(requests["stream"].max() or 0)) + 1, len(campaigns), np.int64)  # type: ignore[arg-type]
    for number, streams in enumerate(campaigns):
        owner[streams] = number
    taken = requests.select(pl.Series("account", owner[requests["stream"].to_numpy()]), "prompt")
    return account_coverage(taken.filter(pl.col("account") < len(campaigns)), cluster_of_prompt, len(campaigns))
