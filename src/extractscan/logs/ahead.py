"""Waiting for many things at once: the next ones are asked for while the first is worked on."""

from __future__ import annotations

import itertools
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Future

S = TypeVar("S")
T = TypeVar("T")


def ahead(work: Callable[[S], T], items: Iterable[S], most: int) -> Generator[T, None, None]:
    """``work`` of each item, in their order; at most ``most`` are under way or done and not yet drawn.

    What ``work`` raises is raised in its turn. Close the iterator to give up the rest.
    """
    rest = iter(items)
    pool = ThreadPoolExecutor(most, thread_name_prefix="ahead")
    try:
        begun: deque[Future[T]] = deque(pool.submit(work, item) for item in itertools.islice(rest, most))
        while begun:
            yield begun.popleft().result()
            begun.extend(pool.submit(work, item) for item in itertools.islice(rest, 1))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
