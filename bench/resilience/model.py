"""A model server that misbehaves as it is told, and writes down what becomes of each request.

It runs in the harness's own loop. What it answers when well follows from the request: ``[call NAME
{...}]`` in the last message makes it call that tool if it is offered, a tool's result or anything
else gets an answer; ``[slow]`` gets a stream of ``pieces``, one each ``SLOW_SECONDS``.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from bench.upstream import MODEL

SLOW_PIECES = 400
SLOW_SECONDS = 0.05
ANSWER = "好的。"
_CALL = re.compile(r"\[call (\w+) (\{.*?\})\]")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_HEAD = {"id": "chatcmpl-fake", "created": 1_700_000_000, "model": MODEL}
_USAGE = {"prompt_tokens": 50, "completion_tokens": 5, "total_tokens": 55}
BEGIN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


@dataclass(slots=True)
class Seen:
    """One request. ``closed``: when its connection ended, if that was before its answer did;
    ``sent``: pieces of the answer that went out. Times are of ``time.monotonic``."""

    body: dict[str, Any]
    at: float
    sent: int = 0
    answered: bool = False
    closed: float | None = None

    @property
    def said(self) -> str:
        return _last(self.body)


Mood = Callable[["Connection", Seen], None]


@dataclass
class Model:
    """``mood`` answers the requests; ``delay_s`` is how long a well one thinks, and ``slots`` how
    many it works on at the same time (0: any number)."""

    mood: Mood = field(default=lambda c, seen: c.well(seen))
    delay_s: float = 0.0
    slots: int = 0
    pieces: int = SLOW_PIECES
    seen: list[Seen] = field(default_factory=list)
    connections: set[Connection] = field(default_factory=set)
    keeps: bool = True
    """Whether ``seen`` is kept; a load would fill memory with it."""
    asked: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _slots: asyncio.Semaphore | None = None

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[Model]:
        self._slots = asyncio.Semaphore(self.slots) if self.slots else None
        self.port = port
        await self.come()
        try:
            yield self
        finally:
            self.go()

    async def come(self) -> None:
        """Listen, where one has listened before if one has."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def go(self) -> None:
        """Stop listening, and end every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.drop()

    def about(self, mark: str) -> list[Seen]:
        """The requests whose last message holds ``mark``."""
        return [s for s in self.seen if mark in s.said]


class Connection(asyncio.Protocol):
    def __init__(self, model: Model) -> None:
        self.model = model
        self.out: asyncio.Transport | None = None
        self._held = b""
        self._now: Seen | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.out = cast(asyncio.Transport, transport)
        self.model.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.out = None
        self.model.connections.discard(self)
        for task in self._tasks:
            task.cancel()
        if self._now is not None and not self._now.answered:
            self._now.closed = time.monotonic()

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._held, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._held) < whole:
                return
            request, self._held = self._held[:whole], self._held[whole:]
            if request.startswith(b"GET /v1/models"):
                self.document({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
                continue
            body = _body(request, end + 4)
            seen = self._now = Seen(body, time.monotonic())
            self.model.asked += 1
            if self.model.keeps:
                self.model.seen.append(seen)
            if seen.body.get("max_tokens") == 1:  # a server that starts warms its prompts
                self.well(seen)
            else:
                self.model.mood(self, seen)

    # What an answer may be made of.

    def write(self, data: bytes) -> None:
        if self.out is not None:
            self.out.write(data)

    def drop(self) -> None:
        """End the connection with a reset."""
        if self.out is not None:
            self.out.abort()

    def finished(self) -> None:
        if self._now is not None:
            self._now.answered = True

    def document(self, body: Any, status: str = "200 OK", extra: str = "") -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{extra}"
        self.write(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data)
        self.finished()

    def later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def well(self, seen: Seen) -> None:
        if "[slow]" in seen.said:
            self.later(self._slowly(seen))
        elif self.model.delay_s or self.model._slots:
            self.later(self._after_a_while(seen))
        else:
            self._answer(seen)

    async def _after_a_while(self, seen: Seen) -> None:
        if self.model._slots is None:
            await asyncio.sleep(self.model.delay_s)
        else:
            async with self.model._slots:
                await asyncio.sleep(self.model.delay_s)
        self._answer(seen)

    def _answer(self, seen: Seen) -> None:
        delta, reason = _reply(seen.body)
        if seen.body.get("stream"):
            events = event(delta) + event({}, reason) + usage() + b"data: [DONE]\n\n"
            self.write(BEGIN + chunk(events) + END)
            self.finished()
            return
        for n, call in enumerate(delta.get("tool_calls", ())):
            call["index"] = n
        message = {"role": "assistant", "content": None, **delta}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        self.document({**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _USAGE})

    async def _slowly(self, seen: Seen) -> None:
        streams = bool(seen.body.get("stream"))
        if streams:
            self.write(BEGIN)
        for _ in range(self.model.pieces):
            await asyncio.sleep(SLOW_SECONDS)
            if streams:
                self.write(chunk(event({"content": ANSWER})))
            seen.sent += 1
        if streams:
            self.write(chunk(event({}, "stop") + usage() + b"data: [DONE]\n\n") + END)
            self.finished()
        else:
            self._answer(seen)


def event(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    body = {**_HEAD, "object": "chat.completion.chunk", "choices": [choice]}
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


def usage() -> bytes:
    body = {**_HEAD, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _body(request: bytes, end: int) -> dict[str, Any]:
    """What was asked; of a request without a body, its target."""
    if request.startswith(b"GET "):
        return {"target": request.split(b" ", 2)[1].decode("latin-1")}
    found: dict[str, Any] = json.loads(request[end:])
    return found


def _last(body: dict[str, Any]) -> str:
    said = [m for m in body.get("messages", ()) if m.get("role") == "user"]
    return str(said[-1].get("content", "")) if said else ""


def _reply(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The delta of a well answer, and why it ends."""
    messages = body.get("messages", ())
    offered = {t["function"]["name"] for t in body.get("tools", ())}
    wanted = _CALL.search(_last(body))
    if wanted and wanted[1] in offered and messages[-1].get("role") == "user":
        with suppress(ValueError):
            json.loads(wanted[2])
            function = {"name": wanted[1], "arguments": wanted[2]}
            call = {"index": 0, "id": "call_0", "type": "function", "function": function}
            return {"tool_calls": [call]}, "tool_calls"
    return {"content": ANSWER}, "stop"
