"""Units: the frames of each sheet, and what is unframed there, with the skeletons by which families are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.coverage.families import families
from extractscan.fingerprint.tallies import distinct_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.frames import Frames
    from extractscan.coverage.sheets import Sheets
    from extractscan.fingerprint.requests import Texts

GENERIC_WORDS: Final = 8
GENERIC_ACCOUNTS: Final = 5
"""A system prompt of fewer words that so many accounts have says nothing about any of them."""
WRITTEN_BY: Final = 2
"""Accounts that write a system prompt's words into their prompts, from which it is a frame: one may be a curiosity."""
UNFAMILIAR: Final = -1
"""Family of a unit that has none."""


@dataclass(frozen=True, slots=True)
class Units:
    """Units of sheets, sorted by sheet and ``group``: one frame on one sheet, or what is unframed there (``group`` -1).

    ``of_item`` is the unit of each item; ``weight`` counts requests; skeletons are the words of the system prompt and of the inline frame,
    sorted and distinct, in CSR form.
    """

    of_item: NDArray[np.int64]
    account: NDArray[np.int64]
    system: NDArray[np.int64]
    group: NDArray[np.int64]
    weight: NDArray[np.int64]
    skeleton_offsets: NDArray[np.int64]
    skeletons: NDArray[np.uint32]


def skeletons(
    unit_system: NDArray[np.int64], unit_group: NDArray[np.int64], frames: Frames, systems: Texts
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Skeleton of each unit: the words of its system prompt and of its inline frame, sorted and distinct, in CSR form."""
    parts: list[NDArray[np.uint32]] = []
    of_system: dict[int, NDArray[np.uint32]] = {-1: np.empty(0, np.uint32)}  # many accounts have the same
    for system, group in zip(unit_system.tolist(), unit_group.tolist(), strict=True):
        if system not in of_system:
            of_system[system] = distinct_values(systems.tokens[systems.offsets[system] : systems.offsets[system + 1]])
        words = of_system[system]
        if group >= 0:
            inline = frames.skeleton[frames.skeleton_offsets[group] : frames.skeleton_offsets[group + 1]]
            words = distinct_values(np.concatenate([words, inline])) if words.size else inline
        parts.append(words)
    sizes = np.array([p.size for p in parts], np.int64)
    return np.r_[np.int64(0), np.cumsum(sizes)], np.concatenate(parts) if parts else np.empty(0, np.uint32)


def _first(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the first member of each group, groups being numbered from 0 without gaps."""
    return np.unique(groups, return_index=True)[1]


def _users(key: NDArray[np.int64], account: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of accounts that share the key of each row."""
    used, number = np.unique(key, return_inverse=True)
    width = int(account.max(initial=0)) + 1
    return np.bincount(np.unique(number * width + account) // width, minlength=used.size)[number]


def with_short_frames(
    family: NDArray[np.int64],
    system: NDArray[np.int64],
    group: NDArray[np.int64],
    words: NDArray[np.int64],
    account: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Settle what families cannot: short frames, and system prompts that everybody uses.

    A frame of too few words to be known again elsewhere is its account's own family. A short system prompt alone that many
    accounts use (*You are a helpful assistant*) frames nothing, unless others write the same words into their prompts: that is what one
    does with a template, and not with a setting.
    """
    bare = (system >= 0) & (group < 0) & (words < GENERIC_WORDS)
    inline = np.flatnonzero((system < 0) & (group >= 0) & (family >= 0))
    written = np.unique(family[inline][_users(family[inline], account[inline]) >= WRITTEN_BY])
    everybodys = bare & (family >= 0) & (_users(family, account) >= GENERIC_ACCOUNTS) & ~np.isin(family, written)
    family = np.where(everybodys, UNFAMILIAR, family)
    rare = bare & (words > 0) & (_users(system, account) < GENERIC_ACCOUNTS)
    own = (family < 0) & ((group >= 0) | rare)
    family[own] = int(family.max(initial=0)) + 1 + np.flatnonzero(own)
    return family


def units_of(sheets: Sheets, systems: Texts) -> Units:
    """Units of sheets: the frames of each, and what is unframed there."""
    frames = sheets.frames
    span = int(frames.group.max(initial=-1)) + 2
    keys, unit = np.unique(sheets.sheet * span + frames.group + 1, return_inverse=True)
    group = keys % span - 1
    first = _first(unit)
    system = sheets.system[first]
    offsets, words = skeletons(system, group, frames, systems)
    weight = np.bincount(unit, weights=sheets.times, minlength=keys.size).astype(np.int64)
    return Units(unit, sheets.account[first], system, group, weight, offsets, words)


def families_of_units(units: Units) -> NDArray[np.int64]:
    """Family of each unit, -1 where it has none."""
    return with_short_frames(
        families(units.skeleton_offsets, units.skeletons, units.weight),
        units.system,
        units.group,
        np.diff(units.skeleton_offsets),
        units.account,
    )
