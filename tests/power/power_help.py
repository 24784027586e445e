"""A small simulated log, scored once, for the tests of power."""

from __future__ import annotations

from datetime import date

from extractscan.coverage.profile import profile
from extractscan.coverage.streams import find_streams
from extractscan.engine.load import LogSource, load
from extractscan.power.supply import supply
from extractscan.progress import Silent
from extractscan.simulate.attacks.registry import ATTACKS
from extractscan.simulate.benign.registry import BENIGN
from extractscan.simulate.registry import choose, choose_languages
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import LogFormat, write_log
from extractscan.verdict.assess import assess


def write(folder):
    settings = Settings(
        seed=1,
        requests=7000,
        days=14,
        languages=choose_languages("en,ja"),
        attacks=choose("none", ATTACKS, "--attacks"),
        benign=choose("all", BENIGN, "--benign"),
        accounts_per_campaign=None,
        requests_per_account=None,
        cover_share=None,
        responses=False,
        start=date(2026, 3, 2),
    )
    write_log(settings, folder, LogFormat.parquet, clobber=False, observer=Silent())
    return folder / "requests.parquet"


def scored(path):
    prints, _ = load(LogSource((str(path),)), observer=Silent())
    streams = find_streams(prints)
    assessment = assess(profile(streams, prints.prompts), streams, prints.prompts)
    return prints, streams, assessment, supply(prints, streams, assessment)
