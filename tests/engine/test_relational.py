"""The relational core against plain code, with the verbs over Polars."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars_engine import PolarsEngine

from extractscan.cluster.components import cluster
from extractscan.engine import carried, relational, tasks
from extractscan.engine.distributed import Limits, cluster_texts, clusters_of, united_links
from extractscan.engine.verbs import TooLargeError
from extractscan.errors import ExtractscanError
from extractscan.fingerprint.minhash import shingle
from extractscan.fingerprint.texts import cut
from extractscan.fingerprint.tokens import tokenise


def _links(pairs):
    low = pa.array([min(p) for p in pairs], pa.int64())
    high = pa.array([max(p) for p in pairs], pa.int64())
    return pa.table({"low": low, "high": high})


def _as_dict(table):
    return dict(zip(table["hash"].to_pylist(), table["component"].to_pylist(), strict=True))


def _found(engine, pairs, **more):
    links = engine.begin(_links(pairs), 1)
    return _as_dict(engine.collect_small(relational.components(engine, links, name="c", **more), 10**6))


pairs_of_texts = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)).filter(lambda p: p[0] != p[1]), min_size=1)


@given(pairs=pairs_of_texts)
@settings(max_examples=25)
def test_components_are_those_of_union_find(pairs, tmp_path_factory):
    engine = PolarsEngine(tmp_path_factory.mktemp("run"))
    assert _found(engine, pairs) == _as_dict(united_links(_links(pairs)))


def test_a_path_is_one_component(tmp_path):
    dice = np.random.default_rng(3)
    names = dice.permutation(3_000)
    found = _found(PolarsEngine(tmp_path), list(zip(names[:-1].tolist(), names[1:].tolist(), strict=True)))
    assert set(found.values()) == {0}
    assert len(found) == 3_000
    assert len(list(tmp_path.glob("c-*"))) < 16


def test_rounds_have_an_end(tmp_path):
    path = [(i, i + 1) for i in range(200)]
    with pytest.raises(ExtractscanError, match="did not settle in 2 rounds"):
        _found(PolarsEngine(tmp_path), path, most_rounds=2)


def test_band_edges_are_stars():
    bands = pl.DataFrame(
        {
            "band": [0, 0, 0, 1, 1, relational.LOCAL],
            "key": [7, 7, 8, 7, 7, 0],
            "low": [5, 3, 9, 9, 2, 4],
            "high": [5, 3, 9, 9, 2, 6],
        }
    )
    edges = relational.band_edges(nw.from_native(bands.lazy())).to_native().collect().sort("low", "high")
    assert edges.rows() == [(2, 9), (3, 5), (4, 6)]


def _texts(count):
    """Chains of near-duplicates, hot templates, and texts too short for a shingle."""
    dice = np.random.default_rng(11)
    words = np.array(["".join(dice.choice(list("abcdefgh"), 5)) for _ in range(count + 60)])
    chain = [" ".join(words[i : i + 40]) for i in range(count)]
    hot = [" ".join([*words[:50], *dice.choice(words, 2)]) for _ in range(count)]
    alone = [" ".join(dice.choice(words, 25)) for _ in range(count)]
    return cut(tokenise(pl.Series([*chain, *hot, *alone, "ok", "yes no"]).unique()))


@pytest.mark.parametrize("pieces", [1, 4])
@pytest.mark.parametrize("link_bytes", [0, 1 << 30])
def test_clusters_by_components_are_those_of_all_at_once(pieces, link_bytes, tmp_path):
    texts = _texts(150)
    whole = cluster(shingle(texts.offsets, texts.tokens))
    assert whole.capped
    assert np.unique(whole.label).size < len(texts)
    engine = PolarsEngine(tmp_path, pieces=pieces)
    frame = engine.begin(carried.texts_table(texts), 1)
    labels = engine.collect_small(cluster_texts(engine, frame, Limits(1 << 30, link_bytes)), 10**6)
    parts = clusters_of(labels, texts)
    np.testing.assert_array_equal(parts.label, whole.label)
    np.testing.assert_array_equal(parts.least, whole.least)
    assert (parts.capped, parts.capped_prompts) == (whole.capped, whole.capped_prompts)


def test_a_component_for_one_task_has_a_limit(tmp_path):
    engine = PolarsEngine(tmp_path)
    frame = engine.begin(carried.texts_table(_texts(50)), 1)
    with pytest.raises(TooLargeError, match="hang together"):
        cluster_texts(engine, frame, Limits(1 << 30, component_rows=10))


def test_texts_survive_being_carried():
    texts = _texts(20)
    table = carried.texts_table(texts)
    shuffled = table.take(np.random.default_rng(0).permutation(table.num_rows))
    back = carried.texts_of(shuffled)
    for name in ("hashes", "offsets", "tokens", "chars"):
        np.testing.assert_array_equal(getattr(back, name), getattr(texts, name))
        assert getattr(back, name).dtype == getattr(texts, name).dtype
    assert len(carried.texts_of(table.slice(0, 0))) == 0


def test_tasks_take_no_rows():
    empty = carried.TEXTS.empty_table()
    assert sum(t.num_rows for t in tasks.band_links(empty)) == 0
    assert [t.num_rows for t in tasks.cluster_components(empty)] == [0, 1]


def test_more_rows_than_asked_for_are_refused(tmp_path):
    engine = PolarsEngine(tmp_path)
    with pytest.raises(TooLargeError):
        engine.collect_small(engine.begin(_links([(1, 2), (3, 4)]), 1), 1)
