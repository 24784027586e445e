from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from extractscan.logs.schema import CANONICAL, REQUIRED
from extractscan.simulate.plan import accounts
from extractscan.simulate.registry import ARCHETYPES
from extractscan.simulate.settings import Settings, account_id
from extractscan.simulate.write import account_table, labels, tables


def archetype_rows(everything, name):
    _, _, requests, truth = everything
    return requests.join(truth.filter(pl.col("archetype") == name), on="account_id", how="semi")


@pytest.mark.parametrize("name", ARCHETYPES)
def test_every_archetype_gives_canonical_rows(everything, name):
    settings, _, _, truth = everything
    rows = archetype_rows(everything, name)
    assert rows.height >= 3
    assert all(CANONICAL[column] == kind for column, kind in rows.schema.items())
    assert not any(rows[column].null_count() for column in (*REQUIRED, "prompt", "output_tokens", "model"))
    assert rows["timestamp"].min() >= settings.start_time
    assert rows["timestamp"].max() < settings.start_time + timedelta(days=settings.days)
    label = truth.filter(pl.col("archetype") == name)["label"].unique().to_list()
    assert label == [ARCHETYPES[name].label]


def test_labels_match_accounts(everything):
    _, plans, requests, truth = everything
    assert set(requests["account_id"]) == set(truth["account_id"])
    assert truth["account_id"].is_unique().all()
    assert truth.height == len(plans)
    assert truth.filter((pl.col("label") == 1) != pl.col("campaign").is_not_null()).is_empty()
    assert truth.columns == ["account_id", "label", "archetype", "campaign"]


def test_requests_are_sorted_and_named_once(everything):
    _, _, requests, _ = everything
    assert requests["request_id"].is_unique().all()
    assert requests["timestamp"].is_sorted()


def test_account_alone_is_the_same(everything):
    settings, plans, requests, _ = everything
    seen = set()
    for plan in plans:
        if plan.archetype not in seen:
            seen.add(plan.archetype)
            mine = requests.filter(pl.col("account_id") == account_id(settings, plan))
            assert account_table(settings, plan).equals(mine)


def test_parts_hold_the_same_rows():
    settings = Settings(requests=600, attacks=("hydra_cot",), benign=("real_person", "pipeline_sql"))
    plans = accounts(settings)
    whole = pl.concat(tables(settings, plans, rows_each=10**9))
    parts = list(tables(settings, plans, rows_each=100))
    assert len(parts) > 3
    assert pl.concat(parts).sort("timestamp", "request_id").equals(whole)


def test_options_shape_campaigns():
    settings = Settings(
        requests=4000,
        attacks=("hydra_cot",),
        benign=("real_person",),
        accounts_per_campaign=9,
        requests_per_account=20,
        cover_share=0.5,
    )
    plans = accounts(settings)
    (requests,) = tables(settings, plans)
    truth = labels(settings, plans).filter(pl.col("label") == 1)
    assert set(truth.group_by("campaign").len()["len"]) == {9}
    hostile = requests.join(truth, on="account_id")
    talk = hostile.group_by("account_id").agg((pl.col("turn").max() > 0).alias("talks"))
    assert talk["talks"].mean() > 0.8
    loads = hostile.group_by("account_id").len()["len"]
    assert 25 <= loads.median() <= 60


def test_no_cover_no_talk():
    settings = Settings(requests=2000, attacks=("hydra_cover",), benign=(), cover_share=0.0)
    (requests,) = tables(settings, accounts(settings))
    assert requests.filter(pl.col("system").is_null())["prompt"].str.len_chars().min() > 10
    assert requests.height == pytest.approx(2000, rel=0.5)


def test_loads_of_shards_are_more_even_than_of_real_use():
    settings = Settings(requests=200_000, attacks=("hydra_cot", "hydra_replay"), benign=("popular_app", "enterprise"))
    plans = pl.DataFrame(
        [(plan.archetype, plan.requests) for plan in accounts(settings)], schema=["archetype", "n"], orient="row"
    )
    log = pl.col("n").log()
    spread = dict(plans.group_by("archetype").agg((log - log.median()).abs().median()).iter_rows())
    assert all(0.2 < spread[name] < 0.35 for name in settings.attacks)
    assert all(0.5 < spread[name] < 1.4 for name in settings.benign)


def test_size_is_about_what_was_asked():
    for requests in (500, 5000, 50_000):
        settings = Settings(requests=requests, attacks=("replay",), benign=("real_person", "popular_app", "ci_tests"))
        assert sum(plan.requests for plan in accounts(settings)) == pytest.approx(requests, rel=0.2)
