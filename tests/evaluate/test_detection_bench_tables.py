"""The detection benchmark prints what it measured, and switching evidence off does what it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_1samp

BENCH = Path(__file__).parents[2] / "benchmarks" / "detection"
sys.path.insert(0, str(BENCH))
import ablation  # noqa: E402
import all as everything  # noqa: E402
import baselines  # noqa: E402
import families  # noqa: E402
import measuring  # noqa: E402
import printing  # noqa: E402

sys.path.remove(str(BENCH))

from extractscan.simulate.settings import Settings  # noqa: E402
from extractscan.verdict.explain import INNOCENT  # noqa: E402
from extractscan.verdict.findings import Evidence, Gate  # noqa: E402
from extractscan.verdict.signals import CAPS  # noqa: E402

SETTINGS = Settings(
    seed=5,
    requests=5000,
    languages=("en", "ja"),
    attacks=("hydra_cot", "magpie"),
    benign=("real_person", "pipeline_sentiment", "content_business", "ci_tests"),
)


@pytest.fixture(scope="module")
def log():
    return measuring.prepare(*families.simulated(SETTINGS))


@pytest.mark.parametrize("kind", ["family", "signal"])
def test_evidence_switched_off_weighs_nothing(kind):
    def made():
        return Evidence("even_load", "load", 1.0, 3.0, True, "x"), Evidence(
            "one_corpus", "corpus", 1.0, -2.0, True, "x"
        )

    off = ablation.without_family("load") if kind == "family" else ablation.without_signal("even_load")
    with off:
        assert [evidence.bits for evidence in made()] == [0.0, -2.0]
    assert [evidence.bits for evidence in made()] == [3.0, -2.0]


def test_gate_switched_off_leaves_all():
    with ablation.without_gate("benchmark"):
        assert [Gate(name, 0.5, "x").factor for name in ("benchmark", "course")] == [1.0, 0.5]
    assert Gate("benchmark", 0.5, "x").factor == 0.5


def test_ranking_holds_every_account(log):
    found = measuring.ranking(measuring.judge(log))
    assert sorted(found["account_id"]) == log.prints.accounts.to_list()


def test_ablation_names_every_family_and_gate(log):
    table, recalls = ablation.ablation("log", log, signals=True, archetypes=True)
    names = [row[""] for row in table.rows]
    assert names[0] == "everything"
    assert {f"without family {family}" for family in CAPS} <= set(names)
    assert {f"without gate {gate}" for gate in INNOCENT} <= set(names)
    assert sum(name.startswith("without signal ") for name in names) >= 2
    assert [row[""] for row in recalls.rows] == ["hydra_cot", "magpie"]
    assert all(row["accounts"] >= 3 and 0 <= row["everything"] <= 1 for row in recalls.rows)
    # Whatever a campaign is told by, without all of it there is nothing: the switches reach the verdict.
    with ablation.without_family("load"), ablation.without_family("corpus"), ablation.without_family("partition"):
        less = measuring.judge(log)
    assert not any(e.family == "load" and e.bits for a in less.accounts for e in a.evidence)
    assert sum(a.bits for a in less.accounts) < sum(a.bits for a in measuring.judge(log).accounts)


def test_baselines_of_a_log(log):
    table = baselines.comparison("log", log)
    names = [row[""] for row in table.rows]
    assert names[:3] == ["extractscan", "volume", "output length"]
    assert names[-1] == "best single feature"
    assert table.rows[-1]["remark"].endswith("chosen by these labels")
    assert {"SEAT-like pairs", "PRADA-like"} <= set(names)
    assert all(0 <= row[column] <= 1 for row in table.rows for column in baselines.COLUMNS)


def test_seat_counts_pairs_of_near_duplicates():
    prompts = pl.DataFrame({"account": [0, 0, 0, 1, 1], "prompt": [0, 1, 2, 1, 3]})
    assert baselines.seat_like(prompts, np.array([7, 7, 7, 3]), 3).tolist() == [1.0, 0.0, 0.0]


def test_prada_needs_distances():
    prompts = pl.DataFrame({"account": [0], "prompt": [0]})
    shingles = baselines.shingle(np.array([0, 4]), np.arange(4, dtype=np.uint32))
    assert baselines.prada_like(prompts, 2, shingles).tolist() == [0.0, 0.0]


def test_families_alone_and_together(tmp_path, capsys):
    out = tmp_path / "run.json"
    options = ["--seeds", "3,4", "--requests", "2500", "--only", "hydra_cot", "--benign", "real_person,ci_tests"]
    everything.main([*options, "--together", "1", "--json", str(out)])
    run = json.loads(out.read_text("utf-8"))
    assert [table["title"] for table in run["tables"]] == [
        "Each family alone among benign traffic",
        "All families together",
        "Each family in the log of all",
        "Benign kinds",
    ]
    row = run["tables"][0]["rows"][0]
    assert row["recall at FPR 1 %"]["seeds"] == 2
    assert "### All families together" in capsys.readouterr().out
    everything.main([*options, "--no-alone", "--together", "1", "--against", str(out)])
    shown = capsys.readouterr().out
    assert "What moved" in shown
    assert "In one run only: Each family alone" in shown


def test_moved_tells_falls_first():
    def run(**values):
        return {"tables": [{"title": "t", "columns": ["", *values], "rows": [{"": "r", **values}]}]}

    table = everything.moved(run(a=0.5, b={"mean": 0.9}, c=1.0), run(a=0.6, b={"mean": 0.1}, c=1.001), 0.01)
    assert [row["figure"] for row in table.rows] == ["b", "a"]


def test_interval_is_students():
    values = [0.5, 0.7, 0.6, 0.65]
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    got = printing.over([*values, None])
    assert (got.mean, got.low, got.high) == pytest.approx((0.6125, low, high))
    assert got.seeds == 4
    assert printing.over([0.4]) == printing.Over(0.4, None, None, 1)
    assert printing.over([None]) is None
    assert printing.over([0.0, 1.0]).high == 1.0


def test_a_row_without_labels_is_refused():
    with pytest.raises(SystemExit):
        everything.main(["log.parquet"])


def test_seeds():
    assert families.seeds_of("1-3,7") == [1, 2, 3, 7]
