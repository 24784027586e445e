import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extractscan.power.csr import Ragged, constant, gather, join, stack, take

sequences = st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=5), min_size=1, max_size=6)


def ragged(lists):
    sizes = np.array([len(one) for one in lists], np.int64)
    return Ragged(np.r_[np.int64(0), np.cumsum(sizes)], np.array([t for one in lists for t in one], np.uint32))


def lists_of(texts):
    return [texts.tokens[a:b].tolist() for a, b in zip(texts.offsets[:-1], texts.offsets[1:], strict=True)]


@given(sequences)
def test_sequences_come_back(lists):
    texts = ragged(lists)
    assert lists_of(texts) == lists
    assert lists_of(take(texts, np.arange(len(lists))[::-1])) == lists[::-1]
    assert lists_of(stack([texts, texts])) == lists * 2
    assert lists_of(join([texts, texts])) == [one * 2 for one in lists]


def test_slices_and_constants():
    tokens = np.arange(10, dtype=np.uint32)
    assert lists_of(gather(tokens, np.array([2, 5, 7]), np.array([4, 3, 8]))) == [[2, 3], [], [7]]
    assert lists_of(constant(tokens[:2], 3)) == [[0, 1]] * 3
    assert lists_of(stack([])) == []
