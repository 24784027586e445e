"""``extractscan score`` with limits so low that everything that can be done on the cluster is; arguments are the command's."""

from __future__ import annotations

from functools import partial

from extractscan.cli.main import run
from extractscan.engine import limits, spark

limits.Limits = spark.Limits = partial(limits.Limits, link_bytes=0, unit_bytes=1)
run()
