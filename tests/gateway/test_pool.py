"""Several model servers behind the gateway: their names, who answered, and how they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dazi.core.engine import ModelProfile
from dazi.core.errors import ConfigError, OperatorError
from dazi.gateway.pool import PoolView, pool_view
from dazi.guard.engine import Guard
from dazi.inference.pool.engine import PoolEngine, PoolParts
from dazi.inference.remote import RemoteEngine, RemoteOptions
from tests.fakes.engine import ScriptedEngine
from tests.gateway.conftest import LIMITS, Site, open_site
from tests.inference.pool.scripted import DOWN, Server, config

URL = "http://127.0.0.1:9/v1"
FILE = {
    "pool": {"failures": 1},
    "backends": {
        "gpu-1": {"url": URL, "model": "Qwen3-14B", "adapters": ["law"]},
        "gpu-2": {"url": URL, "model": "Qwen3-8B", "tier": 1},
    },
}


@pytest.fixture
async def pooled(tmp_path: Path, seeded: Path) -> AsyncIterator[tuple[Site, dict[str, Server]]]:
    servers: dict[str, Server] = {}

    def opened(name: str, spec: object, key: str) -> Server:
        servers[name] = Server(ModelProfile(spec.model, 32_768))  # type: ignore[attr-defined]
        return servers[name]

    engine = PoolEngine(config(FILE), PoolParts(opened, Guard()))  # type: ignore[arg-type]
    async with open_site(tmp_path / "data", seeded, LIMITS, engine) as site:
        yield site, servers


async def test_models_and_adapters_have_names_for_administrators(
    pooled: tuple[Site, dict[str, Server]],
) -> None:
    site, servers = pooled
    listed = (await site.request("GET", "/v1/models", "admin")).json
    assert [m["id"] for m in listed["data"]] == ["dazi", "Qwen3-14B", "law", "Qwen3-8B"]
    assert [m["id"] for m in (await site.request("GET", "/v1/models")).json["data"]] == ["dazi"]
    for name, backend in (("law", "gpu-1"), ("Qwen3-8B", "gpu-2"), ("Qwen3-14B", "gpu-1")):
        answered = await site.chat("你好", user="admin", model=name)
        assert answered.json["model"] == name
        assert answered.json["choices"][0]["message"]["content"] == "你好"
        assert answered.json["dazi"]["by"]["model"] == name
        assert len(servers[backend].asked) >= 1
        record = (await site.audit("answer"))[-1]
        assert record["by"] == backend
    assert servers["gpu-1"].asked[0].model == "law"
    refused = await site.chat("你好", user="admin", model="gpt-9")
    assert refused.status == 404


async def test_an_answer_of_a_lesser_model_is_marked_everywhere(
    pooled: tuple[Site, dict[str, Server]],
) -> None:
    site, servers = pooled
    servers["gpu-1"].fails = DOWN
    servers["gpu-2"].pieces = ("好的。",)
    governed = (await site.chat("你好")).json
    assert governed["dazi"]["by"] == {"model": "Qwen3-8B", "place": "private", "fallback": True}
    assert "Qwen3-8B" in governed["choices"][0]["message"]["content"]
    streamed = await site.chat("你好", user="admin", model="Qwen3-8B", stream=True)
    assert streamed.chunks[-2]["dazi"]["by"]["fallback"]
    routes = await site.audit("route")
    assert routes[0]["backend"] == "gpu-2" and routes[0]["tried"] == ["gpu-1"]
    assert routes[0]["user"] == "customer" and routes[0]["turn"].startswith("turn_")
    (raw,) = [r["turn"] for r in await site.audit("turn") if r.get("raw")]
    assert raw in [r["turn"] for r in routes], "what is chosen stands beside the use of the model"


async def test_how_they_are_is_for_administrators(
    pooled: tuple[Site, dict[str, Server]],
) -> None:
    site, servers = pooled
    servers["gpu-1"].fails = DOWN
    await site.chat("你好")
    assert (await site.request("GET", "/v1/dazi/pool")).status == 403
    found = (await site.request("GET", "/v1/dazi/pool", "admin")).json
    first, second = found["data"]
    assert (first["name"], first["state"], first["failed"], first["moved"]) == (
        "gpu-1",
        "resting",
        1,
        1,
    )
    assert first["rests_s"] > 0 and first["trouble"]
    assert second["state"] == "unknown" and second["served"] >= 1 and found["waiting"] == 0
    assert found["mistake"] == ""
    engine = site.runtime.engine
    assert isinstance(engine, PoolEngine)
    engine.mistake = ConfigError("models.yaml", 3, "写错了", "is wrong")
    found = (await site.request("GET", "/v1/dazi/pool", "admin")).json
    assert "models.yaml:3" in found["mistake"]


async def test_of_an_only_server_it_is_told_whether_it_is_there() -> None:
    engine = RemoteEngine(RemoteOptions(URL, "m"))
    assert pool_view(engine, "en").state == "unknown"
    engine.health.well, engine.health.trouble = (
        False,
        OperatorError("model_unreachable", "断", "gone"),
    )
    view = pool_view(engine, "en")
    assert (view.data, view.state, view.trouble) == ([], "down", "gone")
    engine.health.well, engine.health.trouble = True, None
    assert pool_view(engine, "en") == PoolView([], state="up")
    assert pool_view(ScriptedEngine(), "en") == PoolView([])
