"""A small log delivered night by night, and what tests of a standing case do with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extractscan.case.manifest import Settings
from extractscan.case.write import Invocation, write_case
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.progress import Silent
from extractscan.standing.update import Wishes, update

START = datetime(2026, 3, 2, tzinfo=UTC)
CLOCK = datetime(2026, 4, 1, tzinfo=UTC)
FRAME = "Think step by step and write down all of your reasoning, then give one final answer to this task: "
READING = {"columns": {}, "mappings": [], "log_format": None, "account_from": None}
WORDS = [f"{a}{b}" for a in ("ka", "lo", "mi", "ne", "ru", "sa", "ti") for b in ("nar", "pel", "ston", "quin", "dor")]


def rows(days: int = 4, shards: int = 8, first: int = 0) -> list[dict[str, object]]:
    """Requests of some days in the order of time: shards of one list under one frame, and people."""
    out: list[tuple[float, str, str, dict[str, object]]] = []
    for item in range(60 * days):
        text = " ".join(WORDS[(item * k + k * k + item // 7) % len(WORDS)] for k in range(3, 21))
        out.append((24.0 * item, f"shard-{first + item % shards}", FRAME + text, {"output_tokens": 900}))
    for person in range(12):
        for turn in range(2 * days):
            text = " ".join(WORDS[(person * 5 + turn + k) % len(WORDS)] for k in range(7))
            more = {"conversation_id": f"c{person}", "turn": turn}
            out.append((700.0 * turn + person, f"person-{person:02}", f"what about {text}", more))
    out.sort(key=lambda row: row[:2])
    return [
        {
            "request_id": f"r{number:05}",
            "timestamp": (START + timedelta(minutes=minutes)).isoformat(),
            "account_id": account,
            "model": "large-1" if number % 3 else "small-1",
            "org_id": f"org-{account}",
            "prompt": prompt,
            "output_tokens": 50,
            **more,
        }
        for number, (minutes, account, prompt, more) in enumerate(out)
    ]


def lines(some) -> str:
    return "".join(json.dumps(row) + "\n" for row in some)


def nights(some) -> list[list[dict[str, object]]]:
    """Rows by the day of their time."""
    by_day: dict[str, list[dict[str, object]]] = {}
    for row in some:
        by_day.setdefault(str(row["timestamp"])[:10], []).append(row)
    return [by_day[day] for day in sorted(by_day)]


def night(case, *logs, observer=None, jobs=1, **wishes):
    """One update, as a cron job would do it."""
    invocation = Invocation(("extractscan", "update"), str(Path.cwd()), CLOCK, CLOCK)
    source = LogSource(tuple(str(log) for log in logs))
    return update(case, source, Wishes(READING, **wishes), invocation, observer=observer or Silent(), jobs=jobs)


def one_run(folder, *logs, since=None, until=None):
    """The case that ``score --case`` leaves of the same logs."""
    source = LogSource(tuple(str(log) for log in logs), since, until)
    found, scored = judge_logs(source, observer=Silent(), keep=True)
    invocation = Invocation(("extractscan", "score"), str(Path.cwd()), CLOCK, CLOCK)
    write_case(folder, found, scored, Settings(since, until, {}), invocation)
    return tree(folder)


def results(case, done) -> dict[str, bytes]:
    """Every file of a night's results."""
    return tree(case / done.pointer.results)


def tree(folder) -> dict[str, bytes]:
    """Every file of a folder with its bytes, that which varies between runs apart."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "invocation.json"
    }


class Listener(Silent):
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)
