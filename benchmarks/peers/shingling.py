"""Word 3-grams in Python, as users of a sketching library make them: what peers without shingles of their own get, and the truth."""

from __future__ import annotations

import re
import unicodedata

UNBROKEN = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3021-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts without breaks between words: each character counts as a word."""
WORD = re.compile(rf"[{UNBROKEN}]|[^\W{UNBROKEN}]+")
DIGITS = re.compile(r"\d+")


def shingles(text: str) -> list[str]:
    """Word 3-grams of a text, in order, with repeats; none for a text of fewer than three words."""
    words = WORD.findall(DIGITS.sub("0", unicodedata.normalize("NFKC", text).lower()))
    return [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]


def shingle_sets(texts: list[str]) -> tuple[list[int], list[list[str]]]:
    """Positions of the texts that have a shingle, and the distinct shingles of each."""
    rows, sets = [], []
    for i, text in enumerate(texts):
        items = shingles(text)
        if items:
            rows.append(i)
            sets.append(list(dict.fromkeys(items)))
    return rows, sets
