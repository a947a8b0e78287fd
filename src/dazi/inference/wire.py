"""The OpenAI chat-completions format, as RemoteEngine sends and reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    EngineEvent,
    FinishReason,
    GenerateRequest,
    OfferedTool,
    ReasoningDelta,
    Usage,
)
from dazi.core.messages import Message, dumps
from dazi.inference.parse import OutputParser, calls_mode

LONGEST_LINE = 4 << 20


def request_body(request: GenerateRequest, model: str, *, qwen: bool) -> dict[str, Any]:
    """``qwen`` adds the fields that vLLM and SGLang pass on to Qwen3's chat template."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(m) for m in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
    }
    optional = {
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty or None,
        "stop": list(sampling.stop) or None,
    }
    body |= {k: v for k, v in optional.items() if v is not None}
    tools = [_tool(t) for t in request.tools if not t.closed]
    if tools and request.tool_choice != "none":
        body |= {"tools": tools, "tool_choice": request.tool_choice}
    if qwen:
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if request.prefix:
        body["messages"].append({"role": "assistant", "content": request.prefix})
        body |= {"add_generation_prompt": False, "continue_final_message": True}
    return body


def _tool(tool: OfferedTool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _message(message: Message) -> dict[str, Any]:
    out: dict[str, Any] = {"role": message.role, "content": message.content}
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


async def sse_data(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a server-sent event stream, read to its end (so that the connection can
    be used again).

    Raises ``ValueError`` for what is no such stream.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise ValueError("a line is too long")
        for line in lines:
            field, _, value = line.strip().partition(b":")
            if field != b"data":
                continue
            if value.strip() == b"[DONE]":
                continue
            data = json.loads(value)
            if isinstance(data, dict):
                yield data


class ChunkReader:
    """From the chunks of one streamed answer to events.

    Calls may come parsed by the server, or as ``<tool_call>`` text that it did not recognise.
    """

    def __init__(self, request: GenerateRequest) -> None:
        self.usage = Usage()
        self.reason: FinishReason | None = None
        self._parser = OutputParser(calls_mode(request))
        self._numbers: dict[tuple[str, int], int] = {}
        self._open: dict[int, tuple[str, str]] = {}

    def read(self, chunk: Mapping[str, Any]) -> list[EngineEvent]:
        if usage := chunk.get("usage"):
            details = usage.get("prompt_tokens_details") or {}
            self.usage = Usage(
                prompt=int(usage.get("prompt_tokens") or 0),
                completion=int(usage.get("completion_tokens") or 0),
                cached=int(details.get("cached_tokens") or 0),
            )
        events: list[EngineEvent] = []
        for choice in (chunk.get("choices") or [])[:1]:
            delta = choice.get("delta") or {}
            if thought := delta.get("reasoning_content") or delta.get("reasoning"):
                events.append(ReasoningDelta(str(thought)))
            if content := delta.get("content"):
                events += map(self._renumbered, self._parser.feed(str(content)))
            for call in delta.get("tool_calls") or []:
                events += self._call(call)
            if reason := choice.get("finish_reason"):
                self.reason = "length" if reason == "length" else "stop"
        return events

    def finish(self) -> list[EngineEvent]:
        events = [self._renumbered(e) for e in self._parser.finish()]
        events += [CallDone(n, name, text or "{}") for n, (name, text) in self._open.items()]
        if self._numbers and self.reason != "length":
            self.reason = "tool_calls"
        return events

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

    def _call(self, delta: Mapping[str, Any]) -> list[EngineEvent]:
        function = delta.get("function") or {}
        number = self._number("server", int(delta.get("index") or 0))
        events: list[EngineEvent] = []
        if number not in self._open:
            self._open[number] = (str(function.get("name") or ""), "")
            events.append(CallStarted(number, self._open[number][0]))
        arguments = function.get("arguments") or ""
        text = arguments if isinstance(arguments, str) else dumps(arguments)
        if text:
            name, before = self._open[number]
            self._open[number] = (name, before + text)
            events.append(CallArgumentsDelta(number, text))
        return events
