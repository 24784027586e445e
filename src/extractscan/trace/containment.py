"""Which prompts of a log hold which prompts of a data set: weighted containment, exact, in one pass over the log.

A prompt of the log may wrap an item in a frame, or join several of them, so what is measured is how much of the *item* recurs in
the prompt, not how alike the two are. Items are sets of shingles (the same as for MinHash: runs of three tokens), and a
shingle weighs by how rare it is::

    weight(s) = ln 1 / max(share of the items that have s, share of the log's accounts that sent s)

so that neither the template of the data set nor an idiom of the log's senders makes a match. Containment is the weight of the
item's shingles that recur, over the weight of all.

An inverted index takes the place of LSH Ensemble (Zhu, Nargesian, Pu, Miller, VLDB 2016): the data set fits in memory, so no match at or
over the threshold need be left to chance. Of each item only so many of its rarest shingles are indexed that a prompt without
any of them cannot reach the threshold (prefix filter: Chaudhuri, Ganti, Kaushik, ICDE 2006; Bayardo, Ma, Srikant, WWW 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.fingerprint.minhash import SHINGLE, _shingle
from extractscan.fingerprint.sorting import sort
from extractscan.jit import inline, kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Texts

THRESHOLD: Final = 0.5
"""At least half of what is peculiar to an item recurs: more of it is there than is missing."""
SURE: Final = 0.8
"""A match that stands by itself. A weaker one must rest, by half, on shingles that no better match of the same prompt
has taken: a template that many items share counts once."""
NEAR: Final = 0.5
"""Share of the threshold from which a pair that does not match is a near miss."""
LONGEST_LIST: Final = 256
"""Items that one indexed shingle leads to at most. Beyond, the items are all but equal, or the shingle is no help."""
_BUCKET_BITS: Final = 20
_SHIFT: Final = 32 - _BUCKET_BITS


@dataclass(frozen=True, slots=True)
class Matches:
    """Pairs of a text of the log and an item's text (int64 positions), with their containment in [0, 1].

    ``same`` (bool) tells matches from near misses: pairs that have at least half the threshold in common and are no match.
    """

    log: NDArray[np.int64]
    item: NDArray[np.int64]
    containment: NDArray[np.float64]
    same: NDArray[np.bool_]


@kernel
def _sets(
    offsets: NDArray[np.int64], tokens: NDArray[np.uint32], values: NDArray[np.uint32], ends: NDArray[np.int64]
) -> int:
    """Distinct sorted shingles of each text; returns how many in all."""
    at = 0
    for i in range(offsets.size - 1):
        start = offsets[i]
        size = offsets[i + 1] - start - 2
        first = at
        for j in range(size):
            values[at] = _shingle(tokens[start + j], tokens[start + j + 1], tokens[start + j + 2])
            at += 1
        part = values[first:at]
        sort(part)
        kept = first
        for j in range(first, at):
            if j == first or values[j] != values[j - 1]:
                values[kept] = values[j]
                kept += 1
        at = kept
        ends[i + 1] = at
    return at


def shingle_sets(texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Distinct sorted shingles of texts, whole, in CSR form: offsets (n + 1) and values."""
    ends = np.zeros(texts.offsets.size, np.int64)
    values = np.empty(int(np.maximum(np.diff(texts.offsets) - 2, 0).sum()), np.uint32)
    used = _sets(texts.offsets, texts.tokens, values, ends)
    return ends, values[:used]


@inline
def _find(value: np.uint32, vocabulary: NDArray[np.uint32], buckets: NDArray[np.int64]) -> int:
    """Position of a shingle in the sorted vocabulary, -1 if it is not there."""
    bucket = np.int64(value >> np.uint32(_SHIFT))
    low = buckets[bucket]
    high = buckets[bucket + 1]
    while low < high:
        middle = (low + high) >> 1
        if vocabulary[middle] < value:
            low = middle + 1
        else:
            high = middle
    if low < buckets[bucket + 1] and vocabulary[low] == value:
        return int(low)
    return -1


@kernel
def _spread_over_accounts(
    account: NDArray[np.int64],
    text: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    vocabulary: NDArray[np.uint32],
    buckets: NDArray[np.int64],
    out: NDArray[np.int64],
    texts: NDArray[np.int64],
) -> None:
    """Count the accounts that sent each shingle, and how often they did in all; ``account`` ascends."""
    last = np.full(vocabulary.size, -1, np.int64)
    for k in range(account.size):
        start = offsets[text[k]]
        for j in range(start, offsets[text[k] + 1] - 2):
            v = _find(_shingle(tokens[j], tokens[j + 1], tokens[j + 2]), vocabulary, buckets)
            if v >= 0:
                texts[v] += 1
                if last[v] != account[k]:
                    last[v] = account[k]
                    out[v] += 1


@kernel
def _prefixes(
    ends: NDArray[np.int64],
    ids: NDArray[np.int64],
    weight: NDArray[np.float64],
    threshold: float,
    indexed: NDArray[np.bool_],
    total: NDArray[np.float64],
) -> None:
    """Mark the rarest shingles of each item that every match must share at least one of; ``total`` is each item's weight."""
    for i in range(ends.size - 1):
        part = ids[ends[i] : ends[i + 1]]
        # Ties by position, so that nothing depends on the sorting.
        order = np.argsort(-weight[part], kind="mergesort")
        whole = 0.0
        for j in range(part.size):
            whole += weight[part[j]]
        total[i] = whole
        taken = 0.0
        for j in range(part.size):
            # What is left unindexed must weigh less than the threshold.
            if whole - taken < threshold * whole - 1e-9:
                break
            indexed[ends[i] + order[j]] = True
            taken += weight[part[order[j]]]


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
    threshold: float,
    near: float,
    sure: float,
) -> tuple[list[np.int64], list[np.int64], list[float], list[bool]]:
    """Matches and near misses of the log's texts from ``first`` to ``stop``."""
    out_log = [np.int64(0) for _ in range(0)]
    out_item = [np.int64(0) for _ in range(0)]
    out_value = [0.0 for _ in range(0)]
    out_same = [False for _ in range(0)]
    there = np.full(vocabulary.size, -1, np.int64)
    taken = np.full(vocabulary.size, -1, np.int64)
    met = np.full(total.size, -1, np.int64)
    for t in range(first, stop):
        found = [0 for _ in range(0)]
        for j in range(log_offsets[t], log_offsets[t + 1] - 2):
            v = _find(_shingle(log_tokens[j], log_tokens[j + 1], log_tokens[j + 2]), vocabulary, buckets)
            if v >= 0 and there[v] != t:
                there[v] = t
                if list_ends[v + 1] > list_ends[v]:
                    found.append(v)
        if len(found) == 0:
            continue
        candidates = [np.int64(0) for _ in range(0)]
        values = [0.0 for _ in range(0)]
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
                if value >= threshold - 1e-9 and said >= needed:
                    candidates.append(i)
                    values.append(value)
                elif value >= near - 1e-9:
                    out_log.append(np.int64(t))
                    out_item.append(np.int64(i))
                    out_value.append(min(value, 1.0))
                    out_same.append(False)
        if len(candidates) == 0:
            continue
        scores = np.array(values)
        numbers = np.array(candidates)
        by_number = np.argsort(numbers, kind="mergesort")
        order = by_number[np.argsort(-scores[by_number], kind="mergesort")]
        for k in order:
            best = numbers[k]
            held = 0.0
            fresh = 0.0
            for s in item_ids[item_ends[best] : item_ends[best + 1]]:
                if there[s] == t:
                    held += weight[s]
                    if taken[s] != t:
                        fresh += weight[s]
            own = scores[k] >= sure or fresh >= 0.5 * held
            out_log.append(np.int64(t))
            out_item.append(np.int64(best))
            out_value.append(min(scores[k], 1.0))
            out_same.append(own)
            if not own:
                continue
            for s in item_ids[item_ends[best] : item_ends[best + 1]]:
                if there[s] == t:
                    taken[s] = t
    return out_log, out_item, out_value, out_same


def weights(carriers: NDArray[np.int64], of: int, accounts: NDArray[np.int64], among: int) -> NDArray[np.float64]:
    """Weight of features: ``carriers`` of ``of`` items have each, ``accounts`` of ``among`` accounts sent it.

    ``ln 1 / max(share of items, share of accounts)`` with one added to what the shares are of, so that it stays over 0: with one item all
    features weigh the same.
    """
    shares = np.maximum(carriers / (of + 1), accounts / (among + 1))
    return np.asarray(-np.log(shares))


def surprises(texts: NDArray[np.int64], among: int, carriers: NDArray[np.int64], of: int) -> NDArray[np.float64]:
    """Surprise in nats of meeting a feature by coincidence.

    ``texts`` of ``among`` texts of the log have it, and ``carriers`` of ``of`` items, one of which is the item that is compared and says
    nothing of how common the feature is.
    """
    shares = np.maximum(np.maximum(texts, 1) / (among + 1), np.maximum(carriers - 1, 0) / (of + 1))
    return np.asarray(-np.log(np.minimum(shares, 1.0)))


def enough(items: int, texts: int) -> float:
    """Surprise in nats that a match must hold: fewer than one match of that kind is then expected by coincidence in the whole comparison.

    The expectation is ``items * texts * exp(-surprise)``, as for local alignments (Karlin and Altschul 1990, PNAS 87:2264).
    """
    return float(np.log(max(items, 1)) + np.log(max(texts, 1)))


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
    """Find the texts of the log that hold at least ``threshold`` of an item.

    ``account`` and ``text`` (int64) are the distinct pairs of an account of ``accounts`` and a text of ``log`` that it sent, by
    account. Texts that are equal (see ``fingerprint.tokens``) match at 1, however short; else a text too short for a shingle has no match.
    """
    ends, values = shingle_sets(items)
    n = ends.size - 1
    vocabulary, ids, carriers = np.unique(values, return_inverse=True, return_counts=True)
    ids = ids.astype(np.int64)
    buckets = np.searchsorted(vocabulary, np.arange((1 << _BUCKET_BITS) + 1, dtype=np.uint64) << np.uint64(_SHIFT))
    buckets = buckets.astype(np.int64)
    sent = np.zeros(vocabulary.size, np.int64)
    often = np.zeros(vocabulary.size, np.int64)
    _spread_over_accounts(account, text, log.offsets, log.tokens, vocabulary, buckets, sent, often)
    surprise = surprises(often, text.size, carriers.astype(np.int64), n) / SHINGLE
    needed = enough(n, text.size)
    weight = weights(carriers.astype(np.int64), n, sent, accounts)
    indexed = np.zeros(ids.size, np.bool_)
    total = np.zeros(n, np.float64)
    _prefixes(ends, ids, weight, NEAR * threshold, indexed, total)
    owner = np.repeat(np.arange(n), np.diff(ends))
    indexed &= carriers[ids] <= LONGEST_LIST
    order = np.argsort(ids[indexed], kind="stable")
    lists = owner[indexed][order]
    list_ends = np.r_[np.int64(0), np.cumsum(np.bincount(ids[indexed], minlength=vocabulary.size))].astype(np.int64)

    def part(first: int, stop: int) -> tuple[list[np.int64], list[np.int64], list[float], list[bool]]:
        return _match(
            first, stop, log.offsets, log.tokens, vocabulary, buckets, weight, list_ends, lists, ends, ids, total,
            surprise, needed, threshold, NEAR * threshold, SURE,
        )  # fmt: skip

    parts = share(part, pieces(np.diff(log.offsets) + 1, 4 * jobs), jobs)
    found_log = np.concatenate([np.array(p[0], np.int64) for p in parts] or [np.zeros(0, np.int64)])
    found_item = np.concatenate([np.array(p[1], np.int64) for p in parts] or [np.zeros(0, np.int64)])
    value = np.concatenate([np.array(p[2], np.float64) for p in parts] or [np.zeros(0)])
    same = np.concatenate([np.array(p[3], np.bool_) for p in parts] or [np.zeros(0, np.bool_)])
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
