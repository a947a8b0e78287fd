"""Who comes in: from which pages, with which tokens, how often; and what of it stays theirs."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.engine import call
from tests.gateway.conftest import Site
from tests.gateway.widget.conftest import Page, secret, shop_origin, signed


async def test_a_stranger_talks_and_stays_the_same(site: Site, page: Page) -> None:
    begun = await page.begin()
    assert begun.status == 200
    assert begun.json["guest"] and begun.json["people"] and begun.json["label"].startswith("由 AI")
    site.says("您好!")
    assert await page.chat("你好") == "您好!"
    again = Page(site, page.origin)
    await again.begin(visitor=page.token)
    said = (await again.conversation())["messages"]
    assert [(m["who"], m["text"]) for m in said] == [("visitor", "你好"), ("assistant", "您好!")]


async def test_another_stranger_sees_nothing_of_it(site: Site, pages: Callable[[], Page]) -> None:
    one, other = pages(), pages()
    await one.begin()
    site.says("您好!")
    await one.chat("我的秘密")
    await other.begin()
    assert (await other.conversation())["messages"] == []


async def test_a_customer_of_the_site_asks_for_their_own_order(site: Site, page: Page) -> None:
    begun = await page.begin(signed(secret(site)))
    assert (begun.json["guest"], begun.json["name"]) == (False, "林先生")
    site.says(call("get_order_status", order_id="ORD12345"), "已打包。")
    events = await page.hear(await page.say("我的订单 ORD12345 到哪了?"))
    called = next(e for e in events if e["type"] == "called")
    assert called["outcome"] == "ok" and "订单" in called["name"]
    other = Page(site, page.origin)
    await other.begin(signed(secret(site), sub="he", attributes={"customer_id": "C10002"}))
    site.says(call("get_order_status", order_id="ORD12345"), "没有查到。")
    events = await other.hear(await other.say("我的订单 ORD12345 到哪了?"))
    assert next(e for e in events if e["type"] == "called")["outcome"] == "not_found"
    assert not any("result" in e or "arguments" in e for e in events)


async def test_a_stranger_gets_no_order_at_all(site: Site, page: Page) -> None:
    await page.begin()
    site.says(call("get_order_status", order_id="ORD12345"), "没有查到。")
    events = await page.hear(await page.say("订单 ORD12345 到哪了?"))
    assert next(e for e in events if e["type"] == "called")["outcome"] == "forbidden"


def unsigned(key: str, **claims: Any) -> str:
    """``alg: none``, with and without a signature."""
    _, body, signature = signed(key, **claims).split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    return f"{head}.{body}.{signature}"


NOW = int(time.time())
FORGED: dict[str, Callable[[str], str]] = {
    "none": unsigned,
    "none, empty": lambda key: unsigned(key).rpartition(".")[0] + ".",
    "other key": lambda key: signed("x" * 64),
    "other site": lambda key: signed(key, aud="another"),
    "two audiences": lambda key: signed(key, aud=["shop", "another"]),
    "no audience": lambda key: signed(key, aud=None),
    "expired": lambda key: signed(key, iat=NOW - 700, exp=NOW - 10),
    "a day": lambda key: signed(key, exp=NOW + 86_400),
    "no end": lambda key: signed(key, exp=None),
    "no beginning": lambda key: signed(key, iat=None),
    "from the future": lambda key: signed(key, iat=NOW + 600, exp=NOW + 900),
    "nobody": lambda key: signed(key, sub=""),
    "a number": lambda key: signed(key, sub=7),
    "undeclared attribute": lambda key: signed(key, attributes={"employee_id": "E1001"}),
    "a list in it": lambda key: signed(key, attributes={"customer_id": ["C10001"]}),
    "cut": lambda key: signed(key)[:-6],
    "nonsense": lambda key: "not.a.token",
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_token_opens_nothing(shared: Site, how: str) -> None:
    page = Page(shared, shop_origin(shared))
    assert (await page.begin(signed(secret(shared)))).status == 200, "the same, unforged"
    site, page.token = shared, ""
    answered = await page.begin(FORGED[how](secret(site)))
    assert answered.status == 401 and answered.error["code"] == "unauthenticated"
    assert page.token == ""


async def test_roles_are_never_the_tokens(site: Site, page: Page) -> None:
    begun = await page.begin(signed(secret(site), roles=["finance"], role="admin"))
    assert begun.status == 200
    site.says(call("request_refund", order_id="ORD12345", reason="漏发"), "不行。")
    events = await page.hear(await page.say("退款 ORD12345,漏发"))
    assert next(e for e in events if e["type"] == "called")["outcome"] == "forbidden"


# --- origins --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "foreign", ["https://evil.example", "null", "", "ORIGIN.evil.example", "ORIGIN/"]
)
async def test_pages_of_other_origins_get_nothing(site: Site, page: Page, foreign: str) -> None:
    assert (await page.begin()).status == 200
    page.origin = foreign.replace("ORIGIN", page.origin)
    for method, path in (("POST", "/begin"), ("GET", "/conversation"), ("OPTIONS", "/messages")):
        answered = await page.ask(method, path, {} if method == "POST" else None)
        assert answered.status == 403 and answered.error["code"] == "origin"
        assert "Access-Control-Allow-Origin" not in answered.headers
    meters = site.runtime.observer.meters
    assert meters.errors.total(code="origin") == 3
    route = "/v1/widget/{site}/messages"
    assert meters.requests.total(route=route, method="OPTIONS", status="403") == 1


async def test_visitors_are_counted_and_what_they_do(site: Site, page: Page) -> None:
    await page.begin()
    site.says("您好!")
    await page.chat("你好")
    await page.begin("not.a.token")
    await page.ask("OPTIONS", "/messages")
    meters = site.runtime.observer.meters
    came = {r: meters.visitors.total(site="shop", result=r) for r in ("guest", "signed", "refused")}
    assert came == {"guest": 1, "signed": 0, "refused": 1}
    assert meters.visitor_acts.values == {("shop", "message"): 1}
    assert meters.requests.total(method="OPTIONS", status="200") == 1


async def test_a_caller_that_is_no_page_gets_nothing(site: Site, page: Page) -> None:
    await page.begin()
    headers = {"Authorization": f"Bearer {page.token}"}
    answered = await site.request("GET", "/v1/widget/shop/conversation", None, headers=headers)
    assert (answered.status, answered.error["code"]) == (403, "origin")


async def test_a_preflight_names_the_origin_and_nothing_wider(page: Page) -> None:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answered = await page.ask("OPTIONS", "/messages", **asked)
    assert answered.status == 200
    assert answered.headers["Access-Control-Allow-Origin"] == page.origin
    assert answered.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert answered.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answered.headers


async def test_refusals_reach_the_sites_own_page(page: Page) -> None:
    answered = await page.ask("GET", "/conversation")
    assert answered.status == 401
    assert answered.headers["Access-Control-Allow-Origin"] == page.origin


# --- our own token --------------------------------------------------------------------------------


async def test_a_visitors_token_is_for_its_site_and_time(site: Site, page: Page) -> None:
    widget = site.runtime.widget
    assert widget is not None
    await page.begin()
    shop = widget.sites["shop"]
    site.runtime.visitors.sites = {"shop": shop, "other": replace(shop, name="other")}
    page.name = "other"
    assert (await page.ask("GET", "/conversation")).status == 401
    page.name = "shop"
    assert (await page.ask("GET", "/conversation")).status == 200
    other = "B" if page.token[8] == "A" else "A"
    changed = page.token[:8] + other + page.token[9:]
    for wrong in (page.token[:-2], changed, "dzv_", "dz_x_y"):
        answered = await page.ask("GET", "/conversation", Authorization=f"Bearer {wrong}")
        assert answered.status == 401, wrong
    widget.visitors.clock = lambda: time.time() + 13 * 3600
    assert (await page.ask("GET", "/conversation")).status == 401


async def test_a_visitors_token_is_no_key(site: Site, page: Page) -> None:
    await page.begin(signed(secret(site)))
    headers = {"Authorization": f"Bearer {page.token}"}
    for path in ("/v1/models", "/v1/dazi/me", "/v1/dazi/threads"):
        assert (await site.request("GET", path, None, headers=headers)).status == 401
    for key in ("dazi-demo-customer", "dazi-demo-admin"):
        page.token = key
        assert (await page.ask("GET", "/conversation")).status == 401


async def test_a_site_without_strangers_wants_a_token(site: Site, page: Page) -> None:
    await page.begin()
    shop = site.runtime.visitors.sites["shop"]
    site.runtime.visitors.sites = {"shop": replace(shop, guests=None)}
    assert (await page.ask("GET", "/conversation")).status == 401
    assert (await page.begin()).status == 401
    assert (await page.begin(signed(secret(site)))).status == 200


async def test_an_end_to_how_much_one_may_say(site: Site, pages: Callable[[], Page]) -> None:
    shop = site.runtime.visitors.sites["shop"]
    site.runtime.visitors.sites = {"shop": replace(shop, per_visitor=2, per_address=3)}
    one, other = pages(), pages()
    await one.begin()
    await other.begin()
    site.says("一", "二", "三", "四")
    for text in ("a", "b"):
        await one.chat(text)
    refused = await one.say("c")
    assert (refused.status, refused.error["code"]) == (429, "rate_requests")
    assert int(refused.headers["Retry-After"]) >= 1
    await other.chat("d")
    assert (await other.say("e")).status == 429, "the address has sent three"
    for _ in range(4):
        await pages().begin()
    assert (await pages().begin()).status == 429
