"""Which of a few known words a value is, told from its raw bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from extractscan.jit import leaf
from extractscan.logs.jsonnames import key_hash
from extractscan.logs.names import fold
from extractscan.logs.spans import STRING, name_hash, offsets, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Words:
    """Known words and their codes (1 to 127), compared as names are: letters and digits, case aside."""

    def __init__(self, codes: Mapping[str, int]) -> None:
        self._hashes = np.array([name_hash(fold(word)) for word in codes], np.uint64)
        self._codes = np.array(list(codes.values()), np.int8)

    def of(
        self, buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any], kind: NDArray[Any]
    ) -> NDArray[np.int8]:
        """Code of each string, 0 for one that is not known, or no string."""
        is_text = np.ascontiguousarray(kind == STRING)
        found = np.zeros(len(is_text), np.int8)
        _codes(readable(buf), offsets(start), offsets(end), is_text, self._hashes, self._codes, found)
        return found


@leaf
def _codes(buf: Any, start: Any, end: Any, is_text: Any, hashes: Any, codes: Any, out: Any) -> None:
    for row in range(len(start)):
        if not is_text[row] or end[row] - start[row] > 64:
            continue
        h = key_hash(buf, start[row], end[row])
        for k in range(len(hashes)):
            if hashes[k] == h:
                out[row] = codes[k]
                break
