"""Jaccard similarity of two kept shingle sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extractscan.jit import leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray


@leaf
def jaccard(
    offsets: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.int64],
    i: int,
    j: int,
    kept: int,
    least: float,
) -> float:
    """Jaccard similarity of sets ``i`` and ``j``, in [0, 1]; two empty sets have 0, and so has a pair that is seen to lie below ``least``.

    Exact while both sets are kept whole. Otherwise the bottom-k estimate (Broder 1997, "On the resemblance and
    containment of documents"): among the ``kept`` smallest hashes of the union, the share that lies in both.
    """
    p = offsets[i]
    q = offsets[j]
    p_end = offsets[i + 1]
    q_end = offsets[j + 1]
    total = p_end - p + q_end - q
    limit = total
    # Similarity s needs s / (1 + s) of all elements in common: more strangers than that leaves decide the matter early.
    strangers = total - 2 * int(np.ceil(least * total / (1.0 + least) - 1e-9))
    if counts[i] > kept or counts[j] > kept:
        limit = kept
        strangers = total
    union = 0
    common = 0
    # No branch asks which is smaller: it would be guessed wrong every other time.
    while union < limit and p < p_end and q < q_end:
        x = values[np.uint64(p)]
        y = values[np.uint64(q)]
        p += x <= y
        q += x >= y
        common += x == y
        union += 1
        if union - common > strangers:
            return 0.0
    if union < limit:
        union = min(limit, union + (p_end - p) + (q_end - q))
    return common / union if union > 0 else 0.0
