"""What an autoscaler is told: who may ask, what is counted, and what follows from it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dazi.core.engine import ModelProfile, Usage
from dazi.core.errors import AccessError, OverloadError
from dazi.gateway.errors import status_of
from dazi.gateway.exchange import Exchange
from dazi.gateway.gate import Gate
from dazi.gateway.load_meter import LATELY_S, MEMORY_S, LoadMeter, Minute
from dazi.gateway.operator_entry import admits
from dazi.gateway.scaling import scaling, turned_away
from dazi.guard.engine import Guard
from dazi.inference.pool.engine import PoolEngine, PoolParts
from dazi.main.serve import scaled_by
from dazi.main.settings import Settings
from tests.gateway.conftest import LIMITS, Site, open_site
from tests.inference.pool.scripted import Server, config


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def exchange(address: str, headers: Mapping[bytes, bytes]) -> Exchange:
    made = SimpleNamespace(address=address, headers=headers)
    made.header = lambda name: headers.get(name, b"").decode("latin-1").strip()
    return cast(Exchange, made)


LOCAL = {b"host": b"127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("token", "address", "headers", "expected"),
    [
        ("", "127.0.0.1", LOCAL, True),
        ("", "::1", {b"host": b"[::1]:8000"}, True),
        ("", "10.0.0.7", LOCAL, False),
        ("", "127.0.0.1", {b"host": b"evil.example"}, False),
        ("", "127.0.0.1", LOCAL | {b"x-forwarded-for": b"10.0.0.7"}, False),
        ("", "10.0.0.7", LOCAL | {b"authorization": b"Bearer "}, False),
        ("t0ken", "10.0.0.7", {b"host": b"x", b"authorization": b"Bearer t0ken"}, True),
        ("t0ken", "10.0.0.7", {b"authorization": b"bearer  t0ken"}, True),
        ("t0ken", "127.0.0.1", LOCAL, False),
        ("t0ken", "127.0.0.1", LOCAL | {b"authorization": b"Bearer t0ke"}, False),
        ("t0ken", "127.0.0.1", LOCAL | {b"authorization": b"Basic t0ken"}, False),
        ("t0ken", "127.0.0.1", LOCAL | {b"x-api-key": b"t0ken"}, False),
        ("t0ken", "127.0.0.1", LOCAL | {b"authorization": b"Bearer t\xf6ken"}, False),
        ("tök", "127.0.0.1", {b"authorization": "Bearer tök".encode()}, True),
    ],
)
def test_who_watches_is_let_in(
    token: str, address: str, headers: dict[bytes, bytes], expected: bool
) -> None:
    assert admits(exchange(address, headers), token) is expected


def test_the_mean_load_follows_with_its_time_constant_and_forgets() -> None:
    clock = Clock()
    meter = LoadMeter(clock)
    for _ in range(10):
        meter.moved(1)
    assert meter.mean() == pytest.approx(0.0)
    clock.now += MEMORY_S
    assert meter.mean() == pytest.approx(10 * (1 - math.exp(-1)))
    meter.moved(-10)
    clock.now += 20 * MEMORY_S
    assert meter.mean() == pytest.approx(0.0, abs=1e-6) and meter.level == 0


def test_a_minute_is_a_minute() -> None:
    minute = Minute()
    for at, value in ((0.1, 3.0), (0.9, 1.0), (30.0, 2.0)):
        minute.add(at, value)
    assert (minute.count(31), minute.mean(31), minute.most(31)) == (3, 2.0, 3.0)
    assert (minute.count(LATELY_S + 0.5), minute.most(LATELY_S + 0.5)) == (1, 2.0)
    assert (minute.count(1e6), minute.mean(1e6)) == (0, 0.0)


async def test_the_gate_counts_what_is_inside_waits_and_is_refused() -> None:
    gate = Gate(2, queued=2, wait_s=0.05)
    meter = gate.meter

    async def visit(seconds: float) -> None:
        async with gate.place("a"):
            await asyncio.sleep(seconds)

    first = [asyncio.create_task(visit(0.15)) for _ in range(2)]
    await asyncio.sleep(0)
    late = [asyncio.create_task(visit(0.0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert (gate.taken, gate.waiting, meter.level) == (2, 2, 4)
    said = await asyncio.gather(*late, return_exceptions=True)
    assert [type(e) for e in said] == [OverloadError] * 3, "one at once, two after their patience"
    assert meter.refused.count(meter.clock()) == 3 and meter.level == 2
    await asyncio.gather(*first)
    assert meter.level == 0 and meter.held_s == pytest.approx(0.15, rel=0.5)
    # Three refusals of a minute would have held their places for so long each.
    assert turned_away(gate, meter.clock()) == pytest.approx(3 / 60 * meter.held_s)
    for _ in range(10_000):
        meter.refused.add(meter.clock())
    assert turned_away(gate, meter.clock()) == gate.places


async def test_who_waited_is_counted_and_who_leaves_too() -> None:
    gate = Gate(1, queued=5, wait_s=5.0)
    await gate.enter("a")
    waiting = asyncio.create_task(gate.enter("a"))
    gone = asyncio.create_task(gate.enter("b"))
    await asyncio.sleep(0.02)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    gate.leave()
    await waiting
    meter = gate.meter
    assert meter.level == gate.taken == 1
    assert meter.waited.count(meter.clock()) == 1 and meter.waited.most(meter.clock()) >= 0.02
    # One that is let in and gives up at that very moment.
    last = asyncio.create_task(gate.enter("a"))
    await asyncio.sleep(0)
    gate.leave()
    last.cancel()
    await asyncio.gather(last, return_exceptions=True)
    assert meter.level == gate.taken == 0


async def told(site: Site, query: str = "", **options: Any) -> dict[str, Any]:
    answered = await site.request("GET", f"/scaling{query}", None, **options)
    assert answered.status == 200
    assert answered.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = answered.json
    return found


async def test_a_turn_under_way_is_seen_and_its_tokens(site: Site) -> None:
    idle = await told(site)
    assert idle["in_flight"] == idle["queued"] == idle["refused"] == idle["tokens_in_flight"] == 0
    assert idle["desired_replicas"] == 1 and idle["models"] == []
    assert idle["places"] == LIMITS.max_concurrent
    site.says("您好。")
    assert (await site.chat("你好")).status == 200
    service = site.runtime.service
    assert service.under_way == 0 and service.mean_tokens > 0
    service._noted_tokens(Usage(10_000, 0))
    service.under_way = 3  # as pages have it, which take no place
    seen = await told(site, "?replicas=4")
    assert seen["in_flight"] == 3 and seen["load"] >= 3
    assert seen["tokens_in_flight"] == round(3 * service.mean_tokens)
    assert seen["needed"] == pytest.approx(seen["load"] / (4 * 0.7), abs=1e-3)
    assert seen["replicas"] == 4
    service.under_way = 0
    assert (await site.request("GET", "/scaling?replicas=0", None)).status == 400


async def test_with_a_token_nothing_else_will_do() -> None:
    x = exchange("127.0.0.1", LOCAL | {b"authorization": b"Bearer dazi-demo-admin"})
    x.state = cast(Any, SimpleNamespace(metrics_token="s3cret"))
    with pytest.raises(AccessError) as refused:
        await scaling(x)  # no part of the state is looked at
    assert status_of(refused.value) == 401


async def test_model_servers_are_told_one_by_one_and_by_model(tmp_path: Any, seeded: Any) -> None:
    backends = {
        f"gpu-{n}": {"url": "http://127.0.0.1:9/v1", "model": "Qwen3-14B", "at_once": 2}
        for n in (1, 2)
    }
    hold = asyncio.Event()

    def opened(name: str, spec: object, key: str) -> Server:
        return Server(ModelProfile("Qwen3-14B", 32_768), gate=hold)

    engine = PoolEngine(config({"backends": backends}), PoolParts(opened, Guard()))  # type: ignore[arg-type]
    async with open_site(tmp_path / "data", seeded, LIMITS, engine) as site:
        asking = [asyncio.create_task(site.chat(f"第{n}个问题")) for n in range(4)]
        while engine.places.waiting + sum(b.under_way for b in engine.backends) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        seen = await told(site)
        (model,) = seen["models"]
        assert (model["name"], model["place"], model["replicas"]) == ("Qwen3-14B", "private", 2)
        assert (model["outstanding"], model["places"], model["waiting"]) == (4, 4, 0)
        assert model["needed"] == pytest.approx(4 / (2 * 0.7), abs=1e-3)
        assert model["desired_replicas"] == 3
        assert [s["outstanding"] for s in model["servers"]] == [2, 2]
        assert seen["in_flight"] == 4 and seen["utilisation"] == 1.0
        hold.set()
        assert {a.status for a in await asyncio.gather(*asking)} == {200}
        (model,) = (await told(site))["models"]
        assert model["outstanding"] == 0 and model["desired_replicas"] == 2, (
            "fewer only after a while"
        )


def test_settings_make_the_rules() -> None:
    rules = scaled_by(
        Settings(scaling_target=0.5, scaling_least=2, scaling_most=4, scaling_up_seconds=0)
    ).rules
    assert (rules.target, rules.least, rules.most, rules.up_s, rules.down_s) == (
        0.5, 2, 4, 0.0, 300.0,
    )  # fmt: skip
