"""Sharing kernels over threads. Kernels release the GIL; every piece writes its own part, so the result knows no thread."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

S = TypeVar("S")
T = TypeVar("T")


def pieces(weights: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """Cut positions 0 to n into at most ``most`` ranges of about the same total weight; none is empty."""
    n = weights.size
    if n == 0:
        return []
    reached = np.cumsum(weights)
    goals = np.arange(1, most) * (float(reached[-1]) / most)
    cuts = np.unique(np.r_[0, np.searchsorted(reached, goals), n])
    return [(int(a), int(b)) for a, b in pairwise(cuts)]


def share(work: Callable[[int, int], T], ranges: list[tuple[int, int]], jobs: int) -> list[T]:
    """Do ``work(start, stop)`` for each range, in threads; results in the order of the ranges."""
    if jobs <= 1 or len(ranges) <= 1:
        return [work(a, b) for a, b in ranges]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda r: work(*r), ranges))


def in_turn(work: Callable[[S], T], items: Iterable[S], jobs: int) -> Iterator[T]:
    """Do ``work`` for each item, ``jobs`` at a time in threads; results in the order of the items.

    No more of them wait than there are threads.
    """
    if jobs <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[T]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            del item
            if len(waiting) >= jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
