"""Small runs of ``bench/resilience``: real servers on loopback, and breaks that they must notice."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from bench.resilience.served import Served

# Processes are looked at by /proc.
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a break, lines of Python, in front of the servers that a test starts."""

    def put(code: str) -> None:
        monkeypatch.setattr(Served, "program", f"{code}\n{Served.program}")

    return put
