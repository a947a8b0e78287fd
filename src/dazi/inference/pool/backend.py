"""One server of a pool: its engine, what it is doing, and whether it is well."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from dazi.core.engine import Engine, Served
from dazi.core.errors import DaziError, OverloadError
from dazi.inference.pool.breaker import Breaker
from dazi.inference.pool.config import BackendSpec, Place, PoolRules

State = Literal["up", "unknown", "down", "resting", "busy", "draining"]
log = logging.getLogger("dazi.pool")


@dataclass(slots=True)
class Counts:
    """Since the start. ``moved``: requests that went on elsewhere before their first token."""

    served: int = 0
    failed: int = 0
    moved: int = 0
    cut: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(eq=False, slots=True)
class Backend:
    """``healthy``: what the last look at it said, ``None`` before there was one."""

    name: str
    spec: BackendSpec
    engine: Engine
    breaker: Breaker
    clock: Callable[[], float] = time.monotonic
    under_way: int = 0
    counts: Counts = field(default_factory=Counts)
    healthy: bool | None = None
    trouble: DaziError | None = None
    """Why it is not well, for whoever runs it."""
    draining: bool = False
    latency_ms: float = 0.0
    """To the first token, of the last requests."""
    _busy_until: float = 0.0
    _missed: bool = False
    _idle: asyncio.Event | None = None

    @property
    def weight(self) -> float:
        return self.spec.weight

    @property
    def tier(self) -> int:
        return self.spec.tier

    @property
    def place(self) -> Place:
        return self.spec.place

    @property
    def alive(self) -> bool:
        """Can it be reckoned with?"""
        return not self.draining and self.healthy is not False and not self.breaker.open

    @property
    def usable(self) -> bool:
        """May a request go there now, if there is a place?"""
        return self.alive and self._busy_until <= self.clock()

    @property
    def free(self) -> bool:
        return self.under_way < self.spec.at_once

    @property
    def state(self) -> State:
        if self.draining:
            return "draining"
        if self.healthy is False:
            return "down"
        if self.breaker.open:
            return "resting"
        if self._busy_until > self.clock():
            return "busy"
        return "unknown" if self.healthy is None else "up"

    def serves(self, model: str) -> bool:
        """``model`` by name: its own, one of its adapters, or any where it is empty."""
        return not model or model in (
            self.engine.profile.name,
            self.spec.model,
            *self.spec.adapters,
        )

    def served(self, model: str, *, fallback: bool) -> Served:
        own = self.engine.profile.name
        if model in self.spec.adapters:
            return Served(self.name, model, self.place, fallback, base=own)
        return Served(self.name, own, self.place, fallback)

    def well(self, first_ms: float) -> None:
        """It has begun to answer."""
        self.breaker.well()
        self.trouble = None
        before = self.latency_ms
        self.latency_ms = first_ms if not before else before + (first_ms - before) * 0.1

    def failed(self, error: DaziError, *, tries: bool = False) -> None:
        """``tries``: see ``Breaker.failed``."""
        self.counts.failed += 1
        if isinstance(error, OverloadError):
            # It is well and says that it has enough to do.
            self.breaker.left(tries=tries)
            self._busy_until = self.clock() + error.retry_after
            return
        if self.trouble is None or self.trouble.code != error.code:
            log.warning("%s: %s", self.name, error)
        self.trouble = error
        self.breaker.failed(tries=tries)

    def found(self, healthy: bool, error: DaziError | None = None) -> bool:
        """What a look at it said; true where that is news. A server with much to do may miss one."""
        if not healthy and self.healthy and not self._missed:
            self._missed = True
            return False
        self._missed = False
        news = healthy is not self.healthy
        if news and (error is not None or self.healthy is False):
            log.warning("%s is %s%s", self.name, "up again" if healthy else "down: ", error or "")
        if news and healthy:
            self.breaker.try_now()
        self.healthy = healthy
        self.trouble = error if error is not None else (None if healthy else self.trouble)
        return news

    def leave(self) -> None:
        """A place is free, and nobody waits for it."""
        self.under_way -= 1
        if self._idle is not None and not self.under_way:
            self._idle.set()

    async def close(self, patience_s: float) -> None:
        """When what is under way has ended, or after ``patience_s``."""
        if self.under_way:
            self._idle = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._idle.wait()
        await self.engine.close()


def make_breaker(rules: PoolRules, clock: Callable[[], float]) -> Breaker:
    return Breaker(rules.failures, rules.rest_seconds, clock)
