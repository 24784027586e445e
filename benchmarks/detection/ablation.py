"""What each family of evidence and each gate contributes: every one switched off in turn, beside simple baselines.

    python benchmarks/detection/ablation.py LOG LABELS [LOG LABELS ...]

Prints one table a log: average precision, recall at FPR 0.1 % and 1 %, pair recall and precision. The labels measure; nothing
is fitted to them.
"""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import polars as pl

from extractscan.campaign import evidence as campaign_evidence
from extractscan.campaign import gates as campaign_gates
from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.tables import match, read_labels
from extractscan.fingerprint.requests import fingerprint, merge
from extractscan.logs.read import read_logs
from extractscan.progress import Silent
from extractscan.verdict import assess as verdict_assess
from extractscan.verdict.assess import assess
from extractscan.verdict.explain import INNOCENT
from extractscan.verdict.signals import CAPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.evaluate.evaluation import Evaluation
    from extractscan.fingerprint.requests import Fingerprints


def ranking(prints: Fingerprints, profiles: pl.DataFrame, streams: object) -> pl.DataFrame:
    """Account, score (bits) and campaign, as ``score`` would rank."""
    result = assess(profiles, streams, prints.prompts)  # type: ignore[arg-type]
    account = profiles["account"].to_numpy()
    bits = np.zeros(prints.accounts.len())
    np.maximum.at(bits, account, [v.bits for v in result.verdicts])
    campaign: list[str | None] = [None] * bits.size
    for number, judged in enumerate(result.campaigns):
        for a in judged.accounts:
            campaign[int(a)] = f"c{number}"
    return pl.DataFrame({"account_id": prints.accounts, "score": bits, "campaign_id": campaign}).with_columns(
        pl.lit("none").alias("severity")
    )


@contextmanager
def without_family(family: str) -> Iterator[None]:
    with mock.patch.dict(CAPS, {family: 1e-9}):
        yield


@contextmanager
def without_gate(name: str) -> Iterator[None]:
    def kept(function: object) -> object:
        return lambda *a, **k: [g for g in function(*a, **k) if g.gate != name]  # type: ignore[operator]

    with (
        mock.patch.object(campaign_evidence, "group_gates", kept(campaign_gates.group_gates)),
        mock.patch.object(verdict_assess, "_stream_gates", kept(verdict_assess._stream_gates)),  # noqa: SLF001
    ):
        yield


def baselines(prints: Fingerprints) -> dict[str, pl.Series]:
    """Scores that anyone would try first."""
    requests = prints.requests
    by_account = requests.group_by("account").agg(
        pl.len().alias("volume"),
        pl.col("output_tokens").mean().fill_null(0).alias("output length"),
        (1 - pl.col("prompt").n_unique() / pl.len()).alias("exact duplicates"),
        (pl.col("prompt").n_unique() / pl.len()).alias("distinct share"),
    )
    return {name: by_account.sort("account")[name].cast(pl.Float64) for name in by_account.columns[1:]}


def line(name: str, result: Evaluation) -> str:
    at = {round(o.fpr, 4): o.recall.rate for o in result.recall_at_fpr}
    pairs = result.campaign_pairs
    shown = [result.average_precision, at.get(0.001), at.get(0.01)]
    shown += [pairs.recall, pairs.precision] if pairs else [None, None]
    return f"{name:28s}" + "".join(f"{'-' if v is None else f'{v:.3f}':>12s}" for v in shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", metavar="LOG LABELS")
    paths = parser.parse_args().paths
    for log, labels_path in zip(paths[::2], paths[1::2], strict=True):
        reader = read_logs([log], observer=Silent())
        prints = merge([fingerprint(batch.frame) for batch in reader.batches()])
        streams = find_streams(prints)
        profiles = profile(streams, prints.prompts)
        labels = read_labels(labels_path)

        def measure(scores: pl.DataFrame, labels: pl.DataFrame = labels) -> Evaluation:
            return evaluate(match(scores, labels))

        print(
            f"\n{log}\n{'':28s}"
            + "".join(f"{h:>12s}" for h in ("AP", "R@FPR.001", "R@FPR.01", "pair rec.", "pair prec."))
        )
        print(line("everything", measure(ranking(prints, profiles, streams))))
        for family in CAPS:
            with without_family(family):
                print(line(f"without {family}", measure(ranking(prints, profiles, streams))))
        for gate in INNOCENT:
            with without_gate(gate):
                print(line(f"without gate {gate}", measure(ranking(prints, profiles, streams))))
        for name, score in baselines(prints).items():
            scores = pl.DataFrame({"account_id": prints.accounts, "score": score}).with_columns(
                pl.lit(None, pl.String).alias("campaign_id"), pl.lit("none").alias("severity")
            )
            print(line(f"only {name}", measure(scores)))


if __name__ == "__main__":
    main()
