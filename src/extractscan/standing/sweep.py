"""Taking away what a run that was stopped left, and what no longer holds: all that the pointer does not lead to."""

from __future__ import annotations

import contextlib
import re
import shutil
from typing import TYPE_CHECKING, Final

from extractscan.standing.disk import HIDDEN
from extractscan.standing.layout import LEDGER, NIGHTS, PRINTS, SPOOL, STAGED, STATES, night_name
from extractscan.standing.ledger import ENDING as LEDGER_ENDING
from extractscan.standing.packs import ENDING as PRINTS_ENDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from extractscan.standing.pointer import Pointer

_OURS: Final = re.compile(
    rf"{re.escape(HIDDEN)}[0-9a-f]+|[0-9a-f]{{64}}(\.json|{re.escape(LEDGER_ENDING)}|{re.escape(PRINTS_ENDING)})"
    rf"|[0-9]{{6,}}(-{re.escape(STAGED)})?|\.[0-9]{{6,}}\.extractscan-[0-9a-f]+\.(tmp|old)"
)
"""Names that this program gives: nothing else is ever taken away."""


def leftovers(case: Path, pointer: Pointer | None, prints: Iterable[str]) -> Iterator[Path]:
    """Give the files and folders of ours that nothing leads to. ``prints`` are the SHA-256 of those that the ledger has.

    The results of the night before are among those that are led to: somebody may be reading them.
    """
    nights: set[str] = set()
    wanted: dict[str, set[str]] = {PRINTS: {f"{sha256}{PRINTS_ENDING}" for sha256 in prints}}
    if pointer is not None:
        nights = {night_name(pointer.night), night_name(pointer.night - 1)}
        wanted[LEDGER] = {f"{pointer.ledger}{LEDGER_ENDING}"}
        wanted[STATES] = {f"{pointer.states}.json", f"{night_name(pointer.night)}-{STAGED}"}
    for folder in (LEDGER, PRINTS, STATES):
        for name in _names(case / folder):
            if name not in wanted.get(folder, ()):
                yield case / folder / name
    for name in _names(case / NIGHTS):
        if name not in nights:
            yield case / NIGHTS / name
    for top in (case / SPOOL, case):
        for name in _names(top):
            if name.startswith(HIDDEN):
                yield top / name


def sweep(case: Path, pointer: Pointer | None, prints: Iterable[str]) -> None:
    """Remove them, as far as can be: what cannot be removed now harms nobody."""
    for path in leftovers(case, pointer, prints):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if _OURS.fullmatch(path.name))
    except OSError:
        return []
