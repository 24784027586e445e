"""Pairs at or over a Jaccard similarity, exactly, and what of them a tool found.

All pairs come from an inverted index over prefixes (Bayardo, Ma, Srikant, "Scaling up all pairs similarity search", 2007): with the
elements of every set in the order of their frequency, two sets of similarity ``t`` share one among the first
``n - ceil(t n) + 1`` of either. Nothing is estimated.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SLACK = 1e-9
"""Whole numbers that rounding moved are rounded back."""


def pairs_over(sets: Sequence[frozenset[str]], threshold: float) -> set[tuple[int, int]]:
    """Return all pairs ``(i, j)``, ``i < j``, of sets with Jaccard similarity at or over ``threshold``; empty sets have no pair."""
    frequency = Counter(x for items in sets for x in items)
    rank = {x: r for r, (x, _) in enumerate(sorted(frequency.items(), key=lambda entry: (entry[1], entry[0])))}
    numbered = [frozenset(rank[x] for x in items) for items in sets]
    index: defaultdict[int, list[int]] = defaultdict(list)
    found = set()
    for i in sorted(range(len(sets)), key=lambda k: (len(sets[k]), k)):
        mine = numbered[i]
        size = len(mine)
        if not size:
            continue
        least = math.ceil(threshold * size - SLACK)
        candidates: set[int] = set()
        prefix = sorted(mine)[: size - least + 1]
        for x in prefix:
            candidates.update(index[x])
        for j in candidates:
            other = numbered[j]
            if len(other) < least:
                continue
            common = len(mine & other)
            if common >= threshold * (size + len(other) - common) - SLACK:
                found.add((min(i, j), max(i, j)))
        for x in prefix:
            index[x].append(i)
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """What a tool found of the true pairs.

    ``found`` and ``missed`` count true pairs in and out of a common cluster; ``false`` counts pairs in a common cluster that are not
    true. All three are -1 for a tool that only flags rows. ``flagged`` is the share of the rows with a true partner before them that
    the tool holds for duplicates of an earlier row, ``flagged_true`` the share of the rows so held that have a true partner.
    """

    found: int
    missed: int
    false: int
    flagged: float
    flagged_true: float


def score_labels(labels: Sequence[int], truth: set[tuple[int, int]], rows: Sequence[int]) -> Score:
    """Score clusters, given as a label for each row; only ``rows`` count: those that have shingles."""
    found = sum(labels[i] == labels[j] for i, j in truth)
    together = sum(n * (n - 1) // 2 for n in Counter(labels[i] for i in rows).values())
    seen: set[int] = set()
    flags = [False] * len(labels)
    for i in rows:
        flags[i] = labels[i] in seen
        seen.add(labels[i])
    return Score(found, len(truth) - found, together - found, *_flagged(flags, truth, rows))


def score_flags(flags: Sequence[bool], truth: set[tuple[int, int]], rows: Sequence[int]) -> Score:
    """Score flags: which rows a tool holds for duplicates of earlier ones."""
    return Score(-1, -1, -1, *_flagged(flags, truth, rows))


def _flagged(flags: Sequence[bool], truth: set[tuple[int, int]], rows: Sequence[int]) -> tuple[float, float]:
    later = {j for _, j in truth}
    partnered = later | {i for i, _ in truth}
    held = [i for i in rows if flags[i]]
    return sum(flags[i] for i in later) / max(1, len(later)), sum(i in partnered for i in held) / max(1, len(held))
