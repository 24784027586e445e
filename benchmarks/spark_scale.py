"""What each stage costs on Spark, measured on a standalone cluster on this machine: bytes, shuffle and processor time a request.

    python benchmarks/spark_scale.py [REQUESTS ...]

For each size a log is simulated and scored; docs/spark.md reckons from the table to a billion requests. Processor time is
counted, not the clock, so that a busy machine does little harm.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "spark"))

from standalone import SETTINGS, Standalone, java_home

from extractscan.engine import spark as engine_of_spark
from extractscan.engine.distributed import Limits
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
        self._last = dict.fromkeys(self._now(), 0.0)
        self.rows: list[dict[str, object]] = []

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
        }

    def mark(self, name: str, **more: object) -> None:
        """Note what was spent since the last mark."""
        now = self._now()
        grown = {k: round(now[k] - self._last[k], 2) for k in now}
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


def main() -> None:
    """Print a table of each size."""
    sizes = [int(text) for text in sys.argv[1:]] or [40_000, 160_000]
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
            for size in sizes:
                log = folder / f"log-{size}"
                command = [sys.executable, "-m", "extractscan", "simulate", str(log), "--requests", str(size), "-q"]
                subprocess.run(command, check=True)
                settings = {k: v for k, v in SETTINGS.items() if "codegen" not in k and "Options" not in k}
                settings |= {"spark.ui.enabled": "true", "spark.executor.memory": "1g", "spark.ui.port": "4140"}
                place = Place(None, cluster.master, settings)
                limits = Limits(8 << 30, link_bytes=0)
                with engine_of_spark.spark_front(place, str(folder / f"work-{size}"), limits) as front:
                    Metered.meter = Meter("http://127.0.0.1:4140")
                    Metered.meter.mark("start")
                    judge_logs(LogSource((str(log / "requests.parquet"),)), observer=Silent(), front=front)
                    Metered.meter.mark("driver")
                    read = sum(f.stat().st_size for f in log.glob("requests*"))
                    sys.stdout.write(f"{size:,} requests, {read / 1e6:.1f} MB as Parquet\n")
                    for row in Metered.meter.rows:
                        sys.stdout.write(f"{json.dumps(row)}\n")
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
