"""A small HTTP/1.1 load generator: keep-alive connections, one request after another on each.

Loopback only; bounded in time and in requests. Every answer is checked for its status and its end.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from bench.upstream import LAST

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200"
_LAST = LAST.encode()
GRACE_SECONDS = 30.0


class BadAnswer(Exception):
    """A side did not answer as it should: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``each`` bounds the requests of one connection, ``seconds`` the time in which new ones are
    begun; connections begin evenly spread over ``spread`` seconds."""

    port: int
    request: bytes
    connections: int
    seconds: float
    each: int = 1_000_000
    spread: float = 0.0


@dataclass(slots=True)
class Outcome:
    """``latencies`` in seconds; ``seconds`` from the first request to the last answer."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{k}: {v}" for k, v in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, plan: Plan, outcome: Outcome) -> None:
        self._plan = plan
        self._outcome = outcome
        self._until = 0.0
        self._left = plan.each
        self._parts: list[bytes] = []
        self._size = 0
        self._whole = -1
        self._began = 0.0
        self._out: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(BadAnswer(f"connection lost: {exc}"))

    def begin(self, until: float) -> None:
        self._until = until
        self._next()

    def _next(self) -> None:
        assert self._out is not None
        if not self._left or time.perf_counter() >= self._until:
            self.done.set_result(None)
            self._out.close()
            return
        self._left -= 1
        self._parts, self._size, self._whole = [], 0, -1
        self._began = time.perf_counter()
        self._out.write(self._plan.request)

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._whole < 0:
            self._read_head()
        if self._whole > 0:
            complete = self._size >= self._whole
        else:
            complete = self._whole == 0 and b"".join(self._parts[-2:]).endswith(b"0\r\n\r\n")
        if complete:
            self._finish()

    def _read_head(self) -> None:
        """``_whole``: bytes of the whole answer, 0 for one in chunks, -1 while unknown."""
        head = b"".join(self._parts)
        self._parts = [head]
        end = head.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(head, 0, end)
        self._whole = end + 4 + int(length[1]) if length else 0

    def _finish(self) -> None:
        answer = b"".join(self._parts)
        if not answer.startswith(_OK) or _LAST not in answer:
            if not self.done.done():
                self.done.set_exception(BadAnswer(answer[:400].decode("utf-8", "replace")))
            if self._out is not None:
                self._out.close()
            return
        self._outcome.latencies.append(time.perf_counter() - self._began)
        self._next()


async def run(plan: Plan) -> Outcome:
    """Connects, then begins. Raises ``BadAnswer`` when any answer is not the upstream's."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(plan.seconds + GRACE_SECONDS):
        connections = [
            (
                await loop.create_connection(
                    lambda: _Connection(plan, outcome), "127.0.0.1", plan.port
                )
            )[1]
            for _ in range(plan.connections)
        ]
        began = time.perf_counter()
        until = began + plan.seconds
        for connection in connections:
            connection.begin(until)
            await asyncio.sleep(plan.spread / plan.connections)
        await asyncio.gather(*(connection.done for connection in connections))
    outcome.seconds = time.perf_counter() - began
    return outcome
