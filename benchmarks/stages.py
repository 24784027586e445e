"""``score`` with its stages timed: seconds of wall clock and processor, and peaks of resident memory in each, as JSON on stdout.

``peak`` is of all that is resident, ``held`` of what lies in no file. For ``scale.py``, which starts it as a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

BEGIN = time.perf_counter()
PAGE = resource.getpagesize()


def resident() -> tuple[int, int]:
    """Resident bytes, and those of them that lie in files."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * PAGE, int(fields[2]) * PAGE


class Stages:
    """An observer that times stages."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float | str]] = []
        self._name, self._since, self._cpu = "start", BEGIN, 0.0
        self._peak = self._held = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while True:
            self._look()
            pause.wait(0.02)

    def _look(self) -> None:
        size, filed = resident()
        self._peak, self._held = max(self._peak, size), max(self._held, size - filed)

    def stage(self, name: str, total: int | None = None) -> None:
        """End the stage before, and begin one."""
        del total
        now, cpu = time.perf_counter(), time.process_time()
        self._look()
        spent: dict[str, float | str] = {"stage": self._name, "wall": now - self._since, "cpu": cpu - self._cpu}
        self.rows.append({**spent, "peak": self._peak, "held": self._held})
        self._name, self._since, self._cpu = name, now, cpu
        self._peak = self._held = 0

    def advance(self, steps: int = 1) -> None:
        """Ignore."""
        del steps

    def warn(self, message: str) -> None:
        """Pass on."""
        print(message, file=sys.stderr)

    def note(self, message: str) -> None:
        """Pass on."""
        print(message, file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", nargs="+")
    parser.add_argument("--memory")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    from extractscan.engine.load import LogSource
    from extractscan.engine.local import judge_logs
    from extractscan.memory import usable
    from extractscan.report.interface import Format
    from extractscan.report.write import write_report

    memory = usable(options.memory)
    stages = Stages()
    found, _ = judge_logs(LogSource(tuple(options.logs)), observer=stages, jobs=options.jobs, memory=memory)
    stages.stage("report")
    with tempfile.TemporaryDirectory() as folder:
        write_report(found, Format("jsonl"), output=Path(folder) / "report.jsonl", clobber=False, top=None)
    stages.stage("end")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "stages": stages.rows,
            "wall": time.perf_counter() - BEGIN,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * 1024,
            "mapped": memory.mapped,
            "rows": found.run.rows_kept,
            "accounts": found.run.accounts,
            "campaigns": len(found.campaigns),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
