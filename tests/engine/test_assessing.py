"""Judging where requests lie elsewhere: the findings of one machine, whatever is asked in parts and however little is held."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet
import pytest
from polars_engine import PolarsEngine

from extractscan.campaign import corpus, partition
from extractscan.engine import asked, relational
from extractscan.engine.distributed import ClusterFront
from extractscan.engine.limits import Limits, for_tasks
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.engine.verbs import TooLargeError
from extractscan.errors import UsageError
from extractscan.progress import Silent
from extractscan.report.interface import Format
from extractscan.report.write import write_report
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import write_log

LIMITS = Limits(1 << 34, link_bytes=0, scan_rows=0)


class Counting(PolarsEngine):
    """Keeps how many rows came to the driver at once, at the most."""

    most = 0

    def collect_small(self, frame, max_rows=None):
        found = super().collect_small(frame, max_rows)
        self.most = max(self.most, found.num_rows)
        return found


def _findings(log, folder, front=None, *, keep=False):
    found, scored = judge_logs(LogSource((str(log),)), observer=Silent(), front=front, keep=keep)
    assert (scored.kept is not None) == keep
    write_report(found, Format.JSON, output=folder / "out.json", clobber=True, top=None)
    return (folder / "out.json").read_bytes()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A log with many kinds of accounts and the text of responses, a part of it delivered twice."""
    folder = tmp_path_factory.mktemp("simulated")
    shape = Settings(
        requests=3_000,
        responses=True,
        languages=("en", "ja"),
        attacks=("hydra_replay", "evolve", "system_grid", "ban_succession", "release_pivot", "synchronised"),
        benign=("real_person", "chat_user", "popular_app", "reseller", "pipeline_sql", "benchmark_run", "ci_tests"),
    )
    write_log(shape, folder)
    table = pa.parquet.read_table(folder / "requests.parquet")
    pa.parquet.write_table(pa.concat_tables([table, table.slice(0, 300)]), folder / "requests.parquet")
    return folder / "requests.parquet"


@pytest.mark.parametrize(("pieces", "small", "spare"), [(1, False, 4), (5, True, 4), (2, True, 0.5)])
def test_findings_of_a_simulated_log_are_the_same(simulated, tmp_path, monkeypatch, pieces, small, spare):
    monkeypatch.setattr(asked, "SPARE", spare)  # below 1 all that is bounded has to be asked for again
    if small:  # so that a bound leaves enough of what is large here
        monkeypatch.setattr(corpus, "SAMPLE", 16)
        monkeypatch.setattr(partition, "GLANCE", 8)
        monkeypatch.setattr(partition, "SAMPLE", 16)
    engine = Counting(tmp_path, pieces=pieces)
    found = _findings(simulated, tmp_path, ClusterFront(lambda _: engine, LIMITS))
    assert found == _findings(simulated, tmp_path)
    assert json.loads(found)["run"]["rows_duplicate"] == 300
    assert json.loads(found)["campaigns"]
    assert (tmp_path / "members.parquet").exists()


def test_what_a_case_keeps_comes_to_the_driver(simulated, tmp_path):
    engine = Counting(tmp_path, pieces=2)
    found = _findings(simulated, tmp_path, ClusterFront(lambda _: engine, LIMITS), keep=True)
    assert found == _findings(simulated, tmp_path)
    assert engine.most == json.loads(found)["run"]["rows_kept"]


def _one_account(folder, rows=2_000):
    record = {"timestamp": "2026-03-02T10:00:00Z", "account_id": "a", "model": "m"}
    lines = [json.dumps(record | {"request_id": str(n), "prompt": f"say word{n} twice"}) for n in range(rows)]
    (folder / "log.jsonl").write_text("\n".join(lines))
    return folder / "log.jsonl"


def test_requests_do_not_come_to_the_driver(tmp_path):
    log = _one_account(tmp_path)
    engine = Counting(tmp_path)
    assert _findings(log, tmp_path, ClusterFront(lambda _: engine, LIMITS)) == _findings(log, tmp_path)
    assert engine.most < 10


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"account_rows": 100}, "one account has 2,000 requests"), ({"driver_bytes": 500}, "1 accounts do not fit")],
)
def test_limits_are_said(tmp_path, limits, said):
    log = _one_account(tmp_path)
    front = ClusterFront(lambda _: PolarsEngine(tmp_path), replace(LIMITS, **limits))
    with pytest.raises(TooLargeError, match=said):
        _findings(log, tmp_path, front)


def test_tasks_are_told_how_much_they_may_take():
    settings = {"extractscan.task.memory": "6g", "spark.sql.shuffle.partitions": "9"}
    limits, rest = for_tasks(LIMITS, settings)
    assert limits.component_rows == limits.account_rows == (6 << 30) // 600
    assert rest == {"spark.sql.shuffle.partitions": "9"}
    assert for_tasks(LIMITS, rest) == (LIMITS, rest)
    with pytest.raises(UsageError, match=r"--spark-conf extractscan\.task\.memory"):
        for_tasks(LIMITS, {"extractscan.task.memory": "much"})


def test_payloads_of_one_account_are_not_shared(tmp_path):
    engine = PolarsEngine(tmp_path)
    rows = [(1, 10, 0), (1, 11, 0), (2, 10, 0), (2, 20, 1), (2, 20, 1), (3, 20, 1)]
    names = ("payload", "stream", "account")
    items = engine.begin(pa.table({n: [row[i] for row in rows] for i, n in enumerate(names)}), 1)
    found = engine.collect_small(relational.shared_payloads(items)).to_pylist()
    assert sorted((row["payload"], row["stream"]) for row in found) == [(2, 10), (2, 20)]


def test_a_unit_is_natural_when_all_of_its_ends_are(tmp_path):
    engine = PolarsEngine(tmp_path)
    # End 7 is used by five accounts in two parts, in a frame by two of them; end 8 by those who have it in a frame.
    ends = pa.table({"back": [0, 0, 1], "end": [7, 7, 8], "users": [2, 3, 4], "holders": [1, 1, 4]})
    marks = pa.table({"back": [0, 0, 1], "end": [7, 7, 8], "unit": [1, 2, 2]})
    found = relational.natural_units(engine.begin(ends, 1), engine.begin(marks, 1), 3)
    assert engine.collect_small(found)["unit"].to_pylist() == [1]
