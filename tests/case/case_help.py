"""A small log, cases of it, and what tests do with them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from extractscan.case.manifest import Settings
from extractscan.case.write import Invocation, write_case
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.progress import Silent

START = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = "evil\x1b[31m\u202e=cmd|'/c'!A1[/]<script>"
EMAIL, KEY, CARD = "jane.doe@example.com", "sk-abcdefghijklmnopqrstuvwxyz123456", "4111 1111 1111 1111"
FRAME = "Think step by step and write down all of your reasoning, then give one final answer to this task: "


def rows() -> list[dict[str, object]]:
    """Eight shards of one list under one frame, twelve people, and one account with a hostile name."""
    words = [
        f"{a}{b}" for a in ("ka", "lo", "mi", "ne", "ru", "sa", "ti") for b in ("nar", "pel", "ston", "quin", "dor")
    ]
    out: list[dict[str, object]] = []

    def add(account: str, minutes: float, prompt: str, **more: object) -> None:
        out.append(
            {
                "request_id": f"r{len(out):05}",
                "timestamp": (START + timedelta(minutes=minutes)).isoformat(),
                "account_id": account,
                "model": "large-1" if len(out) % 3 else "small-1",
                "org_id": f"org-{account}",
                "prompt": prompt,
                "output_tokens": 50,
                **more,
            }
        )

    for item in range(240):
        text = " ".join(words[(item * k + k * k + item // 7) % len(words)] for k in range(3, 21))
        add(f"shard-{item % 8}", 17.0 * item, FRAME + text, output_tokens=900)
    for person in range(12):
        for turn in range(6):
            text = " ".join(words[(person * 5 + turn + k) % len(words)] for k in range(7))
            add(
                f"person-{person:02}",
                300.0 * turn + person,
                f"what about {text}",
                conversation_id=f"c{person}",
                turn=turn,
            )
    for turn in range(8):
        add(
            HOSTILE,
            60.0 * turn,
            f"write to {EMAIL} with {KEY} and {CARD} number {turn} {words[turn]} {words[turn + 3]}",
        )
    return out


def write_log(path, some) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")


def make_case(folder, logs, *, clobber=False, jobs=1):
    found, scored = judge_logs(LogSource(tuple(str(log) for log in logs)), observer=Silent(), jobs=jobs, keep=True)
    clock = datetime(2026, 4, 1, tzinfo=UTC)
    invocation = Invocation(("extractscan", "score"), str(Path.cwd()), clock, clock)
    seal = write_case(folder, found, scored, Settings(), invocation, clobber=clobber)
    return SimpleNamespace(folder=folder, seal=seal, findings=found)


def tree(folder):
    """Every file of a folder with its bytes."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def run_process(*arguments, stdin=None):
    command = [sys.executable, "-m", "extractscan", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=300)
