"""Names of members as kernels read them: by the hash of their folded form, and once for all records that have them at one place.

Records of one log have the same names in the same order, mostly; what was read once needs no reading again. What was read is kept in
``seen``, int64 (4, slots): where it stood, its size (0: nothing), the node of the tree that it belongs to, and what was found by it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from extractscan.jit import inline, leaf
from extractscan.logs.blocks import WIDTH, alike, below
from extractscan.logs.jsongrammar import skip_key
from extractscan.logs.spans import FNV_OFFSET, FNV_PRIME

_OFFSET: Final = np.uint64(FNV_OFFSET)
_PRIME: Final = np.uint64(FNV_PRIME)


@leaf
def key_hash(buf: Any, i: int, end: int) -> np.uint64:
    """Hash of the folded form of the raw name ``buf[i:end]``."""
    h = _OFFSET
    for k in range(i, end):
        c = buf[k]
        if 65 <= c <= 90:
            c += 32
        if 97 <= c <= 122 or 48 <= c <= 57 or c >= 128:
            h = (h ^ np.uint64(c)) * _PRIME
    return h


@inline
def seen_before(buf: Any, i: int, end: int, seen: Any, slot: int, node: int) -> bool:
    """Whether at ``i`` stands what ``seen`` holds in ``slot`` for ``node``: a name, its colon, and white space if some followed."""
    size = seen[1, slot]
    there = False
    if (
        size > 0 and seen[2, slot] == node and i + size < end
        and i + WIDTH <= len(buf) and seen[0, slot] + WIDTH <= len(buf)
    ):  # fmt: skip
        there = (~alike(buf, i, seen[0, slot]) & below(size)) == np.uint64(0)
    return there


@inline
def remember(seen: Any, slot: int, begin: int, stop: int, node: int, found: Any) -> None:
    """Keep what was ``found`` by the name, colon and white space ``[begin:stop]``, unless they are too long to be compared at once."""
    if stop - begin < WIDTH:
        seen[0, slot], seen[1, slot], seen[2, slot], seen[3, slot] = begin, stop - begin, node, found


@leaf
def read_name(buf: Any, i: int, end: int) -> tuple[int, Any]:
    """Index after the colon of the member name that should stand at ``i`` (negative on error), and the name's hash."""
    after = skip_key(buf, i, end)
    if after < 0:
        return after, _OFFSET
    close = after - 2
    while buf[close] != 34:
        close -= 1
    return after, key_hash(buf, i + 1, close)
