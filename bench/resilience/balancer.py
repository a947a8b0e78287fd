"""A small balancer: connections go in turn to the servers whose ``/readyz`` says yes.

It does what an operator's does and no more: it asks every ``EVERY_S``, sends new connections where
it is told yes, lets old ones be, and never repeats a request.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bench.resilience.client import get

EVERY_S = 0.2
PATIENCE_S = 5.0


@dataclass
class Balancer:
    """``nobody``: connections for which no server was ready; ``refused``: by one that had said it
    was; ``sent``: by port."""

    ports: Sequence[int]
    port: int = 0
    ready: set[int] = field(default_factory=set)
    nobody: int = 0
    refused: int = 0
    sent: Counter[int] = field(default_factory=Counter)
    _next: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Balancer]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        asking = asyncio.create_task(self._ask_on())
        try:
            yield self
        finally:
            asking.cancel()
            server.close()

    async def _ask_on(self) -> None:
        while True:
            found = await asyncio.gather(*(get(p, "/readyz", PATIENCE_S) for p in self.ports))
            self.ready = {p for p, h in zip(self.ports, found, strict=True) if h.status == 200}
            await asyncio.sleep(EVERY_S)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ready = sorted(self.ready)
        if not ready:
            self.nobody += 1
            writer.close()
            return
        self._next += 1
        port = ready[self._next % len(ready)]
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            self.refused += 1
            writer.close()
            return
        self.sent[port] += 1
        await asyncio.gather(_pump(reader, back), _pump(there, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()
