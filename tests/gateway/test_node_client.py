"""OpenAI's package for Node, unchanged: installed by npm into a temporary folder, from the lock file."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dazi.access.limits.limiter import Limiter
from dazi.access.limits.rules import LimitRule
from dazi.core.engine import Embedded
from tests.fakes.engine import PROMPT_TOKENS, Until, call
from tests.gateway.conftest import LIMITS, Site, open_site

HERE = Path(__file__).with_name("node")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package and the client in it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        line = "no Node here: install nodejs and npm to run the tests of its client"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(HERE / name, folder)
    line = "npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=0"
    try:
        subprocess.run(line.split(), cwd=folder, check=True, capture_output=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as e:
        pytest.skip(f"npm cannot fetch the package here: {(e.stderr or b'')[-200:]!r}")
    return folder


@dataclass
class Lengths:
    """Implements ``core.engine.Embedder``: a text's length, and one."""

    name: str = "fake-embedding"
    version: str = ""

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        return Embedded(tuple((float(len(t)), 1.0) for t in texts), 7)

    async def close(self) -> None:
        return None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> AsyncIterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dazi.main.runtime.make_embedder", lambda settings: Lengths())
        async with open_site(tmp_path_factory.mktemp("site") / "data", seeded, LIMITS) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def site(one: Site) -> Site:
    return await one.fresh()


async def run(node: Path, site: Site, scenario: str) -> Any:
    kept = {k: v for k, v in os.environ.items() if k.upper() not in PROXIES}
    line = ["node", "client.mjs", site.url, scenario]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *line, cwd=node, env=kept, stdout=pipe, stderr=pipe
    )
    out, told = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, told.decode()[-1500:]
    return json.loads(out)


async def test_chat(node: Path, site: Site) -> None:
    site.says(call("get_order_status", order_id="ORD12345"), "已打包。")
    made = await run(node, site, "chat")
    assert (made["content"], made["finish_reason"], made["calls"]) == ("已打包。", "stop", 1)
    assert made["usage"]["prompt_tokens"] == 2 * PROMPT_TOKENS


async def test_streams(node: Path, site: Site) -> None:
    site.says("您好!", "您好!")
    made = await run(node, site, "stream")
    assert made["content"] == "您好!" and made["usage"]["prompt_tokens"] == PROMPT_TOKENS
    assert await run(node, site, "helper") == {"content": "您好!"}


async def test_own_tools(node: Path, site: Site) -> None:
    site.says(call("lookup_coupon", code="A1"), "优惠券 A1 可以用。")
    made = await run(node, site, "tools")
    assert made["finish_reason"] == "tool_calls"
    assert made["called"] == {"name": "lookup_coupon", "arguments": '{"code": "A1"}'}
    assert made["content"] == "优惠券 A1 可以用。"
    assert await site.audit("call") == []


async def test_models_and_embeddings(node: Path, site: Site) -> None:
    assert await run(node, site, "models") == {
        "names": ["dazi", "fake-embedding"],
        "one": "dazi",
    }
    assert (await run(node, site, "embeddings"))["vectors"] == [[1, 1], [3, 1]]


async def test_errors_are_its_own(node: Path, site: Site) -> None:
    made = await run(node, site, "errors")
    assert (made["key"]["kind"], made["key"]["status"]) == ("AuthenticationError", 401)
    assert (made["model"]["kind"], made["model"]["code"]) == ("NotFoundError", "model_not_found")
    assert (made["empty"]["kind"], made["empty"]["status"]) == ("BadRequestError", 400)


async def test_a_limit_says_when_to_come_again(
    node: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = (LimitRule("user", requests_per_minute=1),)
    monkeypatch.setattr(site.runtime.service, "limiter", Limiter(rules))
    site.says("您好!")
    made = await run(node, site, "limit")
    assert (made["kind"], made["status"], made["code"]) == ("RateLimitError", 429, "rate_requests")
    assert int(made["after"]) >= 1


async def test_who_leaves_ends_the_answer(node: Path, site: Site) -> None:
    gate = asyncio.Event()
    before = site.engine.cancelled
    site.says(["您好。\n\n", Until(gate), "马上就来。"])
    made = await run(node, site, "abort")
    assert made["heard"].startswith("您好。")
    async with asyncio.timeout(30):
        while site.engine.cancelled == before:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
