"""What log files hold, before they are scored: formats, coverage of the fields, gaps, and what cannot be assessed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from extractscan.logs.dialects import REQUEST, RESPONSE
from extractscan.logs.mapping import starter
from extractscan.logs.names import ALIASES, fold
from extractscan.logs.read import read_logs
from extractscan.logs.schema import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from extractscan.logs.choose import FormatOptions
    from extractscan.progress import Observer

UNKNOWN: Final = "unknown"

FLAGS: Final = ("truncated", "redacted")
"""Fields whose coverage is the share of requests for which they are true."""

EXPECTED_LEAST: Final = 10.0
"""Requests that should have come in an empty stretch before it is called a gap: with as many expected, an empty one is
one in twenty thousand if they came independently; they do not quite, which is why it is not three."""

DAYS_LEAST: Final = 3
"""Days of a log from which hours of the day are compared with each other; a shorter log is compared with its own mean."""

_LEAVES: Final = 400
_DEPTH: Final = 6
_STARTER_SLOTS: Final = (
    "request_id", "timestamp", "account_id", "org_id", "end_user", "api_key_id", "ip", "user_agent", "model", "endpoint",
    "conversation_id", "input_tokens", "output_tokens", "cached_tokens", "temperature", "max_tokens", "status",
    "latency_ms", "cost",
)  # fmt: skip
_REQUEST_SIGNS: Final = frozenset({"messages", "prompt", "input", "contents", "inputtext"})
_RESPONSE_SIGNS: Final = frozenset(
    {"choices", "candidates", "output", "completion", "stopreason", "stopsequence", "generation"}
)


@dataclass(frozen=True, slots=True)
class FileInspection:
    """One file.

    ``coverage`` maps every canonical field to the share of its requests (0 to 1) that have it; ``starter`` is a mapping
    to begin with, for a file whose shape is not known.
    """

    path: str
    format: str
    runner_up: str
    rows: int
    quarantined: int
    coverage: dict[str, float]
    reason: str = ""
    starter: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without requests, ``start <= t < end`` in whole hours, in which about ``expected`` should have come."""

    start: datetime
    end: datetime
    expected: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """All files. ``first`` and ``last`` request, the gaps between, and the requests whose texts were cut or taken out.

    ``present`` are the canonical fields that any request has.
    """

    files: tuple[FileInspection, ...]
    first: datetime | None
    last: datetime | None
    gaps: tuple[Gap, ...]
    truncated: int
    redacted: int
    requests: int
    present: frozenset[str]


def inspect_logs(
    inputs: Sequence[str],
    *,
    observer: Observer,
    columns: Mapping[str, str] | None = None,
    formats: FormatOptions | None = None,
) -> Inspection:
    """Read logs without scoring them; requests without an account or a time are counted too. Raises InputError."""
    reader = read_logs(inputs, observer=observer, columns=columns, formats=formats, complete=False)
    present: dict[str, Counter[str]] = {}
    flagged: dict[str, Counter[str]] = {}
    hours: list[pl.DataFrame] = []
    first: datetime | None = None
    last: datetime | None = None
    for batch in reader.batches():
        seen, flags = present.setdefault(batch.path, Counter()), flagged.setdefault(batch.path, Counter())
        for name in CANONICAL:
            seen[name] += batch.frame.height - batch.frame[name].null_count()
        for name in FLAGS:
            flags[name] += int(batch.frame[name].sum())
        times = batch.frame["timestamp"].drop_nulls()
        if len(times):
            low, high = times.min(), times.max()
            if isinstance(low, datetime) and isinstance(high, datetime):
                first = low if first is None else min(first, low)
                last = high if last is None else max(last, high)
            hours.append(times.dt.truncate("1h").value_counts(name="n").rename({times.name: "hour"}))
    files = []
    for file in reader.summary.files:
        counts, flags = present.get(file.path, Counter()), flagged.get(file.path, Counter())
        rows = file.rows_kept
        shares = {n: round((flags if n in FLAGS else counts)[n] / rows, 4) if rows else 0.0 for n in CANONICAL}
        files.append(
            FileInspection(file.path, file.format, file.runner_up, file.rows_read, file.rows_quarantined, shares)
        )
    for unread in reader.unread:
        name = unread.found.name if unread.found.format is not None else UNKNOWN
        text = suggest(unread.seen.sample) if unread.found.format is None and unread.seen.sample else ""
        nothing = dict.fromkeys(CANONICAL, 0.0)
        files.append(FileInspection(unread.path, name, unread.found.runner_up, 0, 0, nothing, unread.reason, text))
    total: Counter[str] = Counter()
    for flags in flagged.values():
        total.update(flags)
    return Inspection(
        files=tuple(sorted(files, key=lambda f: f.path)),
        first=first,
        last=last,
        gaps=find_gaps(pl.concat(hours)) if hours else (),
        truncated=total["truncated"],
        redacted=total["redacted"],
        requests=reader.summary.rows_kept,
        present=frozenset(name for name, n in reader.summary.present.items() if n),
    )


def find_gaps(counts: pl.DataFrame) -> tuple[Gap, ...]:
    """Stretches of whole hours without a request in which many should have come.

    ``counts`` has ``hour`` (start of the hour, UTC) and ``n``; hours may repeat. What is expected in an empty hour is the
    lower quartile of the same hour on all days, so that nights and weekends are no gaps; in a log of few days it is half the mean
    of the hours that are not empty.
    """
    table = counts.group_by("hour").agg(pl.col("n").sum()).sort("hour")
    low, high = table["hour"].min(), table["hour"].max()
    if not isinstance(low, datetime) or not isinstance(high, datetime) or low == high:
        return ()
    whole = pl.DataFrame({"hour": pl.datetime_range(low, high, "1h", eager=True)})
    table = whole.join(table, on="hour", how="left").with_columns(pl.col("n").fill_null(0))
    if high - low >= timedelta(days=DAYS_LEAST):
        table = table.with_columns(expected=pl.col("n").quantile(0.25).over(pl.col("hour").dt.hour()))
    else:
        mean = table.filter(pl.col("n") > 0)["n"].mean()
        table = table.with_columns(expected=pl.lit(float(mean) / 2 if isinstance(mean, float) else 0.0))
    runs = (
        table.with_columns(run=(pl.col("n") == 0).rle_id())
        .filter(pl.col("n") == 0)
        .group_by("run", maintain_order=True)
        .agg(pl.col("hour").first().alias("start"), pl.col("hour").last().alias("end"), pl.col("expected").sum())
        .filter(pl.col("expected") >= EXPECTED_LEAST)
    )
    return tuple(
        Gap(row["start"], row["end"] + timedelta(hours=1), round(row["expected"], 1))
        for row in runs.iter_rows(named=True)
    )


def suggest(sample: Sequence[Mapping[str, Any]]) -> str:
    """A mapping file to begin with, guessed from records of an unknown shape."""
    leaves: dict[str, Any] = {}
    for record in sample[:20]:
        for path, value in _leaves(record, "", 0):
            if len(leaves) < _LEAVES and leaves.get(path) is None:
                leaves[path] = value
    guesses: dict[str, list[str]] = {}
    for slot in _STARTER_SLOTS:
        ranked = []
        for path, value in leaves.items():
            if isinstance(value, dict | list):
                continue
            names = [fold(path), fold(path.rsplit(".", 1)[-1])]
            ranks = [k for k, alias in enumerate(ALIASES[slot]) if fold(alias) in names]
            if ranks:
                ranked.append((path.count("."), ranks[0], path))
        if ranked:
            guesses[slot] = [path for _, _, path in sorted(ranked)[:2]]
    request = _body(leaves, _REQUEST_SIGNS, {fold(p) for paths in REQUEST.values() for p in paths if "." not in p})
    response = _body(leaves, _RESPONSE_SIGNS, {fold(p) for paths in RESPONSE.values() for p in paths if "." not in p})
    common = [key for key in sample[0] if all(key in record for record in sample) and _plain(key)] if sample else []
    return starter("my-gateway", guesses, common[:4], request, response)


def _plain(key: str) -> bool:
    return bool(key) and key.isprintable() and not set(key) & set("[]")


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = str(value)
    if path:
        yield path, value
    if isinstance(value, dict) and depth < _DEPTH:
        for key, inner in value.items():
            if _plain(key) and "." not in key:
                yield from _leaves(inner, f"{path}.{key}" if path else key, depth + 1)


def _body(leaves: Mapping[str, Any], signs: frozenset[str], known: set[str]) -> str:
    """The path of the object that looks most like a body."""
    best = (0, 0, "")
    for path, value in leaves.items():
        if isinstance(value, dict):
            keys = {fold(str(key)) for key in value}
            if keys & signs:
                best = max(best, (len(keys & known), -path.count("."), path))
    if best[2]:
        return best[2]
    texts = [p for p, v in leaves.items() if fold(p.rsplit(".", 1)[-1]) in signs and isinstance(v, str | list)]
    return min(texts, key=lambda p: (p.count("."), p)) if texts else ""
