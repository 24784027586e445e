"""What a run will need, told before it begins: bytes, rows, memory and disk, and whether they will be there.

Only the first bytes of some local files and the footers of Parquet are looked at; no store is asked for anything. The figures of
memory and disk are upper estimates from ``benchmarks/sizing.py``; docs/operations.md has what was measured. Nothing here stops a run.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import pyarrow.parquet as pq

from extractscan.errors import ExtractscanError
from extractscan.free_memory import free_memory
from extractscan.logs.discover import discover
from extractscan.logs.streams import PIECE, DamagedError, Raw, codec_of, pieces
from extractscan.logs.uris import is_remote
from extractscan.memory import needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.logs.discover import Input
    from extractscan.progress import Observer

BASE_BYTES: Final = 400_000_000
"""Peak memory without rows: the libraries, their kernels and their pools (measured: 330 to 410 MB)."""
ROW_BYTES: Final = 500
TEXT_FOLD: Final = 5.0
"""Peak memory a row and a byte of the columns of text of a Parquet file: 1 to 45 % above what was measured."""
LINE_FOLD: Final = 3.0
"""Peak memory a byte of JSON lines or CSV, decompressed (measured: 2.1 to 2.6, of which text is a third to three quarters)."""
CASE_BYTES: Final = 500_000
"""Bytes of a case without rows (measured: 450,000)."""
CASE_ROW_BYTES: Final = 40
"""Bytes of a case a row, apart from its text (measured: 30)."""
CASE_TEXT_SHARE: Final = 0.35
"""Bytes of a case a byte of text (measured: 0.30)."""
SAMPLED: Final = 64
"""Files that are looked into; the others are taken to be like them."""
_SHOWN: Final = 16 * PIECE
"""Decompressed bytes of a file that are looked at, at the most."""
_CROWDED: Final = 0.9
"""Share of the free memory over which a run is called too large: others live on the machine."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a run will need: files, bytes as stored, rows, peak resident memory and the size of its case, in bytes.

    ``least`` is what of the memory cannot go to disk. ``whole`` is False where some input tells no size (a pipe, a store, a table of
    a lake), so that all figures are too small.
    """

    files: int
    stored: int
    rows: int
    memory: int
    least: int
    case: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Content:
    """Of a file: rows, bytes of text, and what reading it takes of memory apart from the base."""

    rows: float
    text: float
    memory: float


def need(inputs: Sequence[str]) -> Need | None:
    """Estimate what a run over these logs will need; None if they cannot be found, which reading will say better."""
    local = [one for one in inputs if not is_remote(one)]
    try:
        files = discover(local, lambda _: None) if local else []
    except ExtractscanError:
        return None
    sized = [file for file in files if file.path is not None and file.size]
    stored = sum(file.size or 0 for file in sized)
    step = -(-len(sized) // SAMPLED) or 1
    looked = [(file.size or 0, _content(file)) for file in sized[::step]]
    seen = sum(size for size, _ in looked)
    fold = stored / seen if seen else 0.0  # what was not looked into is like what was
    rows = sum(content.rows for _, content in looked) * fold
    text = sum(content.text for _, content in looked) * fold
    memory = sum(content.memory for _, content in looked) * fold
    return Need(
        len(files),
        stored,
        round(rows),
        BASE_BYTES + round(memory),
        needed(round(rows), round(rows)),
        CASE_BYTES + round(CASE_ROW_BYTES * rows + CASE_TEXT_SHARE * text),
        len(local) == len(inputs) and all(file.size is not None and file.lake is None for file in files),
    )


def together(log: Need, others: Sequence[Need]) -> Need:
    """Return the need of a run that reads other logs one after another while it holds what it made of the first."""
    largest = max((other.memory - BASE_BYTES for other in others), default=0)
    return Need(
        log.files + sum(other.files for other in others),
        log.stored + sum(other.stored for other in others),
        log.rows + sum(other.rows for other in others),
        log.memory + largest,
        max(log.least, *(other.least for other in others)) if others else log.least,
        log.case,
        log.whole and all(other.whole for other in others),
    )


def preflight(
    inputs: Sequence[str],
    observer: Observer,
    *,
    baselines: Sequence[str] = (),
    case: Path | None = None,
    limit: int | None = None,
    tell: bool = False,
) -> None:
    """Warn of a run that will not fit in memory or on disk; with ``tell`` say what it will need in any case.

    ``limit`` is how many bytes of memory it may take before it goes on on disk.
    """
    log = need(inputs)
    if log is None:
        return
    wanted = together(log, [other for one in baselines if (other := need([one])) is not None])
    memory, disk = free_memory(), None if case is None else _free_disk(case.resolve().parent)
    resident = wanted.memory if limit is None else min(wanted.memory, max(limit, wanted.least))
    spilled = wanted.memory - resident
    if tell:
        observer.note(_told(wanted, resident, memory, disk))
    if memory is not None and resident > _CROWDED * memory:
        observer.warn(
            f"up to {size(resident)} of memory will be needed and {size(memory)} are free: the run may be killed; score "
            "shorter periods, or a part of the logs"
        )
    room = _free_disk(Path(tempfile.gettempdir())) if spilled else None
    if room is not None and spilled > room:
        observer.warn(
            f"up to {size(spilled)} will go to disk, and {size(room)} are free in {tempfile.gettempdir()}; raise --memory, or name "
            "a larger folder in TMPDIR"
        )
    if disk is not None and wanted.case > disk:
        observer.warn(f"the case will have about {size(wanted.case)}, and {size(disk)} are free where it goes")


def size(count: float) -> str:
    """Return a number of bytes for people, in decimal units."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _told(wanted: Need, resident: int, memory: int | None, disk: int | None) -> str:
    least = "" if wanted.whole else "at least "
    files = "1 file" if wanted.files == 1 else f"{wanted.files:,} files"
    parts = [
        f"{files}, {least}{size(wanted.stored)}, about {wanted.rows:,} rows",
        f"up to {size(resident)} of memory" + ("" if memory is None else f" ({size(memory)} free)"),
    ]
    if wanted.memory > resident:
        parts.append(f"up to {size(wanted.memory - resident)} in {tempfile.gettempdir()}")
    if disk is not None:
        parts.append(f"about {size(wanted.case)} for the case ({size(disk)} free)")
    return "this run will need: " + "; ".join(parts)


def _free_disk(folder: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return shutil.disk_usage(folder).free
    return None


def _content(file: Input) -> _Content:
    """Look into a file; one that cannot be read is taken for text, which is the most that it can be."""
    length = file.size or 0
    # Whatever a reader throws at damaged bytes: an estimate must not end a run, and reading will tell.
    with contextlib.suppress(Exception), Path(file.path or "").open("rb") as stream:
        head = stream.read(PIECE)
        return _parquet(stream) if head.startswith(b"PAR1") else _lines(head, length)
    return _Content(0.0, float(length), LINE_FOLD * length)


def _parquet(file: IO[bytes]) -> _Content:
    """The footer has the rows, and what the columns of text have before compression (dictionaries once, as they are held)."""
    footer = pq.read_metadata(file)
    texts = [i for i in range(footer.num_columns) if footer.schema.column(i).physical_type == "BYTE_ARRAY"]
    groups = range(0, footer.num_row_groups, -(-footer.num_row_groups // SAMPLED) or 1)
    some = sum(footer.row_group(g).column(i).total_uncompressed_size for g in groups for i in texts)
    rows = max(footer.num_rows, 0)
    text = max(some, 0) * footer.num_row_groups / max(len(groups), 1)
    return _Content(rows, text, ROW_BYTES * rows + TEXT_FOLD * text)


def _lines(head: bytes, length: int) -> _Content:
    """What stands in the first bytes, for the whole file. Arrow's own format has no lines: its rows stay untold."""
    raw = Raw(io.BytesIO(head))
    shown = b""
    with contextlib.suppress(DamagedError):  # the head ends early
        for piece in pieces(raw, codec_of(head)):
            shown += piece
            if len(shown) >= _SHOWN:
                break
    taken = raw.size if codec_of(head) else len(head)
    text = length * len(shown) / max(taken, 1)
    rows = shown.count(b"\n") / max(len(shown), 1) * text
    return _Content(rows, text, LINE_FOLD * text)
