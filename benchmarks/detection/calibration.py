"""Whether the stated false discovery rates hold, and what is found at them.

    python benchmarks/detection/calibration.py [--seeds 10] [--requests 20000] [--attacks 3]

Simulates benign logs, one a seed, scores each once, and compares each with every run of K consecutive others as its baseline. All logs
are innocent, so that every finding that passes is false, and the realised rate is the share of comparisons in which any does. Then logs
with attacks are compared with the same baselines: the share of attackers (accounts) and of campaigns made of them that pass, and of
what passes the share that is false. Written beside it is what p-values would do that take accounts of one campaign for independent
ones ("plain"). The simulator draws all seeds from the same grammars: a real baseline may drift, these cannot.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from extractscan.engine.load import LogSource
from extractscan.engine.local import assess_logs
from extractscan.progress import Silent
from extractscan.simulate.attacks.registry import ATTACKS
from extractscan.simulate.benign.registry import BENIGN
from extractscan.simulate.registry import choose
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import LogFormat, write_log
from extractscan.verdict.baseline import Period, calibrate, period

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RATES = (0.05, 0.1)


@dataclass(frozen=True)
class Log:
    """A scored log and which of its accounts and campaigns (most of whose members attack) are hostile."""

    period: Period
    hostile: NDArray[np.bool_]
    hostile_campaigns: NDArray[np.bool_]


def simulated(folder: Path, seed: int, requests: int, attacks: str) -> Log:
    settings = Settings(
        seed=seed,
        requests=requests,
        attacks=choose(attacks, ATTACKS, "--attacks"),
        benign=choose("all", BENIGN, "--benign"),
    )
    written = write_log(settings, folder / str(seed), LogFormat.parquet, clobber=True, observer=Silent())
    scored = assess_logs(LogSource(tuple(str(f) for f in written.files if f.suffix == ".parquet")), observer=Silent())
    with (folder / str(seed) / "labels.csv").open(encoding="utf-8") as labels:
        label = {row["account_id"]: row["label"] == "1" for row in csv.DictReader(labels)}
    hostile = np.array([label[a] for a in scored.measured.accounts], bool)
    campaigns = np.array([hostile[c.accounts].mean() > 0.5 for c in scored.assessment.campaigns], bool)
    return Log(period(scored.assessment, scored.measured), hostile, campaigns)


def plain(log: Period) -> Period:
    """The same with every account tested by itself."""
    return replace(log, cluster=np.arange(log.bits.size))


def windows(logs: list[Log], size: int) -> Iterator[tuple[int, list[Period]]]:
    """Each log with every run of ``size`` consecutive others."""
    for i in range(len(logs)):
        others = [log.period for j, log in enumerate(logs) if j != i]
        for start in range(len(others) if size < len(others) else 1):
            yield i, [others[(start + k) % len(others)] for k in range(size)]


def benign_line(logs: list[Log], size: int, rate: float) -> str:
    hits = []
    for i, clean in windows(logs, size):
        found = calibrate(logs[i].period, clean, rate)
        careless = calibrate(plain(logs[i].period), clean, rate)
        hits.append([(q <= rate).any() for q in (found.account_q, careless.account_q, found.campaign_q)])
    share = np.mean(hits, axis=0)
    return f"{size:8d}{rate:8.2f}{len(hits):8d}" + "".join(f"{s:12.3f}" for s in share)


def attack_line(logs: list[Log], clean: list[Period], rate: float) -> str:
    """Means over the logs."""
    rows = []
    for log in logs:
        row: list[float] = []
        for seen in (log.period, plain(log.period)):
            passed = calibrate(seen, clean, rate).account_q <= rate
            row += [
                (passed & log.hostile).sum() / log.hostile.sum(),
                (passed & ~log.hostile).sum() / max(passed.sum(), 1),
            ]
        passed = calibrate(log.period, clean, rate).campaign_q <= rate
        row.append((passed & log.hostile_campaigns).sum() / max(log.hostile_campaigns.sum(), 1))
        row.append((passed & ~log.hostile_campaigns).sum() / max(passed.sum(), 1))
        rows.append(row)
    return f"{len(clean):8d}{rate:8.2f}{len(logs):8d}" + "".join(f"{v:12.3f}" for v in np.mean(rows, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="benign logs")
    parser.add_argument("--attacks", type=int, default=3, help="logs with attacks")
    parser.add_argument("--requests", type=int, default=20_000, help="of a log")
    parser.add_argument("--first-seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        benign = [simulated(folder, given.first_seed + s, given.requests, "none") for s in range(given.seeds)]
        hostile = [simulated(folder, given.first_seed + 1000 + s, given.requests, "all") for s in range(given.attacks)]
    sizes = sorted({k for k in (1, 3, given.seeds // 2, given.seeds - 1) if 0 < k < given.seeds})
    accounts = [log.period.bits.size for log in benign]
    groups = [log.period.groups.size for log in benign]
    print(
        f"{given.seeds} benign logs of {given.requests:,} requests: {min(accounts)} to {max(accounts)} accounts, {min(groups)} to "
        f"{max(groups)} groups, {sum(log.period.campaigns for log in benign)} campaigns in all\n"
    )
    head = f"{'periods':>8s}{'rate':>8s}{'runs':>8s}"
    print("Realised false discovery rate, benign logs")
    print(head + "".join(f"{h:>12s}" for h in ("accounts", "acc. plain", "campaigns")))
    for size in sizes:
        for rate in RATES:
            print(benign_line(benign, size, rate))
    if hostile:
        print("\nLogs with attacks: share of attackers and of their campaigns that pass, and what of it is false")
        print(head + "".join(f"{h:>12s}" for h in ("accounts", "false", "acc. plain", "false", "campaigns", "false")))
        for size in sorted({*sizes, given.seeds}):
            for rate in RATES:
                print(attack_line(hostile, [log.period for log in benign[:size]], rate))


if __name__ == "__main__":
    main()
