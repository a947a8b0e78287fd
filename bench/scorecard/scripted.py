"""A script in the place of a model: what rules of a few lines come to, so that a model's score has something to
stand beside. It calls the offered tool of which most is written in the words of the message, with values that
the schema's patterns find in it; else it says that it cannot help. An OpenAI-compatible server on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

NAME = "scripted"
ENOUGH = 1
"""Pairs of characters or words that a message and what is written of a tool have to share."""
_WORD = re.compile(r"[a-z]{3,}|[\u3400-\u9fff]+")


def parts(text: str) -> set[str]:
    """Words of Latin letters, and pairs of neighbouring hanzi."""
    found: set[str] = set()
    for run in _WORD.findall(text.lower().replace("_", " ")):
        found |= {run} if run.isascii() else {run[i : i + 2] for i in range(len(run) - 1)}
    return found


def decided(body: Mapping[str, Any]) -> dict[str, Any]:
    """The assistant's message."""
    last = body["messages"][-1]
    tools = [t["function"] for t in body.get("tools") or ()]
    if last["role"] != "user" or not tools:
        return {"role": "assistant", "content": "好的。"}
    said = str(last["content"])
    scored = [(len(parts(said) & parts(json.dumps(t, ensure_ascii=False))), t) for t in tools]
    best, tool = max(scored, key=lambda pair: pair[0])
    if best < ENOUGH:
        return {"role": "assistant", "content": "这件事我帮不上忙。"}
    arguments = json.dumps(dict(values(said, tool["parameters"])), ensure_ascii=False)
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": tool["name"], "arguments": arguments},
    }
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def values(said: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a pattern or an enum of a parameter finds; a required text gets the message as it is."""
    required = schema.get("required") or ()
    for name, part in (schema.get("properties") or {}).items():
        pattern, enum = part.get("pattern"), part.get("enum")
        if pattern:
            found = re.search(pattern.strip("^$"), said)
            if found:
                yield name, found[0]
        elif enum:
            yield from ((name, e) for e in enum if str(e) in said)
        elif name in required and part.get("type") == "string":
            yield name, said


async def _chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    message = decided(body)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    # Characters stand for tokens: it has none, and nothing is charged for it.
    usage = {
        "prompt_tokens": len(json.dumps(body["messages"], ensure_ascii=False)),
        "completion_tokens": len(json.dumps(message, ensure_ascii=False)),
    }
    usage["total_tokens"] = sum(usage.values())
    head = {"id": "scripted", "created": 0, "model": NAME}
    if not body.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return web.json_response(
            {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        )
    for n, call in enumerate(message.get("tool_calls") or ()):
        call["index"] = n
    choices = [{"index": 0, "delta": message, "finish_reason": None}]
    ends = [{"index": 0, "delta": {}, "finish_reason": reason}]
    events = [{"choices": choices}, {"choices": ends}, {"choices": [], "usage": usage}]
    out = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await out.prepare(request)
    for event in events:
        data = json.dumps({**head, "object": "chat.completion.chunk", **event}, ensure_ascii=False)
        await out.write(f"data: {data}\n\n".encode())
    await out.write(b"data: [DONE]\n\n")
    return out


async def _models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": NAME, "object": "model"}]})


@asynccontextmanager
async def scripted() -> AsyncIterator[str]:
    """The URL at which it serves."""
    app = web.Application(client_max_size=64 << 20)
    app.add_routes([web.post("/v1/chat/completions", _chat), web.get("/v1/models", _models)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()
