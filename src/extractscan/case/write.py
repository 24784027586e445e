"""Writing a case: whole or not at all, and never over anything but a case that the user gave up.

The folder is built under a hidden name beside its place, every file and folder is forced to disk, and it is renamed when complete. Where
``clobber`` replaces a case, the old one is moved aside first and removed last, so that at no time is there half of either.
"""

from __future__ import annotations

import codecs
import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import pyarrow.parquet as pq

from extractscan.case import layout
from extractscan.case.campaigns_table import campaigns_table
from extractscan.case.manifest import HashedFile, Settings, json_file, manifest_document, parse_manifest, sha256_of
from extractscan.case.tables import tables
from extractscan.errors import ExtractscanError, InputError, UsageError
from extractscan.report.document import timestamp
from extractscan.report.formats import renderer
from extractscan.report.interface import Format, RenderOptions
from extractscan.report.neutralise import json_line, terminal
from extractscan.standing.disk import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import TextIO

    import pyarrow as pa

    from extractscan.engine.local import Scored
    from extractscan.verdict.findings import Findings

ROWS_PER_GROUP: Final = 262_144
NAME_KEPT: Final = 50
"""Characters of a case's name in the hidden one: with four bytes each, and what is added, within the 255 that a name may have."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What varies between runs that are otherwise the same: command line, folder, clock (UTC), and what was set, where."""

    argv: tuple[str, ...]
    directory: str
    started: datetime
    finished: datetime
    settings: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it as ``invocation.json`` holds it. Arguments that are not UTF-8 keep their bytes as lone surrogates."""
        return {
            "schema_version": layout.CASE_VERSION,
            "argv": list(self.argv),
            "directory": self.directory,
            "started": timestamp(self.started),
            "finished": timestamp(self.finished),
            **self.settings,
        }


def check_case(folder: Path, inputs: Iterable[str], *, clobber: bool) -> None:
    """Raise ``UsageError`` if a case could not be written there; for use before the long work.

    A case may not lie in a folder that is read as logs: the next run would read its tables as such.
    """
    try:
        place = folder.resolve()
        if not place.name:
            raise UsageError(f"{_name(folder)} cannot be a case")
        for text in inputs:
            log = Path(text)
            if text != "-" and log.is_dir() and place.is_relative_to(log.resolve()):
                raise UsageError(
                    f"the case {_name(folder)} would lie among the logs in {_name(log)}; choose another folder"
                )
        if not place.parent.is_dir():
            raise UsageError(f"the folder {_name(folder.parent)} does not exist")
        if not os.access(place.parent, os.W_OK):
            raise UsageError(f"cannot write in {_name(place.parent)}: permission denied")
        _check_free(place, folder, clobber=clobber)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links that lead in a circle
        raise UsageError(f"{_name(folder)} cannot be a case: {_reason(error)}") from error


def write_case(
    folder: Path,
    findings: Findings,
    scored: Scored,
    settings: Settings,
    invocation: Invocation,
    *,
    clobber: bool = False,
) -> str:
    """Write the case of a run that kept what it made; return the SHA-256 of its ``run.json``, which vouches for all the rest.

    Raises ``UsageError`` for a folder that the user must choose differently and ``ExtractscanError`` if writing fails.
    """
    check_case(folder, (), clobber=clobber)
    place = folder.resolve()
    building = place.with_name(f".{place.name[:NAME_KEPT]}.extractscan-{secrets.token_hex(6)}.tmp")
    try:
        building.mkdir()
        try:
            _fill(building, findings, scored, settings, invocation)
            seal = sha256_of(building / layout.RUN)
            _check_free(place, folder, clobber=clobber)  # it may have come while we worked
            _settle(building, place)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise ExtractscanError(f"cannot write the case {_name(folder)}: {_reason(error)}") from error
    return seal


def _fill(folder: Path, findings: Findings, scored: Scored, settings: Settings, invocation: Invocation) -> None:
    """Write every file, the manifest last."""
    (folder / "fingerprints").mkdir()
    options = RenderOptions()

    def rendered(chosen: Format) -> Callable[[BinaryIO], None]:
        render = renderer(chosen)
        if render.media == "bytes":
            return lambda stream: render.render(findings, options, stream)
        return lambda stream: render.render(findings, options, cast("TextIO", codecs.getwriter("utf-8")(stream)))

    _put(folder / layout.REPORT, rendered(Format.JSON))
    _put(folder / layout.ACCOUNTS, rendered(Format.PARQUET))
    _put(folder / layout.CAMPAIGNS, _parquet(campaigns_table(findings)))
    _put(folder / layout.QUARANTINE, lambda stream: stream.writelines(_quarantine(findings)))
    for path, table in tables(scored):
        _put(folder / path, _parquet(table))
    files = [
        HashedFile(path, sha256_of(folder / path), (folder / path).stat().st_size) for path in sorted(layout.FILES)
    ]
    _put(folder / layout.INVOCATION, _json(invocation.document()))
    _put(folder / layout.RUN, _json(manifest_document(findings.run, settings, files)))
    for made in (folder / "fingerprints", folder):
        sync_folder(made)


def _settle(building: Path, place: Path) -> None:
    """Give the finished folder its name."""
    if place.is_dir() and any(place.iterdir()):
        aside = building.with_suffix(".old")
        place.rename(aside)
        try:
            building.rename(place)
        except OSError:
            aside.rename(place)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    else:
        building.rename(place)
    sync_folder(place.parent)


def _put(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    with path.open("xb") as stream:
        fill(stream)
        stream.flush()
        os.fsync(stream.fileno())


def _parquet(table: pa.Table) -> Callable[[BinaryIO], None]:
    return lambda stream: pq.write_table(
        table, stream, compression="zstd", version="2.6", row_group_size=ROWS_PER_GROUP
    )


def _json(document: dict[str, Any]) -> Callable[[BinaryIO], None]:
    return lambda stream: stream.writelines([json_file(document)])


def _quarantine(findings: Findings) -> Sequence[bytes]:
    """What could not be read, a line each; the count of all is in ``run.json``, since only the first ten thousand are kept."""
    return [
        (json_line({"file": entry.file, "line": entry.line, "reason": entry.reason}) + "\n").encode()
        for entry in findings.run.quarantine
    ]


def _check_free(place: Path, folder: Path, *, clobber: bool) -> None:
    """Raise ``UsageError`` unless the place is free, or holds a case and nothing else and may be replaced."""
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return
    try:
        manifest = parse_manifest((place / layout.RUN).read_bytes(), layout.RUN)
    except (OSError, InputError):
        raise UsageError(f"{_name(folder)} exists and is no case; choose another folder") from None
    if not clobber:
        raise UsageError(f"{_name(folder)} exists; use --clobber to replace it")
    parts = {layout.RUN, layout.INVOCATION, *(file.path for file in manifest.files)}
    foreign = next(
        (p for p in sorted(place.rglob("*")) if not p.is_dir() and p.relative_to(place).as_posix() not in parts), None
    )
    if foreign is not None:
        raise UsageError(
            f"{_name(folder)} holds {_name(foreign.relative_to(place))}, which is no part of the case; move it first"
        )


def _name(path: Path) -> str:
    return terminal(str(path), limit=200)


def _reason(error: Exception) -> str:
    return terminal(getattr(error, "strerror", None) or str(error), limit=200)
