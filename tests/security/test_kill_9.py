"""A process killed at any step of a write leaves at most one effect an intent."""

from __future__ import annotations

import sys

import pytest

from bench.security import kills
from dazi.router.intents import IntentStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


def sound(report: kills.Report) -> None:
    assert report.violations == {}
    assert report.lost and report.never  # both kinds of points were hit
    assert report.intents["done"] > 5


def test_on_sqlite() -> None:
    sound(kills.run_sqlite(60))


def test_on_postgresql(postgres_url: str) -> None:
    sound(kills.run_postgres(45, postgres_url))


def test_a_write_that_is_tried_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard broken on purpose: an intent that was begun is taken for a new one."""
    begin = IntentStore.begin

    async def forgets(self: IntentStore, *rest: object) -> None:
        await begin(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(IntentStore, "begin", forgets)
    assert kills.run_sqlite(40).violations["an effect twice"]
