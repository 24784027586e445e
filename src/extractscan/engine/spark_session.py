"""Reaching Spark: a session over Connect or on a standalone cluster, quiet on the terminal, and errors in plain words."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from extractscan.errors import EngineError, ExtractscanError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

EXTRA: Final = "the Spark engine is not installed; install extractscan[spark]"
QUIET: Final = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1}: %m%n%ex{0}
"""
"""Spark's own log on the terminal: nothing but errors, without their stacks."""
SECONDS: Final = 5.0
"""How long to wait for a port to answer. Spark itself would try for a minute, and then end in a stack."""
_LINE: Final = 600
"""Characters of an error of Spark's that are shown."""
SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
    "spark.driver.maxResultSize": "0",  # what comes to the driver is bounded by the engine, before it comes
    "spark.sql.execution.arrow.maxRecordsPerBatch": "5000",
}
"""Settings of a session of one's own; the user's go before them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where Spark is: ``remote`` (``sc://host:port``, Connect) or ``master`` (``spark://host:port``), and its settings."""

    remote: str | None
    master: str | None
    settings: Mapping[str, str]

    @property
    def url(self) -> str:
        """The one that was given."""
        return self.remote or self.master or ""


def check_place(place: Place, work: str | None) -> None:
    """Whether the place can be one, has a run folder that its machines can reach, and the extra is installed. Raises UsageError."""
    if place.remote is None and place.master is None:
        raise UsageError("--engine spark needs --spark-remote sc://HOST:PORT or --spark-master spark://HOST:PORT")
    if place.remote is not None and place.master is not None:
        raise UsageError("--spark-remote and --spark-master exclude each other")
    wanted = "sc" if place.remote is not None else "spark"
    local = place.master is not None and place.master.split("[")[0] == "local"
    if not local and (urlsplit(place.url).scheme != wanted or not urlsplit(place.url).hostname):
        option = "--spark-remote" if place.remote is not None else "--spark-master"
        raise UsageError(f"{option}: {place.url!r} is not {wanted}://HOST:PORT")
    hosts = re.findall(r"(?://|,)(\[[^\]]*\]|[^:,/\]]+)", place.url)
    if work is None and not local and not all(h == "localhost" or h == "[::1]" or h.startswith("127.") for h in hosts):
        raise UsageError(f"--spark-work URI is needed: a folder that all machines of {place.url} can write to and read")
    needed = ["pyspark", "narwhals", *(["grpc", "pandas"] if place.remote is not None else [])]
    if any(find_spec(name) is None for name in needed):
        raise UsageError(EXTRA)


def _reach(url: str) -> None:
    """Whether one of the hosts of a URL answers. Raises EngineError."""
    rest = url.split("://", 1)[1].split("/", 1)[0]
    failed = ""
    for address in rest.split(","):  # a standalone cluster may have several masters
        host, _, port = address.rpartition(":")
        try:
            with socket.create_connection((host or address, int(port) if host else 15002), SECONDS):
                return
        except (OSError, ValueError) as error:
            failed = str(getattr(error, "strerror", None) or error).lower()
    raise EngineError(f"Spark cannot be reached at {url}: {failed}")


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Errors of Spark's, of whatever layer, become an EngineError of one line."""
    try:
        yield
    except ExtractscanError:
        raise
    except Exception as error:
        family = type(error).__module__.split(".")[0]
        if family not in {"pyspark", "py4j", "grpc"} and not isinstance(error, ConnectionError):
            raise
        raise EngineError(f"Spark failed: {_gist(str(error))}") from None


def _gist(text: str) -> str:
    """The line of an error that says what happened: of a Python traceback its last, else the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "Traceback (most recent call last):" in lines:
        after = lines[lines.index("Traceback (most recent call last):") + 1 :]
        named = [line for line in after if re.match(r"[A-Za-z_.]+(Error|Exception|Interrupt)\b", line)]
        if named:
            if "No module named 'extractscan" in named[0]:
                return "extractscan[spark] is not installed on the workers; the version there must be the one here"
            return named[0][:_LINE]
    return (lines[0] if lines else "for no reason that it gives")[:_LINE]


@contextlib.contextmanager
def session(place: Place) -> Iterator[SparkSession]:
    """A session, stopped at the end. Raises EngineError if there is no Spark at the place."""
    if "://" in place.url:
        _reach(place.url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's versions; a user can do nothing about them
        from pyspark.sql import SparkSession  # noqa: PLC0415 -- an extra, and slow

        with plain_errors():
            if place.remote is not None:
                builder = SparkSession.builder.remote(place.remote)
                for key, value in place.settings.items():
                    builder = builder.config(key, value)
                opened = builder.create()
            else:
                opened = _own(SparkSession, place)
        try:
            yield opened
        finally:
            with contextlib.suppress(Exception):
                opened.stop()


def _own(kind: type[SparkSession], place: Place) -> SparkSession:
    """A driver of our own. What its Java says goes to a file, which is kept if it fails."""
    with tempfile.TemporaryDirectory(prefix="extractscan-spark-") as folder:
        quiet = Path(folder, "log4j2.properties")
        quiet.write_text(QUIET, encoding="utf-8")
        builder = kind.builder.master(place.master or "").appName("extractscan")
        settings = {**SETTINGS, "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={quiet.as_uri()}"}
        for key, value in (settings | dict(place.settings)).items():
            builder = builder.config(key, value)
        said = Path(folder, "said")
        with _redirected(said):
            try:
                return builder.getOrCreate()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the user gets one line
                text = said.read_text(encoding="utf-8", errors="replace").strip()
                lines = [line for line in text.splitlines() if "ERROR" in line or "rror" in line]
                reason = lines[0] if lines else _gist(str(error))
                raise EngineError(f"Spark cannot be started for {place.url}: {reason[:_LINE]}") from None


@contextlib.contextmanager
def _redirected(path: Path) -> Iterator[None]:
    """Standard output and error of processes that are started meanwhile go to a file, for as long as they live."""
    kept = [os.dup(1), os.dup(2)]
    try:
        with path.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        yield
    finally:
        for number, old in enumerate(kept, 1):
            os.dup2(old, number)
            os.close(old)
