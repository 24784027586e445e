"""Where nothing can be written, kernels are compiled in every run; that is slow, and no error."""

from __future__ import annotations

from numba.core import caching

from extractscan.jit import inline, kernel


def test_kernels_work_without_a_place_for_their_cache(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])

    @inline
    def twice(x: int) -> int:
        return 2 * x

    @kernel
    def four_times(x: int) -> int:
        return twice(twice(x))

    assert four_times(3) == 12
