"""The model itself, for those who may: no tools of the company, no checks, no memory.

Nothing can be done through it but generate text, and each use is in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from dazi.core.engine import (
    CallArgumentsDelta,
    CallStarted,
    Done,
    EngineEvent,
    GenerateRequest,
    Purpose,
    ReasoningDelta,
    Sampling,
    TextDelta,
)
from dazi.core.messages import Message
from dazi.gateway.exchange import Exchange, Header
from dazi.gateway.generation import Generation, Use, whole
from dazi.gateway.options import thinking_of, tools_of
from dazi.gateway.reply import (
    Answer,
    ChatCompletion,
    Choice,
    called_tools,
    encode,
    label_of,
    usage_view,
)
from dazi.gateway.stream import DONE, Chunks, Events
from dazi.gateway.wire import ChatRequest
from dazi.guard.stream import StreamFilter

_FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "cancelled": "stop"}


def raw_request(
    request: ChatRequest, messages: Sequence[Message], sampling: Sampling, x: Exchange
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
        trace=x.trace,
        purpose=Purpose("raw", x.principal.user, x.principal.roles),
        model="" if request.model == x.state.engine.profile.name else request.model,
    )


async def raw_answer(x: Exchange, request: GenerateRequest) -> bytes:
    g = Generation()
    async with Use(x, request, g) as use, aclosing(use.bursts()) as bursts:
        async for events in bursts:
            g.note(events)
            await use.on_record()
    thought = whole(x, g.reasoning)
    answer = Answer("assistant", g.shown, thought or None, called_tools(g.calls) or None)
    choice = Choice(answer, _FINISH[g.reason])
    model = request.model or x.state.engine.profile.name
    usage = usage_view(g.usage)
    return encode(ChatCompletion(g.id, g.created, model, [choice], usage, label_of(g.by)))


async def raw_stream(x: Exchange, request: GenerateRequest, *headers: Header, usage: bool) -> None:
    """Answer with events. Written out in one piece: each layer that an event goes through costs as
    much as a piece of an answer does otherwise."""
    g = Generation()
    chunks = Chunks(g.id, g.created, request.model or x.state.engine.profile.name)
    head = chunks.role
    guard = x.state.service.agent.guard
    said = StreamFilter(guard, x.principal, x.spoken)
    thought = StreamFilter(guard, x.principal, x.spoken)
    async with Events(x, *headers) as out:
        async with Use(x, request, g) as use, aclosing(use.bursts()) as bursts:
            async for events in bursts:
                g.note(events)
                await use.on_record()
                data = b""
                for event in events:
                    for shown in _shown(event, said, thought, g):
                        data += _chunk(shown, chunks, g)
                if data:
                    await out.send(head + data)
                    head = b""
                if said.stopped:
                    break
        tail = head + chunks.finish(_FINISH[g.reason], label_of(g.by))
        if usage:
            tail += chunks.usage(usage_view(g.usage))
        await out.send(tail + DONE)


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
