from __future__ import annotations

from importlib.util import find_spec

import pytest
import spark_log
from standalone import Standalone, java_home

from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.progress import Silent
from extractscan.report.interface import Format
from extractscan.report.write import write_report


def pytest_collection_modifyitems(items):
    """What takes longest begins first, so that the other tests run beside it."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A master and two workers, for all tests."""
    if find_spec("pyspark") is None:
        pytest.skip("the extra spark is not installed")
    folder = tmp_path_factory.mktemp("spark")
    home = java_home(folder)
    if home is None:
        pytest.skip("there is no Java")
    made = Standalone(folder, home)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def log(tmp_path_factory):
    return spark_log.write(tmp_path_factory.mktemp("spark-log") / "log")


@pytest.fixture(scope="session")
def local(log, tmp_path_factory):
    """The findings of the local engine, as JSON."""
    out = tmp_path_factory.mktemp("local") / "findings.json"
    found, _ = judge_logs(LogSource((str(log),)), observer=Silent())
    write_report(found, Format.JSON, output=out, clobber=False, top=None)
    return out.read_bytes()
