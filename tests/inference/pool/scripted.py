"""A pool over servers that do what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from dazi.core.engine import (
    Done,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    Purpose,
    TextDelta,
    Usage,
)
from dazi.core.errors import DaziError, OperatorError
from dazi.core.messages import Message
from dazi.guard.engine import Guard
from dazi.inference.pool.config import PoolConfig, read_pool
from dazi.inference.pool.engine import PoolEngine, PoolParts
from dazi.inference.pool.spending import UNLIMITED, Spending

DOWN = OperatorError("model_unreachable", "连不上", "cannot be reached")


@dataclass
class Server:
    """``fails``: raised before anything is said; ``cut``: after so many pieces; ``gate``: it says
    nothing before that is set."""

    profile: ModelProfile
    fails: DaziError | None = None
    cut: int | None = None
    pieces: tuple[str, ...] = ("你", "好")
    gate: asyncio.Event | None = None
    asked: list[GenerateRequest] = field(default_factory=list)
    left: int = 0
    """Answers that were given up before their end."""
    closed: bool = False
    warmed: int = 0

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        async with aclosing(self.bursts(request)) as bursts:
            async for events in bursts:
                for event in events:
                    yield event

    async def bursts(self, request: GenerateRequest) -> AsyncGenerator[Sequence[EngineEvent], None]:
        self.asked.append(request)
        whole = False
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.fails is not None:
                whole = True
                raise self.fails
            for i, piece in enumerate(self.pieces):
                if i == self.cut:
                    whole = True
                    raise OperatorError("model_server", "断了", "the answer ended in the middle")
                yield [TextDelta(piece)]
                await asyncio.sleep(0)
            whole = True
            yield [Done("stop", Usage(10, len(self.pieces), 4))]
        finally:
            self.left += not whole

    def count_tokens(self, request: GenerateRequest) -> int:
        return sum(len(m.content) for m in request.messages)

    async def warm(self, request: GenerateRequest) -> None:
        if self.fails is not None:
            raise self.fails
        self.warmed += 1

    async def close(self) -> None:
        self.closed = True


class Text:
    """A declaration that a test holds in its hand."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def error(self, path: Sequence[str | int], zh: str, en: str) -> Any:
        from dazi.core.errors import ConfigError

        return ConfigError("models.yaml", None, zh, f"{'.'.join(map(str, path))}: {en}")


def config(data: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> PoolConfig:
    return read_pool(Text(data), environment or {})


SMALL = ModelProfile("mini", 2048, copies_text=True, concise=True)


@dataclass
class House:
    """``pool`` and the servers behind it, by name; ``notes``: what was recorded."""

    pool: PoolEngine
    servers: dict[str, Server]
    notes: list[tuple[Purpose, Mapping[str, Any]]]
    now: list[float]
    refuse_notes: bool = False


def house(data: Mapping[str, Any], *, spending: Spending = UNLIMITED) -> House:
    servers: dict[str, Server] = {}
    now = [1000.0]

    def opened(name: str, spec: Any, key: str) -> Any:
        profile = SMALL if spec.embedded else ModelProfile(spec.model or "big", spec.context_tokens)
        servers[name] = Server(profile)
        return servers[name]

    made = House(None, servers, [], now)  # type: ignore[arg-type]

    def note(purpose: Purpose, body: Mapping[str, Any]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if made.refuse_notes:
            future.set_exception(OperatorError("audit", "写不进", "the ledger cannot be written"))
        else:
            made.notes.append((purpose, body))
            future.set_result(None)
        return future

    parts = PoolParts(opened, Guard(), note, spending, lambda: now[0])
    made.pool = PoolEngine(config(data), parts)
    return made


def ask(text: str = "你好", **more: Any) -> GenerateRequest:
    return GenerateRequest((Message("system", "你是助手"), Message("user", text)), **more)


async def said(pool: PoolEngine, request: GenerateRequest | None = None) -> tuple[str, Done]:
    """The text of an answer, and its end."""
    text, end = "", None
    async for event in pool.generate(request or ask()):
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, Done):
            end = event
    assert end is not None
    return text, end
