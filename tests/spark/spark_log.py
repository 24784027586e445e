"""A small log that is hard on a cluster: one prompt is 40 % of all rows, and some prompts are a chain of near-duplicates."""

# ruff: noqa: S311 (dice, the same at every call)
from __future__ import annotations

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 2, tzinfo=UTC)
COMMON = "Return the single word pong and nothing else, in lower case, without any punctuation."
ROWS = 3_000
CHAIN = 80
FRAME = "You are a careful expert. Think step by step, write your reasoning between tags, and answer this: "


def _words(dice: random.Random, count: int) -> list[str]:
    return ["".join(dice.choices("abcdefghijklmnop", k=dice.randint(3, 8))) for _ in range(count)]


def rows() -> list[dict[str, object]]:
    """The rows, the same at every call."""
    dice = random.Random(7)
    words = _words(dice, 400)
    path = _words(dice, CHAIN + 40)
    prompts: list[tuple[str, str, str]] = [("ci", "org-ci", COMMON)] * int(0.4 * ROWS)
    prompts += [("walker", "org-w", " ".join(path[i : i + 40])) for i in range(CHAIN)]
    while len(prompts) < ROWS:
        kind = dice.random()
        text = " ".join(dice.choices(words, k=dice.randint(6, 30)))
        if kind < 0.4:
            who = f"shard-{dice.randrange(6)}"
            prompts.append((who, f"org-{who}", FRAME + text))
        elif kind < 0.5:
            prompts.append(
                ("ci-2", "org-ci", f"run check {dice.randrange(50)} of the nightly build and say if it is green")
            )
        else:
            who = f"person-{dice.randrange(40)}"
            prompts.append((who, f"org-{who}", text))
    dice.shuffle(prompts)
    return [
        {
            "request_id": f"req-{i:05}",
            "timestamp": (START + timedelta(seconds=7 * i)).isoformat().replace("+00:00", "Z"),
            "account_id": who,
            "org_id": org,
            "model": "large-1",
            "prompt": text,
            "output_tokens": dice.randint(1, 900),
            "response": f"Well, {text[:60]} it is." if i % 3 else None,
        }
        for i, (who, org, text) in enumerate(prompts)
    ]


def write(folder: Path) -> Path:
    """Write the log as three files of three formats, one with rows that cannot be read and some that are there twice."""
    folder.mkdir(parents=True, exist_ok=True)
    made = rows()
    third = ROWS // 3
    lines = [json.dumps(row) for row in made[: third + 20]]
    lines[5] = '{"request_id": "broken'
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    pl.DataFrame(made[third : 2 * third]).write_parquet(folder / "b.parquet")
    with (folder / "c.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(made[0]))
        table.writeheader()
        table.writerows(made[2 * third :])
        table.writerow({**made[-1], "timestamp": "yesterday"})
    (folder / "notes.txt").write_text("not a log\n")
    return folder
