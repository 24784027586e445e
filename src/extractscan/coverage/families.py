"""Frame families: the same frame in many accounts, inline or as a system prompt, counts as one.

A frame is known by its skeleton, the set of its words. Two skeletons belong to one family when their Jaccard similarity
is at least ``SAME``, or when the smaller lies almost whole in a larger one of its kind (a prefix with and without a trailing line).
Families grow around their most used skeleton and every member is compared with it, so that they do not chain.

Who is compared is found by prefix filtering (Chaudhuri, Ganti, Kaushik 2006; Xiao et al. 2008, *PPJoin*): with words in order of rarity,
two skeletons that are similar enough must meet in the first few words of one of them. It loses nothing, and the words that
everybody uses propose a pair only where they are all that a frame has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME: Final = 0.5
"""Jaccard similarity of two skeletons of one family: at least two thirds of each one's words are the other's."""
CONTAINED: Final = 0.8
"""Share of the smaller skeleton that lies in the larger, for skeletons of at least ``CONTAINED_WORDS``."""
CONTAINED_WORDS: Final = 6
LARGER: Final = 4.0
"""Times as many words as the smaller skeleton has, up to which the larger may be the same frame with more around it. A long text has
the common words of any short one: beyond, that they lie in it is chance."""
MIN_WORDS: Final = 4
"""Distinct words of the smallest frame: below, a shared start is grammar."""
FRUITLESS: Final = 1024
"""Proposals in vain after which a family is taken to be complete. They come from the rarest word on, and only thousands of
skeletons over one tiny vocabulary reach this: the bound keeps them from taking quadratic time."""


def _distinct(
    offsets: NDArray[np.int64], words: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], list[NDArray[np.uint32]]]:
    """Number equal skeletons alike: the number of each, and one copy of each distinct one in order of first use."""
    seen: dict[bytes, int] = {}
    number = np.empty(offsets.size - 1, np.int64)
    copies: list[NDArray[np.uint32]] = []
    for i in range(offsets.size - 1):
        skeleton = words[offsets[i] : offsets[i + 1]]
        key = skeleton.tobytes()
        if key not in seen:
            seen[key] = len(copies)
            copies.append(skeleton)
        number[i] = seen[key]
    return number, copies


@kernel
def _common(left: NDArray[np.int64], right: NDArray[np.int64], needed: float) -> int:
    """Number of values that two sorted sets share; any number below ``needed`` once it cannot be reached."""
    i = 0
    j = 0
    count = 0
    while i < left.size and j < right.size:
        if left[i] == right[j]:
            count += 1
            i += 1
            j += 1
            continue
        if left[i] < right[j]:
            i += 1
        else:
            j += 1
        if count + min(left.size - i, right.size - j) < needed:
            break
    return count


@kernel
def _grow(
    bounds: NDArray[np.int64],
    ranks: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    holders: NDArray[np.int64],
    prefix_starts: NDArray[np.int64],
    prefix_ends: NDArray[np.int64],
    prefix_holders: NDArray[np.int64],
    same: float,
    contained: float,
    contained_words: int,
    larger: float,
    fruitless: int,
    family: NDArray[np.int64],
) -> None:
    """Assign ``family`` (-1 is free): each free skeleton in turn becomes a head and takes those that are like it.

    Skeletons are rows of word ``ranks``, rarest first. ``holders[starts[w]:ends[w]]`` have word ``w``, ``prefix_holders`` have it among
    those few of their words of which any larger skeleton that contains them must have one. Lists shrink as skeletons are taken.
    """
    n = bounds.size - 1
    met = np.full(n, -1, np.int64)
    for i in range(n):
        if family[i] >= 0:
            continue
        family[i] = i
        own = ranks[bounds[i] : bounds[i + 1]]
        vain = 0
        for by_prefix in range(2):
            lows = prefix_starts if by_prefix else starts
            highs = prefix_ends if by_prefix else ends
            rows = prefix_holders if by_prefix else holders
            # Who is alike has half of the head's words, so one of its first half and one more.
            for w in own if by_prefix else own[: own.size // 2 + 1]:
                at = lows[w]
                while at < highs[w] and vain <= fruitless:
                    j = rows[at]
                    if family[j] < 0 and met[j] != i:
                        met[j] = i
                        size = bounds[j + 1] - bounds[j]
                        smaller = min(size, own.size)
                        # At Jaccard J two sets share J / (1 + J) of their summed sizes; half a word less, for rounding.
                        needed = min(same / (1.0 + same) * (size + own.size), contained * smaller) - 0.5
                        inside = smaller >= contained_words and max(size, own.size) <= larger * smaller
                        common = _common(own, ranks[bounds[j] : bounds[j + 1]], needed)
                        if common >= same * (size + own.size - common) or (inside and common >= contained * smaller):
                            family[j] = i
                    if family[j] >= 0:
                        highs[w] -= 1
                        rows[at] = rows[highs[w]]
                    else:
                        vain += 1
                        at += 1


def _lists(
    words: NDArray[np.int64], rows: NDArray[np.int64], vocabulary: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows that hold each word: where the list of each starts and ends, and the rows."""
    ends = np.cumsum(np.bincount(words, minlength=vocabulary)).astype(np.int64)
    starts = np.r_[np.int64(0), ends[:-1]]
    return starts, ends, rows[np.argsort(words, kind="stable")]


def families(offsets: NDArray[np.int64], words: NDArray[np.uint32], weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the family of each skeleton (int64; -1 where it has too few words).

    Skeletons come in CSR form, sorted and distinct inside; ``weight`` (requests) decides which one a family grows around. Families
    are numbered from 0 in the order of their weight; the result depends on the skeletons, not on their order.
    """
    number, copies = _distinct(offsets, words)
    total = np.zeros(len(copies), np.int64)
    np.add.at(total, number, weight)
    keys = [c.tobytes() for c in copies]
    order = sorted((i for i, c in enumerate(copies) if c.size >= MIN_WORDS), key=lambda i: (-int(total[i]), keys[i]))
    family = np.full(len(copies), -1, np.int64)
    if order:
        sizes = np.array([copies[i].size for i in order], np.int64)
        vocabulary, column, frequency = np.unique(
            np.concatenate([copies[i] for i in order]), return_inverse=True, return_counts=True
        )
        rank = np.empty(vocabulary.size, np.int64)
        rank[np.argsort(frequency, kind="stable")] = np.arange(vocabulary.size)
        row = np.repeat(np.arange(sizes.size), sizes)
        ranks = rank[column]
        ranks = ranks[np.lexsort((ranks, row))]
        bounds = np.r_[np.int64(0), np.cumsum(sizes)]
        place = np.arange(ranks.size) - bounds[row]
        prefix = place <= sizes[row] - np.ceil(CONTAINED * sizes[row])
        head = np.full(sizes.size, -1, np.int64)
        _grow(
            bounds,
            ranks,
            *_lists(ranks, row, vocabulary.size),
            *_lists(ranks[prefix], row[prefix], vocabulary.size),
            SAME,
            CONTAINED,
            CONTAINED_WORDS,
            LARGER,
            FRUITLESS,
            head,
        )
        family[order] = np.unique(head, return_inverse=True)[1]
    return family[number]
