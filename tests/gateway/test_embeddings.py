"""``/v1/embeddings`` with OpenAI's client, against a server that is good and then is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
from aiohttp import web

from dazi.guard.engine import Guard
from dazi.guard.rules import DEFAULTS, Action, Rules
from dazi.inference.embedding import EmbeddingOptions, RemoteEmbedder
from tests.gateway.conftest import Site, open_site

MODEL = "Qwen3-Embedding-0.6B"


@dataclass
class Server:
    url: str = ""
    status: int = 200
    answer: Any = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        data = [
            {"index": i, "embedding": [len(t) / 2, 0.25]}
            for i, t in reversed([*enumerate(body["input"])])
        ]
        answer = self.answer or {"data": data, "usage": {"prompt_tokens": 7}}
        return web.json_response(answer, status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_post("/v1/embeddings", made.embed)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    await runner.cleanup()


@pytest.fixture
async def site(
    server: Server, tmp_path: Any, seeded: Any, limits: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    embedder = RemoteEmbedder(EmbeddingOptions(server.url, MODEL, "k3y"))
    monkeypatch.setattr("dazi.main.runtime.make_embedder", lambda settings: embedder)
    async with open_site(tmp_path / "data", seeded, limits) as made:
        # The documents asked it once, for how long its vectors are.
        server.bodies.clear()
        server.keys.clear()
        yield made


async def test_openais_client_gets_its_vectors_in_order(site: Site, server: Server) -> None:
    client = site.openai()
    made = await client.embeddings.create(model=MODEL, input=["一", "三个字"])
    assert [v.embedding for v in made.data] == [[0.5, 0.25], [1.5, 0.25]]
    assert made.usage.prompt_tokens == 7 and made.model == MODEL
    assert server.bodies == [
        {"model": MODEL, "input": ["一", "三个字"], "encoding_format": "float"}
    ]
    assert server.keys == ["Bearer k3y"]
    plain = await client.embeddings.create(model=MODEL, input="一", encoding_format="float")
    assert plain.data[0].embedding == [0.5, 0.25]
    listed = await client.models.list()
    assert MODEL in [m.id for m in listed.data]
    turn, *_ = await site.audit("turn")
    assert (turn["embeddings"], turn["characters"], turn["model"]) == (2, 4, MODEL)
    answer, *_ = await site.audit("answer")
    assert answer["tokens"] == [7, 0]


async def test_questions_have_their_instruction(server: Server) -> None:
    embedder = RemoteEmbedder(EmbeddingOptions(server.url, MODEL, question="find: "))
    await embedder.embed(["退货"], asked=True)
    await embedder.embed(["退货"])
    await embedder.close()
    assert [b["input"] for b in server.bodies] == [["find: 退货"], ["退货"]]


@pytest.mark.parametrize("action", ["mask", "pseudonymise", "block"])
async def test_the_guard_looks_before_it_goes_on(
    site: Site, server: Server, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    guard = Guard(Rules({**DEFAULTS, "input": {"mobile": action}}))
    monkeypatch.setattr(site.runtime.service.agent, "guard", guard)
    body = {"model": MODEL, "input": ["电话 13812345678"]}
    answered = await site.request("POST", "/v1/embeddings", json=body)
    assert answered.status == (400 if action == "block" else 200)
    assert len(server.bodies) == (action != "block") and "13812345678" not in str(server.bodies)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ["a"] * 257}, "input"),
        ({"input": ["a", " "]}, "input[1]"),
        ({"input": [1, 2]}, "input[0]"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format"),
        ({"input": "a", "dimensions": 8}, "dimensions"),
    ],
)
async def test_what_cannot_be_is_named(site: Site, body: dict[str, Any], param: str) -> None:
    refused = await site.request("POST", "/v1/embeddings", json={"model": MODEL, **body})
    assert refused.status == 400 and refused.error["param"] == param


@pytest.mark.parametrize(
    ("status", "answer", "seen"),
    [
        (500, {"error": "secret inside"}, 503),
        (429, {}, 503),
        (400, {"error": "too long"}, 400),
        (200, {"data": []}, 503),
        (200, {"data": [{"index": 0, "embedding": []}]}, 503),
        (200, {"data": [{"index": 3, "embedding": [1.0]}]}, 503),
        (200, {"nothing": 1}, 503),
    ],
)
async def test_a_server_that_fails_is_told_of(
    site: Site, server: Server, status: int, answer: Any, seen: int
) -> None:
    server.status, server.answer = status, answer
    failed = await site.request("POST", "/v1/embeddings", json={"model": MODEL, "input": "一"})
    assert failed.status == seen and b"secret inside" not in failed.body


async def test_without_one_it_says_what_to_set(tmp_path: Any, seeded: Any, limits: Any) -> None:
    async with open_site(tmp_path / "data", seeded, limits) as site:
        with pytest.raises(openai.NotFoundError, match="DAZI_EMBEDDING_URL"):
            await site.openai().embeddings.create(model=MODEL, input="a")
