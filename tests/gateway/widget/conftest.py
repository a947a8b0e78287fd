"""A visitor of the demo shop, as a page there talks to the gateway."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.gateway.conftest import Answered, Site


@dataclass
class Page:
    """A page of ``origin`` with the chat of ``name`` on it."""

    site: Site
    origin: str
    name: str = "shop"
    token: str = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        sent = {"Origin": self.origin} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        return await self.site.request(
            method, f"/v1/widget/{self.name}{path}", None, json=body, headers=sent | headers
        )

    async def begin(self, token: str = "", visitor: str = "") -> Answered:
        answered = await self.ask("POST", "/begin", {"token": token, "visitor": visitor})
        if answered.status == 200:
            self.token = answered.json["token"]
        return answered

    async def say(self, text: str, **more: Any) -> Answered:
        return await self.ask("POST", "/messages", {"text": text} | more)

    async def conversation(self) -> Any:
        answered = await self.ask("GET", "/conversation")
        assert answered.status == 200, answered.body
        return answered.json

    async def hear(self, taken: Answered, until: str = "") -> list[dict[str, Any]]:
        """Events from where ``taken`` says, to the end of the stream or the first ``until``."""
        assert taken.status == 202, taken.body
        return await self.events(taken.json["stream"], taken.json["after"], until=until)

    async def events(
        self, stream: str, after: int, mark: str = "", until: str = ""
    ) -> list[dict[str, Any]]:
        headers = {"Origin": self.origin, "Authorization": f"Bearer {self.token}"}
        url = f"{self.site.url}/v1/widget/{self.name}/events"
        query = {"stream": stream, "after": str(after), "mark": mark}
        out: list[dict[str, Any]] = []
        async with (
            asyncio.timeout(90),
            aiohttp.ClientSession() as session,
            session.get(url, params=query, headers=headers) as response,
        ):
            assert response.status == 200, await response.text()
            number = 0
            async for line in response.content:
                if line.startswith(b"id: "):
                    number = int(line[4:])
                if line.startswith(b"data: "):
                    out.append(json.loads(line[6:]) | {"n": number})
                    if out[-1]["type"] == until:
                        break
        return out

    async def chat(self, text: str) -> str:
        """What is answered to ``text``."""
        events = await self.hear(await self.say(text))
        return next(str(e["answer"]) for e in events if e["type"] == "end")


def secret(site: Site) -> str:
    runtime = site.runtime
    data = runtime.settings.data_folder(runtime.company.folder)
    return (data / "shop.secret").read_text("utf-8").strip()


def signed(key: str, **claims: Any) -> str:
    """As the shop's server makes them; a claim of ``None`` is left out."""
    now = int(time.time())
    told = {
        "aud": "shop", "sub": "lin", "name": "林先生", "iat": now, "exp": now + 600,
        "attributes": {"customer_id": "C10001"},
    } | claims  # fmt: skip
    kept = {k: v for k, v in told.items() if v is not None}
    return jwt.encode({"alg": "HS256"}, kept, OctKey.import_key(key), algorithms=["HS256"])


def shop_origin(site: Site) -> str:
    """Of the demo shop's page, on the port that was chosen."""
    assert site.runtime.widget is not None
    (found,) = site.runtime.widget.sites["shop"].origins
    return found


@pytest.fixture
def origin(site: Site) -> str:
    return shop_origin(site)


@pytest.fixture
def page(site: Site, origin: str) -> Page:
    return Page(site, origin)


@pytest.fixture
def pages(site: Site, origin: str) -> Callable[[], Page]:
    return lambda: Page(site, origin)


@pytest.fixture
async def slow(site: Site) -> AsyncIterator[asyncio.Event]:
    """For replies that wait; set at the end, whatever happened."""
    event = asyncio.Event()
    yield event
    event.set()
