"""What kernels look up while they read text: a code point's nature, and what it does to the hashes of its word and its text.

Ranges say what a code point is (see ``codepoints``); a table of the first plane, made when it is first wanted, says it in one
load. Beyond that plane the ranges are asked.

Both hashes are FNV-1a: ``h = (h ^ c) * prime``. The second white space of a run does not count. Whether a character counts in its word
depends on its class and on that of the one before: the second digit of a number does not, and a word starts anew after what is
none. A branch for each of these is guessed wrong once in a word, which takes longer than hashing it. So there is none: ``steps`` has, for
each pair of classes, what to put into ``(h ^ c ^ extra) * factor``. What does not count has ``extra = c`` and the factor 1; the end of
a word has the factor 0.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.codepoints import BREAK, DIGIT, SPACE, WORD, fold, is_plain, kind_of, mark_of
from extractscan.jit import kernel, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

OFFSET32: Final = 0x811C9DC5
PRIME32: Final = 0x01000193
OFFSET64: Final = 0xCBF29CE484222325
PRIME64: Final = 0x100000001B3
UNPRIME64: Final = pow(PRIME64, -1, 1 << 64)
"""FNV-1a's starts and primes for words (32 bits) and texts (64), and what undoes a multiplication."""

ROW: Final = 4
"""Entries of a row of ``steps``; a class times ``ROW`` is how far its rows lie apart."""
ASCII: Final = 16 * ROW
"""Where in ``steps`` ASCII begins."""

CHAR: Final = 0x1FFFFF
KIND: Final = 21
PLAIN: Final = 24
MARK: Final = 25
"""Where an entry of ``plane`` has its parts: the folded code point, its class, whether it is plain, its class as a mark."""


@cache
def steps() -> NDArray[np.uint64]:
    """Rows ``4 * before + now`` (uint64): factor and extra of the word's hash, and what to add to the count. ``ALONE`` counts as a break.

    The count has tokens in its lower half and characters, white space apart, in its upper. After the rows, for each ASCII character: the
    character as it counts in a text (lowest byte) and in a word (next), and its class times ``ROW`` (above).
    """
    out = np.zeros(ASCII + 128, np.uint64)
    for before in (SPACE, BREAK, WORD, DIGIT):
        for now in (SPACE, BREAK, WORD, DIGIT):
            row = out[(4 * before + now) * ROW :][:ROW]
            if now >= WORD:
                start = OFFSET32 if before < WORD else 0
                row[:2] = (1, ord("0")) if before == now == DIGIT else (PRIME32, start)
            row[2] = int(before >= WORD > now) + (int(now != SPACE) << 32)
    for c in range(128):
        entry = int(entry_of(np.uint32(c)))
        char, kind = entry & CHAR, entry >> KIND & 7
        out[ASCII + c] = char | (ord("0") if kind == DIGIT else char) << 8 | kind * ROW << 16
    return out


@leaf
def entry_of(c: np.uint32) -> np.uint32:
    """All about one code point, in 32 bits: see ``CHAR``."""
    folded = np.uint32(c + 32) if 65 <= c <= 90 else fold(c) if c >= 0x80 else c
    kind = np.uint32(kind_of(folded))
    if kind == SPACE:
        folded = np.uint32(32)
    plain = np.uint32(1) if is_plain(c) else np.uint32(0)  # type: ignore[arg-type]
    mark = np.uint32(mark_of(c))  # type: ignore[arg-type]
    return np.uint32(folded | kind << np.uint32(KIND) | plain << np.uint32(PLAIN) | mark << np.uint32(MARK))


@kernel
def _plane() -> NDArray[np.uint32]:
    out = np.empty(1 << 16, np.uint32)
    for c in range(out.size):
        out[c] = entry_of(np.uint32(c))
    return out


@cache
def plane() -> NDArray[np.uint32]:
    """``entry_of`` the first 65,536 code points."""
    return _plane()
