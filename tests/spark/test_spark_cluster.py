"""Scoring on a real cluster on loopback: the same bytes, with a session of one's own and over Connect, through lost workers
and a killed driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from standalone import SETTINGS, SMALL, until

pytestmark = pytest.mark.xdist_group("spark")

SCRIPT = Path(__file__).with_name("score_on_spark.py")


def _marks(work: Path) -> set[str]:
    """Names of what runs have persisted."""
    return {path.parent.name.removesuffix(".done") for path in work.glob("*/*.done/_SUCCESS")}


def test_lost_workers_and_a_killed_driver_change_nothing(cluster, log, local, tmp_path):
    work = tmp_path / "work"
    command = ("score", log, "--format", "json", "--no-progress", "--engine", "spark", "--spark-work", work)
    settings = SETTINGS | {"spark.driver.memory": "512m", "spark.driver.defaultJavaOptions": SMALL}

    # A driver of its own: a worker is lost while the keys of bands are made, then the driver is killed.
    conf = [part for key, value in settings.items() for part in ("--spark-conf", f"{key}={value}")]
    cluster.driver("first", "-m", "extractscan", *command, "--spark-master", cluster.master, *conf)
    until("reading", lambda: "read" in _marks(work) or cluster.ended("first"))
    cluster.kill("worker-1")
    until("the loss in the master's log", lambda: cluster.lost_workers() == 1)
    until("the keys of bands", lambda: "bands" in _marks(work) or cluster.ended("first"))
    cluster.kill("first")
    cluster.add_worker()  # the third
    done = _marks(work)
    assert {"read", "prompts", "bands"} <= done
    assert "clusters" not in done
    assert "Exception" not in cluster.log("first")

    # Another takes over what is there, over Connect; workers are lost while links are made and while components are found.
    # Data come on standard output, and no word of Java's.
    cluster.wait_for_worker("worker-3")
    cluster.connect()
    cluster.driver("second", SCRIPT, *command, "--spark-remote", cluster.remote)
    until("the keys taken", lambda: "bands is taken from" in cluster.log("second") or cluster.ended("second"))
    cluster.kill("worker-2")
    until("the second loss", lambda: cluster.lost_workers() == 2)
    cluster.add_worker()  # the fourth
    cluster.wait_for_worker("worker-4")
    until("the first round of components", lambda: "components-01" in _marks(work) or cluster.ended("second"))
    cluster.kill("worker-3")
    until("the third loss", lambda: cluster.lost_workers() == 3)
    code, found, err = cluster.finish("second")
    assert (code, found) == (0, local), err
    assert "read is taken from" in err
    assert {"links", "components-02", "components", "clusters", "sheets", "streams", "shared"} <= _marks(work) - done
    assert all(line.startswith("extractscan: ") for line in err.splitlines()), err
