"""The demo company with real systems behind it, and a scripted model in front."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dazi.agent.asking import Ask
from dazi.core.turn import AnswerDelta, CallRecord, ConfirmationNeeded, TurnEvent, TurnFinished
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings
from tests.fakes.engine import PROFILE, Call, Piece, Reply, ScriptedEngine

Part = Piece | tuple[str, Any]
"""A call may be written as (name, arguments or raw text)."""

TODAY = date(2025, 4, 3)


@dataclass
class Said:
    """A turn as it was seen from outside."""

    events: list[TurnEvent] = field(default_factory=list)

    @property
    def end(self) -> TurnFinished:
        return next(e for e in reversed(self.events) if isinstance(e, TurnFinished))

    @property
    def calls(self) -> list[tuple[str, dict[str, Any], str]]:
        return [(r.name, dict(r.arguments), r.outcome) for r in self.end.calls]

    @property
    def record(self) -> CallRecord:
        return self.end.calls[-1]

    @property
    def ticket(self) -> str:
        return next(e.ticket for e in self.events if isinstance(e, ConfirmationNeeded))

    @property
    def streamed(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, AnswerDelta))


class House:
    """Asks as a demo user; every ask is a thread of its own unless one is named."""

    def __init__(self, runtime: Runtime, engine: ScriptedEngine) -> None:
        self.runtime = runtime
        self.engine = engine
        self._threads = 0

    async def ask(self, user: str, text: str, thread: str = "", **more: Any) -> Said:
        self._threads += 1
        principal = self.runtime.directory.principal(user, "test")
        ask = Ask(principal, thread or f"t{self._threads}", text, **more)
        return Said([e async for e in self.runtime.service.ask(ask)])

    async def decide(self, user: str, ticket: str, approve: bool = True, reason: str = "") -> Said:
        principal = self.runtime.directory.principal(user, "test")
        events = self.runtime.service.decide(principal, ticket, approve, reason=reason)
        return Said([e async for e in events])

    def script(self, *replies: Part | list[Part]) -> None:
        """What the model says from here on."""
        self.engine.say(*(_reply(r) for r in replies))

    async def audit(self, kind: str = "") -> list[tuple[str, dict[str, Any]]]:
        await self.runtime.ledger.flush()
        rows = await self.runtime.audit.rows()
        return [(r.kind, json.loads(r.body)) for r in rows if not kind or r.kind == kind]


def _reply(reply: Part | list[Part]) -> Reply:
    return [_piece(p) for p in reply] if isinstance(reply, list) else _piece(reply)


def _piece(part: Part) -> Piece:
    if not isinstance(part, tuple):
        return part
    name, arguments = part
    return Call(name, arguments if isinstance(arguments, str) else json.dumps(arguments))


Start = Callable[..., Awaitable[House]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Start]:
    """``await house([replies], settings...)``: a running company with that script."""
    open_ones: list[Runtime] = []

    async def start(replies: list[Part | list[Part]], **options: Any) -> House:
        profile = {k: options.pop(k) for k in ("copies_text", "concise") if k in options}
        profile["replies"] = options.pop("taught", ())
        engine = ScriptedEngine([_reply(r) for r in replies], replace(PROFILE, **profile))
        settings = Settings(data=tmp_path / f"data{len(open_ones)}", today=TODAY, **options)
        runtime = await open_runtime(settings, engine=engine)
        open_ones.append(runtime)
        return House(runtime, engine)

    yield start
    for runtime in open_ones:
        await runtime.close()
