"""Which prompts of a log hold which prompts of a data set, near-duplicates included: exact, in one pass over the log.

A prompt of the log may wrap an item in a frame, or join several of them, so what is measured is how much of the *item* recurs in
the prompt, not how alike the two are. It is measured twice, on the item's shingles (the same as for MinHash: runs of three tokens)
and on its words (see ``wording``), either by weight (see ``terms``).

An inverted index takes the place of LSH Ensemble (Zhu, Nargesian, Pu, Miller, VLDB 2016): the data set fits in memory, so no match at or
over the threshold need be left to chance. Of each item only so many of its rarest shingles are indexed that a prompt without
any of them cannot reach the threshold (prefix filter: Chaudhuri, Ganti, Kaushik, ICDE 2006; Bayardo, Ma, Srikant, WWW 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.minhash import SHINGLE
from extractscan.jit import kernel
from extractscan.threads import pieces, share
from extractscan.trace.terms import (
    Vocabulary,
    enough,
    find,
    shingle_sets,
    spread_over_accounts,
    surprises,
    term,
    weights,
)
from extractscan.trace.wording import words_kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Texts

THRESHOLD: Final = 0.9
"""Share of an item's words, by weight, that a match keeps: a light rewording changes fewer than one word in ten that matter, another
filling of the same template more."""
NEAR: Final = 0.25
"""Share of an item's shingles, by weight, from which a pair is looked at: where every fifth word is changed, half the runs of three are
broken, and more of the rare ones."""
LONGEST_LIST: Final = 256
"""Items that one indexed shingle leads to at most. Beyond, the items are all but equal, or the shingle is no help."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Pairs of a text of the log and an item's text (int64 positions), with their containment in [0, 1].

    ``same`` (bool) tells matches from near misses: pairs that share runs of words, but too few, or not the words that matter.
    """

    log: NDArray[np.int64]
    item: NDArray[np.int64]
    containment: NDArray[np.float64]
    same: NDArray[np.bool_]


@kernel
def _prefixes(
    ends: NDArray[np.int64],
    ids: NDArray[np.int64],
    order: NDArray[np.int64],
    weight: NDArray[np.float64],
    threshold: float,
    indexed: NDArray[np.bool_],
    total: NDArray[np.float64],
) -> None:
    """Mark the rarest shingles of each item that every match must share at least one of; ``total`` is each item's weight.

    ``order`` holds the places of ``ids``, item by item, the heaviest first: sorting in here would take seconds to compile.
    """
    for i in range(ends.size - 1):
        whole = 0.0
        for j in range(ends[i], ends[i + 1]):
            whole += weight[ids[j]]
        total[i] = whole
        taken = 0.0
        for place in order[ends[i] : ends[i + 1]]:
            # What is left unindexed must weigh less than the threshold.
            if whole - taken < threshold * whole - 1e-9:
                break
            indexed[place] = True
            taken += weight[ids[place]]


@kernel
def _match(
    first: int,
    stop: int,
    log_offsets: NDArray[np.int64],
    log_tokens: NDArray[np.uint32],
    vocabulary: NDArray[np.uint32],
    buckets: NDArray[np.int64],
    weight: NDArray[np.float64],
    list_ends: NDArray[np.int64],
    lists: NDArray[np.int64],
    item_ends: NDArray[np.int64],
    item_ids: NDArray[np.int64],
    total: NDArray[np.float64],
    surprise: NDArray[np.float64],
    needed: float,
    near: float,
) -> tuple[list[np.int64], list[np.int64], list[float], list[bool]]:
    """Pairs from ``near`` on of the log's texts from ``first`` to ``stop``, and whether what they share is too much for a coincidence."""
    out_log = [np.int64(0) for _ in range(0)]
    out_item = [np.int64(0) for _ in range(0)]
    out_value = [0.0 for _ in range(0)]
    out_same = [False for _ in range(0)]
    there = np.full(vocabulary.size, -1, np.int64)
    met = np.full(total.size, -1, np.int64)
    for t in range(first, stop):
        found = [0 for _ in range(0)]
        for j in range(log_offsets[t], log_offsets[t + 1] - SHINGLE + 1):
            v = find(term(log_tokens, j, SHINGLE), vocabulary, buckets)
            if v >= 0 and there[v] != t:
                there[v] = t
                if list_ends[v + 1] > list_ends[v]:
                    found.append(v)
        for v in found:
            for k in range(list_ends[v], list_ends[v + 1]):
                i = lists[k]
                if met[i] == t:
                    continue
                met[i] = t
                held = 0.0
                said = 0.0
                for s in item_ids[item_ends[i] : item_ends[i + 1]]:
                    if there[s] == t:
                        held += weight[s]
                        said += surprise[s]
                value = held / total[i]
                if value >= near - 1e-9:
                    out_log.append(np.int64(t))
                    out_item.append(np.int64(i))
                    out_value.append(min(value, 1.0))
                    out_same.append(said >= needed)
    return out_log, out_item, out_value, out_same


def match_texts(
    items: Texts,
    log: Texts,
    account: NDArray[np.int64],
    text: NDArray[np.int64],
    accounts: int,
    *,
    threshold: float = THRESHOLD,
    jobs: int = 1,
) -> Matches:
    """Find the texts of the log that hold at least ``threshold`` of the words of an item, and as much of its shingles as goes with that.

    ``account`` and ``text`` (int64) are the distinct pairs of an account of ``accounts`` and a text of ``log`` that it sent, by
    account. Texts that are equal (see ``fingerprint.tokens``) match at 1, however short; else a text too short for a shingle has no match.
    """
    ends, values = shingle_sets(items)
    n = ends.size - 1
    vocabulary, ids, carriers = Vocabulary.of(values)
    sent, often = spread_over_accounts(account, text, log, SHINGLE, vocabulary)
    surprise = surprises(often, text.size, carriers, n) / SHINGLE
    needed = enough(n, text.size)
    weight = weights(carriers, n, sent, accounts)
    indexed = np.zeros(ids.size, np.bool_)
    total = np.zeros(n, np.float64)
    owner = np.repeat(np.arange(n), np.diff(ends))
    # Ties by position, so that nothing depends on the sorting.
    _prefixes(ends, ids, np.lexsort((-weight[ids], owner)), weight, NEAR, indexed, total)
    indexed &= carriers[ids] <= LONGEST_LIST
    order = np.argsort(ids[indexed], kind="stable")
    lists = owner[indexed][order]
    list_ends = np.r_[np.int64(0), np.cumsum(np.bincount(ids[indexed], minlength=vocabulary.terms.size))].astype(
        np.int64
    )

    def part(first: int, stop: int) -> tuple[list[np.int64], list[np.int64], list[float], list[bool]]:
        return _match(
            first, stop, log.offsets, log.tokens, vocabulary.terms, vocabulary.buckets, weight, list_ends, lists, ends, ids, total,
            surprise, needed, NEAR,
        )  # fmt: skip

    parts = share(part, pieces(np.diff(log.offsets) + 1, 4 * jobs), jobs)
    found_log = np.concatenate([np.array(p[0], np.int64) for p in parts] or [np.zeros(0, np.int64)])
    found_item = np.concatenate([np.array(p[1], np.int64) for p in parts] or [np.zeros(0, np.int64)])
    value = np.concatenate([np.array(p[2], np.float64) for p in parts] or [np.zeros(0)])
    same = np.concatenate([np.array(p[3], np.bool_) for p in parts] or [np.zeros(0, np.bool_)])
    kept = words_kept(found_log, found_item, items, log, account, text, accounts)
    same &= kept >= threshold - 1e-9
    value = np.minimum(value, kept)
    # Word for word from end to end: shingles are not discounted for their overlap.
    said = SHINGLE * np.bincount(owner, surprise[ids], minlength=n)
    return _with_equal(items, log, Matches(found_log, found_item, value, same), said >= needed)


def _with_equal(items: Texts, log: Texts, found: Matches, telling: NDArray[np.bool_]) -> Matches:
    """Add what is equal, and count each pair once."""
    place = np.minimum(np.searchsorted(log.hashes, items.hashes), max(len(log) - 1, 0))
    equal = np.flatnonzero(log.hashes[place] == items.hashes) if len(log) else np.zeros(0, np.int64)
    log_of = np.r_[place[equal].astype(np.int64), found.log]
    item_of = np.r_[equal.astype(np.int64), found.item]
    value = np.r_[np.ones(equal.size), found.containment]
    same = np.r_[telling[equal], found.same]
    order = np.lexsort((-value, ~same, item_of, log_of))
    log_of, item_of, value, same = log_of[order], item_of[order], value[order], same[order]
    keep = np.ones(order.size, np.bool_)
    keep[1:] = (log_of[1:] != log_of[:-1]) | (item_of[1:] != item_of[:-1])
    return Matches(log_of[keep], item_of[keep], value[keep], same[keep])
