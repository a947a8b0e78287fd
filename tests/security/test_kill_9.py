"""A process killed at any step of a write leaves at most one effect an intent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from bench import postgres
from bench.security import kills
from dazi.router.intents import IntentStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


def sound(report: kills.Report) -> None:
    assert report.violations == {}
    assert report.lost and report.never  # both kinds of points were hit
    assert report.intents["done"] > 5


def test_on_sqlite() -> None:
    sound(kills.run_sqlite(60))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    binaries = postgres.programs()
    if binaries is None:
        line = "no PostgreSQL here: kill -9 was not tested on it; install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    with postgres.server(binaries) as url:
        yield url


def test_on_postgresql(server: str) -> None:
    sound(kills.run_postgres(45, server))


def test_a_write_that_is_tried_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard broken on purpose: an intent that was begun is taken for a new one."""
    begin = IntentStore.begin

    async def forgets(self: IntentStore, *rest: object) -> None:
        await begin(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(IntentStore, "begin", forgets)
    assert kills.run_sqlite(40).violations["an effect twice"]
