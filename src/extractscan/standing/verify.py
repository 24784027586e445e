"""Whether a standing case is as it was written: its pointer, ledger, states and fingerprints; the results are verified as any case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extractscan.case.manifest import deviation
from extractscan.errors import InputError
from extractscan.standing import layout
from extractscan.standing.ledger import open_ledger
from extractscan.standing.packs import ENDING
from extractscan.standing.pointer import read_pointer
from extractscan.standing.sweep import leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extractscan.progress import Observer
    from extractscan.standing.ledger import Ledger
    from extractscan.standing.pointer import Pointer


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is not as it was written: ``kind`` as in ``case.verify``, its path in the case, and what is wrong."""

    kind: str
    path: str
    detail: str


def check_standing(case: Path, seal: str, observer: Observer) -> tuple[int, list[Problem]]:
    """Hash what a standing case has beside its results, whose seal was found to be ``seal``: files that were hashed, and problems.

    What a run that was stopped has left is none: the next takes it away. Nothing for a case of another kind.
    """
    pointer = read_pointer(case)
    if pointer is None:
        return 0, []
    problems = []
    if seal != pointer.seal:
        detail = f"its SHA-256 is {seal}, and not {pointer.seal}, as {layout.POINTER} says"
        problems.append(Problem("changed", f"{pointer.results}/run.json", detail))
    wanted = {pointer.states_path: pointer.states, pointer.ledger_path: pointer.ledger}
    ledger: Ledger | None = None
    try:
        ledger = open_ledger(case, pointer)
        wanted |= {f"{layout.PRINTS}/{sha256}{ENDING}": sha256 for sha256 in ledger.prints}
    except InputError as error:
        problems.append(Problem("changed", pointer.ledger_path, str(error)))
    observer.stage("hash the fingerprints", len(wanted))
    for path, sha256 in wanted.items():
        if (found := deviation(case / path, sha256)) is not None:
            problems.append(Problem(found[0], path, found[1]))
        observer.advance()
    if ledger is not None:
        problems += _strange(case, pointer, ledger, set(wanted))
    return len(wanted), problems


def _strange(case: Path, pointer: Pointer, ledger: Ledger, wanted: set[str]) -> Iterator[Problem]:
    """Give the files that are neither ours nor what a run has left."""
    known = {layout.POINTER, layout.LOCK, *layout.FOLDERS, *wanted}
    known |= {path.relative_to(case).as_posix() for path in leftovers(case, pointer, ledger.prints)}
    known |= {f"{layout.NIGHTS}/{layout.night_name(n)}" for n in (pointer.night, pointer.night - 1)}
    known |= {f"{layout.STATES}/{layout.night_name(pointer.night)}-{layout.STAGED}"}
    for folder in (case, *(case / name for name in layout.FOLDERS if name != layout.SPOOL)):
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                name = path.relative_to(case).as_posix()
                if name not in known:
                    yield Problem("added", name, "nothing leads to it")
