"""Frame families: the same frame in many accounts, inline or as a system prompt, counts as one.

A frame is known by its skeleton, the set of its words. Two skeletons belong to one family when their Jaccard similarity
is at least ``SAME``, or when the smaller lies almost whole in the larger (a prefix with and without a trailing line).
Families grow around their most used skeleton and every member is compared with it, so that they do not chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME: Final = 0.5
"""Jaccard similarity of two skeletons of one family: at least two thirds of each one's words are the other's."""
CONTAINED: Final = 0.8
"""Share of the smaller skeleton that lies in the larger, for skeletons of at least ``CONTAINED_WORDS``."""
CONTAINED_WORDS: Final = 6
MIN_WORDS: Final = 4
"""Distinct words of the smallest frame: below, a shared start is grammar."""
COMMON: Final = 500
"""Words in more distinct skeletons than this do not propose pairs (they still count in the comparison)."""


def _distinct(
    offsets: NDArray[np.int64], words: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], list[NDArray[np.uint32]]]:
    """Number equal skeletons alike: the number of each, and one copy of each distinct one in order of first use."""
    seen: dict[bytes, int] = {}
    number = np.empty(offsets.size - 1, np.int64)
    copies: list[NDArray[np.uint32]] = []
    for i in range(offsets.size - 1):
        skeleton = words[offsets[i] : offsets[i + 1]]
        key = skeleton.tobytes()
        if key not in seen:
            seen[key] = len(copies)
            copies.append(skeleton)
        number[i] = seen[key]
    return number, copies


def families(offsets: NDArray[np.int64], words: NDArray[np.uint32], weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the family of each skeleton (int64; -1 where it has too few words).

    Skeletons come in CSR form, sorted and distinct inside; ``weight`` (requests) decides which one a family grows around. The
    result depends on the skeletons, not on their order.
    """
    number, copies = _distinct(offsets, words)
    sizes = np.array([c.size for c in copies], np.int64)
    total = np.zeros(len(copies), np.int64)
    np.add.at(total, number, weight)
    usable = sizes >= MIN_WORDS
    family = np.full(len(copies), -1, np.int64)
    if usable.any():
        vocabulary, columns = np.unique(np.concatenate(copies), return_inverse=True)
        bounds = np.r_[np.int64(0), np.cumsum(sizes)]
        matrix = sparse.csr_matrix(
            (np.ones(columns.size, np.int32), columns.astype(np.int64), bounds), shape=(len(copies), vocabulary.size)
        )
        proposing = matrix[:, np.asarray(matrix.sum(axis=0)).ravel() <= COMMON]
        keys = [c.tobytes() for c in copies]
        order = sorted(np.flatnonzero(usable), key=lambda i: (-int(total[i]), keys[i]))
        for i in order:
            if family[i] >= 0:
                continue
            family[i] = i
            near = (proposing @ proposing[i].T).tocoo().row
            near = near[(family[near] < 0) & usable[near]]
            if near.size:
                common = np.asarray((matrix[near] @ matrix[i].T).todense()).ravel()
                union = sizes[near] + sizes[i] - common
                smaller = np.minimum(sizes[near], sizes[i])
                joins = (common >= SAME * union) | ((common >= CONTAINED * smaller) & (smaller >= CONTAINED_WORDS))
                family[near[joins]] = i
    return family[number]
