"""What the service stands on fails: it says so in time, holds on to nothing, and is well again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench import postgres, redis
from bench.resilience import faults_model, faults_postgres, faults_store, faults_systems
from bench.resilience.clock import Clock

MODEL = frozenset(
    {"slow first byte", "hung in the middle", "endless", "reset", "garbage", "other JSON", "500"}
)  # fmt: skip
SYSTEMS = frozenset(
    {"service: hung", "service: garbage", "MCP server: dead", "MCP server: a web page"}
)


async def test_a_model_server_that_is_unwell() -> None:
    report = await faults_model.run(1, MODEL)
    assert +report.violations == {}


async def test_an_answer_that_never_ends_is_noticed(broken: Callable[[str], None]) -> None:
    broken("from dazi.inference.remote import _Bounds\n_Bounds.check = lambda self, *_: None")
    report = await faults_model.run(1, frozenset({"dripping, never done"}))
    assert [v for v in report.violations if v.startswith("dripping, never done: took")]


async def test_an_error_that_nobody_foresaw_is_noticed(broken: Callable[[str], None]) -> None:
    broken(
        "from dazi.inference import remote\n"
        "def unforeseen(*_): raise RuntimeError('Traceback')\n"
        "remote._unreachable = unforeseen"
    )
    report = await faults_model.run(1, frozenset({"reset"}))
    assert report.violations["reset: an unforeseen error"]


async def test_a_database_that_cannot_be_used() -> None:
    report = await faults_store.database(1, held_s=6.0)
    assert +report.violations == {}


async def test_answers_that_are_not_on_record_are_noticed(broken: Callable[[str], None]) -> None:
    broken(
        "from dazi.audit.ledger import Ledger\n"
        "async def lost(self, batch): pass\n"
        "Ledger._store = lost"
    )
    report = await faults_store.clock(1)
    assert report.violations["answered, and not on record"]
    assert report.violations["done, and not on record"]


@pytest.mark.skipif(postgres.programs() is None, reason="no PostgreSQL here")
async def test_a_postgresql_that_is_stopped_and_one_that_falls_silent() -> None:
    report = await faults_postgres.run(1, frozenset({"stopped", "paused"}))
    assert +report.violations == {}


@pytest.mark.skipif(redis.program() is None, reason="no Redis here")
async def test_redis_that_is_paused_stopped_and_restarted() -> None:
    report = await faults_store.limits(1)
    assert +report.violations == {}


@pytest.mark.skipif(not Clock.possible(), reason="no compiler here")
async def test_a_clock_that_jumps() -> None:
    report = await faults_store.clock(1)
    assert +report.violations == {}


async def test_systems_that_are_unwell() -> None:
    report = await faults_systems.run(1, SYSTEMS)
    assert +report.violations == {}
