"""Kernel that finds line breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.eights import eight, first_of, holds
from extractscan.logs.spans import readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BREAKS: Final = np.uint64(0x0A0A0A0A0A0A0A0A)
_LINE: Final = 64
"""Bytes that a line is thought to have at the least; shorter ones only take longer."""


def line_breaks(buf: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where line breaks stand in ``buf``."""
    buf, at, parts = readable(buf), 0, []
    room = len(buf) // _LINE + 64
    while at < len(buf):
        out = np.empty(room, np.int64)
        found, at = _breaks(buf, at, out)
        parts.append(out[:found])
        room = len(buf) - at  # lines are short: room for whatever comes
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.int64), *parts])


@leaf
def _breaks(buf: Any, i: int, out: Any) -> tuple[int, int]:
    """Line breaks from ``i`` on, until ``out`` is full; how many, and where to go on."""
    n, end = 0, len(buf)
    while i < end and n < len(out):
        while i + 8 <= end:
            found = holds(eight(buf, i), _BREAKS)
            if found:
                i += first_of(found)
                break
            i += 8
        while i < end and buf[i] != 10:
            i += 1
        if i < end:
            out[n] = i
            n += 1
            i += 1
    return n, i
