"""One request at one server: until its first token it may be made elsewhere, after that it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from dazi.core.engine import (
    Done,
    Engine,
    EngineEvent,
    GenerateRequest,
    Served,
    Usage,
    bursts_of,
)
from dazi.core.errors import CallerError, DaziError, OperatorError, OverloadError
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.places import Places
from dazi.inference.pool.spending import Reserved

UNREACHABLE = "model_unreachable"
"""Nothing was begun, and nothing is to be paid."""


class Sending(NamedTuple):
    """What goes where. ``reserved``: what it may cost there, where that is counted."""

    backend: Backend
    engine: Engine
    request: GenerateRequest
    served: Served
    reserved: Reserved | None = None


class Attempt:
    """Has a place at ``backend`` until ``close``."""

    def __init__(self, sending: Sending, places: Places) -> None:
        self.backend = sending.backend
        self.served = sending.served
        self._places = places
        self._reserved = sending.reserved
        self._stream = bursts_of(sending.engine, sending.request)
        self._began = self.backend.clock()
        self._open = True
        self._settled = False
        self._used: Usage | None = None
        """What it took; ``None`` where nobody can say."""
        self._tries = self.backend.breaker.begin()

    async def first(self, seconds: float) -> Sequence[EngineEvent]:
        """What comes first. Raises ``DaziError``; then nothing has been said."""
        try:
            async with asyncio.timeout(seconds):
                burst = await anext(self._stream)
        except TimeoutError:
            raise self._failed(_slow(self.backend.name, seconds)) from None
        except StopAsyncIteration:
            raise self._failed(_empty(self.backend.name)) from None
        except DaziError as e:
            if isinstance(e, CallerError | OverloadError) or e.code == UNREACHABLE:
                self._used = Usage()
            raise self._failed(e) from e.__cause__
        self._settled = True
        self.backend.well((self.backend.clock() - self._began) * 1000)
        return self._marked(burst)

    async def next(self) -> Sequence[EngineEvent]:
        """What follows. Raises ``DaziError``: then the answer has been cut."""
        try:
            return self._marked(await anext(self._stream))
        except StopAsyncIteration:
            raise self.cut(_empty(self.backend.name)) from None
        except DaziError as e:
            raise self.cut(e) from e.__cause__

    def cut(self, error: DaziError) -> DaziError:
        self.backend.counts.cut += 1
        return self._failed(error)

    async def close(self) -> None:
        """The server is told to stop, where it has not; the place is free."""
        if not self._open:
            return
        self._open = False
        try:
            await self._stream.aclose()
        finally:
            if not self._settled:
                self.backend.breaker.left(tries=self._tries)
            self._places.give_back(self.backend)
            if self._reserved is not None:
                await self._reserved.settle(self._used)

    def _failed(self, error: DaziError) -> DaziError:
        self._settled = True
        if isinstance(error, CallerError):
            self.backend.breaker.left(tries=self._tries)  # it answers well enough to refuse
        else:
            self.backend.failed(error, tries=self._tries)
        return error

    def _marked(self, burst: Sequence[EngineEvent]) -> Sequence[EngineEvent]:
        last = burst[-1]
        if not isinstance(last, Done):
            return burst
        usage, counts = last.usage, self.backend.counts
        counts.served += 1
        counts.prompt_tokens += usage.prompt
        counts.cached_tokens += usage.cached
        counts.completion_tokens += usage.completion
        # A server that tells nothing has not worked for nothing.
        self._used = usage if usage.prompt or usage.completion else None
        return [*burst[:-1], replace(last, by=self.served)]


def _slow(name: str, seconds: float) -> OperatorError:
    return OperatorError(
        "model_slow",
        f"模型服务 {name} 在 {seconds:g} 秒内没有开始回答。请查看它的负载和日志。",
        f"The model server {name} did not begin to answer within {seconds:g} s. See its load and log.",
    )


def late(name: str) -> OperatorError:
    return OperatorError(
        "model_server",
        f"模型服务 {name} 的回答没有按时结束。",
        f"The answer of the model server {name} has not come to an end in time.",
    )


def _empty(name: str) -> OperatorError:
    return OperatorError(
        "model_server",
        f"模型服务 {name} 什么也没有回答。",
        f"The model server {name} answered nothing at all.",
    )
