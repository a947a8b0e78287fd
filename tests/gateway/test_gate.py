"""The gate: no more at once than there are places, tenants in turn, and an end to waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dazi.core.errors import OverloadError
from dazi.gateway.gate import Gate


class House:
    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside = self.most = 0
        self.order: list[str] = []

    async def visit(self, tenant: str, seconds: float = 0.01) -> None:
        async with self.gate.place(tenant):
            self.order.append(tenant)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(seconds)
            self.inside -= 1


async def test_never_more_at_once_than_places() -> None:
    house = House(Gate(3, queued=100))
    await asyncio.gather(*(house.visit(f"t{i % 4}") for i in range(50)))
    assert house.most == 3 and len(house.order) == 50
    assert house.gate.taken == house.gate.waiting == 0


async def test_tenants_take_turns_whoever_has_more_waiting() -> None:
    house = House(Gate(1, queued=100))
    first = asyncio.create_task(house.visit("a"))
    await asyncio.sleep(0)
    many = [asyncio.create_task(house.visit("a")) for _ in range(10)]
    await asyncio.sleep(0)
    few = [asyncio.create_task(house.visit("b")) for _ in range(2)]
    await asyncio.gather(first, *many, *few)
    assert house.order[:5] == ["a", "a", "b", "a", "b"]


async def test_what_is_beyond_the_queue_is_refused_at_once() -> None:
    house = House(Gate(1, queued=2))
    tasks = [asyncio.create_task(house.visit("a", 0.05)) for _ in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [t.done() for t in tasks] == [False, False, False, True, True, True]
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(f, OverloadError) for f in found] == [False] * 3 + [True] * 3
    assert house.gate.taken == 0


async def test_a_full_line_makes_room_for_a_tenant_that_has_none() -> None:
    house = House(Gate(1, queued=3))
    crowd = [asyncio.create_task(house.visit("a")) for _ in range(4)]
    await asyncio.sleep(0)
    other = asyncio.create_task(house.visit("b"))
    found = await asyncio.gather(*crowd, return_exceptions=True)
    await other
    assert [isinstance(f, OverloadError) for f in found] == [False, False, False, True]
    assert house.order == ["a", "a", "b", "a"]


async def test_waiting_has_an_end_and_leaving_gives_back() -> None:
    gate = Gate(1, queued=5, wait_s=0.05)
    house = House(gate)
    long = asyncio.create_task(house.visit("a", 0.3))
    await asyncio.sleep(0)
    with pytest.raises(OverloadError):
        await house.visit("b")
    leaving = asyncio.create_task(house.visit("b"))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert gate.waiting == 0
    await long
    await house.visit("c")
    assert gate.taken == 0


async def test_one_that_gives_up_as_it_is_let_in_takes_no_place_along() -> None:
    gate = Gate(1, queued=5)
    await gate.enter("a")
    task = asyncio.create_task(gate.enter("b"))
    await asyncio.sleep(0)
    gate.leave()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert gate.taken == 0


async def test_who_leaves_the_queue_makes_room_in_it() -> None:
    gate = Gate(1, queued=1, wait_s=30.0)
    leaves = asyncio.Event()

    @contextmanager
    def watched() -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        watch = asyncio.get_running_loop().create_task(leaves.wait())
        watch.add_done_callback(lambda w: w.cancelled() or task.cancel())
        try:
            yield
        finally:
            watch.cancel()

    async def visit() -> None:
        async with gate.place("a", watched):
            pass

    async with gate.place("a"):
        leaving = asyncio.create_task(visit())
        await asyncio.sleep(0)
        assert gate.waiting == 1
        leaves.set()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert gate.waiting == 0
    assert gate.taken == 0
