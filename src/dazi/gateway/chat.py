"""``/v1/chat/completions``: the governed assistant, or the model itself for those who may."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from dazi.agent.asking import Ask, taken
from dazi.core.engine import Sampling
from dazi.core.errors import NotFound
from dazi.core.language import language_of
from dazi.core.messages import Message
from dazi.core.turn import TurnEvent
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.options import refuse_unsupported, sampling_of, thinking_of, tools_of
from dazi.gateway.raw import raw_answer, raw_request, raw_stream
from dazi.gateway.reply import TurnLog
from dazi.gateway.state import GOVERNED
from dazi.gateway.stream import send_chunks, turn_chunks
from dazi.gateway.translate import (
    DERIVED,
    Conversation,
    conversation_of,
    derived_thread,
    messages_of,
    named_thread,
)
from dazi.gateway.wire import CHAT, ChatRequest
from dazi.memory.threads import Kept


async def chat(x: Exchange) -> None:
    request = CHAT.read(x.body)
    messages = messages_of(request.messages)
    said = next((m.content for m in reversed(messages) if m.role == "user"), "")
    x.said = said
    model = known_model(x, request.model)
    refuse_unsupported(request)
    if model == GOVERNED:
        await _assistant(x, request, conversation_of(messages))
        return
    tokens = x.state.engine.profile.context_tokens
    sampling = sampling_of(request, tokens) or Sampling(
        max_tokens=x.state.service.agent.budget.tokens
    )
    kept = [Kept(_taken(x, m)) for m in messages]
    shown = [k.message for k in await x.state.service.pictures.taken(kept, x.principal)]
    asked = raw_request(request, shown, sampling, x)
    with x.until_gone():
        if request.stream:
            await raw_stream(x, asked, GENERATED, usage=wants_usage(request))
        else:
            await x.reply(await raw_answer(x, asked), GENERATED)


def _taken(x: Exchange, message: Message) -> Message:
    if message.role != "user":
        return message
    text = taken(x.state.service.agent.guard, message.content, x.principal)
    return message if text == message.content else replace(message, content=text)


def known_model(x: Exchange, name: str) -> str:
    """Raises ``NotFound``: a model that one may not use looks like one that does not exist."""
    models = x.state.models_for(x.principal, x.grant)
    if name not in models:
        known = ", ".join(models)
        raise NotFound(
            "model_not_found",
            f"没有模型 {name[:100]};可用:{known}",
            f"there is no model {name[:100]}; available: {known}",
        )
    return name


async def _assistant(x: Exchange, request: ChatRequest, talk: Conversation) -> None:
    ask = await _ask(x, request, talk)
    one_call = request.parallel_tool_calls is False
    record = TurnLog(x.state.company, GOVERNED, one_call, ask.show_context)
    headers = (GENERATED, (b"x-dazi-thread", ask.thread.encode()))
    events = x.state.service.ask(ask)
    with x.until_gone():
        try:
            if request.stream:
                names = frozenset(t.name for t in ask.client_tools)
                usage = wants_usage(request)
                chunks = turn_chunks(events, record, usage=usage, client_tools=names)
                await send_chunks(x, chunks, *headers)
            else:
                await follow(events, record)
                await x.reply(record.completion(), *headers)
        finally:
            x.repeatable = not record.acted


async def follow(events: AsyncGenerator[TurnEvent, None], record: TurnLog) -> None:
    """Take a turn to its end."""
    async with aclosing(events):
        async for event in events:
            record.note(event)


async def _ask(x: Exchange, request: ChatRequest, talk: Conversation) -> Ask:
    """With ``X-Dazi-Thread`` the kept thread counts, and of the body only what is new; without,
    what the caller sends is all there is."""
    tools = tools_of(request)
    kept = tuple(Kept(m) for m in talk.history)
    named = x.header(b"x-dazi-thread")
    if named:
        thread = named_thread(named)
        if thread.startswith(DERIVED):
            await _must_exist(x, thread)
    else:
        thread = derived_thread(x.principal, talk.opening)
    return Ask(
        x.principal,
        thread,
        talk.text,
        language=None if talk.text else language_of(talk.said),
        history=None if named else kept,
        tool_results=tuple(Kept(m) for m in talk.results) if named else (),
        instructions=talk.instructions,
        client_tools=tools.offered,
        own_tools=tools.own,
        tool_choice=tools.choice,
        sampling=sampling_of(request, x.state.service.agent.budget.tokens),
        thinking=thinking_of(request),
        key=x.key,
        origin=x.origin,
        only=x.only,
        images=talk.images,
        show_context=request.dazi is not None and bool(request.dazi.show_context),
    )


async def _must_exist(x: Exchange, thread: str) -> None:
    """Ids of this form follow from what somebody said: nobody may take one in advance."""
    if not await x.state.service.threads.load(thread, x.principal):
        raise NotFound("thread", "没有这个会话", "no such thread")


def wants_usage(request: ChatRequest) -> bool:
    return request.stream_options is not None and bool(request.stream_options.include_usage)
