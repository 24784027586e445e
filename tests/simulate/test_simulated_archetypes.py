"""That archetypes do what their descriptions say."""

from __future__ import annotations

import polars as pl
import pytest

from extractscan.simulate.plan import accounts
from extractscan.simulate.profiles import NEW_MODEL
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import labels, tables


def log(name, *, requests=1500, **options):
    settings = Settings(seed=3, requests=requests, attacks=(name,), languages=("en",), cover_share=0.0, **options)
    plans = accounts(settings)
    (table,) = tables(settings, plans)
    return table.join(labels(settings, plans), on="account_id")


@pytest.mark.parametrize(
    "name",
    [
        "hydra_replay",
        "hydra_cot",
        "rationale",
        "slow_drip",
        "roleplay_grid",
        "sweep",
        "uneven_load",
        "synchronised",
        "tool_harvest",
    ],
)
def test_shards_do_not_overlap(name):
    table = log(name)
    assert table["prompt"].n_unique() > 0.97 * table.height


def test_evolve_chains_responses():
    table = log("evolve", responses=True).sort("account_id", "timestamp")
    before = table.select(pl.col("response").shift(1).over("account_id")).to_series()
    hits = [text is not None and text in prompt for prompt, text in zip(table["prompt"], before, strict=True)]
    assert 0.5 < sum(hits) / len(hits) < 0.95


def test_multi_sample_repeats_within_minutes():
    table = log("multi_sample", requests_per_account=60)
    each = table.group_by("account_id", "prompt").agg(pl.len(), (pl.col("timestamp").max() - pl.col("timestamp").min()))
    assert each["len"].median() >= 4
    assert each["timestamp"].median().total_seconds() < 600
    assert table["temperature"].unique().to_list() == [1.0]


def test_magpie_is_nearly_empty_hot_and_long():
    table = log("magpie")
    assert table["prompt"].str.len_chars().max() < 10
    assert table["temperature"].min() == 1.0
    assert table["output_tokens"].median() > 300


def test_questionnaire_walks_in_order():
    table = log("questionnaire", requests_per_account=100).sort("account_id", "timestamp")
    orders = [group["prompt"].to_list()[:20] for _, group in table.group_by("account_id", maintain_order=True)]
    assert all(order[:5] == orders[0][:5] for order in orders)


def test_ban_succession_has_a_gap_between_pools():
    table = log("ban_succession")
    spans = table.group_by("campaign", "account_id").agg(
        first=pl.col("timestamp").min(), last=pl.col("timestamp").max()
    )
    for _, group in spans.group_by("campaign"):
        half = group["last"].sort()[(group.height - 1) // 2]
        later = group.filter(pl.col("first") > half)
        assert later.height == group.height // 2


def test_rotate_is_a_succession():
    table = log("rotate")
    for _, group in table.group_by("campaign"):
        spans = (
            group.group_by("account_id")
            .agg(first=pl.col("timestamp").min(), last=pl.col("timestamp").max())
            .sort("first")
        )
        assert (spans["last"] - spans["first"]).max().days <= 6


def test_release_pivot_moves_to_the_new_model():
    table = log("release_pivot")
    new = table.filter(pl.col("model") == NEW_MODEL)
    old = table.filter(pl.col("model") != NEW_MODEL)
    assert 0.3 < new.height / table.height < 0.8
    assert new["timestamp"].min() > old["timestamp"].quantile(0.9)
    assert set(new["prompt"]) & set(old["prompt"])


def test_logprobs_are_asked_for():
    assert log("logprobs")["logprobs"].all()


def test_label_harvest_is_short():
    assert log("label_harvest")["output_tokens"].median() < 10


def test_multilingual_uses_every_language():
    settings = Settings(seed=3, requests=600, attacks=("multilingual",))
    (table,) = tables(settings, accounts(settings))
    text = pl.col("prompt")
    assert table.filter(text.str.contains(r"\p{Arabic}")).height > 50
    assert table.filter(text.str.contains(r"\p{Hiragana}")).height > 50
    assert table.filter(text.str.contains(r"^[\x00-\x7f]*$")).height > 20


def test_responses_only_when_asked():
    assert log("rationale", requests=300)["response"].null_count() == log("rationale", requests=300).height
    told = log("rationale", requests=300, responses=True).filter(pl.col("status") == 200)
    assert told["response"].str.contains("<think>", literal=True).mean() > 0.9


def test_rationale_tags_match():
    prompts = log("rationale").filter(pl.col("prompt").str.contains(r"[<\[]/"))["prompt"]
    tags = prompts.str.extract(r"[<\[](\w+)[>\]]").to_list(), prompts.str.extract(r"[<\[]/(\w+)[>\]]").to_list()
    assert len(tags[0]) > 100
    assert tags[0] == tags[1]


def test_tool_harvest_calls_tools():
    table = log("tool_harvest")
    assert table["tool_calls"].min() == 1
    assert set(table.filter(pl.col("finish_reason") != "length")["finish_reason"].drop_nulls()) == {"tool_calls"}


def test_language_pools_keep_to_one_language_an_account():
    settings = Settings(seed=3, requests=900, attacks=("language_pools",), languages=("en", "ja", "ar"))
    (table,) = tables(settings, accounts(settings))
    arabic = table.group_by("account_id").agg(pl.col("prompt").str.contains(r"\p{Arabic}").mean())["prompt"]
    assert arabic.is_in([0.0, 1.0]).all()
    assert 0.2 < arabic.mean() < 0.5


def test_lone_accounts_are_alone():
    table = log("lone_framed", requests=3000)
    assert set(table.group_by("campaign").agg(pl.col("account_id").n_unique())["account_id"]) == {1}


def test_system_grid_has_its_slots_in_the_system_prompt():
    table = log("system_grid")
    assert table["system"].null_count() == 0
    assert table["system"].n_unique() > 0.97 * table.height
    assert table["prompt"].n_unique() <= 60


def test_best_of_n_asks_for_samples():
    table = log("best_of_n")
    assert set(table["n"]) <= {4, 8, 16}
    assert table["output_tokens"].median() > 1000


def test_loads_can_be_as_uneven_as_customers():
    plans = accounts(Settings(seed=3, requests=20_000, attacks=("uneven_load",)))
    loads = pl.Series([plan.requests for plan in plans]).log()
    assert 0.4 < (loads - loads.median()).abs().median() < 0.8


def test_synchronised_accounts_send_in_waves():
    table = log("synchronised")
    minutes = table.with_columns(pl.col("timestamp").dt.truncate("10m"))
    busy = minutes.group_by("campaign", "timestamp").agg(pl.len(), pl.col("account_id").n_unique())
    assert busy.filter(pl.col("account_id") > 5)["len"].sum() > 0.8 * table.height


def test_threads_send_their_earlier_turns():
    table = log("replay", requests=8000).filter(pl.col("turn") > 3)
    assert table.height > 100
    assert (table["input_tokens"] > 4 * table["prompt"].str.len_chars() / 4).mean() > 0.9
