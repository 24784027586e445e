from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from extractscan.cluster import candidates
from extractscan.cluster.candidates import MAX_RUN, verified_pairs
from extractscan.cluster.components import RADIUS, THRESHOLD, cluster
from extractscan.fingerprint.minhash import shingle
from extractscan.fingerprint.tokens import tokenise

DEV = Path(__file__).parents[3] / "shared" / "eval" / "dev" / "logs.parquet"


def prepare(texts):
    tokens = tokenise(pl.Series(texts, dtype=pl.String))
    return shingle(tokens.offsets, tokens.values)


def exact_pairs(shingles):
    """Exact Jaccard of all pairs that share a shingle, by a sparse product: rows, columns, similarity."""
    _, columns = np.unique(shingles.values, return_inverse=True)
    n = shingles.counts.size
    matrix = sparse.csr_matrix((np.ones(columns.size), columns, shingles.offsets), shape=(n, int(columns.max()) + 1))
    common = sparse.triu(matrix @ matrix.T, 1).tocoo()
    sizes = np.diff(shingles.offsets)
    return common.row, common.col, common.data / (sizes[common.row] + sizes[common.col] - common.data)


def quality(texts):
    """Share of pairs at 0.8 found, and share of merged pairs that lie below 0.6."""
    shingles = prepare(texts)
    left, right, similarity = exact_pairs(shingles)
    label = cluster(shingles).label
    together = label[left] == label[right]
    sizes = np.bincount(label, minlength=label.size).astype(np.int64)
    merged = int((sizes * (sizes - 1) // 2).sum())
    close = similarity >= 0.8
    good = int((together & (similarity >= 0.6)).sum())
    return int(close.sum()), float(together[close].mean()), (merged - good) / max(merged, 1)


def generated(seed, families=300, size=6):
    """Texts of 20 to 60 words, each with variants in which a few words are replaced: similarities all over (0.3, 1)."""
    random = np.random.default_rng(seed)
    words = [f"w{chr(97 + a)}{chr(97 + b)}{chr(97 + c)}" for a in range(20) for b in range(20) for c in range(5)]
    out = []
    for _ in range(families):
        base = random.choice(words, random.integers(20, 60)).tolist()
        for _ in range(size):
            text = list(base)
            for _ in range(int(random.integers(0, 5))):
                text[int(random.integers(len(text)))] = str(random.choice(words))
            out.append(" ".join(text))
    return out


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_generated_text_is_clustered_as_exact_jaccard_would(seed):
    close, found, wrong = quality(generated(seed))
    assert close > 500
    assert found >= 0.98
    assert wrong <= 0.005


@pytest.mark.skipif(not DEV.exists(), reason="the evaluation log is not here")
@pytest.mark.parametrize("accounts", [40, 60])
def test_real_prompts_are_clustered_as_exact_jaccard_would(accounts):
    log = pl.read_parquet(DEV, columns=["account_id", "prompt"])
    chosen = log["account_id"].unique().sort().gather_every(2641 // accounts)
    texts = log.filter(pl.col("account_id").is_in(chosen.to_list()))["prompt"].unique().sort().head(6000)
    close, found, wrong = quality(texts)
    assert close > 20
    assert found >= 0.98
    assert wrong <= 0.005


def test_every_pair_was_verified():
    shingles = prepare(generated(7))
    left, right, similarity = exact_pairs(shingles)
    exact = dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))
    pairs = verified_pairs(shingles, THRESHOLD)
    assert pairs.left.size > 100
    for i, j, s in zip(pairs.left.tolist(), pairs.right.tolist(), pairs.similarity.tolist(), strict=True):
        assert i < j
        assert s == pytest.approx(exact[i, j])
        assert s >= THRESHOLD


def test_a_path_of_small_steps_does_not_chain():
    words = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
    texts = [" ".join(words[i : i + 60]) for i in range(0, 300, 3)]  # each is close to the next, the ends share nothing
    found = cluster(prepare(texts))
    shingles = prepare(texts)
    left, right, similarity = exact_pairs(shingles)
    closest = {(int(i), int(j)): s for i, j, s in zip(left, right, similarity, strict=True)}
    members = {}
    for i, root in enumerate(found.label.tolist()):
        members.setdefault(root, []).append(i)
    assert len(members) > 5
    for root, group in members.items():
        for i in group:
            if i != root:
                assert closest[min(i, root), max(i, root)] >= RADIUS
        assert found.least[root] == pytest.approx(
            min([closest.get((root, i), 1.0) for i in group if i != root], default=1.0)
        )


def test_hot_bands_are_capped_and_said():
    frame = " ".join(f"frame{chr(97 + i)}" for i in range(26)) * 4
    texts = [
        f"{frame} alpha{chr(97 + i % 26)}{chr(97 + i // 26)} beta{chr(97 + i % 26)}{chr(97 + i // 26)}"
        for i in range(400)
    ]
    pairs = verified_pairs(prepare(texts), THRESHOLD)
    assert pairs.capped > 0
    assert pairs.capped_prompts > MAX_RUN
    assert np.unique(cluster(prepare(texts)).label).size < 5


def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr(candidates, "FEW", 0)
    texts = generated(9, families=80)
    shingles = prepare(texts)
    one, two = cluster(shingles, jobs=1), cluster(shingles, jobs=3)
    assert np.array_equal(one.label, two.label)
    assert np.array_equal(one.least, two.least)


def test_texts_without_a_shingle_stay_alone():
    assert cluster(prepare(["hi", "hi there", "", "a b c", "a b c"])).label.tolist() == [0, 1, 2, 3, 3]
