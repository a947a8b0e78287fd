"""The small routes."""

from __future__ import annotations

import pytest

from dazi.gateway.routes import ROUTES
from tests.gateway.conftest import Site


async def test_me(site: Site) -> None:
    me = (await site.request("GET", "/v1/dazi/me")).json
    assert (me["user"], me["name"], me["tenant"]) == ("customer", "林先生", "default")
    assert me["roles"] == [{"role": "customer", "name": "客户"}]
    assert me["models"] == ["dazi"] and "get_order_status" in me["tools"]
    assert "request_refund" not in me["tools"]
    english = {"Accept-Language": "en"}
    me = (await site.request("GET", "/v1/dazi/me", "finance", headers=english)).json
    assert me["name"] == "Zhao Xue" and {"role": "finance", "name": "finance"} in me["roles"]
    assert {r["role"] for r in me["roles"]} == {"finance", "employee"}


async def test_health_and_readiness(site: Site) -> None:
    assert (await site.request("GET", "/healthz", None)).json == {"status": "ok"}
    ready = await site.request("GET", "/readyz", None)
    assert ready.status == 200 and ready.json["status"] == "ready"
    site.parts["database"] = False
    failing = await site.request("GET", "/readyz", None)
    assert failing.status == 503
    assert failing.json == {"status": "not ready", "parts": {"model": True, "database": False}}
    assert (await site.request("HEAD", "/healthz", None)).status == 200


async def test_the_document_lists_every_route(site: Site) -> None:
    document = (await site.request("GET", "/openapi.json")).json
    listed = {(m.upper(), p) for p, methods in document["paths"].items() for m in methods}
    assert listed == {(s.method, s.path.replace(":path}", "}")) for s in ROUTES}
    chat = document["paths"]["/v1/chat/completions"]["post"]
    assert chat["security"] and set(chat["responses"]["200"]["content"]) == {
        "application/json",
        "text/event-stream",
    }
    assert document["paths"]["/healthz"]["get"]["security"] == []
    text = str(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text


async def test_every_answer_has_an_id_that_the_ledger_knows(site: Site) -> None:
    site.says("你好。")
    answered = await site.chat("你好", headers={"X-Request-Id": "abc-123"})
    assert answered.headers["X-Request-Id"] == "abc-123"
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    turn, *_ = await site.audit("turn")
    assert turn["from"]["request"] == "abc-123" and turn["from"]["address"] == "127.0.0.1"
    assert len(turn["from"]["key"]) == 16
    for odd in ("a b", "x" * 65, "<script>", ""):
        other = await site.request("GET", "/v1/models", headers={"X-Request-Id": odd})
        assert other.headers["X-Request-Id"] not in (odd, "abc-123")
    refused = await site.request("GET", "/v1/models", None)
    assert refused.status == 401 and refused.headers["X-Request-Id"]


@pytest.mark.parametrize(("user", "model"), [("customer", "dazi"), ("admin", "scripted-1")])
async def test_a_trace_goes_on_to_the_model_and_into_the_ledger(
    site: Site, user: str, model: str
) -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    site.says("你好。", "你好。")
    parent = {"traceparent": f"00-{trace}-{span}-01"}
    assert (await site.chat("你好", user, model=model, headers=parent)).status == 200
    sent = site.engine.requests[-1].trace
    assert sent.startswith(f"00-{trace}-") and sent.endswith("-01") and span not in sent
    turn, *_ = await site.audit("turn")
    assert turn["from"]["trace"] == sent
    await site.fresh()
    site.says("你好。")
    odd = {"traceparent": f"00-{trace}-{'0' * 16}-01"}
    assert (await site.chat("你好", user, model=model, headers=odd)).status == 200
    assert site.engine.requests[-1].trace == ""
    turn, *_ = await site.audit("turn")
    assert "trace" not in turn["from"]


async def test_facts_are_kept_changed_and_forgotten(site: Site) -> None:
    url = "/v1/dazi/memory/facts"
    made = (await site.request("POST", url, json={"text": "我的发票抬头是云杉"})).json
    assert made["state"] == "confirmed" and made["at"] > 0
    assert (await site.request("GET", url)).json["data"] == [made]
    assert (await site.request("GET", url, "finance")).json["data"] == []
    one = f"{url}/{made['id']}"
    for user, status in (("finance", 404), ("customer", 200)):
        answered = await site.request("PATCH", one, user, json={"text": "我的发票抬头是云杉商贸"})
        assert answered.status == status
    assert (await site.request("GET", url)).json["data"][0]["text"] == "我的发票抬头是云杉商贸"
    empty = await site.request("POST", url, json={"text": " "})
    assert empty.status == 400 and empty.error["code"] == "empty"
    for status in (200, 404):
        assert (await site.request("DELETE", one)).status == status


async def test_a_proposal_is_confirmed_over_http(site: Site) -> None:
    principal = site.runtime.directory.principal("customer", "api")
    await site.runtime.service.remembering.facts.propose(principal, ["我喜欢靠窗"], "t")
    url = "/v1/dazi/memory/facts"
    (proposed,) = (await site.request("GET", url)).json["data"]
    assert proposed["state"] == "proposed" and proposed["thread"] == "t"
    done = await site.request("PATCH", f"{url}/{proposed['id']}", json={"confirm": True})
    assert done.json["state"] == "confirmed"
