"""The OpenAI chat-completions format, as RemoteEngine sends and reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dazi.core.engine import (
    EngineEvent,
    FinishReason,
    GenerateRequest,
    OfferedTool,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from dazi.core.messages import Message, dumps
from dazi.inference.callsources import CallSource, CallSources
from dazi.inference.chunks import Choice, Chunk, Delta, TokenUsage
from dazi.inference.dialects import Dialect
from dazi.inference.parse import OutputParser, calls_mode
from dazi.inference.servercalls import CallPiece
from dazi.inference.structural import structural_tag

_STREAM = {"stream": True, "stream_options": {"include_usage": True}}
_BROKEN_OFF = frozenset({"error", "abort", "insufficient_system_resource"})
"""Reasons that servers give for an answer that they could not finish."""
_FEW_TOKENS = 8
"""An answer of so many tokens may have nothing to show: its end and an empty thought."""


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


class ChunkReader:
    """From the chunks of one answer to events.

    Calls may come parsed by the server, or as ``<tool_call>`` text that it did not recognise.
    """

    def __init__(self, request: GenerateRequest) -> None:
        self.usage = Usage()
        self.reason: FinishReason | None = None
        self.said = False
        """Whether any event came of it."""
        self._request = request
        self._parser: OutputParser | None = None
        self._thinks = request.thinking
        self._calls = CallSources()

    @property
    def calls_from(self) -> CallSource:
        """Who recognised the calls, if there were any."""
        return self._calls.first

    @property
    def lost(self) -> bool:
        """The server counts tokens of an answer of which nothing has come: its parser took them
        for a call and then found none. To be asked when the answer has ended."""
        free = self._request.tools and self._request.tool_choice != "none"
        ended = self.reason == "stop" and not self.said
        return bool(free) and ended and self.usage.completion > _FEW_TOKENS

    def read(self, chunk: Chunk) -> list[EngineEvent]:
        if chunk.usage:
            self._spent(chunk.usage)
        events: list[EngineEvent] = []
        for choice in (chunk.choices or ())[:1]:
            if delta := choice.delta or choice.message:
                if thought := delta.reasoning_content or delta.reasoning:
                    events += self._thought(thought)
                if content := delta.content:
                    events += self._said(content if isinstance(content, str) else _joined(content))
                if delta.tool_calls or delta.function_call:
                    events += self._called(delta)
            if choice.finish_reason:
                self._ended(choice)
        if events:
            self.said = True
        return events

    def finish(self) -> list[EngineEvent]:
        events = self._calls.read(self._parser.finish()) if self._parser else []
        events += self._calls.finish()
        if events:
            self.said = True
        if self._calls.first and self.reason != "length":
            self.reason = "tool_calls"
        return events

    def _thought(self, text: str) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        if self._thinks:  # the server keeps thoughts apart, so the text holds none
            self._thinks = False
            if self._parser:
                events = self._calls.read(self._parser.no_thought())
        return [*events, ReasoningDelta(text)]

    def _said(self, content: str) -> list[EngineEvent]:
        # No tag has begun, and no white space stands where one might.
        plain = self._parser is None and "<" not in content and not content[-1:].isspace()
        if plain and not self._thinks:
            return [TextDelta(content)] if content else []
        return self._calls.read(self._text().feed(content))

    def _text(self) -> OutputParser:
        if self._parser is None:
            request = self._request
            self._parser = OutputParser(calls_mode(request), request.tools, opened=self._thinks)
        return self._parser

    def _called(self, delta: Delta) -> list[EngineEvent]:
        events = self._calls.read(self._text().border())
        pieces = delta.tool_calls or []
        for place, piece in enumerate(pieces if isinstance(pieces, list) else [pieces]):
            events += self._calls.handed(piece, place)
        if delta.function_call:
            events += self._calls.handed(CallPiece(function=delta.function_call), 0)
        return events

    def _ended(self, choice: Choice) -> None:
        if choice.usage:
            self._spent(choice.usage)
        if choice.finish_reason not in _BROKEN_OFF:
            self.reason = "length" if choice.finish_reason == "length" else "stop"

    def _spent(self, usage: TokenUsage) -> None:
        if usage.prompt_tokens is None and usage.completion_tokens is None:
            return
        details = usage.prompt_tokens_details
        cached = details.cached_tokens if details else usage.prompt_cache_hit_tokens
        self.usage = Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0, cached or 0)


def _joined(parts: list[Any]) -> str:
    """The text of content that comes in typed parts."""
    texts = [p.get("text") for p in parts if isinstance(p, dict)]
    return "".join(t for t in texts if isinstance(t, str))
