"""Which format a file is in, told from a sample of its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from extractscan.logs.mapping import fits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extractscan.logs.mapping import Format

TABLE: Final = "table"
"""The name of a plain table whose columns are known by their usual names."""

RECORDS: Final = 40
"""Records of the sample that are looked at, evenly spread."""

NEAR: Final = 0.85
"""A runner-up with at least this share of the points of the first is too near to choose. One sign fewer of six still
decides; the same signs do not."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The format of a file and the next best, each with its points: the signs in a record, averaged over the sample.

    ``format`` is None for a plain table (or no format at all); ``tie`` says that the runner-up is too near.
    """

    format: Format | None
    points: float = 0.0
    runner_up: str = ""
    runner_up_points: float = 0.0

    @property
    def name(self) -> str:
        """The name of the format."""
        return TABLE if self.format is None else self.format.name

    @property
    def tie(self) -> bool:
        """Whether the runner-up is too near."""
        return self.format is not None and self.runner_up != TABLE and self.runner_up_points >= NEAR * self.points > 0

    @property
    def next_best(self) -> str:
        """The runner-up, or ``none``."""
        return self.runner_up or ("none" if self.format is not None else "")


def recognise(sample: Sequence[Mapping[str, Any]], formats: Sequence[Format], *, table: bool) -> Recognised:
    """Choose among ``formats`` by the records of ``sample``; ``table`` says that plain names would do as well.

    A user's own mapping that fits at all comes before those of the package; the plain table comes last.
    """
    if not sample:
        return Recognised(None)
    step = max(len(sample) // RECORDS, 1)
    sample = sample[::step][:RECORDS]
    points = [0.0] * len(formats)
    for record in sample:  # one by one: what a record holds as JSON in a string is opened once for all formats
        for k, one in enumerate(formats):
            points[k] += fits(one, record)
    scored = [(one.own, found / len(sample), one) for one, found in zip(formats, points, strict=True) if found]
    scored.sort(key=lambda s: (not s[0], -s[1], s[2].name))
    if not scored:
        return Recognised(None)
    own, most, chosen = scored[0]
    others = [(one.name, p) for o, p, one in scored[1:] if o == own]
    if table:
        others.append((TABLE, 0.0))
    if not others:
        others = [(one.name, p) for _, p, one in scored[1:]]
        return Recognised(chosen, most, *((others[0][0], 0.0) if others else ("", 0.0)))
    return Recognised(chosen, most, *others[0])
