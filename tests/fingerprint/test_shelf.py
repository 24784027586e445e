import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from extractscan.errors import InputError
from extractscan.fingerprint.numbering import numbered
from extractscan.fingerprint.requests import Merger, fingerprint
from extractscan.fingerprint.shelf import Shelf
from extractscan.logs.schema import CANONICAL
from extractscan.memory import Memory

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("limit", [0, 100, None])
def test_what_is_put_is_taken(limit, folder):
    shelf = Shelf(limit)
    arrays = [np.arange(9, dtype=np.uint32), np.zeros(0, np.int64), np.arange(20.0)[::2]]
    columns = [
        pl.Series("a", ["x", None, "\U0001f600" * 9]),
        pl.Series("a", [True, None]),
        pl.Series("a", [2**63], dtype=pl.UInt64),
        pl.Series("a", [], dtype=pl.String),
    ]
    places = [shelf.put(what) for what in (*arrays, *columns)]
    assert not list(folder.iterdir())  # the file has no name
    assert (shelf.spilled > 0) == (limit is not None)
    for array, place in zip(arrays, places, strict=False):
        found = shelf.array(place)
        assert found.dtype == array.dtype
        assert found.tolist() == array.tolist()
    for column, place in zip(columns, places[len(arrays) :], strict=True):
        assert_series_equal(shelf.column(place), column, check_names=False)
    shelf.close()


def test_a_place_is_empty_once_it_was_taken():
    shelf = Shelf()
    place = shelf.put(np.arange(3))
    shelf.take(place)
    with pytest.raises(ValueError, match="empty"):
        shelf.take(place)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "w+b", buffering=0))  # noqa: PTH123, SIM115
    with pytest.raises(InputError, match=r"no space left.*--memory.*TMPDIR"):
        Shelf(0).put(np.arange(100_000))


def frame(seed):
    """Requests of which some share time and account, are delivered again, or have other measures then."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(60):
        k = int(rng.integers(12))
        rows.append(
            {
                "request_id": f"r{k}",
                "account_id": f"a{k % 3}",
                "timestamp": START + timedelta(minutes=k % 4),
                "prompt": None if k == 5 else "word " * (k % 6) + "end",
                "system": "be brief" if k % 2 else None,
                "response": "a b c d e f g" if seed == 3 and k == 1 else None,
                "status": int(rng.integers(2)),
                "n": 2**40 if seed == 2 else 1,
                "model": None if k % 5 == 0 else f"m{k % 4}",
            }
        )
    return pl.DataFrame([{c: row.get(c) for c in CANONICAL} for row in rows], schema=CANONICAL, orient="row")


@pytest.mark.parametrize("limit", [0, 3000, None])
def test_what_waits_on_disk_changes_nothing(limit, folder, monkeypatch):
    frames = [frame(seed) for seed in range(4)]
    merger = Merger()
    merger.add(fingerprint(pl.concat(frames)))
    whole = merger.finish()
    memory = Memory(limit)
    monkeypatch.setattr(memory.__class__, "waiting", limit)
    parts = Merger(memory)
    for part in frames[::-1]:
        parts.add(fingerprint(part))
    assert (parts.spilled > 0) == (limit is not None)
    found = parts.finish()
    assert not os.listdir(folder)  # noqa: PTH208
    assert_frame_equal(found.requests, whole.requests)
    assert found.duplicates == whole.duplicates > 0
    assert found.present == whole.present
    assert found.organisations.equals(whole.organisations)
    assert found.names["model"].to_list() == whole.names["model"].to_list()
    for texts, other in ((found.prompts, whole.prompts), (found.systems, whole.systems)):
        for name in ("hashes", "offsets", "tokens", "chars"):
            assert np.array_equal(getattr(texts, name), getattr(other, name))


def test_numbers_are_in_the_order_of_first_appearance():
    values = np.random.default_rng(1).integers(0, 50, 1000).astype(np.uint64) << np.uint64(40)
    firsts, numbers = numbered(values)
    assert (values[firsts][numbers] == values).all()
    assert (np.diff(firsts) > 0).all()
    assert firsts.size == np.unique(values).size
    assert [a.size for a in numbered(values[:0])] == [0, 0]
