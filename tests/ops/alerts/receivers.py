"""Receivers of alerts on loopback: a webhook, and a chat robot that keeps its maker's limit."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

A_MINUTE = 20


@dataclass(frozen=True)
class Got:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """``status`` and ``answer`` say how it is; ``limited``: it takes twenty a minute, as WeCom does."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"errcode": 0})
    limited: bool = False
    clock: Any = time.monotonic
    refused: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        body, now = await request.read(), self.clock()
        if self.limited and sum(now - g.at < 60 for g in self.got) >= A_MINUTE:
            self.refused += 1
            return web.json_response({"errcode": 45009, "errmsg": "api freq out of limit"})
        if self.status == 200:
            self.got.append(
                Got(request.path, dict(request.query), dict(request.headers), body, now)
            )
        return web.json_response(self.answer, status=self.status)


@asynccontextmanager
async def receiving(receiver: Receiver | None = None) -> AsyncIterator[Receiver]:
    made = receiver or Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    made.url = f"http://127.0.0.1:{port}"
    try:
        yield made
    finally:
        await runner.cleanup()


async def arrived(receiver: Receiver, many: int = 1) -> None:
    async with asyncio.timeout(10):
        while len(receiver.got) < many:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
