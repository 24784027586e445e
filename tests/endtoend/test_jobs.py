"""``--jobs`` holds for every pool of threads that a run makes: counted, not timed."""

import json
import subprocess
import sys

import pytest
from commandline import environment

PROBE = """
import concurrent.futures, importlib.util, json, pathlib, sys, traceback
PACKAGE = pathlib.Path(importlib.util.find_spec("extractscan").origin).parent
made = []
class Pool(concurrent.futures.ThreadPoolExecutor):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        if pathlib.Path(traceback.extract_stack(limit=2)[0].filename).is_relative_to(PACKAGE):
            made.append(self._max_workers)
concurrent.futures.ThreadPoolExecutor = Pool
from extractscan.cli.main import run
try:
    run()
except SystemExit as end:
    assert not end.code
import polars, pyarrow, threadpoolctl
from extractscan.campaign.corpus import _cores
print(json.dumps({
    "own": max(made),
    "polars": polars.thread_pool_size(),
    "arrow": pyarrow.cpu_count(),
    "corpora": _cores(),
    "matrices": max(pool["num_threads"] for pool in threadpoolctl.threadpool_info()),
}))
"""
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


@pytest.mark.parametrize("jobs", [1, 3])
def test_threads_are_as_many_as_were_asked_for(log, tmp_path, jobs):
    pytest.importorskip("threadpoolctl")
    environ = {name: value for name, value in environment().items() if name not in POOLS}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PROBE,
            "score",
            log,
            "--jobs",
            str(jobs),
            "--case",
            tmp_path / "case",
            "-q",
            "-o",
            tmp_path / "out",
        ],
        capture_output=True,
        text=True,
        env=environ,
        check=True,
    )
    counted = json.loads(done.stdout)
    assert counted.pop("matrices") <= jobs  # what multiplies takes no more than there are cores
    assert counted == dict.fromkeys(counted, jobs)
