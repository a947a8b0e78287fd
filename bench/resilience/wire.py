"""A caller with as little work a request as can be, so that the load costs less than the answers."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from typing import cast

from bench.resilience.client import Heard

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n0\r\n\r\n"


class Wire(asyncio.Protocol):
    """One kept connection. ``ask`` sends bytes that were made before and waits for the end of what
    comes back; the body is kept only where the status is not 200."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._out: asyncio.Transport | None = None
        self._got: list[bytes] = []
        self._size = 0
        self._whole = 0
        self._done: asyncio.Future[None] | None = None

    async def ask(self, request: bytes, seconds: float = 30.0) -> Heard:
        heard = Heard()
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        try:
            async with asyncio.timeout(seconds):
                if self._out is None:
                    await loop.create_connection(lambda: self, "127.0.0.1", self._port)
                assert self._out is not None
                self._got, self._size, self._whole = [], 0, 0
                self._done = loop.create_future()
                self._out.write(request)
                await self._done
        except (TimeoutError, OSError) as e:
            heard.failed = type(e).__name__
            self.leave()
        else:
            self._read(heard)
        heard.seconds = time.perf_counter() - began
        return heard

    def last(self) -> bytes:
        """What came back last, as it came."""
        return b"".join(self._got)

    def leave(self) -> None:
        if self._out is not None:
            self._out.abort()
        self._out = None

    def _read(self, heard: Heard) -> None:
        data = b"".join(self._got)
        heard.status = int(data[9:12])
        heard.whole = True
        if heard.status != 200:
            head, _, heard.body = data.partition(b"\r\n\r\n")
            fields = (line.partition(b": ") for line in head.lower().split(b"\r\n")[1:])
            heard.headers = {k.decode("latin-1"): v.decode("latin-1") for k, _, v in fields}
        elif b'"error"' in data:
            heard.body = data.partition(b"\r\n\r\n")[2]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._out = None
        if self._done is not None and not self._done.done():
            self._done.set_exception(ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        self._got.append(data)
        self._size += len(data)
        if not self._whole:
            so_far = b"".join(self._got)
            end = so_far.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(so_far, 0, end)
            self._whole = end + 4 + int(length[1]) if length else -1
        complete = (
            self._size >= self._whole
            if self._whole > 0
            else b"".join(self._got[-2:]).endswith(_END)
        )
        if complete and self._done is not None:
            with suppress(asyncio.InvalidStateError):
                self._done.set_result(None)
