"""Tables of a lake, Delta and Iceberg: read as their logs say, by the libraries that know how (extras of this package)."""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, cast
from urllib.parse import unquote, urlsplit

import polars as pl

from extractscan.errors import InputError, UsageError
from extractscan.logs.columnar import Columns, trusted, up_to_damage
from extractscan.logs.lakefolders import NAMES
from extractscan.logs.quiet import hold_stderr
from extractscan.logs.stores import lake_settings
from extractscan.logs.streams import PIECE, DamagedError
from extractscan.logs.uris import is_remote, parse_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.logs.lakefolders import Lake
    from extractscan.logs.uris import Place

_NUMBER: Final = re.compile(r"v?(\d+)")


class LakeTable(Columns):
    """The rows that a table has now: names, shape and rows as of a file. ``version`` names the snapshot."""

    def __init__(self, path: str, kind: Lake, place: Place | None = None) -> None:
        """``path`` is a folder, or the URI of a ``place`` in a store.

        Raises UsageError without the extra that is needed, DamagedError for a table that cannot be read.
        """
        self._path, self._kind, self._lake = path, kind, kind
        settings = lake_settings(place, kind) if place is not None else {}
        with _guard(kind):
            self._table: _Snapshot = _Delta(path, settings) if kind == "delta" else _Iceberg(path, place, settings)
            self._schema = self._table.schema
            self.names = list(self._schema.names)
            self.version = self._table.version

    def _frames(self, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        frames = self._table.frames(wanted, batch_rows)
        while True:
            with _guard(self._lake):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def digest(self) -> tuple[str, int]:
        """SHA-256 over the contents of the files that make up the snapshot, whatever their order, and their bytes.

        It changes with any row, and not with the place of the table or the number of the version. Raises OSError for a file that
        cannot be read, DamagedError for a log of the table that cannot.
        """
        with _guard(self._lake):
            parts = list(self._table.parts())
        lines, size = [], 0
        for files, more in parts:
            line = []
            for file in files:
                digest = hashlib.sha256()
                with _open(file) as stream:
                    while data := stream.read(PIECE):
                        digest.update(data)
                        size += len(data)
                line.append(digest.hexdigest())
            lines.append(" ".join([*line, more]))
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest(), size


class _Snapshot(Protocol):
    """The present state of a table. ``parts`` are the files of each part, and what else decides which rows it gives."""

    schema: Any
    version: str

    def frames(self, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]: ...

    def parts(self) -> Iterator[tuple[list[str], str]]: ...


class _Delta:
    def __init__(self, path: str, settings: dict[str, str]) -> None:
        from deltalake import DeltaTable  # noqa: PLC0415 (an extra)

        self._path = path
        self._table = DeltaTable(path, storage_options=settings or None)
        self._scan = pl.scan_delta(self._table, storage_options=settings or None)
        self.version = f"version {self._table.version()}"
        self.schema = self._scan.collect_schema().to_frame().to_arrow().schema

    def frames(self, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        scan = self._scan.select(wanted)

        def read(first: int, rows: int) -> Iterator[pl.DataFrame]:
            return (scan.slice(first) if first else scan).collect_batches(chunk_size=rows, maintain_order=True)

        return up_to_damage(read, batch_rows)

    def parts(self) -> Iterator[tuple[list[str], str]]:
        added = pl.DataFrame(self._table.get_add_actions(flatten=True))
        removed = pl.DataFrame(self._table.deletion_vectors())
        vectors = {_local(uri): hashlib.sha256(bytes(keep)).hexdigest() for uri, keep in removed.iter_rows()}
        uris = [_local(uri) for uri in self._table.file_uris()]
        for row in added.select("path", pl.col("^partition[.].*$")).iter_rows(named=True):
            path = str(row.pop("path"))
            file = next(uri for uri in uris if _plain(uri).endswith(_plain(path)))
            yield [file], f"{sorted((name, str(value)) for name, value in row.items())} {vectors.get(file, '')}"


class _Iceberg:
    def __init__(self, path: str, place: Place | None, settings: dict[str, str]) -> None:
        from pyiceberg.table import StaticTable  # noqa: PLC0415 (an extra)

        self._table = StaticTable.from_metadata(_current(path) if place is None else _current_in_store(place), settings)
        self._scan = self._table.scan()
        snapshot = self._table.current_snapshot()
        self.version = "no snapshot" if snapshot is None else f"snapshot {snapshot.snapshot_id}"
        self.schema = self._scan.to_arrow_batch_reader().schema

    def frames(self, wanted: list[str], batch_rows: int) -> Iterator[pl.DataFrame]:  # noqa: ARG002 (batches are the files')
        for batch in self._table.scan(selected_fields=tuple(wanted)).to_arrow_batch_reader():
            yield trusted(batch)

    def parts(self) -> Iterator[tuple[list[str], str]]:
        for task in self._scan.plan_files():
            deletes = sorted(_local(file.file_path) for file in task.delete_files)
            yield [_local(task.file.file_path), *deletes], ""


def _current(path: str) -> str:
    """The newest metadata file: the one that the hint names, or the one with the highest number, written last."""
    folder = Path(path, "metadata")
    with contextlib.suppress(OSError, ValueError):
        hinted = folder / f"v{int((folder / 'version-hint.text').read_text('ascii'))}.metadata.json"
        if hinted.is_file():
            return str(hinted)
    files = [file for file in folder.iterdir() if file.name.endswith(".metadata.json")]
    return str(max(files, key=lambda file: (_number(file.name), file.stat().st_mtime_ns, file.name)))


def _current_in_store(place: Place) -> str:
    from extractscan.logs.remote import listed  # noqa: PLC0415

    objects = [one.uri for one, _ in listed(place.at(f"{place.key.rstrip('/')}/metadata".lstrip("/")))]
    files = [uri for uri in objects if uri.endswith(".metadata.json")]
    return max(files, key=lambda uri: (_number(uri.rpartition("/")[2]), uri))


def _open(file: str) -> IO[bytes]:
    if not is_remote(file):
        return Path(file).open("rb")
    from extractscan.logs.objects import RemoteStream  # noqa: PLC0415

    return cast("IO[bytes]", RemoteStream(parse_place(file)))


def _number(name: str) -> int:
    found = _NUMBER.match(name)
    return int(found[1]) if found else -1


def _plain(path: str) -> str:
    """A path without the encodings that stand over each other in it: folders of partitions are encoded, and their URIs again."""
    while (less := unquote(path)) != path:
        path = less
    return path


def _local(uri: str) -> str:
    """A file of a table as a path."""
    return unquote(urlsplit(uri).path) if uri.startswith("file:") else uri


@contextlib.contextmanager
def _guard(kind: Lake) -> Iterator[None]:
    """What the libraries raise, in this package's words."""
    try:
        with hold_stderr():  # their threads panic aloud before the error comes out
            yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{NAMES[kind]} tables are read with an extra of this package: pip install 'extractscan[{kind}]'"
        ) from error
    except (GeneratorExit, KeyboardInterrupt, SystemExit, InputError, UsageError):
        raise
    except BaseException as error:
        why = "it needs a feature that is not supported here" if "rotocol" in type(error).__name__ else "it is damaged"
        raise DamagedError(f"the {NAMES[kind]} table cannot be read: {why}, or files of it are missing") from error
