"""From clustered requests to a verdict on an engine: accounts and their streams come to the driver, requests do not.

Two passes over whole accounts (``accounts``) with a decision of the whole log between them, which skeletons are one family; then
groups are proposed and judged here by streams, payloads that several accounts share, and answers about groups (``asked``).
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.campaign.evidence import population_of
from extractscan.campaign.overlap import Payloads
from extractscan.campaign.pivot import releases
from extractscan.coverage.families import families
from extractscan.coverage.openers import NATURAL_USERS
from extractscan.coverage.statistics import STATISTICS, CoverageTable, coverage_table
from extractscan.coverage.units import with_short_frames
from extractscan.engine import carried, relational
from extractscan.engine.accounts import sheet_accounts, stream_accounts
from extractscan.engine.asked import AskedActivity, AskedCorpora, AskedMeetings, Asking
from extractscan.engine.limits import TASK_MEMORY
from extractscan.engine.passes import PROFILE, SHEETS, STREAMS, Known, unsigned
from extractscan.engine.verbs import TooLargeError
from extractscan.verdict.assess import assess_population
from extractscan.verdict.report import Measured, moment
from extractscan.verdict.signals import by_content

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.engine.limits import Limits
    from extractscan.engine.local import Scored
    from extractscan.engine.verbs import Engine, Frame
    from extractscan.logs.result import ReadSummary
    from extractscan.progress import Observer

HELD: Final = {"accounts": 2000, "units": 320, "words of frames": 16, "streams": 1200, "shared payloads": 64}
"""Bytes that one of each takes on the driver, with what is made of it: accounts and streams become verdicts and findings."""


class Driver:
    """Takes small tables from an engine, counted before."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        """Up to ``driver_bytes`` of the limits in all."""
        self.engine, self._left, self._limit = engine, limits.driver_bytes, limits.driver_bytes

    def room(self, rows: dict[str, int]) -> None:
        """Count so many rows of what ``HELD`` names. Raises ``TooLargeError`` if they do not fit beside what was counted before."""
        for what, number in rows.items():
            self._left -= number * HELD[what]
            if self._left < 0:
                raise TooLargeError(
                    f"{number:,} {what} do not fit into the {self._limit / 2**30:.1f} GiB that this machine may hold; score the log "
                    f"in parts (--since, --until), or on a machine with more memory"
                )

    def kinds(self, frame: Frame) -> dict[str, int]:
        """Rows of each kind."""
        counted = self.engine.collect_small(frame.group_by("kind").agg(nw.len().alias("rows")), 10).to_pydict()
        return dict(zip(counted["kind"], counted["rows"], strict=True))

    def take(self, frame: Frame) -> pl.DataFrame:
        """Take a table for which there is room."""
        return pl.DataFrame(self.engine.collect_small(frame))


def _parts(read: Frame, prompts: Frame, *, more: tuple[Frame, ...] = ()) -> Frame:
    """Rows and their texts by the slots of accounts; ``prompts`` may have columns beside those of ``TEXTS``."""
    rows = relational.of_kind(read, "rows")
    systems = relational.distinct_texts(relational.of_kind(read, "systems").select(*carried.TEXTS.names))
    parts = [
        rows.select("kind", "slot", *carried.ROWS.names),
        relational.texts_of_slots(rows, "prompt", prompts).with_columns(nw.lit("prompts").alias("kind")),
        relational.texts_of_slots(rows, "system", systems).with_columns(nw.lit("systems").alias("kind")),
        *more,
    ]
    return nw.concat(parts, how="diagonal")


def _pieces(engine: Engine, read: Frame, prompts: Frame, limits: Limits) -> int:
    """In how many pieces whole accounts are taken. Raises ``TooLargeError`` if one account is too large."""
    rows = relational.of_kind(read, "rows")
    counts = [frame.select(nw.col("bytes").sum()) for frame in (rows, prompts)]
    total = sum(taken or 0 for taken in engine.collect_small(nw.concat(counts, how="vertical"), 2)["bytes"].to_pylist())
    most = relational.largest(engine, rows, "account_id")
    if most > limits.account_rows:
        raise TooLargeError(
            f"one account has {most:,} requests, more than the {limits.account_rows:,} that one task may hold; where a "
            f"task may take more memory, say --spark-conf {TASK_MEMORY}=16g"
        )
    return max(1, -(-total // limits.piece_bytes))


def families_of(driver: Driver, sheets: Frame, accounts: pl.Series) -> pl.DataFrame:
    """Families of the units of all accounts: ``unit, family, number``, the number of the account among ``accounts``, which are in order.

    Units that are natural language are left out: their requests are with what is unframed on their sheet.
    """
    marks = relational.of_kind(sheets, "marks").select("back", "end", "unit")
    ends = relational.of_kind(sheets, "ends").select("back", "end", "users", "holders")
    units = relational.of_kind(sheets, "units")
    natural = driver.take(relational.natural_units(ends, marks, NATURAL_USERS))["unit"]
    held = driver.take(units.select("account_id", "system", "group", "unit", "key", "words", "weight"))
    numbers = pl.DataFrame({"account_id": accounts}).with_row_index("number")
    held = (
        held.join(numbers, on="account_id", how="left")
        .with_columns(
            pl.col("number").cast(pl.Int64),
            pl.col("system").reinterpret(signed=False).rank("dense").cast(pl.Int64).fill_null(0) - 1,
            pl.col("unit").is_in(natural.implode()).alias("natural"),
        )
        .drop("account_id")
        .with_columns(
            pl.when(pl.col("group") < 0)
            .then(pl.col("weight") + pl.col("weight").filter("natural").sum().over("number", "system"))
            .otherwise("weight")
            .alias("weight")
        )
        .filter(~pl.col("natural") & (pl.col("weight") > 0))
        .sort("number", "system", "group")
    )
    total = held.group_by("key").agg(pl.col("weight").sum())
    texts = units.select("key", "words", "skeleton").unique(subset=["key"], keep="any")
    many = driver.engine.collect_small(texts.select(nw.col("words").sum()), 1)["words"].to_pylist()[0]
    driver.room({"words of frames": many or 0})
    words = driver.take(texts).join(total, on="key", how="inner").sort("key")
    offsets = np.r_[np.int64(0), np.cumsum(words["skeleton"].bin.size().to_numpy().astype(np.int64) // 4)]
    tokens = np.frombuffer(b"".join(words["skeleton"].to_list()), np.uint32).copy()
    found = words.select("key", pl.Series("family", families(offsets, tokens, words["weight"].to_numpy())))
    held = held.join(found, on="key", how="left", maintain_order="left")
    family = with_short_frames(
        held["family"].to_numpy(),
        held["system"].to_numpy(),
        held["group"].to_numpy(),
        held["words"].to_numpy(),
        held["number"].to_numpy(),
    )
    return held.select("unit", pl.Series("family", family.astype(np.int64)), "number")


def _known(driver: Driver, sheets: Frame, clusters: int) -> tuple[Known, int, frozenset[str]]:
    """What the whole log decides, duplicates, and columns that it has."""
    engine = driver.engine
    logs = [
        json.loads(r)
        for r in engine.collect_small(relational.of_kind(sheets, "log").select("report"))["report"].to_pylist()
    ]
    models = relational.of_kind(sheets, "models").group_by("model")
    used = pl.DataFrame(engine.collect_small(models.agg(nw.col("first").min().alias("release"), nw.col("users").sum())))
    starts = [log["start"] for log in logs if log["start"] is not None]
    released = releases(used, min(starts)) if starts else used.head(0)
    known = Known(
        any(log["knows_turns"] for log in logs),
        tuple(zip(released["model"].to_list(), released["release"].to_list(), strict=True)),
        clusters,
    )
    present = frozenset(name for log in logs for name in log["present"])
    return known, sum(log["duplicates"] for log in logs), present


def _clusters(engine: Engine, prompts: Frame, labels: Frame) -> tuple[int, int]:
    """How many clusters there are, and how many hot runs were not compared pair by pair."""
    merged = labels.filter(~nw.col("hash").is_null() & (nw.col("hash") != nw.col("root")))
    capped = engine.collect_small(labels.select(nw.col("capped").sum()), 1)["capped"].to_pylist()[0] or 0
    return relational.height(engine, prompts) - relational.height(engine, merged), int(capped)


def _named_clusters(prompts: Frame, labels: Frame) -> Frame:
    """Prompts with the root of their ``cluster``."""
    roots = labels.filter(~nw.col("hash").is_null()).select("hash", "root")
    joined = prompts.join(roots, on="hash", how="left")
    named = nw.when(nw.col("root").is_null()).then(nw.col("hash")).otherwise(nw.col("root"))
    return joined.select(*carried.TEXTS.names, named.alias("cluster"))


def _coverage(accounts: pl.DataFrame) -> list[dict[str, float | int | None]]:
    columns: dict[str, Any] = {name: accounts[name].to_numpy() for name in STATISTICS}
    draws = coverage_table(np.zeros(1, np.int64), np.zeros(0, np.int64), 0).draws
    return CoverageTable(**columns, draws=draws).records()


def _campaign_coverage(
    engine: Engine, items: Frame, campaigns: list[NDArray[np.int64]], keys: NDArray[np.int64], clusters: int
) -> list[dict[str, float | int | None]]:
    """Coverage of the union of each campaign's streams."""
    if not campaigns:
        return []
    ask = np.repeat(np.arange(len(campaigns)), [c.size for c in campaigns])
    asked = engine.begin(pa.table({"ask": ask, "stream": keys[np.concatenate(campaigns)]}), 1)
    rows = items.select("stream", "cluster", "times").join(asked, on="stream", how="inner")
    counted = pl.DataFrame(engine.collect_small(relational.cluster_counts(rows))).sort("ask", "times")
    times = np.repeat(counted["times"].to_numpy().astype(np.int64), counted["clusters"].to_numpy())
    visited = np.bincount(counted["ask"].to_numpy(), weights=counted["clusters"].to_numpy(), minlength=len(campaigns))
    offsets = np.r_[np.int64(0), np.cumsum(visited.astype(np.int64))]
    return coverage_table(offsets, times, clusters).records()


def score_accounts(
    engine: Engine,
    read: Frame,
    prompts: Frame,
    labels: Frame,
    summary: ReadSummary,
    limits: Limits,
    observer: Observer,
) -> Scored:
    """Judge the accounts of what was ``read`` and clustered. Raises ``TooLargeError`` where a limit is passed."""
    from extractscan.engine.local import Scored  # noqa: PLC0415 -- which may call this

    driver = Driver(engine, limits)
    observer.stage("sheets and frames")
    pieces = _pieces(engine, read, prompts, limits)
    texts = prompts.select(*carried.TEXTS.names)
    sheets = engine.persist(
        engine.map_arrow(_parts(read, texts), sheet_accounts, SHEETS, together="slot", pieces=pieces), "sheets"
    )
    seen = relational.of_kind(sheets, "accounts").select("account_id", "requests", "first", "last", "organisation")
    counted = driver.kinds(sheets)
    driver.room({"accounts": counted["accounts"], "units": counted.get("units", 0)})
    accounts = driver.take(seen).sort("account_id")
    clusters, capped = _clusters(engine, prompts, labels)
    known, duplicates, present = _known(driver, sheets, clusters)
    family = engine.begin(families_of(driver, sheets, accounts["account_id"]).to_arrow(), 1)
    observer.stage("streams")
    units = relational.of_kind(sheets, "units").select("slot", "account_id", "system", "group", "unit")
    given = units.join(family, on="unit", how="inner").with_columns(nw.lit("families").alias("kind"))
    parts = _parts(read, _named_clusters(texts, labels), more=(given,))
    streams = engine.persist(
        engine.map_arrow(parts, partial(stream_accounts, known), STREAMS, together="slot", pieces=pieces), "streams"
    )
    held, items = relational.of_kind(streams, "streams"), relational.of_kind(streams, "items")
    driver.room({"streams": driver.kinds(streams).get("streams", 0)})
    table = driver.take(held.select("stream", "account", *PROFILE, "smallest")).sort("stream")
    keys = table["stream"].to_numpy()
    profiles = table.select(
        pl.Series("stream", np.arange(keys.size)),
        pl.col("account").cast(pl.UInt32),
        *(pl.col(name).cast(kind) for name, kind in PROFILE.items()),
    )
    told = relational.of_kind(streams, "accounts").select(
        "account_id", "org_id", "ip", "payment_id", "end_users", "pivot", *STATISTICS
    )
    senders = driver.take(told).sort("account_id")
    several = engine.persist(relational.shared_payloads(items), "shared")
    driver.room({"shared payloads": relational.height(engine, several)})
    shared = driver.take(several)
    observer.stage("campaigns and verdict")
    owner = profiles["account"].to_numpy()
    sizes = profiles["payloads"].to_numpy().astype(np.int64)
    payloads = Payloads.of_shared(
        unsigned(shared["payload"].to_numpy()), np.searchsorted(keys, shared["stream"].to_numpy()), owner, sizes
    )
    asking = Asking(engine, held, items, keys, sizes, limits.scan_rows)
    total = int(owner.max()) + 1 if owner.size else 0
    judged = population_of(
        by_content(profiles),
        senders.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("account"),
            *((pl.col(name).rank("dense") - 1).cast(pl.UInt32).alias(name) for name in ("org_id", "ip", "payment_id")),
            pl.col("end_users").cast(pl.UInt32),
        ).head(total),
        payloads,
        AskedMeetings(asking, unsigned(table["smallest"].to_numpy())),
        AskedActivity(asking),
        senders["pivot"].head(total),
    )
    assessment = assess_population(judged, partial(AskedCorpora, asking, pl.thread_pool_size()))
    campaigns = [c.group.streams for c in assessment.campaigns]
    return Scored(
        assessment,
        Measured(
            accounts=accounts["account_id"].to_list(),
            organisations=accounts["organisation"].to_list(),
            requests=accounts["requests"].to_list(),
            first_seen=[moment(t) for t in accounts["first"]],
            last_seen=[moment(t) for t in accounts["last"]],
            coverage=_coverage(senders),
            campaign_coverage=_campaign_coverage(engine, items, campaigns, keys, clusters),
            clusters=clusters,
            capped_bands=capped,
            duplicates=duplicates,
            present=present,
            summary=summary,
        ),
    )
