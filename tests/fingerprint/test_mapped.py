"""What is put into mapped files is what it was before."""

from __future__ import annotations

import errno
import os

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from extractscan.cluster import bands, candidates
from extractscan.cluster.components import cluster_texts
from extractscan.errors import InputError
from extractscan.fingerprint import minhash
from extractscan.fingerprint.minhash import KEPT_SHINGLES, SHINGLE, band_keys, shingle_sets
from extractscan.memory import Memory

linux = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs mapped files")
TINY = 256
"""A limit of which everything is more than an eighth."""


def table():
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "account": pl.Series([3, 1, 2] * 10, dtype=pl.UInt32),
                    "time_us": pl.Series(range(30), dtype=pl.Int64),
                    "turn": pl.Series([None, 1, 2] * 10, dtype=pl.Int32),
                    "logprobs": [True, None, False] * 10,
                    "temperature": [0.5, None, float("nan")] * 10,
                }
            )
        ]
        * 2,
        rechunk=False,
    )


@linux
def test_a_table_is_the_same_in_a_mapped_file():
    memory = Memory(TINY)
    found = memory.table(table())
    assert memory.mapped > 0
    assert [found[c].n_chunks() for c in found.columns] == [1] * 5
    assert_frame_equal(found, table())
    assert_frame_equal(found.with_columns(more=pl.col("turn") + 1).drop("more"), table())


@linux
@pytest.mark.parametrize("memory", [Memory(), Memory(1 << 30)])
def test_a_table_stays_where_there_is_room(memory):
    given = table()
    assert memory.table(given) is given
    assert memory.mapped == 0


@linux
def test_a_full_disk_is_said(monkeypatch):
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match="no space left on device"):
        Memory(TINY).table(table())


@pytest.fixture
def threads_for_little(monkeypatch):
    """A few hundred texts are shared over threads too."""
    monkeypatch.setattr(minhash, "WORTH", 64)
    monkeypatch.setattr(bands, "FEW", 0)
    monkeypatch.setattr(candidates, "FEW", 0)


def texts():
    dice = np.random.default_rng(7)
    sizes = np.r_[0, 1, SHINGLE - 1, SHINGLE, KEPT_SHINGLES + 40, dice.integers(0, 60, 200)]
    offsets = np.r_[0, np.cumsum(sizes)].astype(np.int64)
    return offsets, dice.integers(0, 9, offsets[-1]).astype(np.uint32)


@pytest.mark.usefixtures("threads_for_little")
@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("limit", [None, TINY])
def test_shingle_sets_know_neither_threads_nor_memory(jobs, limit):
    offsets, tokens = texts()
    chosen = np.flatnonzero(np.random.default_rng(1).random(offsets.size - 1) < 0.8)
    keys = band_keys(offsets, tokens)[:, chosen]
    found = shingle_sets(chosen, offsets, tokens, keys, jobs=jobs, memory=Memory(limit))
    expected = [_shingles_of(tokens[offsets[i] : offsets[i + 1]]) for i in chosen]
    assert found.values.tolist() == [v for one in expected for v in one]
    assert found.offsets.tolist() == np.cumsum([0, *map(len, expected)]).tolist()


def _shingles_of(text):
    """Of one text alone, which takes no part in how the others are laid out."""
    own = np.array([0, text.size])
    one = shingle_sets(np.array([0]), own, text, band_keys(own, text))
    assert one.values.size <= KEPT_SHINGLES
    assert (np.diff(one.values.astype(np.int64)) > 0).all()
    return one.values.tolist()


@pytest.mark.usefixtures("threads_for_little")
def test_clusters_know_neither_threads_nor_memory():
    offsets, tokens = texts()
    plain, mapped = cluster_texts(offsets, tokens), cluster_texts(offsets, tokens, jobs=2, memory=Memory(TINY))
    assert np.array_equal(plain.label, mapped.label)
    assert np.array_equal(plain.least, mapped.least)
    assert plain.capped == mapped.capped
