"""No metadata column may tell attacks from automated use: AUC by account within 0.3 to 0.7, output length apart."""

from __future__ import annotations

import polars as pl
import pytest

from extractscan.simulate.plan import accounts
from extractscan.simulate.profiles import profile
from extractscan.simulate.registry import ARCHETYPES
from extractscan.simulate.settings import Settings

PEOPLE = ("real_person", "chat_user", "course")
LOW, HIGH = 0.3, 0.7
BY_LENGTH = ("latency_ms", "cost", "input_tokens", "output_tokens")
TEXT = ("request_id", "account_id", "timestamp", "prompt", "system", "response", "finish_reason")


def auc(values: pl.Series, label: pl.Series) -> float:
    ranks, hostile = values.rank("average"), label.sum()
    return (ranks.filter(label == 1).sum() - hostile * (hostile + 1) / 2) / (hostile * (len(label) - hostile))


def statistics(requests: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return account-level statistics of every metadata column."""
    given = pl.col("output_tokens").clip(1)
    out = {
        "night": (pl.col("timestamp").dt.hour() < 6).mean(),
        "noon": pl.col("timestamp").dt.hour().is_between(10, 15).mean(),
        "weekend": (pl.col("timestamp").dt.weekday() > 5).mean(),
        "gap": pl.col("timestamp").diff().dt.total_seconds().median() * pl.len(),
        "ms_a_token": ((pl.col("latency_ms") - 180) / given).median(),
        "cost_a_token": (pl.col("cost") / (given + pl.col("input_tokens") / 4)).median(),
    }
    for column, kind in requests.schema.items():
        if column in (*TEXT, *BY_LENGTH):
            continue
        out[f"{column} absent"] = pl.col(column).is_null().mean()
        if kind == pl.String:
            out[f"{column} shared"] = pl.col(f"{column} accounts").mean().fill_null(0)
            out[f"{column} switches"] = pl.col(column).ne_missing(pl.col(column).shift()).slice(1).mean()
        else:
            out[f"{column} mean"] = pl.col(column).cast(pl.Float64).mean()
    for column in ("user_agent", "plan", "model", "endpoint", "temperature", "max_tokens"):
        for value in requests[column].unique().sort():
            out[f"{column} is {value}"] = (pl.col(column) == value).mean()
    return out


def test_no_column_of_a_log_leaks(everything):
    _, _, requests, truth = everything
    expressions = statistics(requests)
    shared = [
        pl.col("account_id").n_unique().over(column).alias(f"{column} accounts")
        for column, kind in requests.schema.items()
        if kind == pl.String
    ]
    table = (
        requests.with_columns(shared)
        .group_by("account_id", maintain_order=True)
        .agg(**expressions)
        .join(truth, on="account_id")
    )
    table = table.filter(~pl.col("archetype").is_in(PEOPLE))
    found = {name: auc(table[name].fill_null(-1).fill_nan(-1), table["label"]) for name in expressions}
    assert {name: round(value, 3) for name, value in found.items() if not LOW <= value <= HIGH} == {}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_profile_leaks(seed):
    """The same on many more accounts, from their profiles alone."""
    benign = tuple(name for name, known in ARCHETYPES.items() if not known.label and name not in PEOPLE)
    hostile = tuple(name for name, known in ARCHETYPES.items() if known.label)
    settings = Settings(seed=seed, requests=400_000, attacks=hostile, benign=benign)
    rows = []
    for plan in accounts(settings):
        known = ARCHETYPES[plan.archetype]
        if known.kind != "people":
            it = profile(settings, plan, known.kind)
            rows.append({
                "label": known.label, "org": it.org, "payment": it.payment, "ips": len(it.ips), "keys": len(it.keys),
                "user_agent": it.user_agent, "plan": it.plan, "model": it.model, "adopts": int(it.adopts),
                "temperature": it.temperature, "max_tokens": it.max_tokens, "stream": int(it.stream),
                "endpoint": it.endpoint, "sessions": int(it.sessions), "thread": it.thread, "pace": it.pace,
                "logprobs": int(it.logprobs), "errors": it.errors,
            })  # fmt: skip
    table = pl.DataFrame(rows)
    for column, kind in table.drop("label").schema.items():
        values = pl.len().over(column) if kind == pl.String else pl.col(column)
        assert 0.4 < auc(table.select(values).to_series(), table["label"]) < 0.6, column
