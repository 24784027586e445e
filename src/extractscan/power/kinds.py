"""Kinds of campaign that can be made from a log's own traffic.

Each kind turns what a log lends into the texts of one campaign, one a request, all different. Which account sends which is not
its matter: the texts come in random order and are dealt out like cards, so that accounts share the list and repeat nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.requests import KEPT_TOKENS
from extractscan.power.csr import Ragged, constant, gather, join, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from extractscan.power.supply import Supply

FRAME: Final = (12, 0)
"""Tokens before and after the payload where the log has no frame to take the lengths of: a sentence of instruction."""
PHRASE: Final = (1, 3)
"""Tokens of a slot's value: a word to a short phrase."""
SLOTS: Final = 3
TEMPLATE: Final = (8, 20)
"""Fixed tokens of a sweep's template around its three slots: a short instruction."""
LENDABLE: Final = 0.5
"""Share of all payloads that one campaign may borrow: a log that lends all that it has is no longer that log."""


class Exhausted(Exception):  # noqa: N818 -- no error reaches a user: the campaign waits for another scoring
    """What is still free in a log does not suffice for one more campaign in the same scoring."""


@dataclass(frozen=True, slots=True)
class Made:
    """Texts of one campaign in random order, and the sources (numbers) that it borrowed for them."""

    texts: Ragged
    sources: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of campaign: its identifier, its name and what it is in one sentence, and how it is made.

    ``make(supply, free, total, rng)`` returns ``total`` texts, borrowing only sources that are ``free`` (bool, sources), and raises
    ``Exhausted`` where these do not suffice. ``needs(total)`` is the number of payloads that it borrows; ``framed`` says which of the
    log's senders it is compared with.
    """

    name: str
    title: str
    what: str
    make: Callable[[Supply, NDArray[np.bool_], int, np.random.Generator], Made]
    needs: Callable[[int], int]
    framed: bool


def borrow(supply: Supply, free: NDArray[np.bool_], count: int, rng: np.random.Generator) -> Made:
    """Borrow ``count`` payloads, none twice: from one source if it has so many, or from several in the proportion of their sizes.

    Sources are drawn by their size, so that a payload of the log is as likely as another. Raises ``Exhausted``.
    """
    sizes = np.where(free, supply.sizes, 0)
    if sizes.sum() < count:
        raise Exhausted
    # Weighted sampling without replacement by exponential races (Efraimidis and Spirakis 2006).
    with np.errstate(divide="ignore"):
        order = np.argsort(rng.exponential(size=sizes.size) / sizes, kind="stable")
    chosen = order[: int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1]
    rows = np.concatenate([np.arange(supply.bounds[s], supply.bounds[s + 1]) for s in chosen])
    return Made(take(supply.payloads, rng.permutation(rows)[:count]), chosen)


def _frameless(supply: Supply, free: NDArray[np.bool_], total: int, rng: np.random.Generator) -> Made:
    return borrow(supply, free, total, rng)


def _unseen(supply: Supply, size: int, rng: np.random.Generator) -> NDArray[np.uint32]:
    """Words that no payload of the log has: even numbers, since odd ones are characters of scripts without word breaks."""
    out = np.zeros(0, np.uint32)
    while out.size < size:
        new = rng.integers(0, 1 << 31, size, dtype=np.uint32) << np.uint32(1)
        out = np.r_[out, new[~np.isin(new, supply.vocabulary)]]
    return out[:size]


def _framed(supply: Supply, free: NDArray[np.bool_], total: int, rng: np.random.Generator) -> Made:
    borrowed = borrow(supply, free, total, rng)
    before, after = supply.frames[rng.integers(len(supply.frames))] if len(supply.frames) else FRAME
    words = _unseen(supply, int(before + after), rng)
    texts = borrowed.texts
    payload = gather(
        texts.tokens, texts.offsets[:-1], np.minimum(texts.offsets[1:], texts.offsets[:-1] + KEPT_TOKENS - words.size)
    )
    return Made(join([constant(words[:before], total), payload, constant(words[before:], total)]), borrowed.sources)


def _values(total: int) -> tuple[int, int, int]:
    """Values of each slot, about equally many, whose grid has at least ``total`` places."""
    first = max(2, int(np.ceil(total ** (1 / SLOTS) - 1e-9)))
    return first, first, max(2, -(-total // (first * first)))


def _sweep_needs(total: int) -> int:
    return 4 * sum(_values(total))


def _phrases(payloads: Ragged, rng: np.random.Generator) -> Ragged:
    """A short run of words from a random place of each payload, each run once, in random order."""
    low, high = PHRASE
    sizes = np.minimum(rng.integers(low, high + 1, len(payloads)), payloads.lengths)
    start = payloads.offsets[:-1] + (rng.random(len(payloads)) * (payloads.lengths - sizes + 1)).astype(np.int64)
    runs = gather(payloads.tokens, start, start + sizes)
    keys = np.zeros((len(runs), high), np.int64)
    column = np.arange(high)[None, :]
    held = column < runs.lengths[:, None]
    keys[held] = runs.tokens.astype(np.int64) + 1
    distinct = np.unique(keys, axis=0, return_index=True)[1]
    return take(runs, rng.permutation(distinct))


def _sweep(supply: Supply, free: NDArray[np.bool_], total: int, rng: np.random.Generator) -> Made:
    values = _values(total)
    borrowed = borrow(supply, free, _sweep_needs(total), rng)
    phrases = _phrases(borrowed.texts, rng)
    if len(phrases) < sum(values):
        raise Exhausted
    place = np.unravel_index(rng.permutation(int(np.prod(values)))[:total], values)
    words = _unseen(supply, int(rng.integers(TEMPLATE[0], TEMPLATE[1] + 1)), rng)
    cuts = np.sort(rng.choice(np.arange(1, words.size), SLOTS - 1, replace=False))
    parts: list[Ragged] = []
    first = 0
    for fixed, slot, size in zip(np.split(words, cuts), place, values, strict=True):
        parts += [constant(fixed, total), take(phrases, first + slot)]
        first += size
    return Made(join(parts), borrowed.sources)


KINDS: Final = (
    Kind(
        "frameless",
        "frameless shards of one source",
        "accounts share out one list of prompts, and nothing stands around them",
        _frameless,
        lambda total: total,
        framed=False,
    ),
    Kind(
        "framed",
        "shards behind one frame",
        "accounts share out one list of prompts behind one frame that nobody else uses",
        _framed,
        lambda total: total,
        framed=True,
    ),
    Kind(
        "sweep",
        "template and slots",
        "accounts share out the places of a grid: one template, three slots, each combination once",
        _sweep,
        _sweep_needs,
        framed=True,
    ),
)
"""All kinds, in the order in which they are reported."""
