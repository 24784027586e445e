"""Openers and closings of natural language, told from frames by who uses them.

The start of a frame is used by those who have the frame. *What is the difference between* is also used, once or twice, by many who
have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.numbering import numbered
from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.sheets import Sheets
    from extractscan.fingerprint.requests import Texts

OPENER: Final = 4
"""Tokens at an end of a prompt by which an opener of natural language is told from a frame."""
NATURAL_USERS: Final = 3
"""Accounts that use an end now and then, without a frame, from which it can be natural language."""


@kernel
def _end_hashes(
    prompts: NDArray[np.int64], offsets: NDArray[np.int64], tokens: NDArray[np.uint32], size: int, back: bool
) -> NDArray[np.uint64]:
    """Hash of the first or last ``size`` tokens of each text; 0 for a shorter one."""
    out = np.zeros(prompts.size, np.uint64)
    for i in range(prompts.size):
        lo = offsets[prompts[i]]
        hi = offsets[prompts[i] + 1]
        if hi - lo < size:
            continue
        start = hi - size if back else lo
        h = np.uint64(0xCBF29CE484222325)
        for j in range(start, start + size):
            h = np.uint64((h ^ np.uint64(tokens[j])) * np.uint64(0x100000001B3))
        out[i] = h
    return out


@kernel
def _senders(number: NDArray[np.int32], account: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    """Count the accounts that have each number, where rows are in the order of accounts."""
    last = np.full(out.size, -1, np.int64)
    for i in range(number.size):
        if last[number[i]] != account[i]:
            last[number[i]] = account[i]
            out[number[i]] += 1


@dataclass(frozen=True, slots=True)
class Ends:
    """First or last tokens of the items of some accounts.

    ``hashes`` (uint64, distinct) of the ends, the accounts that use each at all (``users``) and in a frame (``holders``); and of each item
    that has it in a frame its row (``rows``) and the position of its end among them (``place``).
    """

    hashes: NDArray[np.uint64]
    users: NDArray[np.int64]
    holders: NDArray[np.int64]
    rows: NDArray[np.int64]
    place: NDArray[np.int32]


def ends_of(sheets: Sheets, texts: Texts, *, back: bool) -> Ends:
    """Ends of all items, by accounts that use them."""
    frames, account = sheets.frames, sheets.account
    ends = _end_hashes(sheets.prompts, texts.offsets, texts.tokens, OPENER, back)
    own = (frames.group >= 0) & ((frames.back if back else frames.front) >= OPENER)
    firsts, number = numbered(ends)
    users, holders = np.zeros(firsts.size, np.int64), np.zeros(firsts.size, np.int64)
    rows = np.flatnonzero(own)
    _senders(number, account, users)
    _senders(number[rows], account[rows], holders)
    return Ends(ends[firsts], users, holders, rows, number[rows])


def natural_groups(sheets: Sheets, texts: Texts) -> NDArray[np.bool_]:
    """Whether each frame group is only an opener (or closing) of natural language.

    The start of a frame is used by those who have the frame. A natural opener (*what is the difference between*) is also used,
    once or twice, by many who have no frame: at least ``NATURAL_USERS``, and as many as have one. A group is natural if every end
    that it shares is. Items are in the order of their accounts.
    """
    groups = sheets.frames.skeleton_offsets.size - 1
    shared = np.zeros(groups, bool)
    foreign = np.ones(groups, bool)
    for back in (False, True) if groups else ():
        ends = ends_of(sheets, texts, back=back)
        loose = ends.users - ends.holders
        common = (loose >= NATURAL_USERS) & (loose >= ends.holders) & (ends.hashes != 0)
        group = sheets.frames.group[ends.rows]
        shared[group] = True
        foreign[group[~common[ends.place]]] = False
    natural: NDArray[np.bool_] = shared & foreign
    return natural
