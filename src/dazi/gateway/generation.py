"""One use of the model itself: who asked is on record before, and what came of it after."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from dazi.access.limits.limiter import Admission
from dazi.core.engine import (
    CallDone,
    Done,
    EngineEvent,
    GenerateRequest,
    ReasoningDelta,
    Served,
    TextDelta,
    Usage,
    bursts_of,
    spent,
)
from dazi.core.errors import DaziError
from dazi.core.messages import CallText
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import completion_id
from dazi.guard.engine import STOPPED
from dazi.guard.hiding_engine import hiding
from dazi.inference.remote import PICTURE_TOKENS
from dazi.observe.observer import Asking

FINISHED = ("stop", "length", "tool_calls")
"""Reasons of generations that came to an end of their own."""


@dataclass(slots=True)
class Generation:
    """What the model has given so far."""

    turn: str = field(default_factory=lambda: f"turn_{secrets.token_hex(10)}")
    id: str = field(default_factory=completion_id)
    created: int = field(default_factory=lambda: int(time.time()))
    text: str = ""
    shown: str = ""
    """Of ``text``, after the guard."""
    reasoning: str = ""
    calls: list[CallText] = field(default_factory=list)
    reason: str = "cancelled"
    usage: Usage = field(default_factory=Usage)
    by: Served | None = None
    asking: Asking | None = None
    """Who times it."""

    @property
    def began(self) -> bool:
        return bool(self.text or self.reasoning or self.calls)

    def call_id(self, index: int) -> str:
        return f"call_{self.turn[-8:]}_{index}"

    def note(self, events: Sequence[EngineEvent]) -> None:
        if self.asking is not None:
            self.asking.heard()
        for event in events:
            self._note(event)

    def _note(self, event: EngineEvent) -> None:
        match event:
            case TextDelta(text):
                self.text += text
            case ReasoningDelta(text):
                self.reasoning += text
            case CallDone(index, name, arguments):
                self.calls.append(CallText(self.call_id(index), name, arguments))
            case Done(reason, usage, by):
                self.reason, self.usage, self.by = reason, usage, by
            case _:
                pass


def whole(x: Exchange, text: str) -> str:
    """``text`` of a model, after the guard."""
    if not text:
        return text
    verdict = x.state.service.agent.guard.verdict(text, "output", x.principal)
    return STOPPED(x.spoken) if verdict.action == "block" else verdict.text


class Use:
    """Around one generation: admits it, puts it into the ledger, settles what it used."""

    def __init__(self, x: Exchange, request: GenerateRequest, g: Generation) -> None:
        state = x.state
        self._x = x
        # What a pool records of it stands beside the use.
        self._request = replace(request, purpose=replace(request.purpose, turn=g.turn))
        self._g = g
        self._model = state.engine.profile
        self._name = request.model or self._model.name
        self._engine = hiding(state.engine, state.service.agent.guard, x.principal)
        # Bytes of a body are three a hanzi: a third of them is rather more than its tokens.
        images = [i for m in request.messages for i in m.images]
        spoken = len(x.body) - sum(len(i.data) for i in images)
        asked = spoken // 3 + PICTURE_TOKENS * len(images)
        self._most = Usage(asked, request.sampling.max_tokens)
        self._admission: Admission
        self._recorded: asyncio.Future[None]
        self._began = 0.0

    async def __aenter__(self) -> Use:
        """Raises ``OverloadError`` where a limit is reached."""
        x, limiter = self._x, self._x.state.service.limiter
        key = x.key if limiter.limits_something else ""
        self._admission = await limiter.admit(x.principal, self._name, self._most, key)
        self._recorded = x.state.ledger.put("turn", x.principal.user, self._g.turn, self._asked())
        self._began = time.perf_counter()
        asking = self._g.asking = x.state.observer.asks(self._name, x.trace)
        if asking.span.context != self._request.trace:
            self._request = replace(self._request, trace=asking.span.context)
        return self

    def bursts(self) -> AsyncGenerator[Sequence[EngineEvent], None]:
        return bursts_of(self._engine, self._request)

    async def on_record(self) -> None:
        """Nothing that the model says is given out before. Raises ``OperatorError``."""
        if not self._recorded.done() or self._recorded.exception():
            await asyncio.shield(self._recorded)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        g = self._g
        used = self._most if error is not None else g.usage
        if isinstance(error, DaziError) and not g.began:
            used = Usage()  # a model that fails before it says anything has used nothing
        elif g.reason == "cancelled":
            # Whoever leaves is told nothing by the model of what it did until then.
            used = g.usage = spent(self._engine, self._request, g.text + g.reasoning)
        await self._admission.settle(used, self._cost(used))
        if isinstance(error, Exception):
            g.reason = "error"
        g.shown = g.shown or whole(self._x, g.text)
        self._tell(error)
        self._x.state.ledger.put("answer", self._x.principal.user, g.turn, self._answered())

    def _tell(self, error: BaseException | None) -> None:
        x, g = self._x, self._g
        if g.asking is not None:
            failed = error.code if isinstance(error, DaziError) else g.reason
            g.asking.ended(g.usage, g.by, "" if failed in FINISHED else failed)
        name = g.by.model if g.by is not None else self._name
        cost = self._cost(g.usage)
        x.state.observer.used(name, x.principal.tenant, g.usage, cost)

    def _asked(self) -> dict[str, Any]:
        x = self._x
        spoken = (m.content for m in reversed(self._request.messages) if m.role == "user")
        return {
            "said": next(spoken, ""),
            "roles": sorted(x.principal.roles),
            "channel": x.principal.channel,
            "model": self._name,
            "version": self._model.version,
            "raw": True,
            "from": x.origin,
        }

    def _answered(self) -> dict[str, Any]:
        g = self._g
        body = {
            "answer": g.shown,
            "calls": [c.name for c in g.calls],
            "tokens": [g.usage.prompt, g.usage.completion],
            "reason": g.reason,
            "ms": round((time.perf_counter() - self._began) * 1000, 1),
            "raw": True,
        }
        if g.by is not None:
            body["by"] = g.by.backend
        cost = self._cost(g.usage)
        return body if cost is None else body | {"cost": cost}

    def _cost(self, used: Usage) -> float | None:
        """Yuan, at the price of whoever answered."""
        by = self._g.by
        model, base = (by.model, by.base) if by is not None else (self._name, "")
        return self._x.state.service.limiter.cost(model, used, base)
