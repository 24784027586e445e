"""Texts in the form that most tools take from their users."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def as_list(texts: list[str], folder: Path, threads: int) -> list[str]:
    """The texts as they are: an adapter's ``prepare``."""
    del folder, threads
    return texts
