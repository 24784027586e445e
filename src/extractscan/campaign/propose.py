"""All candidate campaigns of a log: groups of every kind, each without those who do not belong to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.campaign.corpus import Corpora
from extractscan.campaign.gates import EVALUATES
from extractscan.campaign.groups import MIN_SHARDS, Group, corpus_groups, frame_groups, near_empty_groups, units_of
from extractscan.campaign.members import (
    member_units,
    without_evaluations,
    without_foreign_customers,
    without_outsized,
)
from extractscan.coverage.streams import TURNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from extractscan.campaign.overlap import Payloads
    from extractscan.coverage.streams import Streams
    from extractscan.fingerprint.requests import Texts


@dataclass(frozen=True, slots=True)
class Proposals:
    """Candidate campaigns of a log, and how many units (frame families and unframed streams) their corpora were sought among.

    ``left_out`` units were large enough to be compared, but too many (see ``MAX_UNITS``).
    """

    groups: list[Group]
    compared: int
    left_out: int


def proposals(profiles: pl.DataFrame, streams: Streams, prompts: Texts, payloads: Payloads) -> Proposals:
    """All candidate campaigns of a log, and among how many units corpora were sought."""
    return propose(profiles, payloads, partial(Corpora, streams, prompts))


def propose(
    profiles: pl.DataFrame, payloads: Payloads, corpora_of: Callable[[list[NDArray[np.int64]]], Corpora]
) -> Proposals:
    """Propose by profiles; ``corpora_of`` makes what compares payloads, with weights from the units that it is given."""
    single_turn = profiles.filter(~pl.col("family").is_in(TURNS))
    public = payloads.shared_share(2)
    account = profiles["account"].to_numpy().astype(np.int64)
    units, left_out = units_of(single_turn, public)
    corpora = corpora_of(units)
    groups = frame_groups(single_turn) + corpus_groups(single_turn, units, corpora)
    requests = profiles["requests"].to_numpy()
    evaluates = profiles.select(EVALUATES.alias("evaluates"))["evaluates"].to_numpy()
    groups = [without_evaluations(g, account, evaluates, public) for g in groups]
    groups = [without_outsized(g, account, requests) for g in groups]
    # Last, since among several who meet everybody none stands out.
    groups = [without_foreign_customers(g, account, requests, payloads) for g in groups]
    groups = [g for g in groups if g.kind != "corpus" or np.unique(account[g.streams]).size >= MIN_SHARDS]
    members = [member_units(g, profiles) for g in groups]
    found = iter(corpora.likenesses([m for m in members if m]))
    groups = [replace(g, likeness=next(found) if m else None) for g, m in zip(groups, members, strict=True)]
    return Proposals(groups + near_empty_groups(single_turn), len(units), left_out)
