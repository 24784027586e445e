"""The fewest accounts that explain what is explained: greedy set cover.

It needs at most ln m + 1 times the fewest accounts, m being the most items that one holds (Chvatal 1979), and no polynomial
method does better but for lower-order terms (Feige 1998).
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def greedy_cover(
    account: NDArray[np.int64], item: NDArray[np.int64], order: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Choose accounts until every item that any of ``order`` holds is held; returns (account, items that it adds), largest first.

    ``account`` and ``item`` are the pairs that hold, by account; at a tie the one that comes first in ``order`` goes first.
    """
    starts = np.searchsorted(account, order, side="left")
    stops = np.searchsorted(account, order, side="right")
    covered = np.zeros(int(item.max()) + 1 if item.size else 0, np.bool_)
    # Gains only shrink, so an old one is an upper bound: count again only what comes to the top (Minoux 1978).
    heap = [(-(int(b) - int(a)), place) for place, (a, b) in enumerate(zip(starts, stops, strict=True)) if b > a]
    heapq.heapify(heap)
    chosen: list[tuple[int, int]] = []
    while heap:
        _, place = heapq.heappop(heap)
        held = item[starts[place] : stops[place]]
        gain = int((~covered[held]).sum())
        if not gain:
            continue
        if heap and (-gain, place) > heap[0]:
            heapq.heappush(heap, (-gain, place))
            continue
        covered[held] = True
        chosen.append((int(order[place]), gain))
    return chosen
