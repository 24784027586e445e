"""No metadata column may tell attacks from automated use: AUC by account within 0.3 to 0.7, output length apart."""

from __future__ import annotations

import polars as pl
import pytest

from extractscan.simulate.plan import accounts
from extractscan.simulate.profiles import profile
from extractscan.simulate.registry import ARCHETYPES
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import labels, tables

AUTOMATED = tuple(name for name, known in ARCHETYPES.items() if known.kind == "automated")
ATTACKS = tuple(name for name, known in ARCHETYPES.items() if known.label)
LOW, HIGH = 0.3, 0.7
SEEDS = (1, 2, 3)
BY_LENGTH = ("latency_ms", "cost", "output_tokens")
"""Follow from the length of the output; ``ms_a_token`` and ``cost_a_token`` take it out."""
NAMES = ("request_id", "account_id")
CHOICES = ("user_agent", "plan", "model", "endpoint", "temperature", "max_tokens", "finish_reason", "n", "status")


def auc(values: pl.Series, label: pl.Series) -> float:
    ranks, hostile = values.rank("average"), label.sum()
    return (ranks.filter(label == 1).sum() - hostile * (hostile + 1) / 2) / (hostile * (len(label) - hostile))


def rhythm() -> dict[str, pl.Expr]:
    """Return what an account's times look like."""
    time = pl.col("timestamp")
    gap, hour = time.diff().dt.total_seconds(), time.dt.hour()
    return {
        "requests": pl.len(),
        "first": time.min().dt.epoch(),
        "last": time.max().dt.epoch(),
        "span": (time.max() - time.min()).dt.total_seconds(),
        "night": (hour < 6).mean(),
        "noon": hour.is_between(10, 15).mean(),
        "weekend": (time.dt.weekday() > 5).mean(),
        "hours used": hour.n_unique() / pl.len().clip(1, 24),
        "busiest hour": hour.value_counts().struct.field("count").max() / pl.len(),
        "days used": time.dt.date().n_unique(),
        "gap": gap.median() * pl.len(),
        "gaps uneven": gap.std() / gap.mean(),
        "gaps under a minute": (gap < 60).mean(),
        "gaps in bursts": (gap < gap.mean() / 20).mean(),
    }


def columns(requests: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return account-level statistics of every column but the names, the texts' words and what follows from output length."""
    given = pl.col("output_tokens").clip(1)
    out = {
        **rhythm(),
        "ms_a_token": ((pl.col("latency_ms") - 180) / given).median(),
        "cost_a_token": (pl.col("cost") / (given + pl.col("input_tokens") / 4)).median(),
    }
    for column, kind in requests.schema.items():
        if column in (*NAMES, *BY_LENGTH, "timestamp"):
            continue
        out[f"{column} absent"] = pl.col(column).is_null().mean()
        if column in ("prompt", "response"):
            continue
        if kind == pl.String:
            out[f"{column} shared"] = pl.col(f"{column} accounts").mean().fill_null(0)
            out[f"{column} switches"] = pl.col(column).ne_missing(pl.col(column).shift()).slice(1).mean()
            out[f"{column} kinds"] = pl.col(column).n_unique() / pl.len()
        else:
            out[f"{column} mean"] = pl.col(column).cast(pl.Float64).mean()
            out[f"{column} most"] = pl.col(column).cast(pl.Float64).max()
    for column in CHOICES:
        for value in requests[column].drop_nulls().unique().sort():
            out[f"{column} is {value}"] = (pl.col(column) == value).mean()
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_no_column_of_a_log_leaks(seed):
    settings = Settings(seed=seed, requests=40_000, attacks=ATTACKS, benign=AUTOMATED)
    plans = accounts(settings)
    requests = pl.concat(tables(settings, plans))
    texts = [column for column, kind in requests.schema.items() if kind == pl.String and column not in NAMES]
    shared = [pl.col("account_id").n_unique().over(column).alias(f"{column} accounts") for column in texts]
    statistics = columns(requests)
    table = (
        requests.with_columns(shared)
        .sort("account_id", "timestamp", "request_id")
        .group_by("account_id", maintain_order=True)
        .agg(**statistics)
        .join(labels(settings, plans), on="account_id", maintain_order="left")
    )
    told = {name: table[name].cast(pl.Float64).fill_nan(None).fill_null(-1) for name in statistics}
    found = {name: round(auc(values, table["label"]), 3) for name, values in told.items()}
    assert {name: value for name, value in found.items() if not LOW <= value <= HIGH} == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_profile_leaks(seed):
    """The same on many more accounts, from their profiles alone."""
    settings = Settings(seed=seed, requests=400_000, attacks=ATTACKS, benign=AUTOMATED)
    rows = []
    for plan in accounts(settings):
        known = ARCHETYPES[plan.archetype]
        it = profile(settings, plan, known.kind)
        rows.append({
            "label": known.label, "org": it.org, "payment": it.payment, "ips": len(it.ips), "keys": len(it.keys),
            "user_agent": it.user_agent, "plan": it.plan, "model": it.model, "adopts": int(it.adopts),
            "temperature": it.temperature, "max_tokens": it.max_tokens, "stream": int(it.stream),
            "endpoint": it.endpoint, "sessions": int(it.sessions), "thread": it.thread, "pace": it.pace,
            "logprobs": int(it.logprobs), "errors": it.errors, "samples": it.samples,
            "boilerplate": int(it.boilerplate is not None),
        })  # fmt: skip
    table = pl.DataFrame(rows)
    for column, kind in table.drop("label").schema.items():
        values = pl.len().over(column) if kind == pl.String else pl.col(column)
        assert 0.4 < auc(table.select(values).to_series(), table["label"]) < 0.6, column
