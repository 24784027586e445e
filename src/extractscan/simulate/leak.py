"""A data set that surfaced elsewhere, made of what simulated accounts took: for measuring how well it is traced.

Some items are reworded lightly, as a collector's clean-up or an attempt to hide does, and foreign items are mixed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from extractscan.simulate.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA: Final = {"prompt": pl.String(), "response": pl.String(), "origin": pl.String()}
"""Columns of a leak: ``origin`` is the account that an item was taken from, null for foreign items."""

SWAPPED: Final = 0.04
DROPPED: Final = 0.04
"""Share of the words that change places with the next, and that are left out, in a text that is reworded: one or two of
each in a prompt of thirty words."""
_MARKS: Final = str.maketrans("", "", ".,;:!?\"'()")


def reword(text: str, dice: Dice) -> str:
    """Reword a text lightly: words swapped and dropped, case and punctuation changed.

    A text without blanks (Chinese, Japanese) is reworded by characters.
    """
    joint = " " if text.count(" ") * 12 > len(text) else ""
    words = text.split(" ") if joint else list(text)
    out: list[str] = []
    for word in words:
        if len(words) > 4 and dice.chance(DROPPED):
            continue
        out.append(word)
        if len(out) > 1 and dice.chance(SWAPPED):
            out[-1], out[-2] = out[-2], out[-1]
    changed = joint.join(out)
    way = dice.below(4)
    if way == 0:
        return changed.lower()
    if way == 1:
        return changed.translate(_MARKS)
    return changed.capitalize() if way == 2 else changed + " "


def leak(
    taken: pl.DataFrame,
    foreign: pl.DataFrame,
    *,
    items: int,
    foreign_share: float = 0.5,
    reworded: float = 0.3,
    seed: int = 1,
) -> pl.DataFrame:
    """Mix a data set of ``SCHEMA`` with ``items`` rows.

    ``taken`` has ``prompt``, ``response`` and ``account_id``, ``foreign`` ``prompt`` and ``response``; each is drawn from without
    repeats, and gives less where it has less.
    """
    own = _drawn(taken, items - round(items * foreign_share), Dice.of(seed, "leak", "own"))
    other = _drawn(foreign, round(items * foreign_share), Dice.of(seed, "leak", "foreign"))
    table = pl.concat(
        [
            own.select("prompt", "response", pl.col("account_id").alias("origin")),
            other.select("prompt", "response", pl.lit(None, pl.String).alias("origin")),
        ]
    )
    dice = Dice.of(seed, "leak", "words")
    rows = [
        (reword(p, dice), None if r is None else reword(r, dice), o) if dice.chance(reworded) else (p, r, o)
        for p, r, o in table.iter_rows()
    ]
    made = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return made[_order(made.height, Dice.of(seed, "leak", "order"))]


def _drawn(table: pl.DataFrame, count: int, dice: Dice) -> pl.DataFrame:
    distinct = table.unique("prompt", keep="first", maintain_order=True)
    return distinct[_order(distinct.height, dice)[:count]]


def _order(count: int, dice: Dice) -> Sequence[int]:
    return sorted(range(count), key=lambda _: dice.unit())
