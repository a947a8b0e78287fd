"""Callers: some that wait for their answer and some that leave."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bench.load import post
from bench.resilience.house import key
from bench.upstream import MODEL

GOVERNED = "dazi"
CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Question:
    """``model``: the governed assistant's name, or the model's own, which ``admin`` may ask."""

    said: str
    user: str = "admin"
    model: str = GOVERNED
    stream: bool = False
    max_tokens: int = 256
    request: str = ""
    thread: str = ""

    def bytes(self) -> bytes:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": self.said}],
            "max_tokens": self.max_tokens,
            "stream": self.stream,
        }
        headers = {"authorization": f"Bearer {key(self.user)}", "accept-language": "en"}
        if self.request:
            headers["x-request-id"] = self.request
        if self.thread:
            headers["x-dazi-thread"] = self.thread
        return post(CHAT, json.dumps(body, ensure_ascii=False).encode(), headers)


def raw(said: str, **more: Any) -> Question:
    """A question to the model itself."""
    return Question(said, model=MODEL, **more)


@dataclass(slots=True)
class Heard:
    """What came back. ``status`` 0: nothing, and ``failed`` says why. ``whole``: to the end."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    whole: bool = False
    failed: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200 and self.whole and not self.code

    @property
    def code(self) -> str:
        """Of the error, be it the answer or its last event."""
        text = self.body
        if b"data: " in text:
            events = [e[6:] for e in text.split(b"\n\n") if e.startswith(b"data: {")]
            text = next((e for e in reversed(events) if b'"error"' in e), b"")
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            return str(json.loads(text)["error"]["code"])
        return ""

    @property
    def document(self) -> dict[str, Any]:
        with suppress(ValueError):
            found = json.loads(self.body)
            if isinstance(found, dict):
                return found
        return {}


class Caller:
    """One connection, kept from question to question unless it breaks or is told to end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, question: Question, seconds: float = 30.0) -> Heard:
        heard = Heard()
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                await self.send(question)
                await self.hear(heard)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as e:
            heard.failed = type(e).__name__
            self.leave()
        heard.seconds = time.monotonic() - began
        return heard

    async def send(self, question: Question) -> None:
        await self.raw(question.bytes())

    async def raw(self, data: bytes) -> None:
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(data)
        await self._writer.drain()

    async def hear(self, heard: Heard) -> None:
        """Fill ``heard`` as it comes. Raises ``OSError`` or ``IncompleteReadError``."""
        reader = self._reader
        assert reader is not None
        head = await reader.readuntil(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").strip().split("\r\n")
        heard.status = int(first.split(" ")[1])
        pairs = (line.partition(":") for line in rest)
        heard.headers = {k.strip().lower(): v.strip() for k, _, v in pairs}
        if "content-length" in heard.headers:
            heard.body = await reader.readexactly(int(heard.headers["content-length"]))
        elif heard.headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readuntil(b"\r\n"), 16):
                heard.body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        heard.whole = True
        if heard.headers.get("connection") == "close":
            self.leave()

    async def piece(self) -> bytes:
        """Something of the answer, whatever it is."""
        assert self._reader is not None
        return await self._reader.read(65536)

    def close(self) -> None:
        """As a browser does, with a word of farewell."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    def leave(self) -> None:
        """Without one."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


async def ask(port: int, question: Question, seconds: float = 30.0) -> Heard:
    """On a connection of its own."""
    caller = Caller(port)
    try:
        return await caller.ask(question, seconds)
    finally:
        caller.leave()


async def get(port: int, path: str, seconds: float = 10.0) -> Heard:
    caller = Caller(port)
    heard = Heard()
    try:
        async with asyncio.timeout(seconds):
            await caller.raw(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
            await caller.hear(heard)
    except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as e:
        heard.failed = type(e).__name__
    finally:
        caller.leave()
    return heard
