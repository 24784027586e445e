"""Jaccard similarity of two kept shingle sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.jit import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def jaccard(
    offsets: NDArray[np.int64], values: NDArray[np.uint32], counts: NDArray[np.int64], i: int, j: int, kept: int
) -> float:
    """Jaccard similarity of sets ``i`` and ``j``, in [0, 1]; two empty sets have 0.

    Exact while both sets are kept whole. Otherwise the bottom-k estimate (Broder 1997, "On the resemblance and
    containment of documents"): among the ``kept`` smallest hashes of the union, the share that lies in both.
    """
    p = offsets[i]
    q = offsets[j]
    p_end = offsets[i + 1]
    q_end = offsets[j + 1]
    limit = p_end - p + q_end - q
    if counts[i] > kept or counts[j] > kept:
        limit = kept
    union = 0
    common = 0
    while union < limit and p < p_end and q < q_end:
        x = values[p]
        y = values[q]
        union += 1
        if x == y:
            common += 1
            p += 1
            q += 1
        elif x < y:
            p += 1
        else:
            q += 1
    if union < limit:
        union = min(limit, union + (p_end - p) + (q_end - q))
    return common / union if union > 0 else 0.0
