from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.metrics import proportion
from extractscan.evaluate.render import to_json
from extractscan.evaluate.tables import match

# account, label, archetype, campaign, score, severity, campaign_id
ROWS = [
    ("a1", True, "hydra", "north", 0.95, "high", "c1"),
    ("a2", True, "hydra", "north", 0.90, "high", "c1"),
    ("a3", True, "hydra", "north", 0.40, "low", None),
    ("a4", True, "drip", "south", 0.70, "medium", "c1"),
    ("b1", False, "course", None, 0.80, "medium", "c1"),
    ("b2", False, "course", None, 0.10, "none", "c2"),
    ("b3", False, "person", "shared flat", 0.05, "none", "c2"),
    ("b4", False, "person", "shared flat", 0.00, "none", None),
]


def frames(rows: list[tuple]) -> tuple[pl.DataFrame, pl.DataFrame]:
    names = ["account_id", "attack", "archetype", "campaign", "score", "severity", "campaign_id"]
    every = pl.DataFrame(rows, schema=names, orient="row")
    return every.select("account_id", "score", "severity", "campaign_id"), every.select(names[:4])


def test_every_number_by_hand() -> None:
    got = evaluate(match(*frames(ROWS)))
    assert (got.accounts.labelled, got.accounts.attackers, got.accounts.benign) == (8, 4, 4)
    # Ranks of the attackers: 1, 2, 4, 5.
    assert got.average_precision == pytest.approx((1 + 1 + 3 / 4 + 4 / 5) / 4)
    assert got.roc_auc == pytest.approx((4 + 4 + 3 + 3) / 16)
    for point in got.recall_at_fpr:  # with four benign accounts no rate allows a single false alarm
        assert (point.allowed_benign, point.benign_above, point.threshold) == (0, 0, 0.80)
        assert point.recall == proportion(2, 4)
    assert got.precision_at_attackers.precision == proportion(3, 4)
    assert got.precision_at[0].precision == proportion(4, 8)
    high, medium = got.severity
    assert (high.precision, high.recall) == (proportion(2, 2), proportion(2, 4))
    assert (medium.precision, medium.recall) == (proportion(3, 4), proportion(3, 4))
    # c1 makes six pairs of which a1-a2 is true, c2 one that is not: a benign row's campaign counts for nothing.
    pairs = got.campaign_pairs
    assert (pairs.predicted, pairs.true, pairs.both) == (7, 3, 1)
    assert [(kind.archetype, kind.above_threshold, kind.medium_or_worse) for kind in got.attack_archetypes] == [
        ("drip", proportion(0, 1), proportion(1, 1)),
        ("hydra", proportion(2, 3), proportion(2, 3)),
    ]
    assert [(kind.archetype, kind.above_threshold, kind.medium_or_worse) for kind in got.benign_archetypes] == [
        ("course", proportion(0, 2), proportion(1, 2)),
        ("person", proportion(0, 2), proportion(0, 2)),
    ]
    assert got.worst_benign_archetype is None


def test_rates_allow_whole_accounts_and_name_the_worst_class() -> None:
    # 3,000 benign accounts: three may pass at 1e-3, none at 1e-4, thirty at 1e-2.
    benign = [
        (f"b{i}", False, "rare" if i in (1, 2) else "common", None, 0.9 - i / 5000, "none", None) for i in range(3000)
    ]
    attackers = [(f"a{i}", True, "x", None, score, "none", None) for i, score in enumerate((0.95, 0.8995, 0.899, 0.5))]
    got = evaluate(match(*frames(benign + attackers)))
    assert [point.allowed_benign for point in got.recall_at_fpr] == [0, 3, 30]
    assert [point.recall.hits for point in got.recall_at_fpr] == [1, 2, 3]
    assert got.recall_at_fpr[1].benign_above == 3
    worst = got.worst_benign_archetype
    assert (worst.archetype, worst.above_threshold) == ("rare", proportion(2, 2))


@settings(deadline=None, max_examples=25)
@given(st.permutations(ROWS), st.permutations(ROWS))
def test_order_of_rows_changes_no_byte(ranked: list[tuple], labelled: list[tuple]) -> None:
    expected = to_json(evaluate(match(*frames(ROWS))))
    assert to_json(evaluate(match(frames(ranked)[0], frames(labelled)[1]))) == expected


def test_accounts_that_the_ranking_lacks_come_last_and_tied() -> None:
    ranking, labels = frames(ROWS)
    matched = match(ranking.filter(pl.col("account_id").is_in(["a2", "b1", "b4"])), labels)
    assert (matched.ranked, matched.missing, matched.unlabelled) == (3, 5, 0)
    score = dict(matched.frame.select("account_id", "score").iter_rows())
    assert score["a1"] == score["b4"] == 0.0
    got = evaluate(matched)
    assert got.accounts.matched == 3
    assert got.recall_at_fpr[0].recall == proportion(1, 4)
    assert got.severity[0].recall == proportion(1, 4)
    below = match(ranking.with_columns(score=pl.col("score") - 5).head(3), labels)
    assert below.frame["score"].min() == ranking["score"][2] - 5


def test_what_the_files_lack_is_not_assessed() -> None:
    ranking, labels = frames(ROWS)
    got = evaluate(match(ranking.select("account_id", "score"), labels.select("account_id", "attack")))
    assert (got.severity, got.campaign_pairs) == (None, None)
    assert (got.attack_archetypes, got.benign_archetypes, got.worst_benign_archetype) == (None, None, None)
    named = evaluate(match(ranking.select("account_id", "score"), labels))
    assert named.attack_archetypes[0].medium_or_worse is None


def test_one_class_alone_leaves_the_rest_undefined() -> None:
    ranking, labels = frames(ROWS)
    attackers = evaluate(match(ranking, labels.filter("attack")))
    assert attackers.roc_auc is None
    assert {point.recall.rate for point in attackers.recall_at_fpr} == {None}
    assert {point.threshold for point in attackers.recall_at_fpr} == {None}
    assert attackers.attack_archetypes[0].above_threshold is None
    assert attackers.benign_archetypes == ()
    benign = evaluate(match(ranking, labels.filter(~pl.col("attack"))))
    assert benign.average_precision is None
    assert benign.recall_at_fpr[0].recall.rate is None
    assert benign.campaign_pairs.recall is None
    assert benign.precision_at_attackers.k == 0
    for got in (attackers, benign):
        to_json(got)


def test_an_uninformative_ranking_gets_the_base_rate() -> None:
    ranking, labels = frames(ROWS)
    got = evaluate(match(ranking.with_columns(score=pl.lit(0.5)), labels))
    assert got.average_precision == 0.5
    assert got.roc_auc == 0.5
    assert got.recall_at_fpr[2].recall.rate == 0.0
    assert np.isclose(got.precision_at_attackers.precision.rate, 0.0)
