"""Writes the instruments into the history, and notices when the loop is late."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from dazi.observe.history import History
from dazi.observe.instruments import Registry

EVERY_S = 5.0
TICK_S = 0.5
log = logging.getLogger("dazi.observe")


class Sampler:
    """``looks`` are asked before each taking, for figures that have to be fetched; ``after`` is told
    the time of each."""

    def __init__(self, registry: Registry, history: History) -> None:
        self.registry, self.history = registry, history
        self.looks: list[Callable[[], Awaitable[None]]] = []
        self.after: list[Callable[[float], Awaitable[None]]] = []
        self._late = 0.0
        registry.gauge(
            "dazi_loop_late_seconds",
            "How late the event loop was at the worst, of late",
            lambda: [((), self._late)],
        )

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wait()
            for look in self.looks:
                await _shielded(look())
            await self.take(time.time())

    async def take(self, now: float) -> None:
        try:
            await asyncio.to_thread(self.history.take, self.registry, now)
        except OSError as e:  # a full disk: what happens now is not kept, and nothing stops
            log.warning("the history cannot be kept: %s", e.strerror)
        for tell in self.after:
            await _shielded(tell(now))

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        until, worst = loop.time() + EVERY_S, 0.0
        while (now := loop.time()) < until:
            await asyncio.sleep(TICK_S)
            worst = max(worst, loop.time() - now - TICK_S)
        self._late = worst


async def _shielded(work: Awaitable[None]) -> None:
    """One that fails must not keep the others from being done."""
    try:
        await work
    except Exception:
        log.exception("watching failed")
