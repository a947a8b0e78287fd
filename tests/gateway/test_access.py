"""Who gets in: before a body is read, and on every route."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dazi.gateway.app import create_app
from dazi.gateway.public import PUBLIC
from dazi.gateway.routes import ROUTES
from dazi.gateway.state import GatewayState
from tests.gateway.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def site(shared: Site) -> Site:
    return await shared.fresh()


def make_app(site: Site) -> FastAPI:
    runtime = site.runtime

    async def ready() -> dict[str, bool]:
        return {}

    state = GatewayState(
        runtime.service, site.engine, runtime.company, runtime.directory, runtime.ledger,
        site.limits, ready,
    )  # fmt: skip
    return create_app(state)


def every_route(site: Site) -> list[tuple[str, str]]:
    routes: list[tuple[str, str]] = []
    for route in make_app(site).routes:
        assert isinstance(route, Route), f"{route} is of a kind this test cannot ask"
        routes += [(method, route.path) for method in sorted(route.methods or ("GET", "PUT"))]
    return routes


async def test_every_route_but_the_listed_ones_asks_for_a_key(site: Site) -> None:
    routes = every_route(site)
    assert {path for _, path in routes} >= PUBLIC and len(routes) > 30
    assert {s.path for s in ROUTES if s.entry == "public"} == PUBLIC
    for method, path in routes:
        url = re.sub(r"{\w+(:path)?}", "x", path)
        without = await site.request(method, url, user=None)
        if path in PUBLIC:
            assert without.status != 401, path
            continue
        if path.startswith("/v1/widget/"):  # pages of the company's sites only, and then a token
            assert without.status == 403, (method, path)
            assert method == "HEAD" or without.error["code"] == "origin", (method, path)
            continue
        assert without.status == 401, (method, path)
        assert without.headers["WWW-Authenticate"] == "Bearer"
        if method != "HEAD":
            assert without.error["code"] == "unauthenticated"
        wrong = await site.request(method, url, user="nobody")
        assert wrong.status == 401, (method, path)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer dazi-demo-customer"}, 200),
        ({"Authorization": "bearer  dazi-demo-customer "}, 200),
        ({"X-API-Key": "dazi-demo-customer"}, 200),
        ({"Authorization": "Bearer dazi-demo-customer", "X-API-Key": "dazi-demo-customer"}, 200),
        ({"Authorization": "Bearer dazi-demo-customer", "X-API-Key": "dazi-demo-admin"}, 401),
        ({"Authorization": "Bearer wrong", "X-API-Key": "dazi-demo-admin"}, 401),
        ({"Authorization": "Basic ZGF6aTpkYXpp"}, 401),
        ({"Authorization": "Basic ZGF6aTpkYXpp", "X-API-Key": "dazi-demo-admin"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "dazi-demo-customer"}, 401),
        ({"X-API-Key": ""}, 401),
        ({"X-API-Key": "dazi-demo-"}, 401),
        ({"X-API-Key": "dazi-demo-customer' OR '1'='1"}, 401),
        ({"X-API-Key": "é" * 20}, 401),
        ({"X-API-Key": "k" * 5000}, 401),
        ({}, 401),
    ],
)
async def test_keys(site: Site, headers: dict[str, str], status: int) -> None:
    answered = await site.request("GET", "/v1/dazi/me", user=None, headers=headers)
    assert answered.status == status
    if status == 200:
        assert answered.json["user"] == "customer"


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8000", 200), ("localhost", 200), ("[::1]:8000", 200), ("[::1]", 200),
     ("rebound.example", 401), ("rebound.example:8000", 401), ("127.0.0.1.evil.example", 401),
     ("evil.example:127.0.0.1", 401)],
)  # fmt: skip
async def test_demo_keys_answer_to_loopback_names_only(site: Site, host: str, status: int) -> None:
    answered = await site.request("GET", "/v1/dazi/me", headers={"Host": host})
    assert answered.status == status


async def test_both_headers_have_the_same_scope(site: Site) -> None:
    for headers in ({"Authorization": "Bearer dazi-demo-staff"}, {"X-API-Key": "dazi-demo-staff"}):
        mine = await site.request("GET", "/v1/models", user=None, headers=headers)
        assert [m["id"] for m in mine.json["data"]] == ["dazi"]


async def test_the_body_of_a_stranger_is_not_read(site: Site) -> None:
    """The answer comes although the body never does."""
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
        b"Authorization: Bearer wrong\r\n\r\n"
    )
    status = await asyncio.wait_for(reader.readline(), 5)
    assert b"401" in status
    writer.close()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("", "需要密钥"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "需要密钥"),
        ("en-US,en;q=0.9,zh;q=0.3", "a key is needed"),
        ("fr, en;q=0.2", "a key is needed"),
        ("fr", "需要密钥"),
        ("zh;q=0, en;q=0.1", "a key is needed"),
        ("en;q=x", "需要密钥"),
    ],
)
async def test_errors_are_in_the_callers_language(site: Site, language: str, text: str) -> None:
    headers = {"Accept-Language": language} if language else {}
    answered = await site.request("GET", "/v1/models", user=None, headers=headers)
    assert text in answered.error["message"]
    assert answered.error["type"] == "authentication_error"


async def test_unknown_routes_and_methods(site: Site) -> None:
    for path in ("/v1/nothing", "/nothing", "/v1/", "/", "/v1/models/"):
        unknown = await site.request("GET", path)
        assert unknown.status == 404, path
        assert unknown.error["code"] in ("unknown_route", "model_not_found")
    for path, allowed in (("/v1/dazi/confirmations/x", "POST"), ("/healthz", "GET, HEAD")):
        method = await site.request("DELETE", path)
        assert (method.status, method.error["code"]) == (405, "method_not_allowed")
        assert set(method.headers["Allow"].split(", ")) == set(allowed.split(", "))


async def test_pages_that_take_every_other_path_do_not_hide_the_api(site: Site) -> None:
    """As the console's do."""

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("a page")(scope, receive, send)

    app = make_app(site)
    app.mount("/", page)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/anything")).text == "a page"
        assert (await client.get("/v1/nothing")).status_code == 401
        headers = {"X-API-Key": "dazi-demo-customer"}
        unknown = await client.get("/v1/nothing", headers=headers)
        assert unknown.json()["error"]["code"] == "unknown_route"
        assert (await client.delete("/v1/models", headers=headers)).status_code == 405
