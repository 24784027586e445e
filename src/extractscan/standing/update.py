"""One night: take in what is new, judge all that counts, and have the new results hold in one step.

Written are, in this order and each forced to disk: fingerprints, results, states, events, ledger; then the pointer, whose renaming makes
all of it hold; then the events are renamed to where a forwarder reads them. A run that is stopped anywhere leaves what held
before, and what it had written beyond that is taken away by the next.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from extractscan.case.manifest import Settings
from extractscan.case.write import check_case, write_case
from extractscan.engine.local import assess_prints
from extractscan.errors import ExtractscanError, InputError, UsageError
from extractscan.logs.quarantine import Quarantine, enforce
from extractscan.logs.result import Quarantined
from extractscan.report.neutralise import terminal
from extractscan.standing import layout
from extractscan.standing import ledger as ledgers
from extractscan.standing.disk import HIDDEN, get, put_by_content, sync_folder
from extractscan.standing.events import events
from extractscan.standing.gather import gather
from extractscan.standing.intake import Intake
from extractscan.standing.lock import locked
from extractscan.standing.pointer import Pointer, check_prints, read_pointer, write_pointer
from extractscan.standing.spool import Spooled, json_lines, publish, stage
from extractscan.standing.states import RANK, Standing, follow, from_bytes, to_bytes
from extractscan.standing.sweep import sweep
from extractscan.standing.window import parse_span
from extractscan.verdict.report import findings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from extractscan.case.write import Invocation
    from extractscan.engine.load import LogSource
    from extractscan.engine.local import Scored
    from extractscan.memory import Memory
    from extractscan.progress import Observer
    from extractscan.standing.gather import Gathered
    from extractscan.standing.intake import Delivered
    from extractscan.standing.ledger import Ledger
    from extractscan.standing.window import Span
    from extractscan.verdict.findings import Findings


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says of a night. ``reading`` is how logs are read; spans as given, None for what is not said.

    ``refuse`` makes files that were changed or cut an error; ``take_lock`` takes the lock of another machine. ``shown`` leaves
    findings without a state that are allowed (None: none), ``spooled`` makes the lines of the spool.
    """

    reading: dict[str, Any]
    window: str | None = None
    keep: str | None = None
    refuse: bool = False
    take_lock: bool = False
    shown: Callable[[Findings, Scored], Findings] | None = None
    spooled: Spooled = json_lines


@dataclass(frozen=True, slots=True)
class Night:
    """What a night left: what holds, the findings but those allowed, what was delivered, the states, and the window, None without."""

    pointer: Pointer
    found: Findings
    delivered: Delivered
    standings: tuple[Standing, ...]
    since: datetime | None
    until: datetime | None

    def has(self, severity: str, states: Collection[str]) -> bool:
        """Whether a finding in one of some states, and not closed, is at least so severe."""
        limit = RANK[severity]
        return any(s.state in states and s.state != "closed" and RANK[s.severity] <= limit for s in self.standings)


@dataclass(frozen=True, slots=True)
class Means:
    """Who is told, how many threads work, and how much memory they may take (None: any)."""

    observer: Observer
    jobs: int
    memory: Memory | None


def update(
    case: Path,
    source: LogSource,
    wishes: Wishes,
    invocation: Invocation,
    *,
    observer: Observer,
    jobs: int = 1,
    memory: Memory | None = None,
) -> Night:
    """Do a night's work on a standing case, which is begun where there is none.

    Raises ``UsageError`` for a folder or wishes that the user must choose differently and while another run works on the case,
    ``InputError`` for logs that cannot be taken and for a case that is damaged or of another version, ``ExtractscanError`` when writing
    fails. In all cases what held still holds.
    """
    with _writing(case):
        _check_place(case, source)
        _make(case)
        with locked(case / layout.LOCK, take=wishes.take_lock) as stale:
            if stale is not None:
                observer.warn(stale)
            return _night(case, source, wishes, invocation, Means(observer, jobs, memory))


def _night(case: Path, source: LogSource, wishes: Wishes, invocation: Invocation, means: Means) -> Night:
    for name in layout.FOLDERS:
        (case / name).mkdir(exist_ok=True)
    held = read_pointer(case)
    if held is not None:
        check_prints(case, held)
    ledger = ledgers.Ledger() if held is None else ledgers.open_ledger(case, held)
    if held is not None:
        publish(case, held.night)
    sweep(case, held, ledger.prints)
    try:
        return _work(case, source, wishes, invocation, (held, ledger), means)
    finally:
        # What holds now is asked of the disk: a run may be stopped just after its pointer has got its name.
        with contextlib.suppress(InputError):
            holds = read_pointer(case)
            sweep(case, holds, ledgers.open_ledger(case, holds).prints if holds is not None else ())


def _work(
    case: Path,
    source: LogSource,
    wishes: Wishes,
    invocation: Invocation,
    now: tuple[Pointer | None, Ledger],
    means: Means,
) -> Night:
    held, ledger = now
    observer, jobs, memory = means.observer, means.jobs, means.memory
    window, keep = _spans(held, wishes)
    number = 1 if held is None else held.night + 1
    intake = Intake(ledger, case / layout.PRINTS, observer, night=number, jobs=jobs)
    delivered = intake.take(source, clock_ns=time.time_ns(), refuse=wishes.refuse)
    _enforce(ledger, number, delivered, source.max_bad_rows)
    observer.stage("gather")
    gathered = gather(ledger, case / layout.PRINTS, window, keep, memory)
    if gathered.later:
        observer.warn(
            f"{gathered.later:,} requests are dated later than the window ends ({gathered.until}); they do not count yet"
        )
    ledger.tidy()
    scored = assess_prints(gathered.prints, gathered.summary, observer=observer, jobs=jobs, keep=True, memory=memory)
    found = findings(scored.assessment, scored.measured)
    observer.stage("write the case")
    results = case / layout.NIGHTS / layout.night_name(number)
    told = replace(invocation, finished=datetime.now(UTC))
    seal = write_case(results, found, scored, _settings(source, wishes, gathered), told)
    if wishes.shown is not None:  # the results hold everything: what is allowed is a matter of reports and states
        found = wishes.shown(found, scored)
    standings = follow(_before(case, held), found, number)
    kept = to_bytes(standings, number, seal)
    states, _ = put_by_content(case / layout.STATES, ".json", lambda stream: stream.write(kept))
    stage(case, number, wishes.spooled(events(standings, number, seal), found))
    digest, _ = put_by_content(
        case / layout.LEDGER, ledgers.ENDING, lambda stream: stream.write(ledgers.to_bytes(ledger))
    )
    for folder in layout.FOLDERS:
        sync_folder(case / folder)
    pointer = Pointer(
        number,
        seal,
        digest,
        states,
        wishes.reading,
        None if window is None else window.text,
        None if keep is None else keep.text,
    )
    write_pointer(case, pointer)
    publish(case, number)
    return Night(pointer, found, delivered, tuple(standings), gathered.since, gathered.until)


def _before(case: Path, held: Pointer | None) -> list[Standing]:
    """Return the states of the night that holds. Raises ``InputError`` if they are gone or not as they were written."""
    return [] if held is None else from_bytes(get(case, held.states_path, held.states), held.states_path)


def _check_place(case: Path, source: LogSource) -> None:
    """Raise ``UsageError`` unless the folder is a standing case or could become one."""
    place = terminal(str(case), limit=200)
    if case.is_dir() and (any(case.iterdir()) and read_pointer(case) is None and not _begun(case)):
        raise UsageError(f"{place} exists and is no standing case; choose another folder")
    if case.exists() and not case.is_dir():
        raise UsageError(f"{place} is no folder")
    check_case(case / ".new" if case.is_dir() else case, source.inputs, clobber=False)


def _begun(case: Path) -> bool:
    """Whether a folder holds nothing but what a first night leaves that was stopped."""
    names = {path.name for path in case.iterdir() if not path.name.startswith(HIDDEN)}
    return names <= {layout.LOCK, *layout.FOLDERS}


def _make(case: Path) -> None:
    """Make the folder of a case, where a link leads if it is one, and have it outlive a loss of power."""
    place = case.resolve()
    if not place.is_dir():
        place.mkdir(exist_ok=True)
        sync_folder(place.parent)


def _spans(held: Pointer | None, wishes: Wishes) -> tuple[Span | None, Span | None]:
    """Return the window and the time that is kept: as said tonight, or else as they were."""
    texts = {
        "window": wishes.window or (held.window if held is not None else None),
        "keep": wishes.keep or (held.keep if held is not None else None),
    }
    window, keep = (None if text is None else parse_span(text, f"--{name}") for name, text in texts.items())
    if keep is not None and window is None:
        raise UsageError("--keep needs --window: without a window all requests count, and are kept")
    if keep is not None and window is not None and keep.length < window.length:
        raise UsageError(f"--keep {keep.text} is shorter than --window {window.text}")
    return window, keep


def _enforce(ledger: Ledger, night: int, delivered: Delivered, limit: float | None) -> None:
    """Raise ``InputError`` if more of tonight's rows are bad than the user allows."""
    tonight = [d for d in ledger.documents.values() if d.night == night]
    entries = [
        Quarantined(d.path, line, reason)
        for d in tonight
        for n in d.parts
        for line, reason in ledger.parts[n].quarantine
    ]
    enforce(Quarantine(entries, delivered.bad), delivered.rows + delivered.bad, limit)


def _settings(source: LogSource, wishes: Wishes, gathered: Gathered) -> Settings:
    reading = wishes.reading
    return Settings(
        gathered.since,
        gathered.until,
        source.columns,
        source.max_bad_rows,
        None,
        tuple(path for path, _ in reading.get("mappings") or ()),
        reading.get("log_format"),
        reading.get("account_from"),
    )


@contextlib.contextmanager
def _writing(case: Path) -> Iterator[None]:
    """Say of an error of the file system which case it struck."""
    try:
        yield
    except OSError as error:
        reason = terminal(error.strerror or str(error), limit=200)
        raise ExtractscanError(
            f"cannot write the case {terminal(str(case), limit=200)}: {reason}; it holds what it held before"
        ) from error
