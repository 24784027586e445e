"""What an adapter hands back: pairs, labels or flags. Pairs become clusters outside the time that is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Outcome:
    """One of: ``labels`` (a number for each row, equal in a cluster), ``flags`` (row is a duplicate of an earlier one), ``pairs``."""

    pairs: Iterable[tuple[int, int]] | None = None
    labels: list[int] | None = None
    flags: list[bool] | None = None
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds of processor by part, of this process, where the adapter tells them apart."""


def labels_of(pairs: Iterable[tuple[int, int]], rows: int) -> list[int]:
    """Connected components of pairs: for each row the smallest row that it hangs together with."""
    parent = list(range(rows))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in pairs:
        p, q = find(i), find(j)
        if p != q:
            parent[max(p, q)] = min(p, q)
    return [find(i) for i in range(rows)]
