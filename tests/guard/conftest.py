from __future__ import annotations

import pytest

from dazi.guard.engine import Guard


@pytest.fixture(scope="session")
def guard() -> Guard:
    return Guard()
