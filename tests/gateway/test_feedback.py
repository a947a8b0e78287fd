"""Feedback and gaps over HTTP: one's own turns, the queue of reviewers."""

from __future__ import annotations

from typing import Any

from tests.fakes.engine import call
from tests.gateway.conftest import Answered, Site

ASKED = "ORD12345 到哪了?"


async def turn(site: Site, user: str = "customer", thread: str = "fb-thread") -> str:
    site.says(call("get_order_status", order_id="ORD12345"), "您的订单已打包,预计明天发出。")
    answered = await site.chat(ASKED, user, headers={"X-Dazi-Thread": thread})
    assert answered.status == 200, answered.body
    return str(answered.json["dazi"]["turn"])


async def give(site: Site, of: str, user: str = "customer", **body: Any) -> Answered:
    return await site.request("POST", f"/v1/dazi/turns/{of}/feedback", user, json=body)


async def test_feedback_is_given_reviewed_and_accepted(site: Site) -> None:
    of = await turn(site)
    given = await give(site, of, thumb="up", consent=True)
    assert given.json == {
        "turn": of, "thumb": "up", "reason": "", "consent": True, "state": "new",
    }  # fmt: skip
    listed = await site.request("GET", "/v1/dazi/feedback", "admin")
    (entry,) = listed.json["data"]
    assert entry["who"] == "" and "customer" not in str(entry["sample"]["source"])
    assert entry["content"]["said"] == ASKED and entry["usable"]
    url = f"/v1/dazi/feedback/{entry['id']}"
    for user in ("customer", "finance"):
        assert (await site.request("GET", "/v1/dazi/feedback", user)).status == 403
        assert (await site.request("POST", url, user, json={"act": "accept"})).status == 403
    assert (await site.request("POST", url, "admin", json={"act": "keep"})).status == 400
    done = await site.request("POST", url, "admin", json={"act": "accept"})
    assert done.json["state"] == "accepted" and done.json["decided_by"] == "admin"
    accepted = await site.request("GET", "/v1/dazi/feedback?state=accepted", "admin")
    assert [e["id"] for e in accepted.json["data"]] == [entry["id"]]
    assert (await site.request("GET", "/v1/dazi/feedback?state=x", "admin")).status == 400


async def test_only_of_ones_own_kept_turns(site: Site) -> None:
    of = await turn(site)
    nothing = await give(site, "turn_none", "customer2", thumb="up")
    foreign = await give(site, of, "customer2", thumb="up")
    assert nothing.status == foreign.status == 404
    assert nothing.json["error"]["message"] == foreign.json["error"]["message"]
    for body in ({"thumb": "sideways"}, {"thumb": "down", "reason": "because"}, {}):
        assert (await give(site, of, **body)).status == 400
    assert (await give(site, of, thumb="down", reason="wrong")).status == 200
    assert (await give(site, of, thumb="none")).json["state"] == ""
    assert (await site.request("GET", "/v1/dazi/feedback", "admin")).json["data"] == []


async def test_what_was_wrong_with_a_rejected_call(site: Site) -> None:
    site.says(call("request_refund", order_id="ORD12345", amount=10, reason="漏发"), "好的。")
    asked = await site.chat("给订单 ORD12345 退款 10 元,原因是漏发", "finance",
                            headers={"X-Dazi-Thread": "fb-refund"})  # fmt: skip
    ticket = asked.json["dazi"]["confirmation"]["ticket"]
    url = f"/v1/dazi/confirmations/{ticket}"
    wrong = {"approve": False, "arguments": {"colour": "red"}}
    refused = await site.request("POST", url, "finance", json=wrong)
    assert refused.status == 400 and "order_id" in refused.json["error"]["message"]
    right = {"order_id": "ORD12345", "amount": 5, "reason": "漏发"}
    body = {"approve": False, "reason": "金额不对", "arguments": right, "consent": True}
    assert (await site.request("POST", url, "finance", json=body)).status == 200
    assert site.runtime.learning is not None
    await site.runtime.learning.listening.settle()
    (entry,) = (await site.request("GET", "/v1/dazi/feedback?kind=call", "admin")).json["data"]
    assert entry["content"]["right"] == right and entry["content"]["comment"] == "金额不对"
    assert entry["sample"]["messages"][-1]["tool_calls"][0]["arguments"] == right


async def test_gaps_are_told_closed_and_opened_again(site: Site) -> None:
    of = await turn(site, "staff", "fb-gap")
    assert (await give(site, of, "staff", thumb="down", reason="missing")).status == 200
    assert site.runtime.learning is not None and site.runtime.documents is not None
    await site.runtime.learning.listening.settle()
    url = "/v1/dazi/knowledge/gaps"
    assert (await site.request("GET", url, "staff")).status == 403
    (gap,) = (await site.request("GET", url, "admin")).json["data"]
    assert gap["examples"] == [ASKED] and gap["whys"] == {"missing": 1} and gap["weeks"][-1] == 1
    assert gap["suggestion"]["title"] and gap["suggestion"]["ask"]
    who = site.runtime.access.people.principal("admin", "web")
    document = (await site.runtime.documents.library.readable(who))[0].id
    closing = f"{url}/{gap['id']}"
    assert (await site.request("POST", closing, "admin", json={"document": "none"})).status == 404
    closed = await site.request("POST", closing, "admin", json={"document": document})
    assert (closed.json["asked"], closed.json["document"]) == (1, document)
    assert (await site.request("POST", closing, "admin", json={})).json["asked"] == 1
    assert (await site.request("DELETE", f"{closing}/closing", "admin")).status == 200
    (gap,) = (await site.request("GET", url, "admin")).json["data"]
    assert gap["closed"] is None
