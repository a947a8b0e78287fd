"""Server-sent events in OpenAI's form, built around bytes that are made once an answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Any

import msgspec
from msgspec import Struct

from dazi.core.company import Company
from dazi.core.errors import DaziError
from dazi.core.turn import (
    AnswerDelta,
    Attachment,
    CallFinished,
    CallProposed,
    ConfirmationNeeded,
    ReasoningStep,
    TurnEvent,
    TurnStarted,
)
from dazi.gateway.errors import problem_of, unexpected
from dazi.gateway.exchange import Exchange, Header
from dazi.gateway.reply import (
    TurnLog,
    UsageView,
    attachment_view,
    call_view,
    confirmation_view,
    encode,
)

DONE = b"data: [DONE]\n\n"
_string = msgspec.json.Encoder().encode

log = logging.getLogger("dazi.gateway")


class Chunks:
    """Encodes the chunks of one answer."""

    def __init__(self, id: str, created: int, model: str) -> None:
        self._open = b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b' % (
            _string(id), created, _string(model),
        )  # fmt: skip
        self._delta = self._open + b',"choices":[{"index":0,"delta":'
        self._content = self._delta + b'{"content":'
        self._close = b',"logprobs":null,"finish_reason":null}]}\n\n'
        self.role = self._delta + b'{"role":"assistant","content":""}' + self._close

    def content(self, text: str) -> bytes:
        return self._content + _string(text) + b"}" + self._close

    def reasoning(self, text: str) -> bytes:
        return self._delta + b'{"reasoning_content":' + _string(text) + b"}" + self._close

    def tool_call(self, index: int, function: dict[str, Any], id: str = "") -> bytes:
        """With ``id`` the first piece of a call, without it one more piece of its arguments."""
        call: dict[str, Any] = {"index": index, "function": function}
        if id:
            call |= {"id": id, "type": "function"}
        return self._delta + encode({"tool_calls": [call]}) + self._close

    def beside(self, event: str, body: Struct | dict[str, Any]) -> bytes:
        """An event for those who know Dazi: OpenAI's clients see an empty delta."""
        fields = body if isinstance(body, dict) else msgspec.structs.asdict(body)
        extra = encode({"event": event, **fields})
        return self._delta + b"{}" + self._close[:-3] + b',"dazi":' + extra + b"}\n\n"

    def finish(self, reason: str, beside: Struct | dict[str, Any]) -> bytes:
        return b'%b{},"logprobs":null,"finish_reason":%b}],"dazi":%b}\n\n' % (
            self._delta,
            _string(reason),
            encode(beside),
        )

    def usage(self, usage: UsageView) -> bytes:
        return self._open + b',"choices":[],"usage":' + encode(usage) + b"}\n\n"


async def turn_chunks(
    events: AsyncGenerator[TurnEvent, None],
    record: TurnLog,
    *,
    usage: bool,
    client_tools: frozenset[str] = frozenset(),
) -> AsyncGenerator[bytes, None]:
    """A turn as chunks, of which all content together is the turn's answer.

    Nothing is given out before the turn's first event behind its start, so that what fails at
    once is still an answer with a status of its own.
    """
    chunks = Chunks(record.id, record.created, record.model)
    content = Content()
    first = True
    async with aclosing(events):
        async for event in events:
            record.note(event)
            if isinstance(event, TurnStarted):
                continue
            data = _chunk(event, chunks, content, record.company, client_tools)
            if first:
                first = False
                yield chunks.role + data
            elif data:
                yield data
    end = record.end
    tail = b"" if not first else chunks.role
    if rest := content.rest(end.answer):
        tail += chunks.content(rest)
    for i, call in enumerate(record.client_calls):
        function = {"name": call.function.name, "arguments": call.function.arguments}
        tail += chunks.tool_call(i, function, call.id)
    tail += chunks.finish(record.finish_reason, record.view())
    if usage:
        tail += chunks.usage(record.usage)
    yield tail + DONE


def _chunk(
    event: TurnEvent,
    chunks: Chunks,
    content: Content,
    company: Company,
    client_tools: frozenset[str],
) -> bytes:
    match event:
        case AnswerDelta(text):
            text = content.push(text)
            return chunks.content(text) if text else b""
        case ReasoningStep(text):
            return chunks.reasoning(text)
        case CallProposed(id, name, arguments):
            if name in client_tools:
                return b""
            call = {"id": id, "name": name, "arguments": arguments}
            return chunks.beside("call_proposed", call)
        case CallFinished(done):
            return chunks.beside("call_finished", call_view(done, company))
        case ConfirmationNeeded():
            return chunks.beside("confirmation_needed", confirmation_view(event))
        case Attachment():
            return chunks.beside("attachment", attachment_view(event))
        case _:
            return b""


class Content:
    """Passes an answer on without white space at its ends, whatever pieces it comes in."""

    def __init__(self) -> None:
        self._sent = 0
        self._space = ""

    def push(self, text: str) -> str:
        text = self._space + text if self._sent else text.lstrip()
        out = text.rstrip()
        self._space = text[len(out) :]
        self._sent += len(out)
        return out

    def rest(self, answer: str) -> str:
        """What of the whole ``answer`` has not been passed on."""
        return answer[self._sent :]


class Events:
    """An answer in events. What fails before the first is raised; what fails later goes out as the
    last."""

    def __init__(self, x: Exchange, *headers: Header) -> None:
        self._x = x
        self._headers = headers

    async def __aenter__(self) -> Events:
        return self

    async def send(self, data: bytes) -> None:
        if not self._x.started:
            await self._x.begin_events(*self._headers)
        await self._x.event(data)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> bool:
        x = self._x
        if error is not None:
            if not x.started or not isinstance(error, Exception):
                return False
            if not isinstance(error, DaziError):
                log.error("a stream failed", exc_info=error)
                error = unexpected()
            await x.event(b"data: " + problem_of(error, x.spoken) + b"\n\n")
        await x.end_events()
        return True


async def send_chunks(x: Exchange, chunks: AsyncGenerator[bytes, None], *headers: Header) -> None:
    async with Events(x, *headers) as out, aclosing(chunks):
        async for chunk in chunks:
            await out.send(chunk)
