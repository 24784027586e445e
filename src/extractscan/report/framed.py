"""The words of the frames behind findings, for allowlists: who knows a product's template can name it.

Of a finding those streams matter that have a severity by themselves, and those that belong to a campaign; where no stream of an
account does, its worst. An entry hides an account by its frame only if all of them have that frame: what it does beside its
product stays in the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.fingerprint.tokens import tokenise
from extractscan.verdict.assess import severity
from extractscan.verdict.report import worst_streams

if TYPE_CHECKING:
    from extractscan.engine.local import Scored

Frame = frozenset[int]
"""The distinct token hashes of a frame, system prompt and inline part together."""
LIKENESS: Final = 0.8
"""Jaccard similarity of the words from which a frame is the one that an entry names: slots, and a date or a name, may differ."""
FEWEST_WORDS: Final = 8
"""Distinct words of a frame that an entry may name: shorter ones are used by anybody."""
USUAL: Final = 0.5
"""Share of a stream's requests that must have a system prompt for it to be part of the frame."""


def words(text: str) -> Frame:
    """Return the distinct words of a text as logs are read."""
    return frozenset(tokenise(pl.Series([text])).values.tolist())


def same(one: Frame | None, other: Frame) -> bool:
    """Tell whether two frames are the same but for what changes from day to day."""
    return one is not None and len(one & other) >= LIKENESS * len(one | other)


def frames_of(scored: Scored) -> dict[str, tuple[Frame | None, ...]]:
    """Return the frames of the streams that matter, None for an unframed one, by account id.

    Raises ``ValueError`` if ``scored`` was made without ``keep``.
    """
    kept, assessment = scored.kept, scored.assessment
    if kept is None:
        raise ValueError("frames need what assess_logs keeps with keep=True")
    account_of = assessment.profiles["account"].to_list()
    wanted: dict[int, set[int]] = {account: {verdict.stream} for account, verdict in worst_streams(assessment).items()}
    for verdict in assessment.verdicts:
        if severity(verdict.bits, verdict.families) != "none":
            wanted[account_of[verdict.stream]].add(verdict.stream)
    for campaign in assessment.campaigns:
        for stream in campaign.group.streams:
            wanted.setdefault(account_of[int(stream)], set()).add(int(stream))
    chosen = sorted({stream for streams in wanted.values() for stream in streams})
    frame = _frames(scored, chosen)
    names = scored.measured.accounts
    return {names[account]: tuple(frame[s] for s in sorted(streams)) for account, streams in wanted.items()}


def _frames(scored: Scored, chosen: list[int]) -> dict[int, Frame | None]:
    """The frame of each stream, None where it has none."""
    assert scored.kept is not None  # noqa: S101 -- its one caller has looked
    prints, streams = scored.kept.prints, scored.kept.streams
    family = dict(streams.table.filter(pl.col("stream").is_in(chosen)).select("stream", "family").iter_rows())
    held: dict[Frame, Frame] = {}
    out: dict[int, Frame | None] = {}
    items = (
        streams.items.filter(pl.col("stream").is_in(chosen))
        .sort(pl.col("front") + pl.col("back"), descending=True, maintain_order=True)
        .unique("stream", keep="first", maintain_order=True)
    )
    item = {row["stream"]: row for row in items.iter_rows(named=True)}
    usual = (
        streams.requests.filter(pl.col("stream").is_in(chosen))
        .group_by("stream", "system")
        .len()
        .with_columns(share=pl.col("len") / pl.col("len").sum().over("stream"))
        .filter((pl.col("share") >= USUAL) & (pl.col("system") >= 0))
        .sort("stream", "len", "system")
        .unique("stream", keep="last", maintain_order=True)
    )
    system = dict(usual.select("stream", "system").iter_rows())
    for stream in chosen:
        if family[stream] < 0:
            out[stream] = None
            continue
        parts = []
        if stream in system:
            at = prints.systems.offsets[system[stream] : system[stream] + 2]
            parts.append(prints.systems.tokens[at[0] : at[1]])
        row, text = item[stream], prints.prompts
        start, stop = text.offsets[row["prompt"]], text.offsets[row["prompt"] + 1]
        parts += [text.tokens[start : start + row["front"]], text.tokens[stop - row["back"] : stop]]
        made = frozenset(np.concatenate(parts).tolist())
        out[stream] = held.setdefault(made, made)
    return out
