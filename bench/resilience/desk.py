"""A company's HTTP service that is well or not, and a stranger that answers at a server's port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

Answerer = Callable[[asyncio.Transport, bytes], None]
ROOM = json.dumps({"room": "B204"}).encode()


def room(out: asyncio.Transport, request: bytes) -> None:
    out.write(_document(200, ROOM))


def silence(out: asyncio.Transport, request: bytes) -> None:
    """Takes it and says nothing."""


def half(out: asyncio.Transport, request: bytes) -> None:
    out.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")


def garbage(out: asyncio.Transport, request: bytes) -> None:
    out.write(bytes(range(256)) * 16)
    out.close()


def no_json(out: asyncio.Transport, request: bytes) -> None:
    out.write(_document(200, b"<html>Welcome</html>"))


def other_json(out: asyncio.Transport, request: bytes) -> None:
    out.write(_document(200, b'[{"rooms": null}, 7]'))


def enormous(out: asyncio.Transport, request: bytes) -> None:
    out.write(_document(200, b'{"room": "' + b"x" * (8 << 20) + b'"}'))


def deep(out: asyncio.Transport, request: bytes) -> None:
    out.write(_document(200, b"[" * 200_000 + b"]" * 200_000))


def fails(out: asyncio.Transport, request: bytes) -> None:
    out.write(_document(500, b"Traceback (most recent call last): secret"))


def busy(out: asyncio.Transport, request: bytes) -> None:
    out.write(_document(503, b"busy"))


def drop(out: asyncio.Transport, request: bytes) -> None:
    out.abort()


def endless(out: asyncio.Transport, request: bytes) -> None:
    out.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
              b"transfer-encoding: chunked\r\n\r\n")  # fmt: skip
    loop = asyncio.get_running_loop()

    def more() -> None:
        if not out.is_closing():
            if out.get_write_buffer_size() < 1 << 18:
                out.write(b"400\r\n" + b" " * 1024 + b"\r\n")
            loop.call_later(0.002, more)

    more()


MOODS: dict[str, Answerer] = {
    "hung": silence,
    "hung in the middle": half,
    "garbage": garbage,
    "a web page": no_json,
    "other JSON": other_json,
    "enormous": enormous,
    "deeply nested": deep,
    "endless": endless,
    "500": fails,
    "503": busy,
    "reset": drop,
}


@dataclass
class Desk:
    """Answers every request on ``port`` as ``mood`` does."""

    mood: Answerer = room
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.Transport] = field(default_factory=set)

    async def come(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Line(self), "127.0.0.1", self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def go(self) -> None:
        if self._server is not None:
            self._server.close()
        for out in list(self._open):
            out.abort()
        await asyncio.sleep(0)


class _Line(asyncio.Protocol):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._held = b""
        self._out: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.Transport, transport)
        self._desk._open.add(self._out)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._out is not None:
            self._desk._open.discard(self._out)

    def data_received(self, data: bytes) -> None:
        self._held += data
        if b"\r\n\r\n" in self._held and self._out is not None:
            request, self._held = self._held, b""
            self._desk.mood(self._out, request)


def _document(status: int, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body
