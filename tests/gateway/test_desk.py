"""The service desk over HTTP, as customers, agents and supervisors meet it."""

from __future__ import annotations

from typing import Any

from dazi.apps.desk.records import Wanted
from tests.gateway.conftest import Answered, Site

AS = {
    u: {"Authorization": f"Bearer dazi-demo-{u}"}
    for u in ("customer", "customer2", "agent", "supervisor", "staff")
}


async def call(site: Site, who: str, method: str, path: str, body: Any = None) -> Answered:
    return await site.request(method, path, None, headers=AS[who], json=body)


async def opened(site: Site, **more: Any) -> Any:
    body = {"title": "订单 ORD12345 屏幕碎了", "orders": ["ORD12345", "ORD55555"], **more}
    answered = await call(site, "customer", "POST", "/v1/dazi/tickets", body)
    assert answered.status == 200, answered.body
    return answered.json


async def test_a_tickets_whole_life(site: Site) -> None:
    new = await opened(site)
    id = new["ticket"]["id"]
    assert new["orders"] == ["ORD12345"], "the other is not the customer's"
    assert (new["ticket"]["category"] == "damaged" and "response" not in new) or not new["response"]
    queue = (await call(site, "agent", "GET", "/v1/dazi/tickets")).json["data"]
    assert [c["id"] for c in queue] == [id] and queue[0]["due"]
    for act, more in (
        ("reply", {"canned": "photos"}),
        ("ask_customer", {"text": "请发照片"}),
        ("resolve", {"text": "已补发"}),
    ):
        answered = await call(site, "agent", "POST", f"/v1/dazi/tickets/{id}", {"act": act, **more})
        assert answered.status == 200, answered.body
    assert answered.json["resolution"]["standing"] == "met"
    rated = await call(
        site, "customer", "POST", f"/v1/dazi/tickets/{id}", {"act": "rate", "stars": 5}
    )
    assert rated.json["ratings"][0]["stars"] == 5
    again = await call(
        site, "customer", "POST", f"/v1/dazi/tickets/{id}", {"act": "rate", "stars": 1}
    )
    assert again.status == 400 and "reopen" in again.body.decode()
    figures = (await call(site, "supervisor", "GET", "/v1/dazi/desk/statistics")).json
    assert figures["total"]["resolved"] == 1 and figures["total"]["rating"] == 5.0
    assert (await call(site, "agent", "GET", "/v1/dazi/desk/statistics")).status == 403


async def test_a_suggestion_has_sources_and_is_not_sent(site: Site) -> None:
    id = (await opened(site))["ticket"]["id"]
    answered = await call(site, "agent", "GET", f"/v1/dazi/tickets/{id}/suggestion")
    kinds = {s["kind"]: s["source"] for s in answered.json["sentences"]}
    assert kinds["order"] == "get_order_status(ORD12345)" and kinds["canned"] == "photos"
    events = (await call(site, "agent", "GET", f"/v1/dazi/tickets/{id}")).json["events"]
    assert "reply" not in [e["act"] for e in events]
    assert (await call(site, "customer", "GET", f"/v1/dazi/tickets/{id}/suggestion")).status == 403


async def test_others_tickets_are_none(site: Site) -> None:
    id = (await opened(site))["ticket"]["id"]
    for who in ("customer2", "staff"):
        assert (await call(site, who, "GET", f"/v1/dazi/tickets/{id}")).status == 404
        assert (await call(site, who, "GET", "/v1/dazi/tickets?state=all")).json["data"] == []


async def test_a_wrong_request_says_what_would_be_right(site: Site) -> None:
    id = (await opened(site))["ticket"]["id"]
    path = f"/v1/dazi/tickets/{id}"
    for method, where, body, said in (
        ("POST", path, {"act": "juggle"}, "hand_over"),
        ("POST", path, {"act": "close"}, "hand_over"),
        ("POST", "/v1/dazi/tickets", {"title": " "}, ""),
        ("POST", "/v1/dazi/tickets", {"title": "x", "priority": "urgent"}, ""),
        ("POST", "/v1/dazi/tickets", {"title": "x", "category": "juggling"}, "refund"),
        ("GET", "/v1/dazi/tickets?state=lost", None, "alive"),
        ("GET", "/v1/dazi/tickets?category=lost", None, "category"),
    ):
        answered = await call(site, "customer", method, where, body)
        assert answered.status == 400 and said in answered.body.decode(), (where, body)
    stolen = {"title": "x", "user": "customer2"}
    assert (await call(site, "customer", "POST", "/v1/dazi/tickets", stolen)).status == 403


async def test_an_agent_opens_one_for_a_customer_and_the_key_opens_it_once(site: Site) -> None:
    body = {"title": "电话里说要发票", "user": "customer2", "category": "invoice", "key": "call-1"}
    for _ in range(2):
        answered = await call(site, "agent", "POST", "/v1/dazi/tickets", body)
        assert answered.json["ticket"]["user"] == "customer2"
    desk = site.runtime.desk
    assert desk is not None
    agent = site.runtime.directory.principal("agent", "api")
    assert len(await desk.service.find(agent, Wanted())) == 1


async def test_what_a_message_wants(site: Site) -> None:
    answered = await call(
        site, "customer", "POST", "/v1/dazi/desk/intent", {"text": "我的快递到哪了"}
    )
    assert answered.json["intent"] == "order_status" and answered.json["sure"] > 0.5
