"""``standing.json``: which results, ledger and states hold, and how the case reads logs. Its renaming is the one moment of change."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from extractscan._version import __version__
from extractscan.case.manifest import json_file
from extractscan.errors import InputError
from extractscan.fingerprint.store import STORE_VERSION
from extractscan.report.neutralise import terminal
from extractscan.standing.disk import put
from extractscan.standing.layout import KIND, LEDGER, LOCK, NIGHTS, POINTER, STANDING_VERSION, STATES, night_name
from extractscan.standing.ledger import ENDING

if TYPE_CHECKING:
    from pathlib import Path

_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What holds. ``seal`` is the SHA-256 of ``run.json`` of the night's results, the others are of the files of their names.

    ``reading`` is how the case reads logs, by option; ``window`` and ``keep`` are spans as given, None without.
    """

    night: int
    seal: str
    ledger: str
    states: str
    reading: dict[str, Any]
    window: str | None
    keep: str | None
    prints_version: str = STORE_VERSION
    version: str = __version__

    @property
    def results(self) -> str:
        """The folder of the results, within the case."""
        return f"{NIGHTS}/{night_name(self.night)}"

    @property
    def ledger_path(self) -> str:
        """The ledger, within the case."""
        return f"{LEDGER}/{self.ledger}{ENDING}"

    @property
    def states_path(self) -> str:
        """The states, within the case."""
        return f"{STATES}/{self.states}.json"

    def document(self) -> dict[str, Any]:
        """Return it as schema ``standing`` has it."""
        return {
            "schema_version": STANDING_VERSION,
            "kind": KIND,
            "version": self.version,
            "prints_version": self.prints_version,
            "night": self.night,
            "results": self.results,
            "seal": self.seal,
            "ledger": self.ledger,
            "states": self.states,
            "reading": self.reading,
            "window": self.window,
            "keep": self.keep,
        }


def write_pointer(case: Path, pointer: Pointer) -> None:
    """Make a pointer hold. Raises ``OSError``; the one before holds then."""
    put(case / POINTER, json_file(pointer.document()))


def read_pointer(case: Path) -> Pointer | None:
    """Return what holds, None for a folder that is no standing case.

    Raises ``InputError`` for a pointer that is damaged, or of a version that this program does not read, with the way out.
    """
    shown = f"{terminal(str(case), limit=200)}/{POINTER}"
    try:
        text = (case / POINTER).read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {(error.strerror or 'input/output error').lower()}") from error
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{shown} is damaged: it is no JSON") from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise InputError(f"{shown} is not that of a standing case")
    version = document.get("schema_version")
    if not isinstance(version, str) or version.split(".")[0] != STANDING_VERSION.split(".", maxsplit=1)[0]:
        raise InputError(_other(shown, f"of version {version!r}", document.get("version", "of an unknown version")))
    try:
        return _parsed(document)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{shown} is damaged: it is not what schema 'standing' says") from None


def results_of(folder: Path) -> Path:
    """Return where the results of a case are: of a standing case in the folder of its night, of any other in its own.

    Raises ``InputError`` as ``read_pointer`` does, and for a standing case without results.
    """
    pointer = read_pointer(folder)
    if pointer is not None:
        return folder / pointer.results
    with contextlib.suppress(OSError):
        if (folder / LOCK).is_file() and (folder / NIGHTS).is_dir():
            raise InputError(
                f"{terminal(str(folder), limit=200)} has no results yet: its first update did not end; run it again"
            )
    return folder


def _parsed(document: dict[str, Any]) -> Pointer:
    night, reading = document["night"], document["reading"]
    hashes = seal, ledger, states = document["seal"], document["ledger"], document["states"]
    spans = window, keep = document["window"], document["keep"]
    if not isinstance(night, int) or night < 1 or not isinstance(reading, dict):
        raise TypeError
    if not all(isinstance(h, str) and _SHA256.match(h) for h in hashes):
        raise ValueError
    if not all(span is None or isinstance(span, str) for span in spans):
        raise TypeError
    versions = str(document["prints_version"]), str(document["version"])
    return Pointer(night, seal, ledger, states, reading, window, keep, *versions)


def check_prints(case: Path, pointer: Pointer) -> None:
    """Raise ``InputError`` if the fingerprints of a case are not of today's rules; its results can be read all the same."""
    if pointer.prints_version != STORE_VERSION:
        what = f"of fingerprints of version {pointer.prints_version!r}"
        raise InputError(_other(terminal(str(case), limit=200), what, pointer.version))


def _other(shown: str, what: str, version: Any) -> str:
    made = terminal(str(version), limit=40)
    return (
        f"{shown} is {what}, made by extractscan {made}, and extractscan {__version__} cannot go on with it: "
        "its fingerprints do not compare with those of today. Begin another case, extractscan update NEW LOGS..., with the logs "
        "of the time that is to count; the old one can still be read by the version that made it"
    )
