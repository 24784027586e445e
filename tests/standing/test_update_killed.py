"""A run that is killed anywhere: the case verifies, the next run completes, and all is as if nothing had happened.

An audit hook counts what changes the file system. At the chosen one, and at every later one, an exception is raised that nothing
catches: for the disk that is the end of the process, and none of its ``finally`` blocks can tidy up. Two runs are killed in earnest.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from night_help import lines, night, nights, rows, tree

from extractscan.case.verify import verify_case
from extractscan.progress import Silent
from extractscan.standing import disk
from extractscan.standing.pointer import read_pointer

DAYS = nights(rows(3))
POINTS = 50
WATCHED = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")


class Killed(BaseException):
    """The end of a process."""


class Scythe:
    """Counts changes of the file system, and ends the process at one of them."""

    def __init__(self):
        self.armed, self.at, self.count = False, 0, 0

    def reach(self):
        if self.armed:
            self.count += 1
            if self.at and self.count >= self.at:
                raise Killed

    def heed(self, event, arguments):
        if event in WATCHED or (
            event == "open" and arguments[2] is not None and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        ):
            self.reach()

    def run(self, at, work):
        """Do ``work`` up to the change ``at`` (0: all of it); return how many there were."""
        self.armed, self.at, self.count = True, at, 0
        try:
            work()
        except Killed:
            pass
        finally:
            self.armed = False
        return self.count


SCYTHE = Scythe()


@pytest.fixture(scope="module", autouse=True)
def _hook():
    sys.addaudithook(SCYTHE.heed)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two nights that went well, the logs of a third, and what the third leaves when it goes well."""
    top = tmp_path_factory.mktemp("killed")
    (top / "logs").mkdir()
    (top / "logs" / "0.jsonl").write_text(lines(DAYS[0]))
    night(top / "case", top / "logs")
    (top / "logs" / "1.jsonl").write_text(lines(DAYS[1][:-5]))
    night(top / "case", top / "logs")
    with (top / "logs" / "1.jsonl").open("a") as file:
        file.write(lines(DAYS[1][-5:]))
    (top / "logs" / "2.jsonl").write_text(lines(DAYS[2]))
    shutil.copytree(top / "case", top / "good")
    done = night(top / "good", top / "logs")
    return top, seen(top / "case"), seen(top / "good"), done


def seen(case):
    """All that a reader of a case can see; a log's inode and times, which are in the ledger, apart."""
    pointer = read_pointer(case)
    spool = tree(case / "spool")
    return {
        "results": tree(case / pointer.results),
        "states": (case / pointer.states_path).read_bytes(),
        "spool": spool,
        "prints": sorted(p.name for p in (case / "prints").iterdir()) if spool else [],
        "night": pointer.night,
    }


@pytest.fixture
def quick(monkeypatch):
    """Forcing to disk counts as a change, and takes no time."""
    monkeypatch.setattr(os, "fsync", lambda _: SCYTHE.reach())


def test_killed_at_fifty_points(home, quick, tmp_path):
    top, before, after, _ = home
    case = tmp_path / "case"

    def run():
        night(case, top / "logs")

    shutil.copytree(top / "case", case)
    total = SCYTHE.run(0, run)
    assert total > POINTS
    switched = 0
    for point in sorted({1 + round(i * (total - 1) / (POINTS - 1)) for i in range(POINTS)}):
        shutil.rmtree(case)
        shutil.copytree(top / "case", case)
        assert SCYTHE.run(point, run) >= point
        assert verify_case(case, observer=Silent()).intact, point
        if seen(case)["night"] == before["night"]:
            assert seen(case)["results"] == before["results"], point
            run()
        else:  # it was killed when all of it held already: another night finds nothing new
            switched += 1
            assert seen(case)["results"] == after["results"], point
            run()
            assert seen(case)["results"] == after["results"], point
            assert seen(case)["night"] == after["night"] + 1
            assert tree(case / "spool") == after["spool"], point
            continue
        assert seen(case) == after, point
        assert not [p for p in case.rglob("*") if p.name.startswith(disk.HIDDEN) or p.name.endswith(".tmp")], point
    assert 0 < switched < POINTS / 2


def test_killed_again_and_again_on_what_was_left(home, quick, tmp_path):
    top, _, after, _ = home
    case = tmp_path / "case"
    shutil.copytree(top / "case", case)
    for point in range(3, 60, 6):
        SCYTHE.run(point, lambda: night(case, top / "logs"))
        assert verify_case(case, observer=Silent()).intact
    night(case, top / "logs")
    assert seen(case) == after


def test_killed_on_its_first_night(quick, tmp_path):
    (tmp_path / "a.jsonl").write_text(lines(DAYS[0]))
    total = SCYTHE.run(0, lambda: night(tmp_path / "whole", tmp_path / "a.jsonl"))
    half = 0
    for point in (1, 4, 9, 30, *range(total - 12, total)):
        case = tmp_path / f"case{point}"
        SCYTHE.run(point, lambda case=case: night(case, tmp_path / "a.jsonl"))
        if read_pointer(case) is not None:
            assert verify_case(case, observer=Silent()).intact
            continue
        half += any(path.name.startswith(disk.HIDDEN) for path in case.iterdir()) if case.exists() else 0
        done = night(case, tmp_path / "a.jsonl")
        assert done.pointer.night == 1
        assert verify_case(case, observer=Silent()).intact
    assert half, "one of them was killed while it wrote the pointer"


DRIVER = """
import os, signal, sys
count, at = [0], int(sys.argv[1])
def heed(event, arguments):
    if event == "os.rename" and ".extractscan" not in str(arguments[0]) and "case" in str(arguments[0]):
        count[0] += 1
        if count[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(heed)
sys.argv = ["extractscan", *sys.argv[2:]]
from extractscan.cli.main import run
run()
"""


@pytest.mark.parametrize("rename", [2, 5])
def test_killed_in_earnest(home, tmp_path, rename):
    top, _, after, _ = home
    case = tmp_path / "case"
    shutil.copytree(top / "case", case)
    command = [sys.executable, "-c", DRIVER, str(rename), "update", str(case), str(top / "logs"), "-q"]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=300)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    owner = json.loads((case / "lock").read_text())
    assert owner["pid"] > 0
    assert verify_case(case, observer=Silent()).intact
    if read_pointer(case).night != after["night"]:
        night(case, top / "logs")
    assert {**seen(case), "spool": after["spool"]} == after
    night(case, top / "logs")
    assert tree(case / "spool") == after["spool"]


def test_what_was_left_is_shown_by_no_command(home, tmp_path):
    top, *_ = home
    case = tmp_path / "case"
    shutil.copytree(top / "case", case)
    (case / "nights" / ".000003.extractscan-0123456789ab.tmp").mkdir()
    (case / "prints" / f"{disk.HIDDEN}0123456789ab").write_bytes(b"half")
    (case / "prints" / ("0" * 64 + ".prints")).write_bytes(b"whole, but nothing leads to it")
    assert verify_case(case, observer=Silent()).intact
    (case / "prints" / "notes.txt").write_text("mine")
    assert [d.path for d in verify_case(case, observer=Silent()).differences] == ["prints/notes.txt"]
    night(case, top / "logs")
    assert sorted(p.name for p in (case / "prints").iterdir() if p.suffix != ".prints") == ["notes.txt"]
    assert Path(case / "prints" / "notes.txt").read_text() == "mine"
