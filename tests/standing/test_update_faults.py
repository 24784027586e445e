"""What a night meets: a full disk, a folder that cannot be written, signals, another run, a clock that jumps, an older case."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from night_help import Listener, lines, night, nights, one_run, results, rows, tree

from extractscan.case.read import open_case
from extractscan.case.verify import verify_case
from extractscan.errors import ExtractscanError, InputError, UsageError
from extractscan.progress import Silent
from extractscan.standing import lock, update
from extractscan.standing.pointer import read_pointer

DAYS = nights(rows(3))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A case after one night, and the logs of two."""
    top = tmp_path_factory.mktemp("faults")
    (top / "logs").mkdir()
    (top / "logs" / "0.jsonl").write_text(lines(DAYS[0]))
    night(top / "case", top / "logs")
    (top / "logs" / "1.jsonl").write_text(lines(DAYS[1]))
    shutil.copytree(top / "case", top / "good")
    done = night(top / "good", top / "logs")
    return top, results(top / "good", done)


@pytest.fixture
def case(first, tmp_path):
    shutil.copytree(first[0] / "case", tmp_path / "case")
    return tmp_path / "case"


def holds(case):
    """What of a case holds; what a run that failed has touched beside it may differ."""
    return {name: data for name, data in tree(case).items() if name != "lock"}


def as_if_nothing_had_happened(case, first):
    assert verify_case(case, observer=Silent()).intact
    assert results(case, night(case, first[0] / "logs")) == first[1]
    assert verify_case(case, observer=Silent()).intact


class Full:
    """The n-th file that is opened for writing finds no room."""

    def __init__(self):
        self.left = -1

    def heed(self, event, arguments):
        if self.left >= 0 and event == "open" and arguments[2] is not None and arguments[2] & os.O_CREAT:
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")


FULL = Full()


@pytest.fixture(scope="module", autouse=True)
def _hook():
    sys.addaudithook(FULL.heed)


@pytest.mark.parametrize("file", [0, 1, 2, 9, 16, 17, 18, 19, 20])
def test_a_disk_that_is_full_at_any_file(first, case, file):
    before = holds(case)
    FULL.left = file
    try:
        with pytest.raises(ExtractscanError, match="No space left on device") as raised:
            night(case, first[0] / "logs")
    finally:
        FULL.left = -1
    assert raised.value.exit_code == 4
    assert holds(case) == before
    if file in (0, 2, 18):
        as_if_nothing_had_happened(case, first)


def test_a_file_system_that_is_really_full(first, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "none", place], capture_output=True, check=False
        )
    except OSError:
        pytest.skip("no mount")
    if mounted.returncode:
        pytest.skip("a file system can be mounted by root alone")
    try:
        shutil.copytree(first[0] / "case", place / "case")
        before = holds(place / "case")
        room = shutil.disk_usage(place).free
        (place / "ballast").write_bytes(bytes(room - 60_000))
        with pytest.raises(ExtractscanError, match="No space left on device"):
            night(place / "case", first[0] / "logs")
        assert holds(place / "case") == before
        (place / "ballast").unlink()
        as_if_nothing_had_happened(place / "case", first)
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_folder_that_cannot_be_written(first, case, monkeypatch):
    before = holds(case)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="permission denied"):
        night(case, first[0] / "logs")
    monkeypatch.undo()
    assert holds(case) == before
    as_if_nothing_had_happened(case, first)


@pytest.mark.parametrize("stage", ["gather", "write_case", "stage", "write_pointer", "publish"])
def test_interrupted_at_any_stage(first, case, monkeypatch, stage):
    whole = getattr(update, stage)

    def interrupted(*arguments, **options):
        if stage in ("write_pointer", "publish"):
            whole(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(update, stage, interrupted)
    before = holds(case)
    if stage == "publish":  # a night is given before the next begins
        with pytest.raises(KeyboardInterrupt):
            night(case, first[0] / "logs")
        assert read_pointer(case).night == 1
        monkeypatch.undo()
        as_if_nothing_had_happened(case, first)
        return
    with pytest.raises(KeyboardInterrupt):
        night(case, first[0] / "logs")
    monkeypatch.undo()
    if stage == "write_pointer":
        assert read_pointer(case).night == 2
        assert tree(open_case(case).folder) == first[1]
    else:
        assert holds(case) == before
    as_if_nothing_had_happened(case, first)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_signal_ends_it_with_130(first, case, tmp_path, number):
    before = holds(case)
    slow = tmp_path / "driver.py"
    slow.write_text(
        "import sys, time\n"
        "from extractscan.standing import update\n"
        "def gather(*_):\n"
        "    print('here', flush=True)\n"
        "    time.sleep(600)\n"
        "update.gather = gather\n"
        "from extractscan.cli.main import run\n"
        "run()\n"
    )
    command = [sys.executable, slow, "update", case, first[0] / "logs", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"here\n"
        with pytest.raises(UsageError, match=f"process {process.pid} on "):
            night(case, first[0] / "logs")
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == b"extractscan: interrupted\n"
    assert (case / "lock").read_text() == ""
    assert holds(case) == before
    as_if_nothing_had_happened(case, first)


def owner(**changed):
    mine = lock.this_process()
    return json.dumps({**{name: getattr(mine, name) for name in mine.__slots__}, **changed})


def test_a_lock_of_a_process_that_is_gone_or_whose_number_was_used_again_is_no_lock(first, case):
    gone = multiprocessing.get_context("spawn").Process(target=int)
    gone.start()
    gone.join()
    for left in (owner(pid=gone.pid), owner(pid=1, start="1"), owner(boot="another"), "half a lo"):
        (case / "lock").write_text(left)
        heard = Listener()
        night(case, first[0] / "logs", observer=heard)
        assert any("stopped before it had ended" in w for w in heard.warnings) == left.startswith("{")


def test_a_lock_of_another_machine_is_asked_about(first, case):
    (case / "lock").write_text(owner(host="elsewhere"))
    with pytest.raises(UsageError, match=r"elsewhere.*--take-lock"):
        night(case, first[0] / "logs")
    heard = Listener()
    night(case, first[0] / "logs", observer=heard, take_lock=True)
    assert any("was taken" in warning for warning in heard.warnings)


def test_a_lock_that_another_process_holds_where_the_file_system_has_no_locks(first, case, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOTSUP, "no locks here")

    monkeypatch.setattr(lock.fcntl, "flock", none)
    status = Path("/proc/1/stat")
    if not status.exists():
        pytest.skip("no /proc")
    started = status.read_text().rpartition(")")[2].split()[19]
    (case / "lock").write_text(owner(pid=1, start=started))
    with pytest.raises(UsageError, match="another run works on this case"):
        night(case, first[0] / "logs")
    (case / "lock").write_text("")
    as_if_nothing_had_happened(case, first)


@pytest.mark.parametrize("year", [1970, 2038, 2099])
def test_a_clock_that_jumps(first, case, monkeypatch, year):
    seconds = (year - 1970) * 365.25 * 86_400 + 1
    monkeypatch.setattr(time, "time_ns", lambda: int(seconds * 1e9))
    done = night(case, first[0] / "logs")
    assert results(case, done) == first[1]
    with (first[0] / "logs" / "1.jsonl").open("rb") as file:
        os.utime(file.fileno(), (seconds, seconds))
    monkeypatch.undo()
    again = night(case, first[0] / "logs")
    assert results(case, again) == first[1]
    assert again.delivered.rows == 0


@pytest.mark.parametrize(
    ("field", "value", "reads"),
    [("schema_version", "0.9", False), ("schema_version", "2.0", False), ("prints_version", "0.1", True)],
    ids=["older", "newer", "fingerprints"],
)
def test_a_case_of_another_version_says_what_to_do(first, case, field, value, reads):
    pointer = json.loads((case / "standing.json").read_text())
    (case / "standing.json").write_text(json.dumps({**pointer, field: value, "version": "0.0.7"}))
    before = tree(case)
    with pytest.raises(InputError, match=r"0\.0\.7.*Begin another case, extractscan update NEW") as raised:
        night(case, first[0] / "logs")
    assert raised.value.exit_code == 3
    assert {**tree(case), "lock": b""} == {**before, "lock": b""}
    if reads:
        assert open_case(case).accounts()
        assert verify_case(case, observer=Silent()).intact
    else:
        with pytest.raises(InputError, match="version"):
            open_case(case)


def test_a_case_of_a_later_release_with_the_same_fingerprints_goes_on(first, case):
    text = (case / "standing.json").read_text()
    (case / "standing.json").write_text(re.sub(r'"version": "[^"]*"', '"version": "0.0.7"', text))
    as_if_nothing_had_happened(case, first)


@pytest.mark.parametrize("part", ["ledger", "prints", "states", "standing.json"])
def test_damage_is_found_and_nothing_is_made_of_it(first, case, part):
    path = case / part if part == "standing.json" else next((case / part).iterdir())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError):
        night(case, first[0] / "logs")
    if part == "standing.json":
        with pytest.raises(InputError):
            verify_case(case, observer=Silent())
    else:
        assert not verify_case(case, observer=Silent()).intact


@pytest.mark.parametrize("part", ["ledger", "prints", "states"])
def test_what_is_gone_is_damage_and_no_matter_of_writing(first, case, part):
    gone = next((case / part).iterdir())
    gone.unlink()
    with pytest.raises(InputError, match=gone.name):
        night(case, first[0] / "logs")
    found = verify_case(case, observer=Silent()).differences
    assert (part, f"{part}/{gone.name}") in {(d.path.split("/")[0], d.path) for d in found}


def test_a_case_that_was_moved_or_is_a_link_is_the_same_case(first, case):
    link = case.with_name("link")
    case.rename(case.with_name("moved"))
    link.symlink_to("moved")
    as_if_nothing_had_happened(link, first)
    link.unlink()
    as_if_nothing_had_happened(case.with_name("moved"), first)


def test_links_to_nothing_and_in_a_circle(first, tmp_path):
    (tmp_path / "case").symlink_to("elsewhere")
    night(tmp_path / "case", first[0] / "logs" / "0.jsonl")
    assert read_pointer(tmp_path / "elsewhere").night == 1
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(UsageError, match="cannot be a case"):
        night(tmp_path / "circle", first[0] / "logs")


def test_a_file_that_cannot_be_read_is_tried_again(first, case, monkeypatch):
    import extractscan.logs.read as reading

    opened = reading.open_input

    def failing(item):
        if item.path.endswith("1.jsonl"):
            raise OSError(errno.EIO, "Input/output error")
        return opened(item)

    monkeypatch.setattr(reading, "open_input", failing)
    done = night(case, first[0] / "logs")
    assert [file.format for file in done.found.run.files] == ["unreadable", "jsonl"]
    one = one_run(case.parent / "one", first[0] / "logs")
    assert results(case, done) == one
    monkeypatch.undo()
    as_if_nothing_had_happened(case, first)
