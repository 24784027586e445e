"""Whether a case, and with them its logs, are what they were when it was written.

``run.json`` holds the SHA-256 of every other file; that of ``run.json`` itself is the *seal*, which ``score`` prints. Who can write to the
folder can also write a new ``run.json``: only a seal that was noted down elsewhere proves that nobody did.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from extractscan.case import layout
from extractscan.case.manifest import deviation, document_hash, sha256_of
from extractscan.case.read import open_case
from extractscan.errors import InputError
from extractscan.logs.discover import discover
from extractscan.logs.sources import digest_of
from extractscan.logs.uris import is_remote
from extractscan.report.neutralise import json_text
from extractscan.standing.verify import check_standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extractscan.case.manifest import Manifest
    from extractscan.logs.discover import Input
    from extractscan.progress import Observer

SCHEMA_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: ``kind`` is changed, missing, added or unreadable; ``subject`` case or log."""

    kind: str
    subject: str
    path: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` found. ``seal`` is the SHA-256 of ``run.json``; counts are files that were hashed.

    ``unread`` are files in the folders given that are none of the logs that were read: later ones, or such as are no logs.
    """

    case: str
    seal: str
    files_checked: int
    logs_checked: int
    differences: tuple[Difference, ...]
    unread: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def document(self) -> dict[str, Any]:
        """Return it as schema ``verify`` has it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "case": json_text(self.case),
            "seal": self.seal,
            "intact": self.intact,
            "files_checked": self.files_checked,
            "logs_checked": self.logs_checked,
            "differences": [
                {"kind": d.kind, "subject": d.subject, "path": json_text(d.path), "detail": json_text(d.detail)}
                for d in self.differences
            ],
            "unread": [json_text(path) for path in self.unread],
        }


def verify_case(folder: Path, logs: Sequence[str] = (), *, seal: str | None = None, observer: Observer) -> Verification:
    """Hash all files of the case, and the ``logs`` where given; ``seal`` is what ``run.json`` should hash to, if known.

    Raises ``InputError`` for a folder that is no case, and for logs that do not exist.
    """
    case = open_case(folder)
    found = sha256_of(case.folder / layout.RUN)
    observer.stage("hash the case", len(case.manifest.files))
    differences: list[Difference] = []
    if seal is not None and seal.lower() != found:
        differences.append(Difference("changed", "case", layout.RUN, f"its SHA-256 is {found}, and not {seal.lower()}"))
    differences += _files(case.folder, case.manifest, observer)
    others, problems = check_standing(folder, found, observer)
    differences += [Difference(p.kind, "case", p.path, p.detail) for p in problems]
    checked = 0
    unread: list[str] = []
    if logs:
        checked, other, unread = _logs(case.manifest, logs, observer)
        differences += other
    files = len(case.manifest.files) + others
    return Verification(str(folder), found, files, checked, tuple(differences), tuple(unread))


def _files(folder: Path, manifest: Manifest, observer: Observer) -> Iterator[Difference]:
    known = {file.path for file in manifest.files}
    for missing in sorted(set(layout.FILES) - known):
        yield Difference("changed", "case", layout.RUN, f"it does not list {missing}")
    if manifest.document.get("configuration_sha256") != document_hash(manifest.document["configuration"]):
        yield Difference("changed", "case", layout.RUN, "the configuration is not what configuration_sha256 says")
    for file in manifest.files:
        if (found := deviation(folder / file.path, file.sha256, file.size)) is not None:
            yield Difference(found[0], "case", file.path, found[1])
        observer.advance()
    for name in sorted(_walk(folder)):
        if name not in known and name not in (layout.RUN, layout.INVOCATION):
            yield Difference("added", "case", name, "run.json does not list it")


def _walk(folder: Path) -> Iterator[str]:
    for top, folders, files in os.walk(folder):
        links = [name for name in folders if Path(top, name).is_symlink()]
        for name in (*files, *links):
            yield Path(top, name).relative_to(folder).as_posix()


def _logs(manifest: Manifest, logs: Sequence[str], observer: Observer) -> tuple[int, list[Difference], list[str]]:
    """Hold logs against the inputs by content: a log that was moved or renamed is still the same log."""
    if "-" in logs:
        raise InputError("verify reads no standard input; name the logs")
    warnings: list[str] = []
    given, out = _found(logs, warnings)
    observer.stage("hash the logs", len(given))
    out += [Difference("unreadable", "log", "", warning) for warning in warnings]
    wanted = Counter(file.sha256 for file in manifest.inputs)
    others: list[tuple[str, str, bool]] = []
    checked = 0
    for item in given:
        try:
            digest = digest_of(item)
        except (OSError, InputError) as error:
            why = str(error) if isinstance(error, InputError) else (error.strerror or "input/output error").lower()
            out.append(Difference("unreadable", "log", item.name, why))
            continue
        finally:
            observer.advance()
        if wanted[digest]:
            wanted[digest] -= 1
            checked += 1
        else:
            others.append((item.name, digest, item.named))
    lost = [f for f in manifest.inputs if _take(wanted, f.sha256)]
    for file in lost:
        same = next((o for o in others if Path(o[0]).name == Path(file.path).name), None)
        if same is None:
            out.append(Difference("missing", "log", file.path, f"none of the logs given has SHA-256 {file.sha256}"))
        else:
            others.remove(same)
            checked += 1
            out.append(Difference("changed", "log", same[0], f"its SHA-256 is {same[1]}, and not {file.sha256}"))
    out += [
        Difference("added", "log", name, "it is none of those that were read") for name, _, named in others if named
    ]
    return checked, out, [name for name, _, named in others if not named]


def _found(logs: Sequence[str], warnings: list[str]) -> tuple[list[Input], list[Difference]]:
    """The files of the logs given; a store that cannot be reached is a difference, and the other logs are checked all the same."""
    stores = [text for text in logs if is_remote(text)]
    local = [text for text in logs if not is_remote(text)]
    found = discover(local, warnings.append) if local else []
    lost = []
    for text in stores:
        try:
            found += discover([text], warnings.append)
        except InputError as error:
            lost.append(Difference("unreadable", "log", text, str(error)))
    return list({item.path: item for item in found}.values()), lost


def _take(wanted: Counter[str], digest: str) -> bool:
    if not wanted[digest]:
        return False
    wanted[digest] -= 1
    return True
