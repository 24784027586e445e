"""Distinct texts as token sequences, of one batch and of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.jit import kernel
from extractscan.threads import pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.shelf import Place, Shelf
    from extractscan.fingerprint.tokens import Tokens
    from extractscan.memory import Memory

KEPT_TOKENS: Final = 1024
"""Tokens of a text that are kept: its first and its last half of so many. Frames sit at the ends, and a passage in the
middle of a long prompt is payload."""
STRETCH: Final = 1 << 24
"""Tokens that are put together at a time."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Distinct texts in the order of their hashes: token sequences in CSR form, cut to ``KEPT_TOKENS``.

    ``hashes`` (uint64, n) ascend; ``tokens`` (uint32) of text ``i`` are ``tokens[offsets[i]:offsets[i + 1]]``; ``chars`` (int64, n)
    counts characters without white space.
    """

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    tokens: NDArray[np.uint32]
    chars: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of texts."""
        return self.hashes.size


@kernel
def _gather(
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    values: NDArray[np.uint32],
    kept: int,
    places: NDArray[np.int64],
    out: NDArray[np.uint32],
) -> None:
    """Copy rows of ``values`` to ``places`` of ``out``, the first and the last half of ``kept`` of those that are longer."""
    for i in range(starts.size):
        at = places[i]
        size = lengths[i]
        head = size if size <= kept else kept // 2
        for j in range(head):
            out[at + j] = values[starts[i] + j]
        for j in range(head, min(size, kept)):
            out[at + j] = values[starts[i] + size - kept + j]


def cut(tokens: Tokens) -> Texts:
    """Order texts by their hashes, each once, and keep the first and the last tokens of each."""
    order = np.argsort(tokens.hashes, kind="stable")
    ordered = tokens.hashes[order]
    keep = order[np.r_[True, ordered[1:] != ordered[:-1]]] if ordered.size else order
    starts = tokens.offsets[keep]
    lengths = tokens.offsets[keep + 1] - starts
    offsets = np.r_[np.int64(0), np.cumsum(np.minimum(lengths, KEPT_TOKENS))]
    out = np.empty(int(offsets[-1]), np.uint32)
    _gather(starts, lengths, tokens.values, KEPT_TOKENS, offsets[:-1], out)
    return Texts(tokens.hashes[keep], offsets, out, tokens.chars[keep])


class TextMerger:
    """Distinct texts of several batches: their tokens wait on the shelf."""

    def __init__(self, shelf: Shelf, memory: Memory) -> None:
        """``shelf`` keeps the tokens until all batches have come."""
        self._shelf, self._memory = shelf, memory
        self._hashes: list[NDArray[np.uint64]] = []
        self._sizes: list[NDArray[np.int32]] = []
        self._chars: list[NDArray[np.int64]] = []
        self._tokens: list[Place] = []

    def add(self, texts: Texts) -> None:
        """Put the texts of a batch away."""
        self._hashes.append(texts.hashes)
        self._sizes.append(np.diff(texts.offsets).astype(np.int32))
        self._chars.append(texts.chars)
        self._tokens.append(self._shelf.put(texts.tokens))

    def finish(self) -> tuple[Texts, list[NDArray[np.int32]]]:
        """All texts, and for each batch the positions of its own among them."""
        if len(self._hashes) == 1:
            sizes = self._sizes[0]
            tokens = self._shelf.array(self._tokens[0])
            offsets = np.r_[np.int64(0), np.cumsum(sizes, dtype=np.int64)]
            texts = Texts(self._hashes[0], offsets, tokens, self._chars[0])
            return texts, [np.arange(sizes.size, dtype=np.int32)]
        every = np.concatenate(self._hashes) if self._hashes else np.zeros(0, np.uint64)
        every.sort()
        hashes = every[np.r_[True, every[1:] != every[:-1]]] if every.size else every
        del every
        positions = [np.searchsorted(hashes, part).astype(np.int32) for part in self._hashes]
        sizes, chars = np.zeros(hashes.size, np.int32), np.zeros(hashes.size, np.int64)
        for where, size, char in zip(positions, self._sizes, self._chars, strict=True):
            sizes[where], chars[where] = size, char
        offsets = np.r_[np.int64(0), np.cumsum(sizes, dtype=np.int64)]
        tokens = self._memory.zeros((int(offsets[-1]),), np.uint32)
        starts = [np.r_[np.int64(0), np.cumsum(size, dtype=np.int64)] for size in self._sizes]
        written = np.zeros(hashes.size, bool)
        # Texts of a batch stand in the order of their hashes, as those of the whole do: a stretch of the whole takes a stretch of each.
        for first, last in pieces(np.diff(offsets) + 1, 1 + tokens.size // STRETCH):
            for where, start, place in zip(positions, starts, self._tokens, strict=True):
                low, high = np.searchsorted(where, [first, last])
                values = self._shelf.stretch(place, int(start[low]), int(start[high]))
                fresh = low + np.flatnonzero(~written[where[low:high]])
                written[where[low:high]] = True
                begins = start[fresh] - start[low]
                _gather(begins, start[fresh + 1] - start[fresh], values, KEPT_TOKENS, offsets[where[fresh]], tokens)
        for place in self._tokens:
            self._shelf.drop(place)
        return Texts(hashes, offsets, tokens, chars), positions
