"""Extractscan beside what anyone would try first, and beside published statistics restated for text.

    python benchmarks/detection/baselines.py LOG LABELS [LOG LABELS ...] [--json FILE]

- volume: requests of the account.
- output length: its mean output tokens.
- exact duplicates: the share of its requests that repeat a prompt; distinct share: one less that.
- SEAT-like pairs: near-duplicate pairs among its distinct prompts for each of them, by this project's clusters (Zhang, Chen, Wen 2021 count
  similar pairs by a learned encoder).
- PRADA-like: how far the distances from each prompt to the nearest earlier one of the account are from normal, 1 - W of Shapiro and
  Wilk (Juuti et al. 2019 measure distances of images); over its first 128 distinct prompts, by shingles.
- best single feature: of all columns of the stream profiles, either sign, an account by its worst stream, the one with the best average
  precision *on these very labels*: no fair contender, but an upper bound of what any one of them can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from measuring import figures, measured, read
from printing import Table, options, pairs, put_out
from scipy.stats import shapiro

from extractscan.cluster.components import cluster
from extractscan.cluster.similarity import jaccard
from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.tables import match
from extractscan.fingerprint.minhash import KEPT_SHINGLES, shingle
from extractscan.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from measuring import Log
    from numpy.typing import NDArray

    from extractscan.evaluate.evaluation import Evaluation
    from extractscan.fingerprint.minhash import Shingles

COLUMNS = ("average precision", "AUC", "recall at FPR 0.1 %", "recall at FPR 1 %")
PRADA_PROMPTS = 128
"""Distinct prompts of an account that PRADA looks at: its cost is quadratic in them."""
PRADA_FEWEST = 20
"""Distances from which normality can be judged."""
LABELS_OF_STREAMS = ("stream", "account", "family", "first_us", "last_us")
"""Columns of profiles that are no features."""


@kernel
def _nearest(
    bounds: NDArray[np.int64],
    prompts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.int64],
    kept: int,
    most: int,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (accounts, most) with the distance of each prompt but the first to the nearest before it; NaN where there is none."""
    for a in range(bounds.size - 1):
        first = bounds[a]
        for i in range(1, min(bounds[a + 1] - first, most)):
            best = 0.0
            for j in range(i):
                best = max(best, jaccard(offsets, values, counts, prompts[first + i], prompts[first + j], kept, best))
            out[a, i] = 1.0 - best


def prada_like(prompts: pl.DataFrame, accounts: int, shingles: Shingles) -> NDArray[np.float64]:
    """Return 1 - W by account, 0 where there are too few prompts; ``prompts`` has ``account, prompt``, distinct, in order."""
    bounds = np.searchsorted(prompts["account"].to_numpy(), np.arange(accounts + 1)).astype(np.int64)
    near = np.full((accounts, PRADA_PROMPTS), np.nan)
    _nearest(
        bounds,
        prompts["prompt"].to_numpy(),
        shingles.offsets,
        shingles.values,
        shingles.counts,
        KEPT_SHINGLES,
        PRADA_PROMPTS,
        near,
    )
    score = np.zeros(accounts)
    for a, distances in enumerate(near):
        known = distances[np.isfinite(distances)]
        if known.size >= PRADA_FEWEST and np.ptp(known) > 0:
            score[a] = 1.0 - float(shapiro(known).statistic)
    return score


def seat_like(prompts: pl.DataFrame, cluster_of: NDArray[np.int64], accounts: int) -> NDArray[np.float64]:
    """Return near-duplicate pairs for each distinct prompt, by account."""
    sizes = (
        prompts.with_columns(pl.Series("cluster", cluster_of[prompts["prompt"].to_numpy()]))
        .group_by("account", "cluster")
        .agg(pl.len().alias("n"))
        .group_by("account")
        .agg((pl.col("n") * (pl.col("n") - 1) / 2).sum().alias("pairs"), pl.col("n").sum())
    )
    score = np.zeros(accounts)
    score[sizes["account"].to_numpy()] = (sizes["pairs"] / sizes["n"]).to_numpy()
    return score


def simple(log: Log) -> dict[str, NDArray[np.float64]]:
    """Return every baseline's score by account number, higher worse."""
    accounts = log.prints.accounts.len()
    requests = log.prints.requests
    told = (
        requests.group_by("account")
        .agg(
            pl.len().alias("volume"),
            pl.col("output_tokens").mean().fill_null(0).alias("output length"),
            (1 - pl.col("prompt").n_unique() / pl.len()).alias("exact duplicates"),
            (pl.col("prompt").n_unique() / pl.len()).alias("distinct share"),
        )
        .sort("account")
    )
    out = {name: told[name].cast(pl.Float64).to_numpy() for name in told.columns[1:]}
    prompts = (
        requests.filter(pl.col("prompt") >= 0)
        .select("account", "prompt")
        .unique(maintain_order=True)
        .sort("account", maintain_order=True)
    )
    shingles = shingle(log.prints.prompts.offsets, log.prints.prompts.tokens)
    out["SEAT-like pairs"] = seat_like(prompts, cluster(shingles).label, accounts)
    out["PRADA-like"] = prada_like(prompts, accounts, shingles)
    return out


def features(log: Log) -> dict[str, NDArray[np.float64]]:
    """Return every numeric column of the profiles with either sign, the highest of an account's streams."""
    out = {}
    account = log.profiles["account"].to_numpy().astype(np.int64)
    for name, kind in log.profiles.schema.items():
        if name in LABELS_OF_STREAMS or not (kind.is_numeric() or kind == pl.Boolean):
            continue
        values = log.profiles[name].cast(pl.Float64).fill_nan(None)
        for sign in (1.0, -1.0):
            signed = (values * sign).fill_null(-np.inf).to_numpy()
            worst = np.full(log.prints.accounts.len(), -np.inf)
            np.maximum.at(worst, account, signed)
            known = worst[np.isfinite(worst)]
            if known.size:
                out[f"{'high' if sign > 0 else 'low'} {name}"] = np.where(np.isfinite(worst), worst, known.min() - 1.0)
    return out


def comparison(name: str, log: Log) -> Table:
    """Return the table of one log."""

    def measure(score: NDArray[np.float64]) -> Evaluation:
        return evaluate(match(pl.DataFrame({"account_id": log.prints.accounts, "score": score}), log.labels))

    rows: list[dict[str, Any]] = [{"": "extractscan", **figures(evaluate(measured(log)))}]
    rows += [{"": title, **figures(measure(score))} for title, score in simple(log).items()]
    found = {title: measure(score) for title, score in features(log).items()}
    if found:
        best = max(sorted(found), key=lambda title: found[title].average_precision or 0.0)
        row = {"": "best single feature", **figures(found[best])}
        rows.append({**row, "remark": f"{best}, chosen by these labels"})
    return Table(f"Baselines, {name}", ("", *COLUMNS, "remark"), tuple(rows))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("paths", nargs="+", metavar="LOG LABELS")
    given = parser.parse_args(arguments)
    put_out([comparison(log, read(log, labels)) for log, labels in pairs(parser, given.paths)], given)


if __name__ == "__main__":
    main()
