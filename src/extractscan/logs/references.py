"""Bodies that lie in files of their own, beside the log, because they were too large for it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import polars as pl

from extractscan.logs.ahead import ahead
from extractscan.logs.cells import of_series
from extractscan.logs.dialects.body import read_request, read_response
from extractscan.logs.discover import Input
from extractscan.logs.sources import open_input
from extractscan.logs.streams import DamagedError, Raw, codec_of, pieces
from extractscan.logs.textspans import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extractscan.logs.canonical import RawBatch

BODY_MAX: Final = 64 << 20
"""Bytes of one body; a larger one is not read."""

_ROOT: Final = "AWSLogs"
"""The folder under which AWS writes the logs of a bucket."""

_MANY: Final = 16
"""Bodies that a store is asked for at a time."""

_SLOTS: Final = {"request": ("prompt", read_request), "response": ("response", read_response)}


def resolve(batch: RawBatch, item: Input) -> int:
    """Read the bodies that a batch of a log only refers to, where they are there; mark the others as truncated.

    Returns how many were not found. A reference names a file, never a way to it: it is looked for in the log's folder, in
    ``data`` below it, and at the same place under the folder that holds ``AWSLogs``; for a log in a store, in that store. Raises
    InputError for a store that cannot be reached.
    """
    lost = 0
    folder = _Folder(item)
    for kind, (slot, reader) in _SLOTS.items():
        held = batch.columns.pop(f"{kind}_reference", None)
        if not held or held[0].null_count() == batch.rows:
            continue
        wanted = held[0].is_not_null()
        for told in batch.columns.get(slot, []):
            wanted &= told.is_null()
        where = wanted.arg_true().to_numpy()
        texts = pl.Series(list(folder.read(held[0].filter(wanted))), dtype=pl.String)
        for name, series in reader(of_series(spread(where, texts, batch.rows))).items():
            batch.columns.setdefault(name, []).append(series)
        if texts.null_count():
            lost += texts.null_count()
            missing = where[texts.is_null().to_numpy()]
            marks = pl.Series([True]).new_from_index(0, len(missing))
            batch.columns.setdefault("truncated", []).append(spread(missing, marks, batch.rows))
    return lost


class _Folder:
    """Where the bodies of a log may lie."""

    def __init__(self, item: Input) -> None:
        self._item = item
        where = PurePosixPath(item.place.key) if item.place is not None else PurePosixPath(item.path or "")
        self._folder = where.parent
        if item.place is not None:
            parts = self._folder.parts
            self._roots = [PurePosixPath(*parts[: parts.index(_ROOT)])] if _ROOT in parts else [PurePosixPath()]
        else:
            self._roots = [above for above in self._folder.parents if Path(above, _ROOT).is_dir()]

    def read(self, references: Iterable[str]) -> Iterator[str | None]:
        """The bodies, None for those that are not found; objects in a store are asked for many at a time."""
        if self._item.place is None:
            return map(self._body, references)
        return ahead(self._body, references, _MANY)

    def _body(self, reference: str) -> str | None:
        for place in self._places(reference):
            try:
                with open_input(self._at(place)) as file:
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

    def _at(self, place: PurePosixPath) -> Input:
        name = str(place)
        store = self._item.place
        return Input(name, name, named=False, size=0, place=None if store is None else store.at(name))

    def _places(self, reference: str) -> list[PurePosixPath]:
        parts = [part for part in PurePosixPath(reference).parts if part not in ("/", "..", ".")]
        if not parts or "\0" in reference or "\\" in parts[-1]:
            return []
        places = [self._folder / "data" / parts[-1], self._folder / parts[-1]]
        if _ROOT in parts:
            below = parts[parts.index(_ROOT) :]
            places += [above.joinpath(*below) for above in self._roots]
        return places
