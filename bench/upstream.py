"""A fake model server: answers at once with made-up text, in OpenAI's form. Loopback only.

Run with the interpreter at hand: ``python bench/upstream.py [PORT]``; prints its port. What it answers
follows from the request alone:

- offered tools and no result yet: one call of ``CALL`` for the order that is asked about; with a
  result, an answer about that order;
- ``[paced]`` in the request: a stream of ``PACED_CHUNKS`` pieces, one each ``PACED_SECONDS``;
- ``"stream": true``: a stream of ``CHUNKS`` pieces in one write, else one JSON document.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from contextlib import suppress
from typing import Any, cast

import uvloop

CHUNKS = 16
PACED = "[paced]"
PACED_CHUNKS = 50
PACED_SECONDS = 0.025
LAST = "END-OF-ANSWER"
MODEL = "bench-model"
LIFETIME_SECONDS = 1800.0
"""Longer than any run; nobody needs it after."""
ORDER = "ORD12345"
CALL = {"name": "get_order_status", "arguments": f'{{"order_id": "{ORDER}"}}'}
ANSWER = f"您的订单 {ORDER} 已打包。"

_STREAM = re.compile(rb'"stream":\s*true')
_RESULT = re.compile(rb'"role":\s*"tool"')
_TOOLS = re.compile(rb'"tools":\s*\[')
_ORDER = re.compile(rb"ORD\d{5}")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_USAGE = {"prompt_tokens": 60, "completion_tokens": CHUNKS, "total_tokens": 60 + CHUNKS}
_HEAD = {"id": "chatcmpl-bench", "created": 1_700_000_000, "model": MODEL}


def _document(message: dict[str, Any], reason: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    body = json.dumps(
        {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _USAGE},
        ensure_ascii=False,
    ).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body), body,
    )  # fmt: skip


def _event(delta: dict[str, Any] | None, reason: str | None = None) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    chunk: dict[str, Any] = {**_HEAD, "object": "chat.completion.chunk", "choices": choices}
    if delta is None:
        chunk["usage"] = _USAGE
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _pieces(count: int) -> list[bytes]:
    words = ["您的", "订单", "已经", "打包"]
    texts = [words[i % len(words)] for i in range(count - 1)] + [LAST]
    return [_event({"content": text}) for text in texts]


_BEGIN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_ROLE = _event({"role": "assistant", "content": ""})
_STOP = _event({}, "stop") + _event(None) + b"data: [DONE]\n\n"
_END = b"0\r\n\r\n"
_CALLED = {"index": 0, "id": "call_0", "type": "function", "function": CALL}


def _stream(*events: bytes, reason: str = "stop") -> bytes:
    last = _event({}, reason) + _event(None) + b"data: [DONE]\n\n"
    return _BEGIN + _chunked(b"".join([_ROLE, *events, last])) + _END


CALL_STREAM = _stream(_event({"tool_calls": [_CALLED]}), reason="tool_calls")
CALL_JSON = _document({"content": None, "tool_calls": [_CALLED]}, "tool_calls")
ANSWER_STREAM = _stream(_event({"content": ANSWER}))
ANSWER_JSON = _document({"content": ANSWER}, "stop")
TEXT_STREAM = _stream(*_pieces(CHUNKS))
TEXT_JSON = _document({"content": "您的订单已经打包" * (CHUNKS // 4) + LAST}, "stop")
PACED_PIECES = _pieces(PACED_CHUNKS)
MODELS = json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode()
MODELS_JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(MODELS), MODELS,
)  # fmt: skip


def _about(request: bytes, answer: bytes) -> bytes:
    """``answer`` with the order that is asked about: as long as the one it was made with."""
    asked = _ORDER.search(request)
    return answer.replace(ORDER.encode(), asked[0]) if asked else answer


class Upstream(asyncio.Protocol):
    def __init__(self) -> None:
        self._held = b""
        self._out: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        self._out = None

    def data_received(self, data: bytes) -> None:
        self._held = self._held + data if self._held else data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._held, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._held) < whole:
                return
            request, self._held = self._held[:whole], self._held[whole:]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        assert self._out is not None
        stream = _STREAM.search(request) is not None
        if request.startswith(b"GET"):
            answer = MODELS_JSON
        elif _RESULT.search(request):
            answer = _about(request, ANSWER_STREAM if stream else ANSWER_JSON)
        elif _TOOLS.search(request):
            answer = _about(request, CALL_STREAM if stream else CALL_JSON)
        elif PACED.encode() in request:
            self._out.write(_BEGIN + _chunked(_ROLE))
            asyncio.get_running_loop().call_later(PACED_SECONDS, self._pace, 0)
            return
        else:
            answer = TEXT_STREAM if stream else TEXT_JSON
        self._out.write(answer)

    def _pace(self, number: int) -> None:
        if self._out is None:
            return
        self._out.write(_chunked(PACED_PIECES[number]))
        if number + 1 == PACED_CHUNKS:
            self._out.write(_chunked(_STOP) + _END)
        else:
            asyncio.get_running_loop().call_later(PACED_SECONDS, self._pace, number + 1)


async def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(server.serve_forever(), LIFETIME_SECONDS)


if __name__ == "__main__":
    uvloop.run(main())
