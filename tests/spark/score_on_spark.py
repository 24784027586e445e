"""A driver over Connect whose limits are so low that everything that can be done on the cluster is: URL, run folder, log, output."""

from __future__ import annotations

import sys
from pathlib import Path

from extractscan.engine.distributed import Limits
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.engine.spark import spark_front
from extractscan.engine.spark_session import Place
from extractscan.report.interface import Format
from extractscan.report.write import write_report


class Teller:
    """Writes what it is told to standard error."""

    def stage(self, name, total=None):
        sys.stderr.write(f"{name}\n")

    def advance(self, steps=1):
        pass

    def warn(self, message):
        sys.stderr.write(f"{message}\n")

    note = warn


url, work, log, out = sys.argv[1:]
with spark_front(Place(url, None, {}), work, Limits(1 << 30, link_bytes=0, unit_bytes=1)) as front:
    found, _ = judge_logs(LogSource((log,)), observer=Teller(), front=front)
write_report(found, Format.JSON, output=Path(out), clobber=True, top=None)
