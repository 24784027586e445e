"""One evaluation: every measure of a matched ranking, as one frozen result."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.evaluate.metrics import (
    PairScore,
    Proportion,
    TieGroups,
    average_precision,
    pair_score,
    precision_at,
    proportion,
    roc_auc,
    threshold_for,
    tie_groups,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.evaluate.tables import Matched

SCHEMA_VERSION: Final = "1.0"

ONE_IN: Final = (10_000, 1_000, 100)
"""False-positive rates at which recall is given, as 1/n: whole numbers, so that their product with a count is exact."""

ARCHETYPES_ONE_IN: Final = 1_000
"""The rate at which archetypes are told apart."""

FIRST: Final = (10, 50, 100)
"""Lengths of the top of the ranking for which precision is given, beside the number of attackers."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """How many accounts there are: see ``Matched`` for the last three; ``labelled`` = ``attackers`` + ``benign``."""

    labelled: int
    attackers: int
    benign: int
    ranked: int
    matched: int
    missing_from_ranking: int
    without_label: int


@dataclass(frozen=True, slots=True)
class Operating:
    """Recall where at most ``allowed_benign`` = floor(``fpr`` x benign) benign accounts score above ``threshold``.

    ``benign_above`` is how many do. Without benign accounts there is no threshold, and recall is of 0 accounts.
    """

    fpr: float
    allowed_benign: int
    threshold: float | None
    benign_above: int
    recall: Proportion


@dataclass(frozen=True, slots=True)
class Top:
    """Precision of the ``k`` worst accounts."""

    k: int
    precision: Proportion


@dataclass(frozen=True, slots=True)
class AtSeverity:
    """Accounts whose severity is ``at_least`` this or worse: precision among them, recall of attackers."""

    at_least: str
    precision: Proportion
    recall: Proportion


@dataclass(frozen=True, slots=True)
class Archetype:
    """One kind of sender: the share of its accounts above the threshold, and at severity medium or worse.

    For attackers these are recalls, for benign kinds false-positive rates. ``archetype`` is None for accounts that the
    labels give none; ``above_threshold`` is None without benign accounts to set a threshold by, ``medium_or_worse``
    when the ranking has no severities.
    """

    archetype: str | None
    accounts: int
    above_threshold: Proportion | None
    medium_or_worse: Proportion | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every measure; None where the files lack what it needs, or a class is empty.

    ``archetype_fpr`` is the false-positive rate whose threshold the archetypes are held against.
    ``worst_benign_archetype`` has the highest rate above the threshold (then the most accounts, then the first name),
    and is None when no benign account is above.
    """

    accounts: Accounts
    average_precision: float | None
    roc_auc: float | None
    recall_at_fpr: tuple[Operating, ...]
    precision_at: tuple[Top, ...]
    precision_at_attackers: Top
    severity: tuple[AtSeverity, ...] | None
    campaign_pairs: PairScore | None
    archetype_fpr: float
    attack_archetypes: tuple[Archetype, ...] | None
    benign_archetypes: tuple[Archetype, ...] | None
    worst_benign_archetype: Archetype | None


def evaluate(matched: Matched, *, archetypes_one_in: int = ARCHETYPES_ONE_IN) -> Evaluation:
    """Measure a matched ranking. Depends on the rows alone, not on their order.

    Archetypes are told apart at a false-positive rate of one in ``archetypes_one_in``.
    """
    frame = matched.frame
    score = frame["score"].to_numpy()
    attack = frame["attack"].to_numpy()
    groups = tie_groups(score, attack)
    attackers, benign = int(attack.sum()), int((~attack).sum())
    threshold = threshold_for(groups, benign // archetypes_one_in)
    above = score > threshold if isfinite(threshold) else None
    flagged = _flagged(frame, "medium")
    attack_kinds = _archetypes(frame, attack, above, flagged)
    benign_kinds = _archetypes(frame, ~attack, above, flagged)
    return Evaluation(
        accounts=Accounts(
            labelled=frame.height,
            attackers=attackers,
            benign=benign,
            ranked=matched.ranked,
            matched=matched.ranked - matched.unlabelled,
            missing_from_ranking=matched.missing,
            without_label=matched.unlabelled,
        ),
        average_precision=average_precision(groups),
        roc_auc=roc_auc(groups),
        recall_at_fpr=tuple(_operating(groups, one_in) for one_in in ONE_IN),
        precision_at=tuple(Top(k, precision_at(groups, k)) for k in FIRST),
        precision_at_attackers=Top(attackers, precision_at(groups, attackers)),
        severity=_severities(frame, attack),
        campaign_pairs=_campaign_pairs(frame, attack),
        archetype_fpr=1 / archetypes_one_in,
        attack_archetypes=attack_kinds,
        benign_archetypes=benign_kinds,
        worst_benign_archetype=_worst(benign_kinds),
    )


def _operating(groups: TieGroups, one_in: int) -> Operating:
    allowed = int(groups.benign.sum()) // one_in
    threshold = threshold_for(groups, allowed)
    above = groups.score > threshold
    caught, every = int(groups.attackers[above].sum()), int(groups.attackers.sum())
    return Operating(
        fpr=1 / one_in,
        allowed_benign=allowed,
        threshold=threshold if isfinite(threshold) else None,
        benign_above=int(groups.benign[above].sum()),
        recall=proportion(caught, every) if isfinite(threshold) else proportion(0, 0),
    )


def _flagged(frame: pl.DataFrame, at_least: str) -> NDArray[np.bool_] | None:
    """Tell which accounts have this severity or a worse one; an account missing from the ranking has none."""
    if "severity" not in frame.columns:
        return None
    worse = ("high",) if at_least == "high" else ("high", "medium")
    return frame["severity"].fill_null("none").is_in(worse).to_numpy()


def _severities(frame: pl.DataFrame, attack: NDArray[np.bool_]) -> tuple[AtSeverity, ...] | None:
    found = []
    for at_least in ("high", "medium"):
        flagged = _flagged(frame, at_least)
        if flagged is None:
            return None
        hits = int((flagged & attack).sum())
        found.append(AtSeverity(at_least, proportion(hits, int(flagged.sum())), proportion(hits, int(attack.sum()))))
    return tuple(found)


def _campaign_pairs(frame: pl.DataFrame, attack: NDArray[np.bool_]) -> PairScore | None:
    """Compare ``campaign_id`` with ``campaign`` by pairs of labelled accounts.

    Two accounts belong together when both are attackers of the same named campaign. A benign account belongs with
    none, whatever its row says, so every pair that a predicted campaign makes with it is wrong.
    """
    if "campaign_id" not in frame.columns or "campaign" not in frame.columns:
        return None
    true = np.where(attack, _numbered(frame["campaign"]), -1)
    return pair_score(_numbered(frame["campaign_id"]), true)


def _numbered(names: pl.Series) -> NDArray[np.int64]:
    """Give each distinct name a number from 0, and null -1."""
    rank = names.rank("dense").cast(pl.Int64) - 1
    return rank.fill_null(-1).to_numpy()


def _archetypes(
    frame: pl.DataFrame,
    chosen: NDArray[np.bool_],
    above: NDArray[np.bool_] | None,
    flagged: NDArray[np.bool_] | None,
) -> tuple[Archetype, ...] | None:
    """Count the chosen accounts by archetype, in the order of names."""
    if "archetype" not in frame.columns:
        return None
    nothing = np.zeros(frame.height, dtype=np.bool_)
    marks = {"above": nothing if above is None else above, "flagged": nothing if flagged is None else flagged}
    kinds = (
        pl.DataFrame({"archetype": frame["archetype"], **marks})
        .filter(pl.Series(chosen))
        .group_by("archetype")
        .agg(pl.len().alias("total"), pl.col("above").sum(), pl.col("flagged").sum())
        .sort("archetype", nulls_last=True)
    )
    return tuple(
        Archetype(
            archetype=name,
            accounts=total,
            above_threshold=None if above is None else proportion(hits, total),
            medium_or_worse=None if flagged is None else proportion(worse, total),
        )
        for name, total, hits, worse in kinds.iter_rows()
    )


def _worst(kinds: tuple[Archetype, ...] | None) -> Archetype | None:
    """Find the kind with the highest rate, then the most accounts, above the threshold."""
    worst: Archetype | None = None
    most = (0.0, 0)
    for kind in kinds or ():  # sorted by name, so the first of equals stays
        share = kind.above_threshold
        if share is not None and (share.rate or 0.0, share.hits) > most:
            worst, most = kind, (share.rate or 0.0, share.hits)
    return worst
