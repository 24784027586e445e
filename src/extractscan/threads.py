"""Sharing kernels over threads. Kernels release the GIL; every piece writes its own part, so the result knows no thread."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
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
    if n == 0 or most <= 1:
        return [(0, n)] if n else []
    reached = np.cumsum(weights)
    goals = np.arange(1, most) * (float(reached[-1]) / most)
    cuts = np.unique(np.r_[0, np.searchsorted(reached, goals), n])
    return [(int(a), int(b)) for a, b in pairwise(cuts)]


@cache
def _helpers(jobs: int) -> ThreadPoolExecutor:
    """Threads that wait for work, no more than were asked for: to start them takes as long as hashing a megabyte."""
    return ThreadPoolExecutor(jobs, "share")


os.register_at_fork(after_in_child=_helpers.cache_clear)  # no thread survives a fork


def portions(weights: NDArray[np.int64], jobs: int, worth: int) -> list[tuple[int, int]]:
    """Cut positions for so many threads: into some more ranges than threads, each of half the weight that is ``worth`` a start or more."""
    return pieces(weights, min(8 * jobs, 1 + int(weights.sum()) // worth) if jobs > 1 else 1)


def share(work: Callable[[int, int], T], ranges: list[tuple[int, int]], jobs: int) -> list[T]:
    """Do ``work(start, stop)`` for each range, in ``jobs`` threads of which the caller is one; results in the order of the ranges."""
    if jobs <= 1 or len(ranges) <= 1:
        return [work(a, b) for a, b in ranges]
    waiting = deque(enumerate(ranges))
    results: dict[int, T] = {}

    def help_out() -> None:
        while True:
            try:
                k, (start, stop) = waiting.popleft()
            except IndexError:
                return
            results[k] = work(start, stop)

    helpers = [_helpers(jobs).submit(help_out) for _ in range(min(jobs, len(ranges)) - 1)]
    try:
        help_out()
    finally:
        waiting.clear()  # after a failure; else it is empty
        started = [helper for helper in helpers if not helper.cancel()]
        wait(started)
    for helper in started:
        helper.result()  # raises what failed there
    return [results[k] for k in range(len(ranges))]


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
