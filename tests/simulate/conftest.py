from __future__ import annotations

import pytest

from extractscan.simulate.attacks.registry import ATTACKS
from extractscan.simulate.benign.registry import BENIGN
from extractscan.simulate.plan import accounts
from extractscan.simulate.registry import choose
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import labels, tables


@pytest.fixture(scope="session")
def everything():
    """Settings of a log with every archetype, its plans, its requests and its labels."""
    settings = Settings(
        seed=7,
        requests=24_000,
        attacks=choose("all", ATTACKS, "--attacks"),
        benign=(*choose("all", BENIGN, "--benign"), "synthetic_data"),
    )
    plans = accounts(settings)
    (requests,) = tables(settings, plans)
    return settings, plans, requests, labels(settings, plans)
