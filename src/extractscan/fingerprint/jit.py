"""A typed face for numba, so that kernels keep their signatures under a strict type checker.

Kernels are cached on disk beside their module (or in numba's user cache where the installation is read-only), release
the GIL so that threads can share the work, and never use ``fastmath`` or ``parallel``: the same input gives the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")


def kernel(function: F) -> F:
    """Compile ``function`` in nopython mode on first call."""
    return cast("F", numba.njit(cache=True, nogil=True)(function))


def inline(function: F) -> F:
    """Compile a helper that is inlined into the kernels that call it."""
    return cast("F", numba.njit(cache=True, nogil=True, inline="always")(function))
