"""A server that answers every request with a recording."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.inference.recordings.reading import Answer, recordings

PACKET = 977


@dataclass(slots=True)
class Replay:
    answer: Answer
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        if self.answer.status != 200:
            return web.Response(status=self.answer.status, body=self.answer.body)
        response = web.StreamResponse()
        await response.prepare(request)
        for i in range(0, len(self.answer.body), PACKET):
            await response.write(self.answer.body[i : i + PACKET])
        return response

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "dazi-mini"}]})


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Replay]:
    replay = Replay(answer)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", replay.complete)
    app.router.add_get("/v1/models", replay.models)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    replay.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield replay
    finally:
        await runner.cleanup()


def named(name: str) -> Answer:
    """The recording of that name, as ``file: name``."""
    return next(answer for answer, _ in recordings() if answer.name == name)
