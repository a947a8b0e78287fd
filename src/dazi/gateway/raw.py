"""The model itself, for those who may: no tools of the company, no checks, no memory.

Nothing can be done through it but generate text, and each use is in the ledger.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Done,
    EngineEvent,
    GenerateRequest,
    ReasoningDelta,
    Sampling,
    TextDelta,
    Usage,
    bursts_of,
    spent,
)
from dazi.core.errors import DaziError
from dazi.core.messages import CallText, Message
from dazi.gateway.exchange import Exchange
from dazi.gateway.options import thinking_of, tools_of
from dazi.gateway.reply import (
    Answer,
    ChatCompletion,
    Choice,
    Label,
    called_tools,
    completion_id,
    encode,
    usage_view,
)
from dazi.gateway.stream import DONE, Chunks
from dazi.gateway.wire import ChatRequest
from dazi.guard.engine import STOPPED
from dazi.guard.hiding_engine import hiding
from dazi.guard.stream import StreamFilter

_FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "cancelled": "stop"}


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

    @property
    def began(self) -> bool:
        return bool(self.text or self.reasoning or self.calls)

    def call_id(self, index: int) -> str:
        return f"call_{self.turn[-8:]}_{index}"

    def note(self, events: Sequence[EngineEvent]) -> None:
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
            case Done(reason, usage):
                self.reason, self.usage = reason, usage
            case _:
                pass


def raw_request(
    request: ChatRequest, messages: Sequence[Message], sampling: Sampling, trace: str = ""
) -> GenerateRequest:
    """System messages become one at the beginning, which is where models know one."""
    system = [m for m in messages if m.role == "system" and m.content]
    spoken = [m for m in messages if m.role != "system"]
    if system:
        text = "\n\n".join([m.content for m in system])
        spoken[:0] = system if len(system) == 1 else [Message("system", text)]
    tools = tools_of(request)
    return GenerateRequest(
        tuple(spoken),
        tools.offered,
        tools.choice,
        sampling,
        thinking_of(request),
        whole=not request.stream,
        trace=trace,
    )


async def raw_answer(x: Exchange, request: GenerateRequest) -> bytes:
    g = Generation()
    async with aclosing(_bursts(x, request, g)) as bursts:
        async for _ in bursts:
            pass
    thought = _whole(x, g.reasoning)
    answer = Answer("assistant", g.shown, thought or None, called_tools(g.calls) or None)
    choice = Choice(answer, _FINISH[g.reason])
    model = x.state.engine.profile.name
    return encode(ChatCompletion(g.id, g.created, model, [choice], usage_view(g.usage), Label()))


def _whole(x: Exchange, text: str) -> str:
    if not text:
        return text
    verdict = x.state.service.agent.guard.verdict(text, "output", x.principal)
    return STOPPED(x.spoken) if verdict.action == "block" else verdict.text


async def raw_chunks(
    x: Exchange, request: GenerateRequest, *, usage: bool
) -> AsyncGenerator[bytes, None]:
    g = Generation()
    chunks = Chunks(g.id, g.created, x.state.engine.profile.name)
    head = chunks.role
    guard = x.state.service.agent.guard
    said = StreamFilter(guard, x.principal, x.spoken)
    thought = StreamFilter(guard, x.principal, x.spoken)
    async with aclosing(_bursts(x, request, g)) as bursts:
        async for events in bursts:
            shown = [e for event in events for e in _shown(event, said, thought, g)]
            if data := b"".join([_chunk(event, chunks, g) for event in shown]):
                yield head + data
                head = b""
            if said.stopped:
                break
    tail = head + chunks.finish(_FINISH[g.reason], Label())
    if usage:
        tail += chunks.usage(usage_view(g.usage))
    yield tail + DONE


def _shown(
    event: EngineEvent, said: StreamFilter, thought: StreamFilter, g: Generation
) -> tuple[EngineEvent, ...]:
    """What of an event the guard lets out now."""
    match event:
        case TextDelta(text):
            text = said.push(text)
            g.shown += text
            return (TextDelta(text),) if text else ()
        case ReasoningDelta(text):
            text = thought.push(text)
            return (ReasoningDelta(text),) if text else ()
        case Done():
            rest = said.finish()
            g.shown += rest
            return (TextDelta(rest), event) if rest else (event,)
        case _:
            return (event,)


def _chunk(event: EngineEvent, chunks: Chunks, g: Generation) -> bytes:
    match event:
        case TextDelta(text):
            return chunks.content(text)
        case ReasoningDelta(text):
            return chunks.reasoning(text)
        case CallStarted(index, name):
            return chunks.tool_call(index, {"name": name, "arguments": ""}, g.call_id(index))
        case CallArgumentsDelta(index, text):
            return chunks.tool_call(index, {"arguments": text})
        case _:
            return b""


async def _bursts(
    x: Exchange, request: GenerateRequest, g: Generation
) -> AsyncGenerator[Sequence[EngineEvent], None]:
    """The engine's events, with a record of who asked before and of what came of it after."""
    state, user = x.state, x.principal.user
    said = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
    body = {
        "said": said,
        "roles": sorted(x.principal.roles),
        "channel": x.principal.channel,
        "model": state.engine.profile.name,
        "version": state.engine.profile.version,
        "raw": True,
        "from": x.origin,
    }
    # Bytes of a body are three a hanzi: a third of them is rather more than its tokens.
    most = used = Usage(len(x.body) // 3, request.sampling.max_tokens)
    limiter = state.service.limiter
    key = x.key if limiter.limits_something else ""
    admission = await limiter.admit(x.principal, state.engine.profile.name, most, key)
    recorded = state.ledger.put("turn", user, g.turn, body)
    began = time.perf_counter()
    engine = hiding(state.engine, state.service.agent.guard, x.principal)
    try:
        async with aclosing(bursts_of(engine, request)) as bursts:
            async for events in bursts:
                g.note(events)
                # The model works meanwhile, and nothing of it is given out before it is on record.
                if not recorded.done() or recorded.exception():
                    await asyncio.shield(recorded)
                yield events
        used = g.usage
    except DaziError:
        if not g.began:  # a model that fails before it says anything has used nothing
            used = Usage()
        raise
    finally:
        if g.reason == "cancelled" and used is most:
            # Whoever leaves is told nothing by the model of what it did until then.
            used = g.usage = spent(engine, request, g.text + g.reasoning)
        await admission.settle(used)
        g.shown = g.shown or _whole(x, g.text)
        body = {
            "answer": g.shown,
            "calls": [c.name for c in g.calls],
            "tokens": [g.usage.prompt, g.usage.completion],
            "reason": g.reason,
            "ms": round((time.perf_counter() - began) * 1000, 1),
            "raw": True,
        }
        if (cost := limiter.cost(state.engine.profile.name, g.usage)) is not None:
            body["cost"] = cost
        state.ledger.put("answer", user, g.turn, body)
