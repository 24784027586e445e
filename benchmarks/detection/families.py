"""Every family of attacks alone in an otherwise benign simulated log, over several seeds; and all of them together.

    python benchmarks/detection/families.py [--seeds 1-5] [--requests 60000] [--only FAMILY,...] [--together 0] [--json FILE]

Rules and constants are fixed: nothing is fitted to any of these logs. *Alone* asks what the detector makes of a family when no other
attack is there to lend it frames, corpora or a threshold: 12 in 100 requests are the family's, the rest is all benign traffic of the
simulator, the same for all families of a seed. *Together* is one log of all families, ``--together`` times as long, in which each has few
accounts; its threshold comes from the benign accounts, and each family is held against that.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import polars as pl
from measuring import figures, measured, only, prepare
from printing import INTERVALS, Table, options, over, put_out

from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.metrics import proportion
from extractscan.fingerprint.requests import fingerprint
from extractscan.simulate.attacks.registry import ATTACKS
from extractscan.simulate.benign.registry import BENIGN
from extractscan.simulate.plan import ATTACK_SHARE, accounts
from extractscan.simulate.registry import choose
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import labels, tables

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from extractscan.evaluate.evaluation import Evaluation
    from extractscan.evaluate.tables import Matched
    from extractscan.fingerprint.requests import FingerprintBatch

SHOWN = (
    "average precision",
    "recall at FPR 0.1 %",
    "recall at FPR 1 %",
    "recall of high",
    "precision of high",
    "pair recall",
    "pair precision",
)


def seeds_of(text: str) -> list[int]:
    """Return the seeds in ``1-5`` or ``1,4,9``."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def simulated(settings: Settings) -> tuple[list[FingerprintBatch], pl.DataFrame]:
    """Return a simulated log, fingerprinted, and its labels as ``read_labels`` gives them."""
    plans = accounts(settings)
    truth = labels(settings, plans).with_columns((pl.col("label") == 1).alias("attack")).drop("label")
    return [fingerprint(table) for table in tables(settings, plans)], truth


def alone(
    seed: int, requests: int, families: Sequence[str], benign: Sequence[str], *, responses: bool
) -> Iterator[tuple[str, Matched]]:
    """Judge each family in the same benign log."""
    own = round(requests * ATTACK_SHARE)
    base, truth = simulated(Settings(seed=seed, requests=requests - own, benign=tuple(benign), responses=responses))
    for family in families:
        hostile, labelled = simulated(Settings(seed=seed, requests=own, attacks=(family,), responses=responses))
        yield family, measured(prepare([*base, *hostile], pl.concat([truth, labelled])))


def together(seed: int, requests: int, families: Sequence[str], benign: Sequence[str], *, responses: bool) -> Matched:
    """Judge one log of all families."""
    return measured(
        prepare(
            *simulated(
                Settings(
                    seed=seed, requests=requests, attacks=tuple(families), benign=tuple(benign), responses=responses
                )
            )
        )
    )


def summary(name: str, runs: Sequence[Matched]) -> dict[str, Any]:
    """Return one row: means over seeds, and the benign kind that is worst over all of them at FPR 1 %."""
    results = [evaluate(run, archetypes_one_in=100) for run in runs]
    found = [figures(result) for result in results]
    hostile = [run.frame.filter("attack") for run in runs]
    return {
        "": name,
        "accounts": sum(frame.height for frame in hostile),
        "campaigns": sum(frame["campaign"].n_unique() for frame in hostile),
        **{column: over([figure.get(column) for figure in found]) for column in SHOWN},
        "worst benign at FPR 1 %": worst_benign(results),
    }


def worst_benign(results: Sequence[Evaluation]) -> str:
    """Name the benign kind with the largest share of its accounts above the threshold, over all results."""
    hits: dict[str, list[int]] = {}
    for result in results:
        for kind in result.benign_archetypes or ():
            if kind.above_threshold is not None:
                count = hits.setdefault(kind.archetype or "unknown", [0, 0])
                count[0] += kind.above_threshold.hits
                count[1] += kind.above_threshold.total
    if not hits:
        return "-"
    name = max(sorted(hits), key=lambda kind: hits[kind][0] / hits[kind][1])
    return f"{name}, {hits[name][0]} of {hits[name][1]}" if hits[name][0] else "none"


def benign_kinds(runs: Sequence[Matched]) -> list[dict[str, Any]]:
    """Return for each benign kind how many of its accounts are graded high, and medium or worse, over all runs."""
    frames = [run.frame.filter(~pl.col("attack")).select("archetype", "severity") for run in runs]
    kinds = (
        pl.concat(frames)
        .group_by("archetype")
        .agg(
            pl.len().alias("accounts"),
            (pl.col("severity") == "high").sum().alias("high"),
            pl.col("severity").is_in(["high", "medium"]).sum().alias("medium"),
        )
        .sort("archetype")
    )
    rows = []
    for name, total, high, medium in kinds.iter_rows():
        share = proportion(high, total)
        rows.append(
            {
                "": name,
                "accounts": total,
                "high": high,
                "share high": share.rate,
                "at most (95 %)": share.high,
                "medium or high": medium,
            }
        )
    return rows


def report(
    seeds: Sequence[int],
    requests: int,
    *,
    families: Sequence[str],
    benign: Sequence[str],
    times: int = 2,
    with_alone: bool = True,
    responses: bool = False,
) -> list[Table]:
    """Return the tables: families alone, families together, and benign kinds. ``times`` 0: no log of all families."""
    lone: dict[str, list[Matched]] = {family: [] for family in families}
    joint: list[Matched] = []
    for seed in seeds:
        if with_alone:
            for family, run in alone(seed, requests, families, benign, responses=responses):
                lone[family].append(run)
                print(f"seed {seed}: {family}", file=sys.stderr)
        if times:
            joint.append(together(seed, requests * times, families, benign, responses=responses))
            print(f"seed {seed}: all together", file=sys.stderr)
    columns = ("", "accounts", "campaigns", *SHOWN, "worst benign at FPR 1 %")
    size = f"seeds {', '.join(map(str, seeds))}; {requests:,} requests a log" + (
        "; with responses" if responses else ""
    )
    out = []
    if with_alone:
        rows = tuple(summary(family, runs) for family, runs in lone.items())
        out.append(Table("Each family alone among benign traffic", columns, rows, f"{size}. {INTERVALS}"))
    if joint:
        # Precision would charge a family with what befell accounts that are none of its own.
        left_out = ("average precision", "precision of high", "pair precision", "worst benign at FPR 1 %")
        shared = tuple(column for column in columns if column not in left_out)
        rows = tuple(summary(family, [only(run, family) for run in joint]) for family in families)
        note = f"{size.replace(f'{requests:,}', f'{requests * times:,}')}. One threshold for all. {INTERVALS}"
        out.append(Table("All families together", columns, (summary("all", joint),), note))
        out.append(Table("Each family in the log of all", shared, rows, note))
    kinds = benign_kinds(joint or [run for runs in lone.values() for run in runs])
    note = "Over all seeds" + ("." if joint else "; the same accounts stand beside each family, so they count again.")
    out.append(
        Table(
            "Benign kinds",
            ("", "accounts", "high", "share high", "at most (95 %)", "medium or high"),
            tuple(kinds),
            note,
        )
    )
    return out


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which logs are simulated."""
    parser.add_argument("--seeds", type=seeds_of, default=seeds_of("1-5"), metavar="1-5")
    parser.add_argument("--requests", type=int, default=60_000, help="of a log with one family")
    parser.add_argument("--only", default="all", metavar="A,B", help="these families, not all")
    parser.add_argument("--benign", default="all", metavar="A,B", help="these benign kinds, not all")
    parser.add_argument("--together", type=int, default=2, metavar="K", help="length of the log of all; 0: none")
    parser.add_argument("--no-alone", action="store_true", help="only the log of all families")
    parser.add_argument("--responses", action="store_true", help="simulate the text of responses too")


def from_options(given: argparse.Namespace) -> list[Table]:
    """Return the tables that the options ask for."""
    return report(
        given.seeds,
        given.requests,
        families=choose(given.only, ATTACKS, "--only"),
        benign=choose(given.benign, BENIGN, "--benign"),
        times=given.together,
        with_alone=not given.no_alone,
        responses=given.responses,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    add_options(parser)
    given = parser.parse_args(arguments)
    put_out(from_options(given), given)


if __name__ == "__main__":
    main()
