"""Many servers as one engine.

A request goes to a server of the best group that can be used: the least busy, or the one that has its
beginning in its cache. What fails before its first token is tried at another; after that nothing is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dazi.core.engine import (
    Done,
    Engine,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    Purpose,
    Usage,
)
from dazi.core.errors import DaziError, OperatorError, OverloadError
from dazi.guard.engine import Guard
from dazi.guard.hiding_engine import HidingEngine
from dazi.inference.pool.asked import Asked, spent_today, why_not
from dazi.inference.pool.attempt import Attempt, Sending, late
from dazi.inference.pool.backend import Backend, make_breaker
from dazi.inference.pool.balance import balancer
from dazi.inference.pool.config import BackendSpec, PoolConfig
from dazi.inference.pool.hedging import Race
from dazi.inference.pool.places import Places
from dazi.inference.pool.routes import Decision, Routes
from dazi.inference.pool.spending import UNLIMITED, Reserved, Spending

log = logging.getLogger("dazi.pool")
LONG = 20_000
"""Characters of a prompt that it takes some milliseconds to look through."""
MOST_WARMED = 63
Open = Callable[[str, BackendSpec, str], Engine]
"""A backend's engine, from its name, what is declared of it, and its key."""


class Note(Protocol):
    """Puts a choice into the ledger; the future is done when that is durable."""

    def __call__(self, purpose: Purpose, body: Mapping[str, Any]) -> asyncio.Future[None]: ...


@dataclass(frozen=True, slots=True)
class PoolParts:
    """What a pool works with. ``open``: makes engines; ``note``: without one nothing is recorded."""

    open: Open
    guard: Guard
    note: Note | None = None
    spending: Spending = UNLIMITED
    clock: Callable[[], float] = time.monotonic


class PoolEngine:
    """Implements ``core.engine.Engine`` over the servers of ``config``; ``apply`` another at any time."""

    def __init__(self, config: PoolConfig, parts: PoolParts) -> None:
        self._parts = parts
        self._leaving: set[asyncio.Task[None]] = set()
        self._warmed: list[GenerateRequest] = []
        self.backends: tuple[Backend, ...] = ()
        self.mistake: DaziError | None = None
        """Why the configuration as it is written now is not used."""
        self.places = Places(config.rules.queue, config.rules.queue_seconds)
        self._set(config, tuple(self._opened(n, s, config) for n, s in config.backends.items()))

    # --- what an engine is ----------------------------------------------------------------------

    @property
    def profile(self) -> ModelProfile:
        """Of the best server that can be reckoned with, or of the best there is."""
        return next((b for b in self._ranked if b.alive), self._ranked[0]).engine.profile

    @property
    def sees(self) -> bool:
        """Is there a model that sees pictures and may be shown them, up or not?"""
        seeing = [b for b in self.backends if b.spec.vision and not b.draining]
        shown = any(r.leaving == "as-is" for r in self.config.routes)
        return any(b.place == "private" or shown for b in seeing)

    def count_tokens(self, request: GenerateRequest) -> int:
        return next((b for b in self._ranked if b.alive), self._ranked[0]).engine.count_tokens(
            request
        )

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        async with aclosing(self.bursts(request)) as bursts:
            async for events in bursts:
                for event in events:
                    yield event

    async def bursts(self, request: GenerateRequest) -> AsyncGenerator[Sequence[EngineEvent], None]:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.config.rules.deadline_seconds
        asked = Asked(request, await self._decide(request), self.config)
        attempt, burst = await self._begun(asked, until)
        try:
            while not isinstance(burst[-1], Done):
                yield burst
                if loop.time() > until:
                    raise attempt.cut(late(attempt.backend.name))
                burst = await attempt.next()
        finally:
            await attempt.close()
        yield burst  # whoever goes away at the end of an answer leaves nothing taken

    async def warm(self, request: GenerateRequest) -> None:
        """Fill every server's cache, and that of each that comes back or is added later. Clouds keep
        their own counsel: what they are asked costs money.

        Raises what the last of them said where none could be reached.
        """
        if request not in self._warmed:
            self._warmed = [*self._warmed[-MOST_WARMED:], request]
        ours = [b for b in self._ranked if b.place == "private" and not b.draining]
        said = await asyncio.gather(*(self._warm_one(b, request) for b in ours))
        errors = [e for e in said if e is not None]
        if errors and len(errors) == len(said):
            raise errors[-1]

    async def close(self) -> None:
        for backend in self.backends:
            await backend.engine.close()
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self._parts.spending.close()

    # --- what a pool is -------------------------------------------------------------------------

    @property
    def spending(self) -> Spending:
        return self._parts.spending

    def bind(self, note: Note, spending: Spending) -> None:
        """Where choices are recorded and costs counted, once there is such a place."""
        self._parts = replace(self._parts, note=note, spending=spending)

    def names(self) -> tuple[str, ...]:
        """Names that a request may ask for, its own model's first."""
        names = [self.profile.name]
        for b in self._ranked:
            names += [b.engine.profile.name, *b.spec.adapters]
        return tuple(dict.fromkeys(names))

    async def apply(self, config: PoolConfig) -> None:
        """Go on with another configuration. Servers that are declared as before stay as they are;
        what is under way at others ends there. Raises ``OperatorError``; then nothing has changed."""
        before = {b.name: b for b in self.backends}
        kept = {n: b for n, b in before.items() if self._stays(b, config)}
        made: dict[str, Backend] = {}
        try:
            for name, spec in config.backends.items():
                if name not in kept:
                    # A model in this process takes a while to load.
                    made[name] = await asyncio.to_thread(self._opened, name, spec, config)
        except BaseException:
            for backend in made.values():
                await backend.engine.close()
            raise
        for name, backend in kept.items():
            backend.spec = config.backends[name]
            backend.draining = backend.spec.drain
            if self.config.rules != config.rules:
                backend.breaker = make_breaker(config.rules, self._parts.clock)
        gone = [b for n, b in before.items() if n not in kept]
        for backend in gone:
            backend.draining = True
        self._set(config, tuple(kept.get(n) or made[n] for n in config.backends))
        for backend in gone:
            self._behind(backend.close(config.rules.deadline_seconds))
        for backend in made.values():
            self._behind(self.warm_again(backend))
        self.places.look_again()

    def _stays(self, backend: Backend, config: PoolConfig) -> bool:
        spec, name = config.backends.get(backend.name), backend.name
        same = spec is not None and replace_drain(spec) == replace_drain(backend.spec)
        return same and self.config.keys.get(name) == config.keys.get(name)

    def found(self, backend: Backend, healthy: bool, error: DaziError | None = None) -> None:
        """What a look at a server said."""
        if backend.found(healthy, error):
            self.places.look_again()
            if healthy and error is None:
                self._behind(self.warm_again(backend))

    async def warm_again(self, backend: Backend) -> None:
        """Its cache is empty: it has just come, or come back."""
        for request in list(self._warmed):
            if await self._warm_one(backend, request) is not None:
                return

    # --- inside ---------------------------------------------------------------------------------

    def _opened(self, name: str, spec: BackendSpec, config: PoolConfig) -> Backend:
        engine = self._parts.open(name, spec, config.keys.get(name, ""))
        breaker = make_breaker(config.rules, self._parts.clock)
        backend = Backend(name, spec, engine, breaker, self._parts.clock)
        backend.draining = spec.drain
        return backend

    def _set(self, config: PoolConfig, backends: tuple[Backend, ...]) -> None:
        self.config = config
        self.backends = backends
        self._ranked = sorted(backends, key=lambda b: (b.tier, b.place == "cloud"))
        self._best = min(b.tier for b in self._ranked)
        self._best_seeing = min((b.tier for b in self._ranked if b.spec.vision), default=self._best)
        self._routes = Routes(config, backends, self._parts.guard)
        self._balance = balancer(config.rules)
        self.places.most_waiting = config.rules.queue
        self.places.patience_s = config.rules.queue_seconds

    def _behind(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _decide(self, request: GenerateRequest) -> Decision:
        tokens = self.count_tokens(request) if self._routes.counts else 0
        long = self._routes.looks and sum(len(m.content) for m in request.messages) > LONG
        if long:
            return await asyncio.to_thread(self._routes.decide, request, tokens)
        return self._routes.decide(request, tokens)

    async def _begun(self, asked: Asked, until: float) -> tuple[Attempt, Sequence[EngineEvent]]:
        """The attempt that has begun to answer, and what it began with."""
        loop, rules = asyncio.get_running_loop(), self.config.rules
        for _ in range(rules.attempts):
            attempt = await self._attempt(asked)
            if attempt is None and asked.config is not self.config:
                asked.decision, asked.config = await self._decide(asked.request), self.config
                attempt = await self._attempt(asked)
            if attempt is None:
                break
            left = until - loop.time()
            try:
                # An answer in one piece begins where it ends.
                if asked.request.whole:
                    return attempt, await attempt.first(left)
                if rules.hedge_seconds:
                    return await self._hedged(asked, attempt, min(rules.first_token_seconds, left))
                return attempt, await attempt.first(min(rules.first_token_seconds, left))
            except (OperatorError, OverloadError) as e:
                await attempt.close()
                asked.failed(attempt.backend, e)
                if isinstance(e, OverloadError):
                    loop.call_later(e.retry_after, self.places.look_again)
                elif not attempt.backend.alive:
                    self.places.look_again()
                if loop.time() >= until:
                    break
            except BaseException:
                await attempt.close()
                raise
        if asked.decision.refused and asked.last is None:
            self._record(asked, None, "refuse")
        raise why_not(asked, self.backends)

    async def _attempt(self, asked: Asked) -> Attempt | None:
        """A place at a server that has not been tried; ``None`` where there is none."""
        for group in asked.decision.groups:
            while suits := self._suiting(asked, group):
                if asked.full is not None and suits[0].tier > asked.full_tier:
                    break
                try:
                    backend = await self.places.take(suits, self._balance, asked.request)
                except OverloadError as e:
                    # As good a model elsewhere may have a place; a lesser one is for when none answers.
                    asked.full, asked.full_tier = e, suits[0].tier
                    break
                if backend is None:
                    break
                if (attempt := await self._sent(asked, backend)) is not None:
                    return attempt
        return None

    def _suiting(self, asked: Asked, group: Sequence[Backend]) -> list[Backend]:
        """Those of a group that can be asked this."""
        request, model = asked.request, asked.decision.model
        suits = [b for b in group if b.usable and b not in asked.tried]
        if model:
            suits = [b for b in suits if b.serves(model)]
        if asked.images:
            suits = [b for b in suits if b.spec.vision and asked.may_show(b)]
        if request.made_for is None:
            return suits
        fitting = [b for b in suits if b.engine.profile.takes_prompts_of(request.made_for)]
        if suits and not fitting:
            asked.unlike = asked.unlike or suits[0].engine.profile
        return fitting

    async def _reserved(self, asked: Asked, backend: Backend) -> Reserved | None:
        """What it may cost there, where that is counted. Raises ``OverloadError`` where there is no
        money for it."""
        price, limit = backend.spec.price, self.config.cloud_yuan_per_day
        if backend.place != "cloud" or price is None or not limit:
            return None
        most = Usage(self.count_tokens(asked.request), asked.request.sampling.max_tokens)
        reserved = await self._parts.spending.reserve(price, most, limit)
        if reserved is None:
            raise spent_today()
        return reserved

    async def _sent(self, asked: Asked, backend: Backend) -> Attempt | None:
        """The request on its way; what leaves the house is paid for and on record before. ``None``
        where that cannot be; the server is not asked then."""
        decision, request, engine = asked.decision, asked.request, backend.engine
        best = self._best_seeing if asked.images else self._best
        fallback = backend.tier > best
        served = backend.served(decision.model, fallback=fallback)
        adapter = decision.model if decision.model in backend.spec.adapters else ""
        thinking = request.thinking if decision.thinking is None else decision.thinking
        if (request.model, request.thinking) != (adapter, thinking):
            request = replace(request, model=adapter, thinking=thinking)
        reserved: Reserved | None = None
        try:
            if backend.place == "cloud":
                reserved = await self._reserved(asked, backend)
                if decision.leaving != "as-is":
                    engine = HidingEngine(engine, self._parts.guard, self._routes.hidden)
                    served = replace(served, hidden=True)
                await self._recorded(asked, backend, decision.leaving)
            elif fallback or asked.tried or decision.refused:
                self._record(asked, backend, "")
        except BaseException as e:
            self.places.give_back(backend)
            if reserved is not None:
                await reserved.settle(Usage())
            if not isinstance(e, DaziError):
                raise
            asked.passed_over(backend, e)
            return None
        return Attempt(Sending(backend, engine, request, served, reserved), self.places)

    async def _other(self, asked: Asked, first: Backend) -> Attempt | None:
        """A second server like ``first``, if one is free now."""
        group = next(g for g in asked.decision.groups if first in g)
        free = [b for b in self._suiting(asked, group) if b.free and b is not first]
        if not free:
            return None
        with suppress(OverloadError):
            backend = await self.places.take(free, self._balance, asked.request)
            return await self._sent(asked, backend) if backend is not None else None
        return None

    async def _hedged(
        self, asked: Asked, attempt: Attempt, seconds: float
    ) -> tuple[Attempt, Sequence[EngineEvent]]:
        """``attempt``, or another beside it where it takes long."""

        async def other() -> Attempt | None:
            return await self._other(asked, attempt.backend)

        race = Race(attempt, seconds)
        try:
            return await race.run(self.config.rules.hedge_seconds, other)
        finally:
            asked.tried += [b for b in race.failed if b not in asked.tried]

    async def _recorded(self, asked: Asked, backend: Backend, leaving: str) -> None:
        """Raises ``OperatorError`` where the ledger cannot be written: then nothing leaves."""
        if (future := self._record(asked, backend, leaving)) is not None:
            await asyncio.shield(future)

    def _record(
        self, asked: Asked, backend: Backend | None, leaving: str
    ) -> asyncio.Future[None] | None:
        if self._parts.note is None:
            return None
        body = asked.on_record(backend, leaving)
        return self._parts.note(asked.request.purpose, body)

    async def _warm_one(self, backend: Backend, request: GenerateRequest) -> DaziError | None:
        if backend.place == "cloud" or backend.draining:
            return None
        try:
            await backend.engine.warm(request)
        except DaziError as e:
            backend.trouble = e
            return e
        backend.healthy = True if backend.healthy is None else backend.healthy
        return None


def replace_drain(spec: BackendSpec) -> BackendSpec:
    return spec.model_copy(update={"drain": False})
