"""Kernel that finds line breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.blocks import WIDTH, lowest, same
from extractscan.logs.spans import readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LINE: Final = 64
"""Bytes that a line is thought to have at the least; shorter ones only take longer."""


def line_breaks(buf: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where line breaks stand in ``buf``."""
    buf, at, parts = readable(buf), 0, []
    room = len(buf) // _LINE + WIDTH
    while at < len(buf):
        out = np.empty(room, np.int64)
        found, at = _breaks(buf, at, out)
        parts.append(out[:found])
        room = len(buf) - at + WIDTH  # lines are short: room for whatever comes
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.int64), *parts])


@leaf
def _breaks(buf: Any, i: int, out: Any) -> tuple[int, int]:
    """Line breaks from ``i`` on, until ``out`` has no room for those of a block; how many, and where to go on."""
    n = 0
    while i < len(buf) and n + WIDTH <= len(out):
        if i + WIDTH > len(buf):
            if buf[i] == 10:
                out[n] = i
                n += 1
            i += 1
            continue
        found = same(buf, i, 10)
        while found:
            out[n] = i + lowest(found)
            n += 1
            found &= found - np.uint64(1)
        i += WIDTH
    return n, i
