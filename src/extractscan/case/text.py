"""Prompts read again from the logs: a case has none. Only a log that is byte for byte what was read is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.errors import InputError
from extractscan.fingerprint.tokens import tokenise
from extractscan.logs.choose import FormatOptions, parse_account_from
from extractscan.logs.discover import Input, discover
from extractscan.logs.read import read_logs
from extractscan.logs.sources import digest_of
from extractscan.logs.uris import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from extractscan.case.read import Case
    from extractscan.progress import Observer


def find_logs(case: Case, logs: Sequence[str], observer: Observer) -> list[str]:
    """Return those of ``logs`` (or, without any, of the places where the inputs lay) that are inputs of the case, by their SHA-256.

    What is missing or has changed is warned about; a store is asked only for what ``logs`` names. Raises ``InputError`` if nothing is left.
    """
    wanted = {file.sha256: file.path for file in case.manifest.inputs}
    found: dict[str, str] = {}
    for item in _places(case, logs, observer):
        try:
            digest = digest_of(item)
        except OSError:
            continue
        if digest in wanted:
            found.setdefault(digest, item.path or item.name)
        elif logs:
            observer.warn(f"{item.path} is none of the logs that the case was made of, as they were; it is not read")
    for digest in wanted.keys() - found.keys():
        path = wanted[digest]
        if is_remote(path) and not logs:
            observer.warn(f"{path} is in a store, which is not asked unless --logs names it: its prompts are not shown")
        else:
            observer.warn(f"{path} is not where it was, or has changed: its prompts cannot be shown")
    if not found:
        raise InputError(
            f"no log of {case.name} is where it was and unchanged: name the logs with --logs, or see what extractscan verify says"
        )
    return sorted(found.values())


def texts(
    case: Case, logs: Sequence[str], observer: Observer, hashes: NDArray[np.uint64] | None
) -> Iterator[pl.DataFrame]:
    """Read prompts again, batch by batch: ``hash`` and ``text``, each text once a batch; only those of ``hashes`` when given.

    Raises ``InputError`` as ``find_logs`` and ``read_logs`` do.
    """
    told = case.manifest.document["configuration"]
    way = told.get("account_from")
    formats = FormatOptions(
        tuple(told.get("mappings") or ()), told.get("log_format"), None if way is None else parse_account_from(way)
    )
    found_logs = find_logs(case, logs, observer)
    reader = read_logs(found_logs, observer=observer, columns=told.get("columns") or {}, formats=formats)
    wanted = None if hashes is None else np.unique(hashes)
    for batch in reader.batches():
        distinct = batch.frame["prompt"].drop_nulls().unique().sort()
        if not distinct.len():
            continue
        found = pl.DataFrame({"hash": tokenise(distinct).hashes, "text": distinct})
        if wanted is not None:
            found = found.filter(pl.Series(np.isin(found["hash"].to_numpy(), wanted)))
        if found.height:
            yield found


def texts_of(case: Case, logs: Sequence[str], observer: Observer, hashes: Sequence[int]) -> dict[int, str]:
    """Return the prompt of each hash that the logs still hold; of several that normalise alike, the first in their order."""
    out: dict[int, str] = {}
    for found in texts(case, logs, observer, np.array(hashes, np.uint64)):
        for key, text in found.iter_rows():
            if key not in out or text < out[key]:
                out[key] = text
    return out


def _places(case: Case, logs: Sequence[str], observer: Observer) -> Iterator[Input]:
    if logs:
        if "-" in logs:
            raise InputError("prompts are not read from standard input; name the logs")
        yield from discover(logs, observer.warn)
        return
    home = case.invocation().get("directory")
    for file in case.manifest.inputs:
        bases = [Path(home)] if isinstance(home, str) and "\0" not in home else []
        for base in (*bases, Path()):
            place = base / file.path
            if "\0" not in file.path and place.is_file():
                yield Input(str(place), str(place), named=True, size=None)
                break
