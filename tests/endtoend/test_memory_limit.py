"""A run keeps to the memory it is given, says the same whatever it is given, and leaves nothing behind."""

import io
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from extractscan import memory as memory_module
from extractscan.engine import load as load_module
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.errors import InputError, UsageError
from extractscan.memory import LEAST, Memory, parse_size, usable
from extractscan.progress import Silent
from extractscan.report.interface import RenderOptions
from extractscan.report.json_report import JsonRenderer

SRC = Path(__file__).parents[2] / "src"
linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")

PEAK = """
import re, sys
from pathlib import Path
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.memory import Memory
from extractscan.progress import Silent
memory = Memory(int(sys.argv[1]))
judge_logs(LogSource((sys.argv[2],)), observer=Silent(), memory=memory)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())  # ru_maxrss is the parent's where that is larger
print(int(peak[1]) * 1024, memory.mapped)
"""


def log(rows, words=60, seed=1):
    """Requests with prompts of some hundred characters, some of them alike and some the same."""
    rng = np.random.default_rng(seed)
    letters = "abcdefghijklmnop"
    names = np.array([a + b + c for a in letters for b in letters for c in letters])  # numbers are all one token
    texts = [" ".join(row) for row in names[rng.integers(0, names.size, (max(1, rows * 3 // 4), words))]]
    prompts = np.array(texts)[rng.integers(0, len(texts), rows)]
    account = rng.integers(0, max(4, rows // 200), rows)
    return pl.DataFrame(
        {
            "request_id": np.arange(rows).astype(str),
            "account_id": np.char.add("a", account.astype(str)),
            "timestamp": pl.Series(1_770_000_000_000_000 + rng.integers(0, 10**12, rows)).cast(
                pl.Datetime("us", "UTC")
            ),
            "prompt": prompts,
            "model": np.where(account % 2 == 0, "m", "n"),
            "output_tokens": rng.integers(1, 900, rows),
        }
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [("6G", 6 << 30), ("800M", 800 << 20), ("1.5 GiB", 3 << 29), ("1tb", 1 << 40), ("1073741824", 1 << 30)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "6X", "1e9", "G"])
def test_what_is_no_size(text):
    with pytest.raises(UsageError, match="is no size, as in 800M or 6G"):
        parse_size(text)


def test_too_little_is_said():
    with pytest.raises(UsageError, match="768M"):
        parse_size("100M")


def test_the_default_is_half_of_what_is_free(monkeypatch):
    monkeypatch.setattr(memory_module, "free_memory", lambda: 8 << 30)
    assert usable(None).limit == 4 << 30
    monkeypatch.setattr(memory_module, "free_memory", lambda: 1 << 20)
    assert usable(None).limit == LEAST
    monkeypatch.setattr(memory_module, "free_memory", lambda: None)
    assert usable(None).limit is None
    assert usable("1G").limit == 1 << 30


@pytest.mark.parametrize(
    ("limit", "jobs", "rows"), [(None, 2, 250_000), (64 << 30, 2, 250_000), (512 << 20, 8, 50_000)]
)
def test_batches_shrink_with_the_limit(limit, jobs, rows):
    assert Memory(limit).batch_rows(jobs) == rows


@linux
def test_large_arrays_are_mapped_and_hold_what_is_written():
    memory = Memory(1 << 20)
    small, large = memory.zeros((10,), np.uint32), memory.zeros((3, 100_000), np.uint32)
    assert memory.mapped == large.nbytes
    assert not large.any()
    large[1] = np.arange(100_000)
    deadline = time.monotonic() + 5
    trimmer = memory._trimmer
    assert trimmer.is_alive()
    time.sleep(0.1)  # its pages have been given back by now, if it is worth it
    assert (large[1] == np.arange(100_000)).all()
    assert small.shape == (10,)
    del large
    while trimmer.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not trimmer.is_alive()


@linux
def test_a_full_disk_is_said_before_anything_is_written(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match=r"no space left on device; raise --memory, or name a larger folder in TMPDIR"):
        Memory(1 << 20).zeros((1 << 20,), np.int64)


@linux
def test_memory_and_threads_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_module, "LEAST_ROWS", 700)
    monkeypatch.setattr(load_module, "united", partial(load_module.united, least=700))  # several batches are merged
    path = tmp_path / "log.parquet"
    log(3000).write_parquet(path, row_group_size=500)

    def report(memory, jobs):
        found, _ = judge_logs(LogSource((str(path),)), observer=Silent(), jobs=jobs, memory=memory)
        stream = io.StringIO()
        JsonRenderer().render(found, RenderOptions(), stream)
        return stream.getvalue()

    expected = report(None, 1)
    for limit, jobs in ((1 << 20, 1), (1 << 20, 3), (8 << 20, 2), (1 << 40, 2)):
        memory = Memory(limit)
        assert report(memory, jobs) == expected, (limit, jobs)
        assert (memory.mapped > 0) == (limit == 1 << 20)


@linux
def test_more_than_the_limit_is_warned_of(tmp_path):
    path = tmp_path / "log.parquet"
    log(200).write_parquet(path)

    class Heard(Silent):
        said: list[str] = []  # noqa: RUF012

        def warn(self, message):
            self.said.append(message)

    judge_logs(LogSource((str(path),)), observer=Heard(), memory=Memory(1 << 20))
    assert [m for m in Heard.said if "GiB of memory" in m]


@linux
def test_peak_memory_over_sizes(tmp_path):
    """Sizes x1, x4 and x16 under the smallest limit, each in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(SRC), "POLARS_MAX_THREADS": "1"}
    peaks = []
    for rows in (1_000, 3_000, 12_000, 48_000):
        path = tmp_path / f"{rows}.parquet"
        log(rows, words=80).write_parquet(path, row_group_size=20_000)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(LEAST), str(path)],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(int(done.stdout.split()[0]))
    assert max(peaks[1:]) <= LEAST, peaks  # the first process compiles kernels, if they have not been


@linux
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(how, tmp_path):
    place = tmp_path / "scratch"
    place.mkdir()
    code = (
        "import numpy as np, sys, time\n"
        "from extractscan.fingerprint.shelf import Shelf\n"
        "from extractscan.memory import Memory\n"
        "shelf, memory = Shelf(0), Memory(1 << 20)\n"
        "shelf.put(np.arange(1000)); a = memory.zeros((1 << 20,), np.int64); a[:] = 1\n"
        "print('ready', flush=True); time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SRC), "TMPDIR": str(place)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(how)
    assert process.returncode != 0
    assert list(place.iterdir()) == []
