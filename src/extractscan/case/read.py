"""Opening a case: each table when it is asked for, and only if its SHA-256 is that of the manifest.

What a command says of a case then holds for what was written, and a damaged table never reaches a decoder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractscan.case import layout
from extractscan.case.manifest import Manifest, parse_manifest, sha256_of
from extractscan.errors import InputError
from extractscan.report.document import timestamp
from extractscan.report.neutralise import terminal
from extractscan.standing.pointer import results_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """An opened case: its folder and manifest. Methods read; all raise ``InputError`` for a file that is not as it was written."""

    folder: Path
    manifest: Manifest
    _hashed: set[str] = field(default_factory=set, repr=False, compare=False)

    def table(self, path: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Read a table, or some of its columns."""
        try:
            return pl.read_parquet(self._checked(path), columns=None if columns is None else list(columns))
        except (OSError, pl.exceptions.PolarsError, pa.ArrowException) as error:
            raise self._damaged(path) from error

    def scan(self, path: str) -> pl.LazyFrame:
        """Scan a table; what goes wrong later is for ``collect`` of this class."""
        return pl.scan_parquet(self._checked(path))

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Collect a scan."""
        try:
            return frame.collect()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"a table of {self.name} is damaged; extractscan verify says more") from error

    def accounts(
        self, ids: Sequence[str] | None = None, *, rank: int | None = None, columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Return accounts as schema ``account`` has them, by rank: those of ``ids`` or of a ``rank``, and some ``columns``, when given."""
        keep = None
        if ids is not None:
            keep = pc.field("account_id").isin(list(ids))
        elif rank is not None:
            keep = pc.field("rank") == rank
        return self._documents(layout.ACCOUNTS, keep, columns)

    def campaigns(self) -> list[dict[str, Any]]:
        """Return the campaigns as schema ``report`` has them, by rank."""
        return self._documents(layout.CAMPAIGNS, None)

    def invocation(self) -> dict[str, Any]:
        """Return ``invocation.json``, or nothing if it is gone: no result hangs on it."""
        try:
            document = json.loads((self.folder / layout.INVOCATION).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def name(self) -> str:
        """The folder as it can be shown."""
        return terminal(str(self.folder), limit=200)

    def _documents(
        self, path: str, keep: pc.Expression | None, columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        try:
            chosen = None if columns is None else list(columns)
            rows = pq.read_table(self._checked(path), columns=chosen, filters=keep).to_pylist()
            return [_document(row) for row in rows]
        except (OSError, pa.ArrowException, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(path) from error

    def _checked(self, path: str) -> Path:
        """Return where a file is, once it is known to be the one that was written."""
        whole = self.folder / path
        if path not in self._hashed:
            known = next((file for file in self.manifest.files if file.path == path), None)
            try:
                same = known is not None and whole.stat().st_size == known.size and sha256_of(whole) == known.sha256
            except OSError:
                same = False
            if not same:
                raise self._damaged(path)
            self._hashed.add(path)
        return whole

    def _damaged(self, path: str) -> InputError:
        return InputError(f"{self.name}: {path} is missing or not as it was written; extractscan verify says more")


def open_case(folder: Path) -> Case:
    """Open a case; of a standing case, the results that hold. Raises ``InputError`` for a folder that is none."""
    shown = terminal(str(folder), limit=200)
    folder = results_of(folder)
    try:
        text = (folder / layout.RUN).read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{shown} is no case: it has no {layout.RUN} that can be read") from error
    return Case(folder, parse_manifest(text, f"{shown}/{layout.RUN}"))


def _document(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as its JSON document: times as text, the coverage as an object, its whole numbers whole."""
    for name in ("first_seen", "last_seen"):
        if name in row:
            row[name] = timestamp(row[name])
    if "coverage" in row:
        row["coverage"] = {name: _whole(value) for name, value in row["coverage"]}
    return row


def _whole(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value
