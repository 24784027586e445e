"""What a run is said to need, and what is said to be there."""

import bz2
import gzip
import json

import polars as pl
import pytest
import zstandard

from extractscan.engine import preflight as module
from extractscan.engine.preflight import BASE_BYTES, Need, need, preflight, size, together
from extractscan.free_memory import free_memory

ROWS = 4000


@pytest.fixture(scope="module")
def frame():
    return pl.DataFrame(
        {
            "account_id": [f"a{n % 40}" for n in range(ROWS)],
            "timestamp": list(range(1_700_000_000, 1_700_000_000 + ROWS)),
            "prompt": [f"what is the answer to question {n * 7919 % 10007} of the book" for n in range(ROWS)],
        }
    )


class Heard:
    def __init__(self):
        self.notes, self.warnings = [], []

    def note(self, text):
        self.notes.append(text)

    def warn(self, text):
        self.warnings.append(text)


def test_rows_of_parquet_are_counted(frame, tmp_path):
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    found = need([str(path)])
    assert (found.files, found.stored, found.rows, found.whole) == (1, path.stat().st_size, ROWS, True)
    text = sum(frame[name].str.len_bytes().sum() for name in ("account_id", "prompt"))
    assert 400 * ROWS < found.memory - BASE_BYTES < 500 * ROWS + 6 * text


@pytest.mark.parametrize("codec", ["", "gz", "bz2", "zst"])
def test_rows_of_lines_are_reckoned(frame, tmp_path, codec):
    text = frame.write_ndjson().encode()
    path = tmp_path / "log"
    path.write_bytes({"": bytes, "gz": gzip.compress, "bz2": bz2.compress, "zst": zstandard.compress}[codec](text))
    found = need([str(path)])
    assert found.rows == pytest.approx(ROWS, rel=0.02)
    assert found.memory - BASE_BYTES == pytest.approx(3 * len(text), rel=0.02)


def test_a_file_of_which_only_the_beginning_is_looked_at(tmp_path):
    lines = b"".join(json.dumps({"prompt": f"line {n:09}"}).encode() + b"\n" for n in range(200_000))
    path = tmp_path / "long.jsonl"
    path.write_bytes(lines)
    assert len(lines) > 2 * module.PIECE
    assert need([str(path)]).rows == pytest.approx(200_000, rel=0.01)


def test_many_files_are_like_those_that_are_looked_into(frame, tmp_path, monkeypatch):
    looked = []
    honest = module._content
    monkeypatch.setattr(module, "_content", lambda file: looked.append(file) or honest(file))
    for n in range(200):
        (tmp_path / f"{n:03}.jsonl").write_text('{"a": 1}\n' * 10)
    assert need([str(tmp_path)]).rows == 2000
    assert len(looked) <= module.SAMPLED


@pytest.mark.parametrize(
    "data",
    [b"", b"PAR1", b"PAR1" + b"\0" * 50, b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd!!!!", b"BZh9", b"\xff" * 99, b"ARROW1"],
)
def test_whatever_a_file_holds_is_no_error(tmp_path, data):
    path = tmp_path / "x"
    path.write_bytes(data)
    found = need([str(path)])
    assert found.stored == len(data)
    assert found.memory >= BASE_BYTES


def test_a_bomb_is_not_blown_up(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"0" * 50_000_000))
    assert need([str(path)]).rows == 0


def test_what_is_not_there_is_left_to_reading(tmp_path):
    heard = Heard()
    assert need([str(tmp_path / "none")]) is None
    preflight([str(tmp_path / "none")], heard, tell=True)
    assert (heard.notes, heard.warnings) == ([], [])


def test_what_goes_to_disk_is_no_memory(frame, tmp_path, monkeypatch):
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    monkeypatch.setattr(module, "BASE_BYTES", 900_000_000)
    monkeypatch.setattr(module, "free_memory", lambda: 800_000_000)
    monkeypatch.setattr(module, "_free_disk", lambda _: 10_000_000_000)
    heard = Heard()
    preflight([str(path)], heard, limit=600_000_000, tell=True)
    assert "; up to 600 MB of memory (800 MB free); up to 30" in heard.notes[0]
    assert not heard.warnings
    monkeypatch.setattr(module, "_free_disk", lambda _: 1000)
    preflight([str(path)], heard, limit=600_000_000)
    assert "will go to disk, and 1 kB are free in " in heard.warnings[0]
    preflight([str(path)], heard)  # without a limit nothing goes to disk
    assert "of memory will be needed and 800 MB are free" in heard.warnings[1]


def test_stores_are_not_asked(monkeypatch):
    from extractscan.logs import remote

    def ask(_):
        raise AssertionError("a store was asked")

    monkeypatch.setattr(remote, "find", ask)
    found = need(["s3://bucket/logs/"])
    assert (found.files, found.rows, found.whole) == (0, 0, False)


def test_standard_input_tells_no_size():
    assert not need(["-"]).whole


def test_baselines_are_read_one_after_another():
    log, a, b = (Need(1, 10, 5, BASE_BYTES + memory, memory, 3) for memory in (100, 40, 170))
    assert together(log, [a, b]) == Need(3, 30, 15, BASE_BYTES + 270, 170, 3)
    assert together(log, []) == log


def test_a_run_that_fits_is_told_only_if_asked(frame, tmp_path, monkeypatch):
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    monkeypatch.setattr(module, "free_memory", lambda: 8_000_000_000)
    heard = Heard()
    preflight([str(path)], heard, case=tmp_path / "case")
    assert (heard.notes, heard.warnings) == ([], [])
    preflight([str(path)], heard, case=tmp_path / "case", tell=True)
    (note,) = heard.notes
    assert note.startswith("this run will need: 1 file, ")
    assert "about 4,000 rows; up to 40" in note
    assert "(8.0 GB free); about " in note
    assert not heard.warnings


def test_a_run_that_does_not_fit_is_warned_of(frame, tmp_path, monkeypatch):
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    monkeypatch.setattr(module, "free_memory", lambda: 300_000_000)
    monkeypatch.setattr(module, "_free_disk", lambda _: 1000)
    heard = Heard()
    preflight([str(path)], heard, case=tmp_path / "case")
    assert len(heard.warnings) == 2
    assert "of memory will be needed and 300 MB are free" in heard.warnings[0]
    assert "1 kB are free where it goes" in heard.warnings[1]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_500_000, "2 MB"), (2_345_000_000, "2.3 GB"), (5e12, "5,000.0 GB")],
)
def test_sizes_for_people(count, text):
    assert size(count) == text


def system(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MACHINE = {"proc/meminfo": "MemTotal:  100 kB\nMemAvailable:     4000 kB\n"}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),
        (MACHINE, 4_096_000),
        ({"proc/meminfo": "MemAvailable: much\n"}, None),
        # version 2: the group, and the group around it
        (
            MACHINE
            | {
                "proc/self/cgroup": "0::/a.slice/b.service\n",
                "sys/fs/cgroup/a.slice/b.service/memory.max": "3000000\n",
                "sys/fs/cgroup/a.slice/b.service/memory.current": "1000000\n",
                "sys/fs/cgroup/a.slice/b.service/memory.stat": "anon 5\ninactive_file 500000\n",
            },
            2_500_000,
        ),
        (
            MACHINE
            | {
                "proc/self/cgroup": "0::/a.slice/b.service\n",
                "sys/fs/cgroup/a.slice/b.service/memory.max": "max\n",
                "sys/fs/cgroup/a.slice/b.service/memory.current": "1\n",
                "sys/fs/cgroup/a.slice/memory.max": "70\n",
                "sys/fs/cgroup/a.slice/memory.current": "90\n",
            },
            0,
        ),
        # version 1
        (
            MACHINE
            | {
                "proc/self/cgroup": "5:cpu:/x\n4:memory:/x\nnonsense\n",
                "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "2000\n",
                "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "500\n",
                "sys/fs/cgroup/memory/x/memory.stat": "total_inactive_file 100\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "500\n",
            },
            1600,
        ),
    ],
    ids=["nothing", "machine", "nonsense", "v2", "v2 around", "v1"],
)
def test_free_memory(tmp_path, files, free):
    assert free_memory(system(tmp_path, files)) == free


def test_free_memory_here():
    import sys

    found = free_memory()
    assert (found is None) == (sys.platform != "linux")
