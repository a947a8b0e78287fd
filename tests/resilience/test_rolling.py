"""Servers are restarted under load, and nobody notices."""

from __future__ import annotations

from collections.abc import Callable

from bench.resilience import rolling


async def test_nothing_is_dropped() -> None:
    report = await rolling.run(rounds=1, drain_s=2.0)
    assert +report.violations == {}
    assert report.tried > 100


async def test_a_server_that_does_not_say_that_it_goes_is_noticed(
    broken: Callable[[str], None],
) -> None:
    broken(
        "from dazi.main.runtime import Runtime\n"
        "Runtime.draining = property(lambda s: False, lambda s, v: None)"
    )
    report = await rolling.run(rounds=1, drain_s=0.5)
    assert report.violations["a server closed its door before it said it was not ready"]
