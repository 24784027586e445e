"""``pytest tests/report --refresh-golden`` writes the golden outputs anew; look at the difference before keeping it."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--refresh-golden", action="store_true", help="write tests/report/golden anew")


@pytest.fixture
def refresh_golden(request):
    return request.config.getoption("--refresh-golden", default=False)
