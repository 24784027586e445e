from __future__ import annotations

import power_help
import pytest


@pytest.fixture(scope="session")
def small_log(tmp_path_factory):
    return power_help.write(tmp_path_factory.mktemp("power") / "log")


@pytest.fixture(scope="session")
def lent(small_log):
    """Fingerprints, streams, assessment and supply of the small log."""
    return power_help.scored(small_log)
