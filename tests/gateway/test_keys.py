"""API keys of accounts through the gateway: narrowed, and gone when they are revoked."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from dazi.access.keys import Draft, Made, Scope
from tests.fakes.engine import Pause, call
from tests.gateway.conftest import Answered, Site

PATH = "/v1/chat/completions"
STATUS = call("get_order_status", order_id="ORD12345")


async def made(site: Site, user: str, roles: set[str], **more: Any) -> Made:
    runtime = site.runtime
    by = runtime.access.people.principal(user, "web")
    scope = Scope(frozenset(roles), **{k: frozenset(v) for k, v in more.items()})
    return await runtime.access.keys.create(by, Draft("default", user, "test", scope, 1.0))


async def ask(site: Site, key: str, text: str, model: str = "dazi") -> Answered:
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    headers = {"Authorization": f"Bearer {key}"}
    return await site.request("POST", PATH, None, json=body, headers=headers)


async def test_a_key_speaks_for_its_owner(site: Site) -> None:
    key = await made(site, "customer", {"customer"})
    site.says(STATUS, "您的订单已打包。")
    answered = await ask(site, key.text, "ORD12345 到哪了")
    assert answered.status == 200 and answered.json["dazi"]["calls"][0]["outcome"] == "ok"
    (turn,) = await site.audit("turn")
    assert turn["user"] == "customer"
    for wrong in (key.text[:-1], key.text + "x", "dz_none_x", "dz__", "dz_"):
        assert (await ask(site, wrong, "你好")).status == 401


async def test_a_key_for_some_tools_has_no_others(site: Site) -> None:
    key = await made(site, "customer", {"customer"}, tools={"list_orders"})
    site.says(STATUS, "不能查。")
    answered = await ask(site, key.text, "ORD12345 到哪了")
    assert answered.json["dazi"]["calls"][0]["outcome"] == "unknown_tool"
    assert {t.name for r in site.engine.requests for t in r.tools} <= {"list_orders"}


async def test_a_key_for_some_models_has_no_others(site: Site) -> None:
    key = await made(site, "customer", {"customer"}, models={"another"})
    assert (await ask(site, key.text, "你好")).status == 404
    headers = {"Authorization": f"Bearer {key.text}"}
    listed = await site.request("GET", "/v1/models", None, headers=headers)
    assert listed.json["data"] == []


async def test_revoking_ends_a_live_stream(site: Site) -> None:
    key = await made(site, "customer", {"customer"})
    site.says(["你好。我先说一句。", Pause()])
    body = {"model": "dazi", "stream": True, "messages": [{"role": "user", "content": "你好"}]}
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {key.text}"}
        async with session.post(site.url + PATH, json=body, headers=headers) as response:
            assert b"assistant" in await response.content.readline()
            by = site.runtime.access.people.principal("customer", "web")
            await site.runtime.access.keys.revoke(by, key.key.id)
            rest = await asyncio.wait_for(response.content.read(), 30)
    assert b"[DONE]" not in rest
    for _ in range(100):
        if site.engine.running == 0:
            break
        await asyncio.sleep(0.01)
    assert site.engine.running == 0
    assert (await ask(site, key.text, "你好")).status == 401
