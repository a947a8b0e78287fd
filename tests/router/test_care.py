"""Reads are tried again within bounds; writes never; a failing system is left alone for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dazi.core.errors import ConnectorError
from dazi.router.care import Care, CareRules


class System:
    """Answers from a script: an error's code, or ``ok``."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        word = self.script.pop(0) if self.script else "ok"
        if word == "silent":
            raise TimeoutError
        if word != "ok":
            raise ConnectorError(word, "错", "error")
        return word


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def failing(work: Callable[[], Awaitable[Any]]) -> str:
    with pytest.raises((ConnectorError, TimeoutError)) as caught:
        await work()
    return getattr(caught.value, "code", "silent")


async def test_a_read_is_tried_again_when_that_can_help() -> None:
    care = Care(CareRules(share=1.0))
    system = System("unavailable", "unavailable", "ok")
    assert await care.read("erp", 5, system) == "ok"
    assert system.calls == 3
    system = System("unavailable", "unavailable", "unavailable", "ok")
    assert await failing(lambda: care.read("erp", 5, system)) == "unavailable"
    assert system.calls == 3


@pytest.mark.parametrize("code", ["refused", "timeout", "bad_response", "too_large", "invalid"])
async def test_what_would_not_change_is_not_tried_again(code: str) -> None:
    system = System(code)
    assert await failing(lambda: Care().read("erp", 5, system)) == code
    assert system.calls == 1


async def test_a_write_is_never_tried_again() -> None:
    system = System("unavailable")
    assert await failing(lambda: Care().once("erp", system)) == "unavailable"
    assert system.calls == 1


async def test_retries_have_a_budget() -> None:
    """An outage is not made worse: of many calls few are retries."""
    care = Care(CareRules(share=0.2, failures=10_000))
    system = System(*["unavailable"] * 5_000)
    for _ in range(200):
        await failing(lambda: care.read("erp", 5, system))
    assert system.calls <= 200 * 1.3


async def test_retries_end_with_the_time() -> None:
    care = Care(CareRules(attempts=10, share=1.0))
    system = System(*["unavailable"] * 20)
    began = asyncio.get_running_loop().time()
    await failing(lambda: care.read("erp", 0.12, system))
    assert asyncio.get_running_loop().time() - began < 2 and system.calls < 10


async def test_a_system_that_keeps_failing_rests_and_is_tried_by_one() -> None:
    clock = Clock()
    care = Care(CareRules(attempts=1, failures=3, rest_s=15), clock)
    system = System("unavailable", "silent", "bad_response")
    for _ in range(3):
        await failing(lambda: care.read("erp", 5, system))
    assert care.resting("erp") and not care.resting("crm")
    assert await failing(lambda: care.read("erp", 5, system)) == "unavailable"
    assert await failing(lambda: care.once("erp", system)) == "unavailable"
    assert system.calls == 3  # nobody was asked
    clock.now = 15.1
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "ok"

    probe = asyncio.create_task(care.read("erp", 5, slow))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert care.resting("erp")  # while one tries, the others wait
    gate.set()
    assert await probe == "ok" and not care.resting("erp")


async def test_a_probe_that_fails_begins_another_rest() -> None:
    clock = Clock()
    care = Care(CareRules(attempts=1, failures=1, rest_s=15), clock)
    system = System("unavailable", "unavailable")
    await failing(lambda: care.read("erp", 5, system))
    clock.now = 16
    await failing(lambda: care.read("erp", 5, system))
    assert care.resting("erp")
    clock.now = 30
    assert care.resting("erp")


async def test_refusals_are_signs_of_health() -> None:
    care = Care(CareRules(attempts=1, failures=2))
    system = System("unavailable", "refused", "unavailable", "refused")
    for _ in range(4):
        await failing(lambda: care.read("erp", 5, system))
    assert not care.resting("erp")


async def test_a_cancelled_probe_does_not_lock_the_system_up() -> None:
    clock = Clock()
    care = Care(CareRules(attempts=1, failures=1, rest_s=1), clock)
    await failing(lambda: care.once("erp", System("unavailable")))
    clock.now = 2

    async def endless() -> None:
        await asyncio.Event().wait()

    probe = asyncio.create_task(care.once("erp", endless))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert not care.resting("erp")
