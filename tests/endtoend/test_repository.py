"""What may not stand in the repository."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INDEX = re.compile(rb"inde[x][-_]url|find-link[s]", re.IGNORECASE)
"""How a package index is named; written so that this file does not hold it."""


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="no git checkout")
def test_no_package_index_is_named():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    paths = [ROOT / name.decode() for name in listed if name]
    assert len(paths) > 300
    found = [path for path in paths if path.is_file() and INDEX.search(path.read_bytes())]
    assert not found
