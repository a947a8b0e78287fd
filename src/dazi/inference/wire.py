"""The OpenAI chat-completions format, as RemoteEngine sends and reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    EngineEvent,
    FinishReason,
    GenerateRequest,
    OfferedTool,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from dazi.core.messages import Message, dumps
from dazi.inference.dialects import Dialect
from dazi.inference.parse import OutputParser, calls_mode
from dazi.inference.structural import structural_tag

LONGEST_LINE = 4 << 20
_STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def request_body(request: GenerateRequest, model: str, dialect: Dialect) -> dict[str, Any]:
    """``request`` as a server of that kind takes it."""
    sampling = request.sampling
    # Where thinking is a field of the request, a whole answer that thinks is refused.
    whole = request.whole and not (dialect.thinking == "field" and request.thinking)
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(m) for m in request.messages],
        **({} if whole else _STREAM),
        dialect.tokens: sampling.max_tokens,
        "temperature": sampling.temperature,
    }
    optional = {
        "top_p": sampling.top_p,
        "top_k": sampling.top_k if dialect.top_k else None,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty or None,
        "stop": list(sampling.stop) or None,
    }
    body |= {k: v for k, v in optional.items() if v is not None}
    tools = [_tool(t) for t in request.tools if not t.closed]
    if tools and request.tool_choice != "none":
        body |= {"tools": tools, "tool_choice": request.tool_choice}
        body |= _grammar(request, dialect)
    match dialect.thinking:
        case "template":
            body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
        case "field":
            body["enable_thinking"] = request.thinking
    if request.prefix:
        body |= _continued(body, request.prefix, dialect)
    return body


def _grammar(request: GenerateRequest, dialect: Dialect) -> dict[str, Any]:
    if dialect.grammar == "none" or (tag := structural_tag(request)) is None:
        return {}
    # The tag says itself that there has to be a call; told so in their own field too, servers hold
    # the answer to a grammar of theirs instead, which knows nothing of candidates.
    held: dict[str, Any] = {"tool_choice": "auto"}
    if dialect.grammar == "response_format":
        return held | {"response_format": tag}
    return held | {"structured_outputs": {"structural_tag": dumps(tag)}}


def holds_grammar(body: Mapping[str, Any]) -> bool:
    return "structured_outputs" in body or "response_format" in body


def _continued(body: Mapping[str, Any], prefix: str, dialect: Dialect) -> dict[str, Any]:
    """Where a server cannot go on from ``prefix`` it begins anew, which its reader allows for."""
    if dialect.continues == "none":
        return {}
    begun: dict[str, Any] = {"role": "assistant", "content": prefix}
    if dialect.continues == "partial":
        begun["partial"] = True
    changed: dict[str, Any] = {"messages": [*body["messages"], begun]}
    if dialect.continues == "flag":
        changed |= {"add_generation_prompt": False, "continue_final_message": True}
    return changed


def _tool(tool: OfferedTool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _message(message: Message) -> dict[str, Any]:
    out: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        seen = [{"type": "image_url", "image_url": {"url": i.url}} for i in message.images]
        out["content"] = [*seen, {"type": "text", "text": message.content}]
    if message.calls:
        out["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        out["tool_call_id"] = message.call_id
    return out


class _Function(Struct):
    name: str | None = None
    arguments: Any = None


class _Call(Struct):
    index: int | None = None
    function: _Function | None = None


class _Delta(Struct):
    """Of a chunk, or the message of a whole answer."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Details(Struct):
    cached_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class Chunk(Struct):
    """What is read of ``chat.completion.chunk`` and ``chat.completion``."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_chunk = msgspec.json.Decoder(Chunk)


class SseReader:
    """The chunks of a server-sent event stream, from bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, data: bytes) -> list[Chunk]:
        """Raises ``ValueError`` for what is no such stream."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise ValueError("a line is too long")
        out: list[Chunk] = []
        for line in lines:
            if line.startswith(b"data:") and (value := line[5:].strip()) != b"[DONE]":
                out.append(chunk_of(value))
        return out


def chunk_of(data: bytes) -> Chunk:
    """Raises ``ValueError``."""
    try:
        return _chunk.decode(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class ChunkReader:
    """From the chunks of one answer to events.

    Calls may come parsed by the server, or as ``<tool_call>`` text that it did not recognise.
    """

    def __init__(self, request: GenerateRequest) -> None:
        self.usage = Usage()
        self.reason: FinishReason | None = None
        self._request = request
        self._parser: OutputParser | None = None
        self._numbers: dict[tuple[str, int], int] = {}
        self._open: dict[int, tuple[str, str]] = {}

    def read(self, chunk: Chunk) -> list[EngineEvent]:
        if usage := chunk.usage:
            details = usage.prompt_tokens_details
            self.usage = Usage(
                usage.prompt_tokens or 0,
                usage.completion_tokens or 0,
                (details.cached_tokens or 0) if details else 0,
            )
        events: list[EngineEvent] = []
        for choice in (chunk.choices or ())[:1]:
            if delta := choice.delta or choice.message:
                if thought := delta.reasoning_content or delta.reasoning:
                    events.append(ReasoningDelta(thought))
                if delta.content:
                    events += self._said(delta.content)
                for place, call in enumerate(delta.tool_calls or ()):
                    events += self._call(call, place)
            if choice.finish_reason:
                self.reason = "length" if choice.finish_reason == "length" else "stop"
        return events

    def finish(self) -> list[EngineEvent]:
        events = [self._renumbered(e) for e in self._parser.finish()] if self._parser else []
        events += [CallDone(n, name, text or "{}") for n, (name, text) in self._open.items()]
        if self._numbers and self.reason != "length":
            self.reason = "tool_calls"
        return events

    def _said(self, content: str) -> list[EngineEvent]:
        if self._parser is None:
            # No tag has begun, and no white space stands where one might.
            if "<" not in content and not content[-1].isspace():
                return [TextDelta(content)]
            self._parser = OutputParser(calls_mode(self._request))
        return [self._renumbered(e) for e in self._parser.feed(content)]

    def _number(self, source: str, index: int) -> int:
        return self._numbers.setdefault((source, index), len(self._numbers))

    def _renumbered(self, event: EngineEvent) -> EngineEvent:
        match event:
            case CallStarted(index, name):
                return CallStarted(self._number("text", index), name)
            case CallArgumentsDelta(index, text):
                return CallArgumentsDelta(self._number("text", index), text)
            case CallDone(index, name, arguments):
                return CallDone(self._number("text", index), name, arguments)
            case _:
                return event

    def _call(self, delta: _Call, place: int) -> list[EngineEvent]:
        function = delta.function or _Function()
        number = self._number("server", place if delta.index is None else delta.index)
        events: list[EngineEvent] = []
        if number not in self._open:
            self._open[number] = (function.name or "", "")
            events.append(CallStarted(number, self._open[number][0]))
        arguments = function.arguments or ""
        text = arguments if isinstance(arguments, str) else dumps(arguments)
        if text:
            name, before = self._open[number]
            self._open[number] = (name, before + text)
            events.append(CallArgumentsDelta(number, text))
        return events
