"""A typed face for numba, so that kernels keep their signatures under a strict type checker.

Kernels are cached on disk beside their module, or in numba's user cache where the installation is read-only; where both
are, they are compiled in every run. They release the GIL so that threads can share the work, and never use ``fastmath``
or ``parallel``: the same input gives the same bits.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

import numba
from numba.extending import intrinsic
from numba.misc.appdirs import AppDirs

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")


SCORING: Final = "_group_sheets"
JSON: Final = "jsonscan._project"
NESTED: Final = "pathscan._project"
"""Kernels that every run needs which scores, which reads a plain table in JSON, which reads records that a mapping describes."""
COMPILING: Final = "compiling kernels, once for this installation: this takes half a minute or so"


_told = threading.Event()
_warm: set[str] = set()
"""Kernels that were found compiled: to look takes milliseconds, and a run may read thousands of small files."""


def tell_if_cold(kernel_name: str, say: Callable[[str], None]) -> None:
    """Say, once in a process, that kernels are about to be compiled, if ``is_cold``."""
    if _told.is_set() or kernel_name in _warm:
        return
    if is_cold(kernel_name):
        _told.set()
        say(COMPILING)
    else:
        _warm.add(kernel_name)


def is_cold(kernel_name: str) -> bool:
    """Whether a kernel lies compiled nowhere that numba would look for it: a first run of its kind, probably."""
    elsewhere = os.environ.get("NUMBA_CACHE_DIR")
    # The user's cache is where kernels go when the installation is read-only.
    users = AppDirs(appname="numba", appauthor=False).user_cache_dir  # type: ignore[no-untyped-call]
    places = [Path(elsewhere)] if elsewhere else [Path(__file__).parent, Path(users)]
    return not any(next(place.rglob(f"*{kernel_name}*.nbi"), None) for place in places if place.is_dir())


def kernel(function: F) -> F:
    """Compile ``function`` in nopython mode on first call."""
    return _compiled(function, "never")


def leaf(function: F) -> F:
    """Compile a kernel that makes no arrays, without counting references to those that it is given.

    The counts are atomic and kept in one place for all threads: in a helper that is called for every few bytes they take
    most of the time. Scratch space comes from the caller.
    """
    return _compiled(function, "never", counting=False)


def inline(function: F) -> F:
    """Compile a helper that is inlined into the kernels that call it."""
    return _compiled(function, "always")


def instruction(function: Callable[..., object]) -> Any:
    """Make a helper of a function that takes the types of the arguments, and gives a signature and what builds the code."""
    return intrinsic(function)


def _compiled(function: F, inlining: Literal["never", "always"], *, counting: bool = True) -> F:
    options: dict[str, Any] = {"nogil": True, "inline": inlining} | ({} if counting else {"_nrt": False})
    try:
        return cast("F", numba.njit(cache=True, **options)(function))
    except RuntimeError:  # numba finds no place for its cache
        return cast("F", numba.njit(**options)(function))
