"""docs/operations.md: its walk-through is done, its unit files are units, its settings those that there are."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import operations_docs
import pytest
from commandline import environment

ROOT = Path(__file__).parents[2]
TELL = 'echo "exit code $?"'
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def steps(block):
    """Commands with the lines that are to come."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def holds(said, wanted):
    """Whether the lines come in this order; ``...`` is anything within a line."""
    lines = iter(said.splitlines())
    for line in wanted:
        pattern = re.compile(".*".join(map(re.escape, line.strip().split("..."))))
        if line.strip() != "..." and not any(pattern.fullmatch(each.strip()) for each in lines):
            return line
    return None


@pytest.fixture
def do(call, tmp_path, monkeypatch):
    """Do a command in a folder that has the sample: extractscan itself in this process, which is faster, others by bash."""
    (tmp_path / "sample_logs").symlink_to(ROOT / "sample_logs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in [name for name in os.environ if name.startswith("EXTRACTSCAN_")]:
        monkeypatch.delenv(name)

    def done(command):
        own, _, rest = command.partition("; ")
        words = shlex.split(own)
        if words[0] == "extractscan" and "$" not in own and rest in ("", TELL):
            ran = call(*words[1:])
            said = ran.err + ran.out.decode() + (f"exit code {ran.code}\n" if rest else "")
            assert rest or ran.code == 0, said
            return said
        ran = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, timeout=60, env=environment(), check=False
        )
        return ran.stdout + ran.stderr

    return done


def test_the_walk_through_is_as_it_is_told(do):
    count = 0
    for command, wanted in (step for block in blocks("console") for step in steps(block)):
        said = do(command)
        missing = holds(said, wanted)
        assert missing is None, f"$ {command}\n{said}\nlacks: {missing}"
        count += 1
    assert count >= 14


def test_a_walk_through_that_does_not_hold_is_noticed():
    assert holds("a b\nc\n", ["a...", "...", "c"]) is None
    assert holds("c\na b\n", ["a b", "c"]) == "c"
    assert holds("a b\n", ["a"]) == "a"


def test_the_settings_are_those_that_there_are():
    assert operations_docs.text(PAGE) == PAGE, "run scripts/make_docs"


def units():
    for block in blocks("ini"):
        name = re.match(r"# \S+/(\S+)\n", block)[1]
        yield name, block


def test_units_are_units(tmp_path):
    names = []
    for name, block in units():
        parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
        parser.optionxform = str
        parser.read_string(block)
        assert set(parser) <= {"DEFAULT", "Unit", "Service", "Timer", "Install"}
        names.append(name)
    assert names == ["extractscan.service", "extractscan.timer", "extractscan-alert.service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_knows_every_line_of_the_units(tmp_path):
    for name, block in units():
        (tmp_path / name).write_text(block.replace("/opt/extractscan/bin/extractscan", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "extractscan.service", tmp_path / "extractscan.timer"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not [line for line in done.stderr.splitlines() if "extractscan" in line], done.stderr


def test_what_messages_look_like_is_what_they_look_like():
    from extractscan.cli.messages import line_of_json

    (block,) = blocks("json")
    for line in block.splitlines():
        shown = json.loads(line)
        more = {key: shown[key] for key in ("stage", "seconds") if key in shown}
        made = json.loads(line_of_json(shown["level"], shown["event"], shown["message"], **more))
        assert list(made) == list(shown)
