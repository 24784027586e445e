"""Where tracing looks: logs, or a case that stands in for them, as fingerprints and campaigns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.campaign.choose import campaign_id
from extractscan.case import layout
from extractscan.case.nearness import csr
from extractscan.case.read import open_case
from extractscan.case.select import account_names
from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.engine.load import load
from extractscan.errors import InputError
from extractscan.fingerprint.requests import Fingerprints, Texts
from extractscan.verdict.assess import assess

if TYPE_CHECKING:
    from datetime import datetime

    from extractscan.case.read import Case
    from extractscan.engine.load import LogSource
    from extractscan.progress import Observer

Campaigns = dict[str, list[int]]
"""Campaign id to the positions of its members in ``Fingerprints.accounts``."""


def find_campaigns(prints: Fingerprints, *, jobs: int = 1) -> Campaigns:
    """Campaigns of a log as ``score`` finds them."""
    streams = find_streams(prints, jobs=jobs)
    assessment = assess(profile(streams, prints.prompts, jobs=jobs), streams, prints.prompts)
    names = prints.accounts.to_list()
    found = {campaign_id([names[a] for a in c.accounts]): [int(a) for a in c.accounts] for c in assessment.campaigns}
    return dict(sorted(found.items()))


def from_logs(source: LogSource, *, observer: Observer, jobs: int = 1) -> tuple[Fingerprints, Campaigns, list[str]]:
    """Read logs and find their campaigns; returns the paths that were read, too.

    Raises ``InputError`` when nothing can be read or too much cannot.
    """
    prints, summary = load(source, observer=observer, jobs=jobs)
    observer.stage("finding campaigns")
    return prints, find_campaigns(prints, jobs=jobs), [file.path for file in summary.files]


def is_case(inputs: list[str]) -> bool:
    """Whether a command was given the folder of a case, and nothing else."""
    return len(inputs) == 1 and inputs[0] != "-" and (Path(inputs[0]) / layout.RUN).is_file()


def from_case(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None
) -> tuple[Fingerprints, Campaigns]:
    """Take fingerprints and campaigns from a case, without its logs. Raises ``InputError`` if it is not as it was written."""
    case = open_case(folder)
    requests = case.table(layout.REQUESTS).drop("stream", "item")
    if since is not None:
        requests = requests.filter(pl.col("time_us") >= round(since.timestamp() * 1e6))
    if until is not None:
        requests = requests.filter(pl.col("time_us") < round(until.timestamp() * 1e6))
    if not requests.height:
        raise InputError(f"{case.name} has no request in this time")
    accounts = pl.Series("account_id", account_names(case), dtype=pl.String)
    codes = {name: i for i, name in enumerate(accounts.to_list())}
    campaigns = {
        c["campaign_id"]: sorted(codes[a] for a in c["accounts"] if a in codes)
        for c in sorted(case.campaigns(), key=lambda c: str(c["campaign_id"]))
    }
    present = {"response"} if bool(requests["has_response"].any()) else set()
    present |= {"prompt"} if bool((requests["prompt"] >= 0).any()) else set()
    organisations = pl.Series("org_id", [None], dtype=pl.String).new_from_index(0, accounts.len())
    prints = Fingerprints(
        requests,
        accounts,
        _texts(case, layout.PROMPTS),
        _texts(case, layout.SYSTEMS),
        0,
        frozenset(present),
        organisations,
    )
    return prints, campaigns


def _texts(case: Case, path: str) -> Texts:
    table = case.table(path, ["hash", "chars", "tokens"])
    offsets, values = csr(table["tokens"])
    return Texts(table["hash"].to_numpy(), offsets, values, table["chars"].to_numpy().astype(np.int64))
