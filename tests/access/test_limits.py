"""Limits: never more than allowed, in one process and in many; what was not used comes back."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dazi.access.limits.counters import WINDOW_S, Counters, ProcessCounters, Refusal, Taken, Want
from dazi.access.limits.limiter import FREE, Limiter
from dazi.access.limits.rules import LimitRule, Price, lines_of, prices_of, rules_of
from dazi.access.limits.shared import SharedCounters
from dazi.access.limits.totals import DatabaseTotals
from dazi.core.engine import Usage
from dazi.core.errors import ConfigError, OperatorError, OverloadError
from dazi.core.principal import Principal
from dazi.store.database import Database

LI = Principal("li", frozenset({"staff"}))


@pytest.fixture(params=["process", "redis"])
async def counters(request: pytest.FixtureRequest) -> AsyncIterator[Counters]:
    made: Counters = (
        SharedCounters(request.getfixturevalue("redis_url"))
        if request.param == "redis"
        else ProcessCounters()
    )
    yield made
    await made.close()


def wants(limit: int, amount: int = 1, kind: str = "window") -> list[Want]:
    return [Want(kind, f"user::{uuid4().hex}:tokens", limit, amount)]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["window", "lease", "total"])
async def test_no_more_than_the_limit_however_many_ask_at_once(
    counters: Counters, kind: str
) -> None:
    want = wants(100, 1, kind)
    found = await asyncio.gather(*(counters.take(f"{i}", want) for i in range(300)))
    assert sum(isinstance(f, Taken) for f in found) == 100
    refused = [f for f in found if isinstance(f, Refusal)]
    assert all(0 < f.retry_after <= WINDOW_S + 5 for f in refused)


@pytest.mark.parametrize("kind", ["window", "total"])
async def test_what_was_not_used_comes_back(counters: Counters, kind: str) -> None:
    want = wants(1000, 900, kind)
    taken = await counters.take("a", want)
    assert isinstance(taken, Taken)
    assert isinstance(await counters.take("b", want), Refusal)
    await counters.settle(taken, [50])
    assert isinstance(await counters.take("c", want), Taken)
    # More than was reserved counts as well.
    other = wants(1000, 100, kind)
    more = await counters.take("d", other)
    assert isinstance(more, Taken)
    await counters.settle(more, [1000])
    assert isinstance(await counters.take("e", other), Refusal)


async def test_a_place_is_free_again_when_its_request_is_over(counters: Counters) -> None:
    want = wants(1, 1, "lease")
    first = await counters.take("a", want)
    assert isinstance(first, Taken) and isinstance(await counters.take("b", want), Refusal)
    await counters.settle(first, [1])
    assert isinstance(await counters.take("b", want), Taken)


async def test_all_or_none(counters: Counters) -> None:
    room, full = wants(10), wants(0)
    assert isinstance(await counters.take("a", [*room, *full]), Refusal)
    assert isinstance(await counters.take("b", [Want("window", room[0].key, 10, 10)]), Taken)


async def test_any_window_and_not_only_those_that_begin_on_the_minute() -> None:
    now = 59.0
    counters = ProcessCounters(lambda: now)
    want = [Want("window", "k:requests", 10, 1)]
    times: list[float] = []
    while now < 400:
        if isinstance(await counters.take("x", want), Taken):
            times.append(now)
        now += 0.7
    assert len(times) > 40
    for begin in times:
        assert sum(begin <= t < begin + WINDOW_S for t in times) <= 10


async def test_the_time_to_come_back_is_true() -> None:
    now = 3.0
    counters = ProcessCounters(lambda: now)
    want = [Want("window", "k:requests", 1, 1)]
    await counters.take("x", want)
    refused = await counters.take("x", want)
    assert isinstance(refused, Refusal)
    now += refused.retry_after - 0.01
    assert isinstance(await counters.take("x", want), Refusal)
    now += 0.02
    assert isinstance(await counters.take("x", want), Taken)


def _hammer(url: str, key: str, got: Any) -> None:
    async def run() -> int:
        counters = SharedCounters(url)
        want = [Want("window", key, 10_000, 97)]
        found = await asyncio.gather(*(counters.take(uuid4().hex, want) for _ in range(250)))
        await counters.close()
        return sum(isinstance(f, Taken) for f in found)

    got.put(asyncio.run(run()))


def test_1000_at_once_from_four_processes_take_no_token_too_many(redis_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    got = context.Queue()
    key = f"tenant::{uuid4().hex}:tokens"
    processes = [context.Process(target=_hammer, args=(redis_url, key, got)) for _ in range(4)]
    for process in processes:
        process.start()
    taken = sum(got.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    assert taken == 10_000 // 97


async def test_limits_that_cannot_be_looked_at_refuse() -> None:
    limiter = Limiter([LimitRule("user", "", 5)], counters=SharedCounters("redis://127.0.0.1:1/0"))
    with pytest.raises(OperatorError, match="DAZI_REDIS"):
        await limiter.admit(LI, "m", Usage())
    await limiter.close()


# --- whom a rule is for, and what is said --------------------------------------------------------


async def test_nothing_limited_costs_nothing() -> None:
    assert await Limiter().admit(LI, "m", Usage(10**9)) is FREE
    only = LimitRule("role", "finance", requests_per_minute=1)
    assert await Limiter([only]).admit(LI, "m", Usage()) is FREE


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        (LimitRule("user", "", 1), Principal("wang", frozenset({"staff"}))),
        (LimitRule("user", "", 1), Principal("li", frozenset({"staff"}), tenant="b")),
        (LimitRule("role", "staff", 1), Principal("wang", frozenset({"finance"}))),
        (LimitRule("tenant", "", 1), Principal("li", frozenset({"staff"}), tenant="b")),
        (LimitRule("channel", "", 1), Principal("li", frozenset({"staff"}), channel="web")),
        (LimitRule("channel", "api", 1), Principal("li", frozenset({"staff"}), channel="web")),
    ],
)
async def test_whom_a_rule_counts_together(rule: LimitRule, other: Principal) -> None:
    limiter = Limiter([rule])
    await limiter.admit(LI, "m", Usage())
    with pytest.raises(OverloadError):
        await limiter.admit(LI, "m", Usage())
    await limiter.admit(other, "m", Usage())


async def test_keys_and_everybody() -> None:
    limiter = Limiter([LimitRule("key", "", 1), LimitRule("all", "", 3)])
    for key in ("a", "b", "c"):
        await limiter.admit(LI, "m", Usage(), key)
    with pytest.raises(OverloadError, match="the whole system"):
        await limiter.admit(LI, "m", Usage(), "d")
    with pytest.raises(OverloadError, match="this key"):
        await limiter.admit(LI, "m", Usage(), "a")


async def test_tokens_are_reserved_and_settled() -> None:
    limiter = Limiter([LimitRule("user", "", tokens_per_minute=1000)])
    first = await limiter.admit(LI, "m", Usage(200, 500))
    with pytest.raises(OverloadError, match="at most 1,000 tokens a minute; try again in"):
        await limiter.admit(LI, "m", Usage(200, 500))
    await first.settle(Usage(200, 20))
    await first.settle(Usage(0, 0))  # once is enough
    await limiter.admit(LI, "m", Usage(200, 500))
    with pytest.raises(OverloadError, match="shorten it or lower max_tokens"):
        await limiter.admit(LI, "m", Usage(2000))


async def test_a_month_s_budget_outlives_the_process(tmp_path: Path) -> None:
    price = Price(4_000_000, 12_000_000)  # 4 and 12 yuan a million tokens
    assert price.cost(Usage(1_000_000, 500_000)) == 10_000_000
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    now = datetime(2026, 11, 29, tzinfo=UTC)

    async def limiter() -> Limiter:
        counters = ProcessCounters(totals=DatabaseTotals(database))
        await counters.open()
        rule = LimitRule("tenant", "", micros_per_month=10_000_000)
        return Limiter([rule], {"m": price}, counters, lambda: now)

    first = await limiter()
    admitted = await first.admit(LI, "m", Usage(1_000_000, 400_000))
    await admitted.settle(Usage(1_000_000, 400_000))
    again = await limiter()
    with pytest.raises(OverloadError, match="CNY 10 this month") as caught:
        await again.admit(LI, "m", Usage(1_000_000))
    assert caught.value.code == "quota_month" and caught.value.retry_after == 2 * 24 * 3600
    await again.admit(LI, "free", Usage(10**9))
    now = datetime(2026, 12, 1, tzinfo=UTC)
    await again.admit(LI, "m", Usage(1_000_000))
    await database.close()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"per": "nobody", "concurrent": 1}, "must be one of"),
        ({"per": "role", "concurrent": 1}, "names the role"),
        ({"per": "user"}, "limits nothing"),
        ({"per": "user", "requests": 1}, "does not know requests"),
        ({"per": "user", "concurrent": -1}, "0 or more"),
        ({"per": "user", "concurrent": True}, "0 or more"),
        ({"per": "user", "yuan_per_month": "5"}, "is a number"),
    ],
)
def test_what_is_written_wrong(entry: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        rules_of({"limits": [entry]}, tmp_path)


def test_what_is_written_twice_and_prices(tmp_path: Path) -> None:
    twice = {"per": "user", "concurrent": 1}
    with pytest.raises(ConfigError, match="twice"):
        rules_of({"limits": [twice, twice]}, tmp_path)
    assert (
        len(rules_of({"limits": [twice, {"per": "user", "requests_per_minute": 5}]}, tmp_path)) == 2
    )
    found = prices_of({"prices": {"qwen": {"prompt": 1.5, "completion": 6}}}, tmp_path)
    assert found == {"qwen": Price(1_500_000, 6_000_000)}
    for wrong in ({}, {"prompt": "x"}, {"prompt": 1, "output": 2}):
        with pytest.raises(ConfigError):
            prices_of({"prices": {"m": wrong}}, tmp_path)


async def test_looking_tells_what_is_taken_and_takes_nothing(counters: Counters) -> None:
    rules = (
        LimitRule("user", requests_per_minute=5, tokens_per_minute=1000, concurrent=2),
        LimitRule("tenant", micros_per_month=9_000_000),
        LimitRule("role", "boss", requests_per_minute=1),
    )
    who = Principal(uuid4().hex, frozenset({"staff"}), tenant=uuid4().hex)
    limiter = Limiter(rules, {"m": Price(1_000_000, 2_000_000)}, counters)
    assert [s.used for s in await limiter.standing(who)] == [0, 0, 0, 0]
    first = await limiter.admit(who, "m", Usage(100, 50))
    await limiter.admit(who, "m", Usage(10, 0))
    await first.settle(Usage(100, 10))
    for _ in range(2):
        found = {s.unit: (s.used, s.limit) for s in await limiter.standing(who)}
        assert found == {
            "requests": (2, 5), "tokens": (120, 1000), "concurrent": (1, 2), "month": (130, 9_000_000),
        }  # fmt: skip


def test_the_rules_are_found_in_their_file(tmp_path: Path) -> None:
    (tmp_path / "dazi.toml").write_text(
        '[company]\n[[limits]]\nper = "user"\n# [[limits]]\n [[ limits ]] # two\n', "utf-8"
    )
    assert lines_of(tmp_path) == [2, 5] and lines_of(tmp_path / "none") == []
