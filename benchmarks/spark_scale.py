"""What each stage costs on Spark, measured on a standalone cluster on this machine: bytes, shuffle and processor time a request.

    python benchmarks/spark_scale.py [--json] [REQUESTS ...]

For each size a log is simulated and scored; docs/spark.md reckons from the table to a billion requests. Processor time is
counted, not the clock, so that a busy machine does little harm. Microseconds a request are what the largest run took more
than the smallest, over the requests between them: what starting costs is in both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "spark"))

from standalone import SETTINGS, Standalone, java_home

from extractscan.engine import spark as engine_of_spark
from extractscan.engine.limits import Limits
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.engine.spark_engine import SparkEngine
from extractscan.engine.spark_session import Place
from extractscan.progress import Silent

_SEEN: dict[str, float] = {}


def _python_seconds(java_home: str) -> float:
    """Processor seconds of this cluster's Python workers so far, of those that have ended too."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
                ours = java_home.encode() in (folder / "environ").read_bytes()
                if ours and b"pyspark" in command and b"daemon" in command:
                    fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                    _SEEN[folder.name] = sum(int(fields[i]) for i in (11, 12)) / os.sysconf("SC_CLK_TCK")
            except OSError:
                continue
    return sum(_SEEN.values())


class Meter:
    """Sums of a session's counters, and what they grew by since they were last asked for."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.rows: list[dict[str, object]] = []
        self.to_driver = 0
        self._last = dict.fromkeys(self._now(), 0.0)

    def _now(self) -> dict[str, float]:
        with urllib.request.urlopen(f"{self._url}/api/v1/applications") as answer:  # noqa: S310
            app = json.load(answer)[0]["id"]
        with urllib.request.urlopen(f"{self._url}/api/v1/applications/{app}/stages") as answer:  # noqa: S310
            stages = json.load(answer)
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "java_s": sum(s["executorCpuTime"] for s in stages) / 1e9,
            "python_s": _python_seconds(os.environ["JAVA_HOME"]),
            "driver_s": used.ru_utime + used.ru_stime,
            "shuffle_mb": sum(s["shuffleWriteBytes"] for s in stages) / 1e6,
            "to_driver_mb": self.to_driver / 1e6,
        }

    def mark(self, name: str, **more: object) -> None:
        """Note what was spent since the last mark."""
        now = self._now()
        grown = {k: round(now[k] - self._last[k], 6) for k in now}
        self._last = now
        self.rows.append({"stage": name, **grown, **more})


class Metered(SparkEngine):
    """An engine that notes what each persisted table cost and how large it is."""

    meter: Meter

    def persist(self, frame, name):  # noqa: ANN001, ANN201
        """Persist, and note it."""
        out = super().persist(frame, name)
        folder = Path(self._folder.removeprefix("file://"), name)
        size = sum(f.stat().st_size for f in folder.rglob("*.parquet"))
        self.meter.mark(name, stored_mb=round(size / 1e6, 2), rows=out.to_native().count())
        return out

    def collect_small(self, frame, max_rows=None):  # noqa: ANN001, ANN201
        """Collect, and count the bytes."""
        out = super().collect_small(frame, max_rows)
        self.meter.to_driver += out.nbytes
        return out


def costs(rows: list[dict[str, object]], size: int) -> pl.DataFrame:
    """Of one run, a row a stage, rounds of components together: bytes stored and shuffled and microseconds, a request."""
    return (
        pl.DataFrame(rows, infer_schema_length=None)
        .with_columns(
            pl.when(pl.col("stage").str.contains(r"-\d+$"))
            .then(pl.lit("components, all rounds"))
            .otherwise("stage")
            .alias("stage")
        )
        .group_by("stage", maintain_order=True)
        .agg(
            pl.len().alias("rounds"),
            pl.col("stored_mb", "shuffle_mb", "to_driver_mb", "java_s", "python_s", "driver_s").sum(),
        )
        .with_columns(pl.col("stored_mb", "shuffle_mb", "to_driver_mb", "java_s", "python_s", "driver_s") * 1e6 / size)
    )


def shape(work: Path) -> str:
    """How the distinct prompts of a run hang together."""

    def rows(stage: str) -> pl.LazyFrame:
        return pl.scan_parquet(f"{work}/*/{stage}/*.parquet")

    def largest(stage: str, by: str) -> int:
        return (
            rows(stage).filter(pl.col(by).is_not_null()).group_by(by).len().select(pl.col("len").max()).collect().item()
        )

    prompts = rows("prompts").select(pl.len()).collect().item()
    return (
        f"largest component {largest('components', 'component'):,}, largest cluster {largest('clusters', 'root'):,} "
        f"of {prompts:,} distinct prompts"
    )


def show(runs: dict[int, pl.DataFrame]) -> None:
    """Print the table of docs/spark.md."""
    small, large = min(runs), max(runs)
    print(
        f"\n{'bytes and µs a request':<24}"
        + "".join(
            f"{f'{kind}, {size:,}':>18}" for kind in ("stored", "shuffle", "to driver") for size in (small, large)
        )
        + "".join(f"{name:>12}" for name in ("Java µs", "Python µs", "driver µs"))
    )
    for one in runs[large].iter_rows(named=True):
        less = runs[small].row(by_predicate=pl.col("stage") == one["stage"], named=True)
        line = "".join(
            f"{run[kind]:>18.1f}" for kind in ("stored_mb", "shuffle_mb", "to_driver_mb") for run in (less, one)
        )
        grown = (
            (one[kind] * large - less[kind] * small) / (large - small) for kind in ("java_s", "python_s", "driver_s")
        )
        rounds = f" ({less['rounds']}, {one['rounds']})" if one["rounds"] > 1 else ""
        print(f"{one['stage'] + rounds:<24}{line}" + "".join(f"{value:>12.1f}" for value in grown))


def main() -> None:
    """Print what a run of each size cost, and the table of the smallest and the largest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sizes", metavar="REQUESTS", nargs="*", type=int, default=[20_000, 80_000], help="sizes of logs"
    )
    parser.add_argument("--json", action="store_true", help="print each stage of each run as well")
    options = parser.parse_args()
    runs: dict[int, pl.DataFrame] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = java_home(folder)
        if home is None:
            sys.exit("there is no Java")
        cluster = Standalone(folder, home)
        os.environ.update(
            {k: cluster.environment[k] for k in ("JAVA_HOME", "SPARK_LOCAL_IP", "PYSPARK_PYTHON", "PYTHONPATH")}
        )
        engine_of_spark.SparkEngine = Metered  # type: ignore[misc]
        cluster.start()
        try:
            for size in sorted(options.sizes):
                log, work = folder / f"log-{size}", folder / f"work-{size}"
                command = [sys.executable, "-m", "extractscan", "simulate", str(log), "--requests", str(size), "-q"]
                subprocess.run(command, check=True)
                settings = {k: v for k, v in SETTINGS.items() if "codegen" not in k and "Options" not in k}
                settings |= {"spark.ui.enabled": "true", "spark.executor.memory": "1g", "spark.ui.port": "4140"}
                limits = Limits(8 << 30, link_bytes=0)
                with engine_of_spark.spark_front(Place(None, cluster.master, settings), str(work), limits) as front:
                    Metered.meter = Meter("http://127.0.0.1:4140")
                    Metered.meter.mark("start")
                    judge_logs(LogSource((str(log / "requests.parquet"),)), observer=Silent(), front=front)
                    Metered.meter.mark("asks and verdict")
                    read = sum(f.stat().st_size for f in log.glob("requests*"))
                    print(f"{size:,} requests, {read / 1e6:.1f} MB as Parquet; {shape(work)}")
                    if options.json:
                        print("\n".join(json.dumps(row) for row in Metered.meter.rows))
                    runs[size] = costs(Metered.meter.rows, size)
        finally:
            cluster.stop()
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if len(runs) > 1:
        show(runs)


if __name__ == "__main__":
    main()
