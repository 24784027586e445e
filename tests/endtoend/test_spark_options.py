"""What the command says about Spark before and without a cluster."""

from __future__ import annotations

import pytest

from extractscan.engine import spark_session
from extractscan.engine.spark_session import Place, check_place, plain_errors
from extractscan.errors import ExtractscanError, UsageError
from extractscan.logs.discover import Input
from extractscan.logs.parts import UnitReader
from extractscan.logs.read import read_logs
from extractscan.progress import Silent


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "dask"], "takes local or spark"),
        (["--engine", "spark"], "needs --spark-remote"),
        (["--spark-remote", "sc://127.0.0.1:9"], "need --engine spark"),
        (
            ["--engine", "spark", "--spark-remote", "sc://localhost:9", "--spark-master", "spark://localhost:9"],
            "exclude",
        ),
        (["--engine", "spark", "--spark-remote", "spark://127.0.0.1:9"], "is not sc://HOST:PORT"),
        (["--engine", "spark", "--spark-master", "sc://127.0.0.1:9"], "is not spark://HOST:PORT"),
        (["--engine", "spark", "--spark-master", "yarn"], "is not spark://HOST:PORT"),
        (["--engine", "spark", "--spark-remote", "sc://spark.example:15002"], "--spark-work URI is needed"),
        (["--engine", "spark", "--spark-remote", "sc://localhost:9", "--spark-conf", "x"], "is not KEY=VALUE"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_be_is_said_at_once(call, log, options, said):
    ran = call("score", log, *options)
    assert (ran.code, ran.out) == (2, b"")
    assert said in ran.err


@pytest.mark.parametrize(("option", "scheme"), [("--spark-remote", "sc"), ("--spark-master", "spark")])
def test_a_cluster_that_does_not_answer(call, log, option, scheme):
    ran = call("score", log, "--engine", "spark", option, f"{scheme}://127.0.0.1:9")
    assert (ran.code, ran.out) == (3, b"")
    assert ran.err == f"extractscan: Spark cannot be reached at {scheme}://127.0.0.1:9: connection refused\n"


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(spark_session, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"extractscan\[spark\]"):
        check_place(Place(None, "spark://127.0.0.1:7077", {}), None)


def test_several_masters_and_far_ones():
    check_place(Place(None, "spark://127.0.0.1:7077,127.0.0.1:7078", {}), None)
    with pytest.raises(UsageError, match="--spark-work"):
        check_place(Place(None, "spark://127.0.0.1:7077,far.example:7078", {}), None)
    check_place(Place("sc://far.example", None, {}), "s3a://bucket/run")


NO_MODULE = """An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "worker.py", line 3
ModuleNotFoundError: No module named 'extractscan'
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Job aborted.\n\tat java.lang.Thread.run", "Spark failed: Job aborted."),
        (
            NO_MODULE,
            "extractscan[spark] is not installed on the workers; the version there must be the one here",
        ),
        (
            "x\nTraceback (most recent call last):\n  File\nValueError: no such thing\nmore",
            "Spark failed: ValueError: no such thing",
        ),
    ],
    ids=["java", "module", "python"],
)
def test_an_error_of_spark_is_one_line(text, said):
    class SparkishError(Exception):
        __module__ = "pyspark.errors"

    with pytest.raises(ExtractscanError) as caught, plain_errors():
        raise SparkishError(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_errors_of_our_own_stay_as_they_are():
    with pytest.raises(KeyError), plain_errors():
        raise KeyError


def test_a_file_that_only_the_driver_has(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("{}\n")
    _, options, formats = read_logs([str(tmp_path)], observer=Silent()).setup
    path.unlink()
    reader = UnitReader([Input(str(path), str(path), named=False, size=3)], options, formats)
    assert list(reader.batches()) == []
    assert "where every machine reaches them" in (reader.report().error or "")
