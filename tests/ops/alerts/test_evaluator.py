"""The whole of it over a real database: restarts, two processes, and none that can be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dazi.audit.private import Private
from dazi.core.errors import OperatorError
from dazi.core.principal import Principal
from dazi.main.database import declare_tables
from dazi.ops.alerts.book import Pace
from dazi.ops.alerts.declare import Alerting, SendRule
from dazi.ops.alerts.evaluator import Clocks, Evaluator
from dazi.ops.alerts.notify import Delivery, Plan
from dazi.ops.alerts.rules import Selection, Threshold
from dazi.ops.alerts.service import AlertService, NewSilence
from dazi.ops.alerts.store import AlertStore
from dazi.store.database import Database
from tests.ops.alerts.world import Kept, World, no_sleep, rule

DOWN = rule(
    Threshold(Selection("dazi_up"), "latest", "below", 0.5, each=("backend",)), "server-down",
    for_s=15.0, clear_for_s=15.0,
)  # fmt: skip
EVERY_S = 15.0
ADMIN = Principal("admin", frozenset({"admin"}))


@dataclass
class House:
    """One process: its instruments and its evaluator."""

    world: World
    evaluator: Evaluator
    route: Kept
    up: dict[str, float] = field(default_factory=lambda: {"a": 1.0})
    stored: bool = True

    async def pass_(self, seconds: float) -> list[str]:
        """What was told meanwhile."""
        until, before = self.world.now + seconds, len(self.route.got)
        while self.world.now < until:
            for _ in range(3):
                self.world.step()
            await self.evaluator.evaluate(self.world.now)
            await self.evaluator.settle()
        return [m.what for m in self.route.got[before:]]


Make = Callable[..., House]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Processes over one database."""
    declare_tables()
    opened: list[Database] = []

    def made(now: float | None = None, **more: Any) -> House:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}")
        opened.append(database)
        world, route = World(), Kept()
        world.now = now or world.now
        up = {"a": 1.0}
        world.registry.gauge("dazi_up", "", lambda: [((k,), v) for k, v in up.items()], "backend")
        sends = (SendRule(frozenset(), ".*", {}, Plan(("kept",))),)
        alerting = Alerting((DOWN,), sends=sends, pace=Pace(group_s=0.0), **more)
        evaluator = Evaluator(
            alerting, AlertStore(database, Private.at(tmp_path / "keys")),
            Delivery({"kept": route}, no_sleep), clocks=Clocks(EVERY_S, lambda: world.now),
        )  # fmt: skip
        evaluator.measure = world.measure
        return House(world, evaluator, route, up)

    first = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}")
    await first.create()
    await first.close()
    yield made
    for database in opened:
        await database.close()


async def test_it_fires_and_is_over(make: Make) -> None:
    house = make()
    assert await house.pass_(60) == []
    house.up["a"] = 0.0
    assert await house.pass_(15) == [], "not yet for long enough"
    assert await house.pass_(30) == ["firing"]
    house.up["a"] = 1.0
    assert await house.pass_(60) == ["resolved"]
    (past,) = await house.evaluator.store.past()
    assert past.rule == "server-down" and past.labels == (("backend", "a"),)
    assert 15 <= past.ended - past.fired <= 60


async def test_a_restart_in_the_middle_tells_nothing_twice(make: Make) -> None:
    before = make()
    before.up["a"] = 0.0
    assert await before.pass_(60) == ["firing"]
    await before.evaluator.close()
    after = make(before.world.now)
    after.up["a"] = 0.0
    assert await after.pass_(120) == []
    after.up["a"] = 1.0
    assert await after.pass_(60) == ["resolved"]


async def test_a_restart_while_it_waits_goes_on_waiting(make: Make) -> None:
    before = make()
    before.up["a"] = 0.0
    assert await before.pass_(15) == []
    await before.evaluator.close()
    after = make(before.world.now)
    after.up["a"] = 0.0
    assert await after.pass_(15) == ["firing"], "those fifteen seconds counted"


async def test_of_two_processes_one_tells_also_what_the_other_reads(make: Make) -> None:
    one, two = make(), make()
    two.up["b"] = 1.0
    for house in (one, two):
        await house.pass_(15)
    assert (one.evaluator.leads, two.evaluator.leads) == (True, False)
    one.up["a"] = two.up["a"] = two.up["b"] = 0.0
    told: list[str] = []
    for _ in range(6):
        assert await two.pass_(15) == [], "it has not the lease"
        told += await one.pass_(15)
    assert sum(w == "firing" for w in told) == len(told) <= 2
    named = {dict(a.labels)["backend"] for m in one.route.got for a in m.alerts}
    assert named == {"a", "b"}
    two.up["b"] = 1.0
    for _ in range(4):
        await two.pass_(15)
        told += await one.pass_(15)
    await one.evaluator.close()
    assert await two.pass_(45) == ["resolved"], "the lease was given up, and what was told is known"
    assert two.evaluator.leads
    assert [dict(a.labels)["backend"] for a in two.route.got[0].alerts] == ["b"]


async def test_a_dead_process_loses_the_lease(make: Make) -> None:
    one, two = make(), make()
    await one.pass_(15)
    two.up["a"] = 0.0
    assert await two.pass_(60) == []
    assert await two.pass_(60) == ["firing"], "a minute after the other was heard of last"


async def test_without_a_database_it_tells_all_the_same(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make()
    await house.pass_(15)

    async def dead(*_: Any, **__: Any) -> Any:
        raise OperatorError("database", "没了", "gone")

    for name in ("lease", "save", "keep", "acks", "silences", "load", "told"):
        monkeypatch.setattr(house.evaluator.store, name, dead)
    house.up["a"] = 0.0
    assert await house.pass_(60) == ["firing"]
    assert not house.evaluator.store_well
    assert await house.pass_(300) == [], "and only once"
    monkeypatch.undo()
    await house.pass_(30)
    assert house.evaluator.store_well
    (stored,) = (await house.evaluator.store.load()).values()
    assert stored.state == "firing" and stored.told, "what was known in memory is stored"
    house.up["a"] = 1.0
    assert await house.pass_(60) == ["resolved"]


async def test_a_database_that_hangs_holds_nobody_up(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dazi.ops.alerts import evaluator

    house = make()

    async def hangs(*_: Any) -> bool:
        await asyncio.sleep(3_600)
        return True

    monkeypatch.setattr(evaluator, "STORE_S", 0.05)
    monkeypatch.setattr(house.evaluator.store, "lease", hangs)
    house.up["a"] = 0.0
    assert await house.pass_(60) == ["firing"]


async def test_acknowledged_and_silenced_by_another_process(make: Make) -> None:
    house, other = make(), make()
    house.up["a"] = 0.0
    await house.pass_(60)
    recorded: list[dict[str, Any]] = []

    async def record(kind: str, who: str, body: Any) -> None:
        recorded.append({"kind": kind, "who": who, **body})

    book = other.evaluator.book
    book.alerts = await other.evaluator.store.load()
    service = AlertService(
        other.evaluator.alerting, book, other.evaluator.store, other.evaluator.delivery, record,
        clock=lambda: house.world.now,
    )  # fmt: skip
    (print_,) = book.alerts
    await service.acknowledge(ADMIN, print_)
    made = await service.silence(ADMIN, NewSilence("server-.*", 600, "换显卡", {"backend": "b"}))
    await house.pass_(15)
    assert house.evaluator.book.acks[print_].who == "admin"
    assert house.evaluator.book.silences[made.id].why == "换显卡"
    house.up["b"] = 0.0
    assert await house.pass_(300) == [], "silenced"
    await service.lift(ADMIN, made.id)
    assert await house.pass_(60) == ["firing"]
    assert [(r["kind"], r["who"], r["act"]) for r in recorded] == [
        ("admin", "admin", "alert.ack"), ("admin", "admin", "alert.silence"),
        ("admin", "admin", "alert.lift"),
    ]  # fmt: skip
    await house.evaluator.store.forget("admin")
    assert (await house.evaluator.store.acks())[print_].who == ""


async def test_one_rule_that_cannot_be_read_hides_no_other(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make()
    bad = rule(Threshold(Selection("dazi_up"), "ratio", "above", 1.0), "broken")
    house.evaluator.alerting = Alerting((bad, DOWN), sends=house.evaluator.alerting.sends)
    house.up["a"] = 0.0
    assert await house.pass_(60) == ["firing"]


async def test_the_age_of_an_evaluation_tells_of_one_that_is_not_called(make: Make) -> None:
    house = make()
    house.evaluator.watch(house.world.registry)
    await house.pass_(15)
    house.world.pass_(200)  # instruments are taken, and nobody evaluates
    late = house.world.history.latest("dazi_alerts_evaluated_seconds", house.world.now)
    assert late is not None and late >= 195


async def test_what_nobody_acknowledges_goes_to_somebody_else(make: Make) -> None:
    house, boss = make(), Kept()
    send = SendRule(frozenset(), ".*", {}, Plan(("kept",)), 120.0, Plan(("boss",)))
    house.evaluator.alerting = replace(house.evaluator.alerting, sends=(send,))
    house.evaluator.delivery = Delivery({"kept": house.route, "boss": boss}, no_sleep)
    house.up["a"] = 0.0
    assert await house.pass_(600) == ["firing"]
    assert [m.what for m in boss.got] == ["escalated"]
