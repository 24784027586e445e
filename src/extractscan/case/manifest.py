"""``run.json``: what was read, under which settings and versions, and what every file of the case hashes to."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from extractscan._version import __version__
from extractscan.case.layout import CASE_VERSION, KIND
from extractscan.errors import InputError
from extractscan.report.atlas import version as atlas_version
from extractscan.report.document import files_document, timestamp
from extractscan.report.neutralise import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from extractscan.verdict.findings import RunSummary

LIBRARIES: Final = ("datasketch", "numba", "numpy", "polars", "pyarrow", "scipy")
"""Those on which a figure or a byte of the case may hang."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run was told, as far as it decides the result; times are ISO 8601 in UTC, ``rate`` is None without a baseline.

    ``mappings``, ``log_format`` and ``account_from`` are as they were given: how the logs are read again.
    """

    since: datetime | None = None
    until: datetime | None = None
    columns: Mapping[str, str] | None = None
    max_bad_rows: float | None = None
    rate: float | None = None
    mappings: tuple[str, ...] = ()
    log_format: str | None = None
    account_from: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the settings in a fixed order."""
        return {
            "since": None if self.since is None else timestamp(self.since),
            "until": None if self.until is None else timestamp(self.until),
            "columns": {json_text(k): json_text(v) for k, v in sorted((self.columns or {}).items())},
            "max_bad_rows": self.max_bad_rows,
            "rate": self.rate,
            "mappings": [json_text(path) for path in self.mappings],
            "log_format": None if self.log_format is None else json_text(self.log_format),
            "account_from": None if self.account_from is None else json_text(self.account_from),
        }


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file with its SHA-256 in hexadecimal and its size in bytes.

    ``path`` is within the case (with ``/``) for a file of it, and for a log as the user gave it (or in the folder it was found in).
    """

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """``run.json`` as far as the commands ask for it; ``document`` is all of it."""

    inputs: tuple[HashedFile, ...]
    baseline_inputs: tuple[HashedFile, ...]
    files: tuple[HashedFile, ...]
    document: dict[str, Any]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def deviation(path: Path, sha256: str, size: int | None = None) -> tuple[str, str] | None:
    """Say how a file is not what was written: missing, changed or unreadable, and what is wrong; None if nothing is.

    A link is not the file, wherever it leads. ``size`` is in bytes, None where it is not known.
    """
    try:
        if not path.is_file() or path.is_symlink():
            return "missing", "there is no such file"
        if size is not None and (found := path.stat().st_size) != size:
            return "changed", f"it has {found:,} bytes, and not {size:,}"
        if (digest := sha256_of(path)) != sha256:
            return "changed", f"its SHA-256 is {digest}, and not {sha256}"
    except OSError as error:
        return "unreadable", (error.strerror or "input/output error").lower()
    return None


def json_file(document: Mapping[str, Any]) -> bytes:
    """Return a document as it is kept in a file: ASCII, a key a line, so that it is safe to print and ``diff`` is of use."""
    text = json.dumps(document, indent=1, allow_nan=False).replace("\x7f", "\\u007f") + "\n"
    return text.encode("ascii")


def document_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document in its canonical form: keys sorted, no blanks, ASCII."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def manifest_document(run: RunSummary, settings: Settings, files: Sequence[HashedFile]) -> dict[str, Any]:
    """Return ``run.json`` (schema ``case``). Nothing in it depends on the clock, the machine's name or the command line."""
    configuration = settings.document()
    return {
        "schema_version": CASE_VERSION,
        "kind": KIND,
        "version": run.version,
        "report_schema_version": run.schema_version,
        "atlas_version": atlas_version(),
        "versions": {"extractscan": __version__, "python": platform.python_version(), **_libraries()},
        "configuration": configuration,
        "configuration_sha256": document_hash(configuration),
        "inputs": files_document(run.files),
        "baseline_inputs": files_document(run.baseline.files if run.baseline else ()),
        "rows": {
            "read": run.rows_read,
            "kept": run.rows_kept,
            "quarantined": run.rows_quarantined,
            "outside_window": run.rows_outside_window,
            "duplicate": run.rows_duplicate,
        },
        "files": [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in files],
    }


def parse_manifest(text: bytes, name: str) -> Manifest:
    """Read ``run.json``. Raises ``InputError`` for what is none, is of another version, or names a file outside of the case."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{name} is damaged: it is no JSON") from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise InputError(f"{name} is not that of a case")
    version = document.get("schema_version")
    if not isinstance(version, str) or version.split(".")[0] != CASE_VERSION.split(".", maxsplit=1)[0]:
        raise InputError(f"{name} is of version {version!r}, which this extractscan {__version__} does not read")
    try:
        files = tuple(_own(entry) for entry in document["files"])
        inputs, baselines = (tuple(_hashed(entry) for entry in document[key]) for key in ("inputs", "baseline_inputs"))
        whole = all(isinstance(document[key], dict) for key in ("configuration", "rows", "versions"))
    except (KeyError, TypeError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise InputError(f"{name} is damaged: it is not what schema 'case' says")
    return Manifest(inputs, baselines, files, document)


def _hashed(entry: Any) -> HashedFile:
    """Return an entry whose types are right. Raises ``KeyError`` or ``TypeError``."""
    path, sha256, size = entry["path"], entry["sha256"], entry["size"]
    if not isinstance(path, str) or not isinstance(sha256, str) or not isinstance(size, int):
        raise TypeError
    return HashedFile(path, sha256, size)


def _own(entry: Any) -> HashedFile:
    """Return an entry that has nothing more and whose path stays inside of the case. Raises ``ValueError`` too."""
    file = _hashed(entry)
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in file.path:
        raise ValueError
    if not _SHA256.match(file.sha256) or len(entry) != len(HashedFile.__slots__):
        raise ValueError
    return file


@cache
def _libraries() -> dict[str, str]:
    """Versions by name; looked up once, since each costs the reading of a package's metadata."""
    return {name: metadata.version(name) for name in LIBRARIES}
