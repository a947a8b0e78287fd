"""Many servers as one engine.

A request goes to a server of the best group that can be used: the least busy, or the one that has its
beginning in its cache. What fails before its first token is tried at another; after that nothing is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
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
from dazi.inference.pool.asked import Asked, why_not
from dazi.inference.pool.attempt import Attempt, late
from dazi.inference.pool.backend import Backend, make_breaker
from dazi.inference.pool.balance import balancer
from dazi.inference.pool.config import BackendSpec, PoolConfig, PoolRules
from dazi.inference.pool.places import Places
from dazi.inference.pool.routes import Decision, Routes
from dazi.inference.pool.spending import UNLIMITED, Spending

log = logging.getLogger("dazi.pool")
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
        self._warmed: dict[str, GenerateRequest] = {}
        self.backends: tuple[Backend, ...] = ()
        self.places = Places(config.rules.queue, config.rules.queue_seconds)
        self._set(config, tuple(self._opened(n, s, config) for n, s in config.backends.items()))

    # --- what an engine is ----------------------------------------------------------------------

    @property
    def profile(self) -> ModelProfile:
        """Of the best server that can be reckoned with, or of the best there is."""
        return next((b for b in self._ranked if b.alive), self._ranked[0]).engine.profile

    @property
    def sees(self) -> bool:
        """Is there a model that sees pictures, up or not?"""
        return any(b.spec.vision and not b.draining for b in self.backends)

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
        asked = Asked(request, self._decide(request))
        try:
            attempt, burst = await self._begun(asked, until)
            try:
                while not isinstance(burst[-1], Done):
                    yield burst
                    if loop.time() > until:
                        raise attempt.cut(late(attempt.backend.name))
                    burst = await attempt.next()
            finally:
                await attempt.close()
            asked.note(burst)
        finally:
            await asked.settle()
        yield burst  # whoever goes away at the end of an answer leaves nothing taken

    async def warm(self, request: GenerateRequest) -> None:
        """Fill every server's cache, and that of each that comes back or is added later.

        Raises what the last of them said where none could be reached.
        """
        self._warmed[repr((request.messages, request.tools))] = request  # schemas have no hash
        said = await asyncio.gather(*(self._warm_one(b, request) for b in self._ranked))
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
        after: list[Backend] = []
        for name, spec in config.backends.items():
            old = before.get(name)
            same = old is not None and replace_drain(old.spec) == replace_drain(spec)
            if old is not None and same and self.config.keys.get(name) == config.keys.get(name):
                old.spec, old.draining = spec, spec.drain
                old.breaker = (
                    old.breaker
                    if self.config.rules == config.rules
                    else make_breaker(config.rules, self._parts.clock)
                )
                after.append(before.pop(name))
            else:
                # A model in this process takes a while to load.
                after.append(await asyncio.to_thread(self._opened, name, spec, config))
        new = [b for b in after if b not in self.backends]
        self._set(config, tuple(after))
        for old in before.values():
            self._behind(old.close(config.rules.deadline_seconds))
        for backend in new:
            self._behind(self.warm_again(backend))
        self.places.look_again()

    def found(self, backend: Backend, healthy: bool, error: DaziError | None = None) -> None:
        """What a look at a server said."""
        if backend.found(healthy, error):
            self.places.look_again()

    async def warm_again(self, backend: Backend) -> None:
        """Its cache is empty: it has just come, or come back."""
        for request in list(self._warmed.values()):
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

    def _decide(self, request: GenerateRequest) -> Decision:
        tokens = self.count_tokens(request) if self._routes.counts else 0
        return self._routes.decide(request, tokens)

    async def _begun(self, asked: Asked, until: float) -> tuple[Attempt, Sequence[EngineEvent]]:
        """The attempt that has begun to answer, and what it began with."""
        rules = self.config.rules
        for _ in range(rules.attempts):
            attempt = await self._attempt(asked, wait=True)
            if attempt is None:
                break
            left = until - asyncio.get_running_loop().time()
            try:
                if rules.hedge_seconds:
                    return await self._hedged(asked, attempt, rules, left)
                return attempt, await attempt.first(min(rules.first_token_seconds, left))
            except (OperatorError, OverloadError) as e:
                await attempt.close()
                asked.failed(attempt.backend, e)
                if not attempt.backend.alive:
                    self.places.look_again()
                if asyncio.get_running_loop().time() >= until:
                    break
            except BaseException:
                await attempt.close()
                raise
        if asked.decision.refused and asked.last is None:
            self._record(asked, None, "refuse")
        raise why_not(asked, self.backends)

    async def _attempt(self, asked: Asked, *, wait: bool) -> Attempt | None:
        """A place at a server that has not been tried; ``None`` where there is none."""
        request, model, seen = asked.request, asked.decision.model, asked.images
        for group in asked.decision.groups:
            suits = [b for b in group if b.usable and b not in asked.tried]
            if model:
                suits = [b for b in suits if b.serves(model)]
            if seen:
                suits = [b for b in suits if b.spec.vision and asked.may_show(b)]
            if not suits:
                continue
            profile = suits[0].engine.profile
            if request.made_for is not None and not profile.takes_prompts_of(request.made_for):
                asked.unlike = asked.unlike or profile
                continue
            if not await self._may(asked, suits[0]):
                continue
            if not wait and not any(b.free for b in suits):
                continue
            backend = await self.places.take(suits, self._balance, request)
            if backend is not None:
                return await self._sent(asked, backend)
        return None

    async def _may(self, asked: Asked, backend: Backend) -> bool:
        """Is there money for it?"""
        price, limit = backend.spec.price, self.config.cloud_yuan_per_day
        if backend.place != "cloud" or price is None or not limit or asked.reserved is not None:
            return True
        most = Usage(self.count_tokens(asked.request), asked.request.sampling.max_tokens)
        asked.reserved = await self._parts.spending.reserve(price, most, limit)
        asked.poor = asked.reserved is None
        return not asked.poor

    async def _sent(self, asked: Asked, backend: Backend) -> Attempt:
        """The request on its way; what leaves the house is on record before."""
        decision = asked.decision
        best = self._best_seeing if asked.images else self._best
        fallback = backend.tier > best
        served = backend.served(decision.model, fallback=fallback)
        engine: Engine = backend.engine
        request = asked.request
        adapter = decision.model if decision.model in backend.spec.adapters else ""
        thinking = request.thinking if decision.thinking is None else decision.thinking
        if (request.model, request.thinking) != (adapter, thinking):
            request = replace(request, model=adapter, thinking=thinking)
        try:
            if backend.place == "cloud":
                if decision.leaving != "as-is":
                    engine = HidingEngine(engine, self._parts.guard, self._routes.hidden)
                    served = replace(served, hidden=True)
                await self._recorded(asked, backend, decision.leaving)
            elif fallback or asked.tried or decision.refused:
                self._record(asked, backend, "")
        except BaseException:
            self.places.give_back(backend)
            raise
        asked.sent(backend)
        return Attempt(backend, engine, request, served, self.places)

    async def _hedged(
        self, asked: Asked, attempt: Attempt, rules: PoolRules, left: float
    ) -> tuple[Attempt, Sequence[EngineEvent]]:
        """The first of two servers to begin; the second is asked only where the first takes long."""
        seconds = min(rules.first_token_seconds, left)
        trying = {asyncio.create_task(attempt.first(seconds)): attempt}
        winner: asyncio.Task[Sequence[EngineEvent]] | None = None
        error: BaseException | None = None
        try:
            await asyncio.wait(trying, timeout=rules.hedge_seconds)
            if not next(iter(trying)).done():
                asked.tried.append(attempt.backend)
                other = await self._attempt(asked, wait=False)
                asked.tried.remove(attempt.backend)
                if other is not None:
                    trying[asyncio.create_task(other.first(seconds))] = other
            waiting = set(trying)
            while waiting and winner is None:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if task.exception() is None:
                        winner = task
                    else:
                        error = task.exception()
                        asked.tried += [b for b in [trying[task].backend] if b not in asked.tried]
        finally:
            for task, one in trying.items():
                if task is not winner:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    await one.close()
        if winner is None:
            assert error is not None
            raise error
        return trying[winner], winner.result()

    async def _recorded(self, asked: Asked, backend: Backend, leaving: str) -> None:
        """Raises ``OperatorError`` where the ledger cannot be written: then nothing leaves."""
        if (future := self._record(asked, backend, leaving)) is not None:
            await asyncio.shield(future)

    def _record(
        self, asked: Asked, backend: Backend | None, leaving: str
    ) -> asyncio.Future[None] | None:
        if self._parts.note is None:
            return None
        decision = asked.decision
        body: dict[str, Any] = {
            "rule": decision.rule,
            "task": asked.request.purpose.task,
            "backend": backend.name if backend else "",
            "place": backend.place if backend else "",
        }
        if backend is not None and backend.spec.tier:
            body["tier"] = backend.spec.tier
        if leaving:
            body["leaving"] = leaving
        if decision.labels:
            body["labels"] = sorted(decision.labels)
        if decision.refused:
            body["refused"] = sorted(decision.refused)
        if asked.tried:
            body["tried"] = [b.name for b in asked.tried]
        return self._parts.note(asked.request.purpose, body)

    async def _warm_one(self, backend: Backend, request: GenerateRequest) -> DaziError | None:
        """Clouds keep their own counsel: what they are asked costs money."""
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
