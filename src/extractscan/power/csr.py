"""Ragged arrays of tokens: text ``i`` is ``tokens[offsets[i]:offsets[i + 1]]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from extractscan.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ragged:
    """Token sequences in CSR form: ``offsets`` (int64, n + 1) from 0, ``tokens`` (uint32)."""

    offsets: NDArray[np.int64]
    tokens: NDArray[np.uint32]

    def __len__(self) -> int:
        """Return the number of sequences."""
        return self.offsets.size - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sequence (int64, n)."""
        return np.diff(self.offsets)


@kernel
def _copy(
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    places: NDArray[np.int64],
    out: NDArray[np.uint32],
) -> None:
    """Copy the slice of ``tokens`` at each start to its place in ``out``."""
    for i in range(starts.size):
        for j in range(lengths[i]):
            out[places[i] + j] = tokens[starts[i] + j]


def gather(tokens: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Ragged:
    """Return the slices ``tokens[starts[i]:ends[i]]`` as sequences, one after another; empty where the end is not beyond the start."""
    lengths = np.maximum(ends - starts, 0)
    offsets = np.r_[np.int64(0), np.cumsum(lengths)]
    out = np.empty(int(offsets[-1]), np.uint32)
    _copy(starts, lengths, tokens, offsets[:-1], out)
    return Ragged(offsets, out)


def take(texts: Ragged, rows: NDArray[np.int64]) -> Ragged:
    """Return the sequences in ``rows``, in that order."""
    return gather(texts.tokens, texts.offsets[rows], texts.offsets[rows + 1])


def constant(sequence: NDArray[np.uint32], times: int) -> Ragged:
    """Return one sequence so many times."""
    return Ragged(np.arange(times + 1, dtype=np.int64) * sequence.size, np.tile(sequence, times))


def join(parts: Sequence[Ragged]) -> Ragged:
    """Return, for each position, the sequences of all parts there end to end. All parts have one length."""
    lengths = np.stack([part.lengths for part in parts])
    offsets = np.r_[np.int64(0), np.cumsum(lengths.sum(axis=0))]
    out = np.empty(int(offsets[-1]), np.uint32)
    place = offsets[:-1].copy()
    for part, size in zip(parts, lengths, strict=True):
        _copy(part.offsets[:-1], size, part.tokens, place, out)
        place += size
    return Ragged(offsets, out)


def stack(parts: Sequence[Ragged]) -> Ragged:
    """Return the sequences of the first part, then those of the next, and so on."""
    sizes = np.concatenate([np.zeros(0, np.int64), *(part.lengths for part in parts)])
    tokens = np.concatenate([np.zeros(0, np.uint32), *(part.tokens for part in parts)])
    return Ragged(np.r_[np.int64(0), np.cumsum(sizes)], tokens)
