"""Bodies that lie in files of their own, beside the log, because they were too large for it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import polars as pl

from extractscan.logs.cells import of_series
from extractscan.logs.dialects.body import read_request, read_response
from extractscan.logs.streams import DamagedError, Raw, codec_of, pieces
from extractscan.logs.textspans import spread

if TYPE_CHECKING:
    from extractscan.logs.canonical import RawBatch

BODY_MAX: Final = 64 << 20
"""Bytes of one body; a larger one is not read."""

_ROOT: Final = "AWSLogs"
"""The folder under which AWS writes the logs of a bucket."""

_SLOTS: Final = {"request": ("prompt", read_request), "response": ("response", read_response)}


def resolve(batch: RawBatch, path: str) -> int:
    """Read the bodies that a batch of the file ``path`` only refers to, where they are there; mark the others as truncated.

    Returns how many were not found. A reference names a file, never a way to it: it is looked for in the log's folder, in
    ``data`` below it, and at the same place under the folder that holds ``AWSLogs``.
    """
    lost = 0
    folder = Path(path).parent
    roots = [above for above in folder.parents if (above / _ROOT).is_dir()]
    for kind, (slot, reader) in _SLOTS.items():
        held = batch.columns.pop(f"{kind}_reference", None)
        if not held or held[0].null_count() == batch.rows:
            continue
        wanted = held[0].is_not_null()
        for told in batch.columns.get(slot, []):
            wanted &= told.is_null()
        where = wanted.arg_true().to_numpy()
        texts = pl.Series([_read(one, folder, roots) for one in held[0].filter(wanted)], dtype=pl.String)
        for name, series in reader(of_series(spread(where, texts, batch.rows))).items():
            batch.columns.setdefault(name, []).append(series)
        if texts.null_count():
            lost += texts.null_count()
            missing = where[texts.is_null().to_numpy()]
            marks = pl.Series([True]).new_from_index(0, len(missing))
            batch.columns.setdefault("truncated", []).append(spread(missing, marks, batch.rows))
    return lost


def _read(reference: str, folder: Path, roots: list[Path]) -> str | None:
    for place in _places(reference, folder, roots):
        try:
            with place.open("rb") as file:
                raw = Raw(file)
                codec = codec_of(raw.peek(8))
                body = b""
                for piece in pieces(raw, codec):
                    body += piece
                    if len(body) > BODY_MAX:
                        return None
        except (OSError, DamagedError, ValueError):
            continue
        return body.decode("utf-8", "replace")
    return None


def _places(reference: str, folder: Path, roots: list[Path]) -> list[Path]:
    parts = [part for part in PurePosixPath(reference).parts if part not in ("/", "..", ".")]
    if not parts or "\0" in reference or "\\" in parts[-1]:
        return []
    places = [folder / "data" / parts[-1], folder / parts[-1]]
    if _ROOT in parts:
        below = parts[parts.index(_ROOT) :]
        places += [above.joinpath(*below) for above in roots]
    return places
