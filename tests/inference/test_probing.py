"""A look at an only model server: what counts as down, and what does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from dazi.core.engine import GenerateRequest, Sampling
from dazi.core.messages import Message
from dazi.inference.probing import Probe
from dazi.inference.remote import RemoteEngine, RemoteOptions

ASK = GenerateRequest((Message("user", "hi"),), sampling=Sampling(max_tokens=4))
ANSWER = (
    'data: {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}\n\n'
    "data: [DONE]\n\n"
)


@dataclass
class Server:
    """``models``: the status of ``/models``; 0: it has died."""

    models: int = 200
    url: str = ""
    looked: int = 0
    runner: web.AppRunner = field(init=False)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/models", self.listed)
        app.router.add_post("/v1/chat/completions", self.answer)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        port = int(self.url.rsplit(":", 1)[1].split("/")[0]) if self.url else 0
        await web.TCPSite(self.runner, "127.0.0.1", port, reuse_address=True).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}/v1"

    async def listed(self, _: web.Request) -> web.Response:
        self.looked += 1
        return web.json_response({"data": [{"id": "m"}]}, status=self.models)

    async def answer(self, _: web.Request) -> web.Response:
        return web.Response(text=ANSWER, content_type="text/event-stream")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.runner.cleanup()


@pytest.fixture
async def engine(server: Server) -> AsyncIterator[RemoteEngine]:
    made = RemoteEngine(RemoteOptions(server.url, "m", connect_timeout_s=1))
    yield made
    await made.close()


async def test_one_that_is_killed_is_down_at_the_second_look_and_comes_back(
    server: Server, engine: RemoteEngine
) -> None:
    probe = Probe(engine, 1.0)
    assert engine.health.well is None
    assert not await probe.look() and engine.health.well
    await server.runner.cleanup()
    assert not await probe.look() and engine.health.well, "it may miss one"
    assert not await probe.look() and engine.health.well is False
    assert engine.health.trouble is not None
    assert engine.health.trouble.code == "model_unreachable"
    await server.start()
    assert await probe.look(), "it has come back"
    assert engine.health.well and engine.health.trouble is None
    assert not await probe.look(), "and that is news once"


@pytest.mark.parametrize("status", [401, 404, 405])
async def test_one_that_lists_no_models_is_there_if_it_answers(
    server: Server, engine: RemoteEngine, status: int
) -> None:
    server.models = status
    probe = Probe(engine, 1.0)
    for _ in range(3):
        await probe.look()
    assert engine.health.well and server.looked == 3
    await server.runner.cleanup()
    for _ in range(2):
        await probe.look()
    assert engine.health.well is False


async def test_one_whose_list_fails_is_down_unless_it_answers_people(
    server: Server, engine: RemoteEngine
) -> None:
    probe = Probe(engine, 1.0)
    await probe.look()
    server.models = 500
    for _ in range(3):
        async for _ in engine.generate(ASK):
            pass
        await probe.look()
    assert engine.health.well and engine.health.answered == 3
    for _ in range(2):
        await probe.look()
    assert engine.health.well is False
    server.models = 429
    assert await probe.look() and engine.health.well, "who is busy is there"
