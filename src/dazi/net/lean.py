"""A client for one server and many streamed answers, with as little work a request as can be.

HTTP/1.1 over kept connections: a request is one write, an answer is what the parser of nodejs
(llhttp, by ``httptools``) makes of the bytes. Nothing is followed, decompressed or remembered.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

import httptools
from yarl import URL

from dazi.net.rules import Origin, Rule
from dazi.net.sockets import connect_soon

BUFFERED = 1 << 20
"""Bytes of an answer that wait for their reader before the server has to."""
HEADER_BYTES = 64 << 10
IDLE = 256
"""Connections that are kept for later."""


class Broken(OSError):
    """The connection ended, or what came was no HTTP."""


class Answer:
    """One answer. ``close`` it when done with it: unread, that ends the connection and so tells
    the server to stop."""

    __slots__ = ("_connection", "headers", "status")

    def __init__(self, connection: _Connection, status: int, headers: Mapping[str, str]) -> None:
        self._connection: _Connection | None = connection
        self.status = status
        self.headers = headers

    async def some(self) -> bytes:
        """What has come since; empty at the end. Raises ``Broken`` or ``TimeoutError``."""
        connection = self._connection
        return b"" if connection is None else await connection.some()

    async def whole(self, limit: int) -> bytes:
        """All of it. Raises ``Broken`` where it is longer than ``limit`` bytes."""
        body = bytearray()
        while piece := await self.some():
            body += piece
            if len(body) > limit:
                raise Broken(f"more than {limit} bytes")
        return bytes(body)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.done()


class LeanClient:
    """``base``: the server; the path of a request is added to that of ``base``.

    ``idle_s`` bounds the wait for the first and for each further piece of an answer.
    """

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str] | None = None,
        *,
        connect_s: float = 5.0,
        idle_s: float = 120.0,
    ) -> None:
        self._rule = Rule.to(base)
        url = self._rule.check_url(base)
        self._origin = Origin.of(url)
        self._connect_s = connect_s
        self.idle_s = idle_s
        self._tls = ssl.create_default_context() if url.scheme == "https" else None
        self._idle: deque[_Connection] = deque()
        self._busy: set[_Connection] = set()
        self._path = url.raw_path.rstrip("/")
        self._head = _head(url, headers or {})

    async def request(
        self, method: str, path: str, body: bytes = b"", lines: bytes = b""
    ) -> Answer:
        """Send it and wait for the answer's head. ``lines``: more headers, each ended by CRLF, of
        nothing that comes from outside unchecked. Raises ``EgressForbidden``, ``Broken``,
        ``TimeoutError`` or another ``OSError``."""
        head = f"{method} {self._path}{path} HTTP/1.1\r\n".encode("ascii")
        data = b"%b%b%bcontent-length: %d\r\n\r\n%b" % (
            head, self._head, lines, len(body), body,
        )  # fmt: skip
        fresh = False
        while True:
            kept = self._idle.pop() if self._idle and not fresh else None
            connection = kept or await self._connected()
            self._busy.add(connection)
            try:
                return await connection.ask(data)
            except Broken:
                # A kept connection that the server had given up: nothing has been answered on it,
                # so nothing was begun. A new one is no such thing, and what fails on it has failed.
                connection.abort()
                if kept is None or connection.heard:
                    raise
                fresh = True  # or each kept one would carry the request to a server that drops it
            except BaseException:
                connection.abort()
                raise

    async def close(self) -> None:
        for connection in (*self._idle, *self._busy):
            connection.abort()
        self._idle.clear()
        self._busy.clear()

    def put_back(self, connection: _Connection, *, usable: bool) -> None:
        self._busy.discard(connection)
        if usable and len(self._idle) < IDLE:
            self._idle.append(connection)
        else:
            connection.abort()

    def gone(self, connection: _Connection) -> None:
        self._busy.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    async def _connected(self) -> _Connection:
        origin = self._origin
        made = await connect_soon(self._rule, origin.host, origin.port, self._connect_s)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_s):
                _, protocol = await loop.create_connection(
                    lambda: _Connection(self),
                    sock=made,
                    ssl=self._tls,
                    server_hostname=origin.host if self._tls else None,
                )
        except BaseException:
            made.close()
            raise
        return protocol


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, client: LeanClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late = 0.0
        self._failed: Exception | None = None
        self._paused = False
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._head_done = self._complete = self._kept = self.heard = False

    # What the reader does.

    async def ask(self, data: bytes) -> Answer:
        self._begin()
        transport = self._transport
        if transport is None or transport.is_closing():
            raise Broken("the connection is closed")
        transport.write(data)
        while not self._head_done:
            await self._more()
        return Answer(self, self._parser.get_status_code(), self._headers)

    async def some(self) -> bytes:
        while not self._pieces and not self._complete:
            await self._more()
        pieces, self._pieces, self._size = self._pieces, [], 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def done(self) -> None:
        self._client.put_back(self, usable=self._kept and self._failed is None)

    def abort(self) -> None:
        self._client.gone(self)
        if self._transport is not None:
            self._transport.abort()

    async def _more(self) -> None:
        """Wait until something happens. Raises ``Broken`` or ``TimeoutError``."""
        if self._failed is not None:
            raise self._failed
        self._late = self._loop.time() + self._client.idle_s
        if self._timer is None:
            self._timer = self._loop.call_at(self._late, self._look)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._late = 0.0
        if self._failed is not None and not self._pieces and not self._complete:
            raise self._failed

    def _look(self) -> None:
        """One timer for all waits of a connection: it looks again where there is time left."""
        self._timer = None
        if not self._late:
            return
        if self._loop.time() < self._late:
            self._timer = self._loop.call_at(self._late, self._look)
            return
        self._failed = TimeoutError(f"nothing came for {self._client.idle_s} s")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the transport does.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._failed = Broken("the server wants another protocol")
        except (httptools.HttpParserError, httptools.HttpParserCallbackError) as e:
            self._failed = Broken(f"no HTTP answer: {e}")
        self._wake()
        if self._failed is not None and self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head_done and not self._complete and self._until_closed():
            self._complete = True
        if self._failed is None:
            self._failed = Broken(str(exc) if exc else "the server closed the connection")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._transport = None
        self._client.gone(self)
        self._wake()

    def _until_closed(self) -> bool:
        """An answer of neither length nor pieces ends with its connection (RFC 9112, 6.3)."""
        return "content-length" not in self._headers and "transfer-encoding" not in self._headers

    # What the parser does.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_BYTES:
            raise ValueError("the headers are too long")
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self._head_done = True
        else:
            self._headers = {}

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._size += len(body)
        if self._size > BUFFERED and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._head_done:
            self._complete = True
            self._kept = self._parser.should_keep_alive()  # it tells the truth only here


def _head(url: URL, headers: Mapping[str, str]) -> bytes:
    """The lines that all requests share. Raises ``ValueError`` for what is no header."""
    default = {"http": 80, "https": 443}[url.scheme]
    host = url.raw_host or ""
    host = f"[{host}]" if ":" in host else host
    lines: dict[str, Any] = {
        "host": host if url.port == default else f"{host}:{url.port}",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        **headers,
    }
    if any(c in f"{name}{value}" for name, value in lines.items() for c in "\r\n\0"):
        raise ValueError("a header of two lines")
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")
