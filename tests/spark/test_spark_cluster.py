"""Scoring on a real cluster on loopback: the same bytes, over Connect, through lost workers and a killed driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from standalone import SETTINGS, until

pytestmark = pytest.mark.xdist_group("spark")

SCRIPT = Path(__file__).with_name("score_on_spark.py")


def _marks(work: Path) -> set[str]:
    """Names of what a run has persisted."""
    return {path.parent.name.removesuffix(".done") for path in work.glob("*/*.done/_SUCCESS")}


def test_over_connect_the_command_writes_the_same_bytes(cluster, log, local):
    cluster.connect()
    try:
        cluster.driver(
            "command",
            *("-m", "extractscan", "score", log, "--format", "json", "--no-progress"),
            *("--engine", "spark", "--spark-remote", cluster.remote),
        )
        code, out, err = cluster.finish("command")
    finally:
        cluster.kill("connect")
    assert (code, out) == (0, local), err
    assert "Exception" not in err
    assert all(line.startswith("extractscan: ") for line in err.splitlines()), err


def test_lost_workers_and_a_killed_driver_change_nothing(cluster, log, local, tmp_path):
    work, out = tmp_path / "work", tmp_path / "findings.json"
    arguments = (SCRIPT, cluster.master, work, log, out)
    lost = cluster.lost_workers()

    # A worker is lost while keys are made, the driver before it has found the links.
    cluster.driver("first", *arguments)
    until("reading", lambda: "read" in _marks(work))
    cluster.kill("worker-1")
    until("the loss in the master's log", lambda: cluster.lost_workers() == lost + 1)
    third = cluster.add_worker()
    until("the keys of bands", lambda: "bands" in _marks(work))
    cluster.kill("first")
    assert not out.exists()
    done = _marks(work)
    assert "clusters" not in done

    # The next run takes what is there; workers are lost while links are made and while components are found.
    cluster.wait_for_worker(third)
    cluster.driver("second", *arguments)
    until("the keys taken", lambda: "bands is taken from" in cluster.log("second"))
    cluster.kill("worker-2")
    until("the second loss", lambda: cluster.lost_workers() == lost + 2)
    fourth = cluster.add_worker()
    cluster.wait_for_worker(fourth)
    until("the first round of components", lambda: "components-01" in _marks(work))
    cluster.kill(third)
    until("the third loss", lambda: cluster.lost_workers() == lost + 3)
    cluster.add_worker()
    code, _, err = cluster.finish("second")
    assert code == 0, err
    assert "read is taken from" in err
    assert {"links", "components-02", "clusters"} <= _marks(work) - done
    assert out.read_bytes() == local
