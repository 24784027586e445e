"""Sheets: what an account sends under one system prompt, and the frames of its prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.coverage.frames import Frames, find_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.fingerprint.requests import Fingerprints


@dataclass(frozen=True, slots=True)
class Sheets:
    """Sheets (an account under one system prompt) and their frames.

    ``requests`` are those with a prompt. Of each item, a distinct prompt on a sheet: its ``prompt``, ``times`` sent, ``sheet``, ``system``
    (-1: none) and ``account``; ``item`` is the item of each request. Items are sorted by account, system prompt and prompt.
    """

    requests: pl.DataFrame
    prompts: NDArray[np.int64]
    item: NDArray[np.int64]
    times: NDArray[np.int64]
    sheet: NDArray[np.int64]
    system: NDArray[np.int64]
    account: NDArray[np.int64]
    frames: Frames


def _sheets(
    requests: pl.DataFrame,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sheets (an account under one system prompt) and their distinct prompts.

    Returns the bounds of each sheet in the items, the prompt of each item, the item of each request, and how often each item was
    sent. Items are sorted by account, system prompt and prompt.
    """
    account, system, prompt = (requests[c].to_numpy().astype(np.int64) for c in ("account", "system", "prompt"))
    sheet_key = account * (int(system.max(initial=0)) + 2) + system + 1
    sheets, sheet = np.unique(sheet_key, return_inverse=True)
    keys, item, times = np.unique(
        sheet * (int(prompt.max(initial=0)) + 1) + prompt, return_inverse=True, return_counts=True
    )
    sheet_of_item, prompts = np.divmod(keys, int(prompt.max(initial=0)) + 1)
    bounds = np.searchsorted(sheet_of_item, np.arange(sheets.size + 1)).astype(np.int64)
    return bounds, prompts, item, times


def framed_sheets(prints: Fingerprints, *, jobs: int = 1) -> Sheets:
    """Sheets of all accounts and their frames. What an account has here does not depend on any other."""
    requests = prints.requests
    if requests.height and (requests["prompt"] < 0).any():  # filtering copies, and most logs have a prompt in every row
        requests = requests.filter(pl.col("prompt") >= 0)
    bounds, prompts, item, times = _sheets(requests)
    texts = prints.prompts
    frames = find_frames(bounds, prompts, texts.offsets, texts.tokens, jobs=jobs)
    sheet = np.repeat(np.arange(bounds.size - 1), np.diff(bounds))
    first_item = np.zeros(prompts.size, np.int64)
    first_item[item[::-1]] = np.arange(item.size)[::-1]
    system = requests["system"].to_numpy()[first_item].astype(np.int64)
    account = requests["account"].to_numpy().astype(np.int64)[first_item]
    return Sheets(requests, prompts, item, times, sheet, system, account, frames)
