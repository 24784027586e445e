import datasketch
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.fingerprint.minhash import BANDS, KEPT_SHINGLES, ROWS, permutations, shingle, signatures

OPENERS = "write explain list name compare describe translate give".split()
TOPICS = "rivers prime numbers bread roman law tides guitars lichens tariffs vaccines".split()


def generated_sets(count, seed):
    random = np.random.default_rng(seed)
    sizes = random.integers(0, 90, count)
    values = random.integers(0, 2**32, int(sizes.sum()), dtype=np.uint32)
    return np.r_[0, np.cumsum(sizes)].astype(np.int64), values


@pytest.mark.parametrize("seed", [1, 2, 42, 12345])
def test_signatures_are_datasketch_affine32_bit_for_bit(seed):
    offsets, values = generated_sets(1500, seed)
    a, b = permutations(128, seed)
    ours = signatures(offsets, values, a, b)
    for i in range(offsets.size - 1):
        oracle = datasketch.MinHash(num_perm=128, seed=seed, hashfunc=int, scheme="affine32")
        oracle.update_batch(values[offsets[i] : offsets[i + 1]].tolist())
        assert np.array_equal(oracle.hashvalues, ours[i]), i


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), st.integers(1, 200), st.integers(0, 2**31))
@settings(max_examples=60)
def test_any_set_any_length_any_seed(values, num_perm, seed):
    a, b = permutations(num_perm, seed)
    ours = signatures(np.array([0, len(values)], np.int64), np.array(values, np.uint32), a, b)
    oracle = datasketch.MinHash(num_perm=num_perm, seed=seed, hashfunc=int)
    oracle.update_batch(values)
    assert np.array_equal(oracle.hashvalues, ours[0])


def test_datasketch_indexes_take_the_signatures():
    offsets = np.array([0, 40, 80, 120], np.int64)
    base = np.arange(40, dtype=np.uint32)
    values = np.concatenate([base, np.r_[base[:38], [900, 901]].astype(np.uint32), base + 5000]).astype(np.uint32)
    a, b = permutations()
    index = datasketch.MinHashLSH(threshold=0.7, num_perm=128)
    hashes = [
        datasketch.MinHash(hashvalues=s, scheme="affine32", permutations=(a, b))
        for s in signatures(offsets, values, a, b)
    ]
    for i, h in enumerate(hashes):
        index.insert(i, h)
    assert sorted(index.query(hashes[0])) == [0, 1]


def test_band_keys_are_made_of_signatures():
    rng = np.random.default_rng(5)
    offsets = np.r_[0, np.cumsum(rng.integers(3, 60, 200))].astype(np.int64)
    found = shingle(offsets, rng.integers(0, 2**32, int(offsets[-1]), dtype=np.uint32))
    rows = signatures(found.offsets, found.values, *permutations())[:, : BANDS * ROWS].astype(np.uint64)
    for band in range(BANDS):
        key = np.full(200, 0x9E3779B97F4A7C15, np.uint64) * np.uint64(band + 1)
        for row in rows[:, band * ROWS : (band + 1) * ROWS].T:
            key = (key ^ row) * np.uint64(0xFF51AFD7ED558CCD)
            key ^= key >> np.uint64(32)
        assert np.array_equal(found.band_keys[band], (key >> np.uint64(32)).astype(np.uint32))


def test_short_texts_have_no_shingle_and_long_ones_are_capped():
    sizes = [0, 1, 2, 3, 4, 3000]
    offsets = np.r_[0, np.cumsum(sizes)].astype(np.int64)
    tokens = np.random.default_rng(3).integers(0, 2**32, int(offsets[-1]), dtype=np.uint32)
    found = shingle(offsets, tokens)
    assert found.counts.tolist() == [0, 0, 0, 1, 2, 2998]
    assert np.diff(found.offsets).tolist() == [0, 0, 0, 1, 2, KEPT_SHINGLES]
    assert found.band_keys.shape == (BANDS, len(sizes))
    assert BANDS * ROWS <= 128


def test_repeated_shingles_count_once_and_are_sorted():
    tokens = np.tile(np.array([1, 2, 3], np.uint32), 10)
    found = shingle(np.array([0, tokens.size], np.int64), tokens)
    assert found.counts.tolist() == [3]
    assert np.all(np.diff(found.values.astype(np.int64)) > 0)
