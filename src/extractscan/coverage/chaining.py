"""Whether the answers of a stream return inside its next prompts: evolution of a data set, self-play, multi-step harvests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.fingerprint.replies import COLUMNS, RUN, run_hash
from extractscan.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Texts

LAGS: Final = 3
"""Next requests of a stream in which a response is looked for."""
HELD: Final = 0.5
"""Share of a response's kept runs that a prompt which quotes it holds."""


@kernel
def _held(sketch: NDArray[np.uint64], size: int, start: int, stop: int, tokens: NDArray[np.uint32], run: int) -> int:
    """How many of the first ``size`` runs of a sketch (ascending) stand in ``tokens[start:stop]``."""
    found = 0
    held = 0  # a bit for each run: one that the text repeats is still one
    for at in range(start, stop - run + 1):
        h = run_hash(tokens, at, run)
        if h <= sketch[size - 1]:
            for k in range(size):
                if sketch[k] == h and not held & (1 << k):
                    held |= 1 << k
                    found += 1
    return found


@kernel
def _returned(
    stream: NDArray[np.int64],
    prompt: NDArray[np.int64],
    sketches: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    tokens: NDArray[np.uint32],
    run: int,
    lags: int,
    held: float,
    out: NDArray[np.int8],
) -> None:
    """Mark the requests (by stream and time) whose response returns in one of the next; -1 where none could."""
    for i in range(stream.size):
        out[i] = -1
        size = 0
        while size < sketches.shape[1] and sketches[i, size] != 0:
            size += 1
        if size == 0:
            continue
        for lag in range(1, lags + 1):
            j = i + lag
            if j >= stream.size or stream[j] != stream[i]:
                break
            out[i] = max(out[i], 0)
            p = prompt[j]
            if _held(sketches[i], size, offsets[p], offsets[p + 1], tokens, run) >= held * size:
                # An answer that was quoted from its own prompt comes again with the passage or the examples it was quoted from.
                own = prompt[i]
                if _held(sketches[i], size, offsets[own], offsets[own + 1], tokens, run) < held * size:
                    out[i] = 1
                break


def returned(requests: pl.DataFrame, prompts: Texts, total: int) -> NDArray[np.float64]:
    """Share of each stream's responses that return in one of its next ``LAGS`` prompts: float64 (streams), NaN where unknown.

    ``requests`` are those of ``Streams``, in order of time. A response that its own prompt holds already does not
    return. Conversations are streams of their own, so that a client that sends back what was said before does not count here.
    """
    if not requests["has_response"].any():
        return np.full(total, np.nan)
    stream = requests["stream"].to_numpy()
    order = np.argsort(stream, kind="stable")
    stream = stream[order]
    sketches = requests.select(pl.col(COLUMNS).cast(pl.UInt64)).to_numpy()[order]
    marks = np.zeros(stream.size, np.int8)
    _returned(
        stream,
        requests["prompt"].to_numpy()[order].astype(np.int64),
        np.ascontiguousarray(sketches),
        prompts.offsets,
        prompts.tokens,
        RUN,
        LAGS,
        HELD,
        marks,
    )
    known = np.bincount(stream[marks >= 0], minlength=total)
    hits = np.bincount(stream[marks > 0], minlength=total)
    return np.where(known > 0, hits / np.maximum(known, 1), np.nan)
