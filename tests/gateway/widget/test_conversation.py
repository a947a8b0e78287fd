"""What a visitor's page is told: answers that go on without it, words that wait, people who help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dazi.apps.desk.model import Act
from dazi.core.principal import Principal
from dazi.ops.experiments.plan import Arm, Plan, Step
from dazi.ops.prompts.model import Content
from tests.fakes.engine import Until, call
from tests.gateway.conftest import Site
from tests.gateway.widget.conftest import Page, secret, signed
from tests.waiting import until


async def test_a_reload_in_the_middle_loses_nothing(
    site: Site, page: Page, slow: asyncio.Event
) -> None:
    await page.begin()
    site.says(["您好。\n\n", Until(slow), "马上就来。"])
    taken = await page.say("到哪了?")
    first = await page.events(taken.json["stream"], taken.json["after"], until="delta")
    assert [e["type"] for e in first] == ["said", "delta"]  # and here the page is closed
    again = Page(site, page.origin)
    await again.begin(visitor=page.token)
    shown = await again.conversation()
    assert (shown["running"], shown["said"], shown["messages"]) == (True, "到哪了?", [])
    slow.set()
    events = await again.events(shown["stream"], shown["after"])
    assert "".join(e["text"] for e in events if e["type"] == "delta") == "您好。\n\n马上就来。"
    assert events[-1]["type"] == "done"
    after = await again.conversation()
    assert not after["running"]
    assert [m["text"] for m in after["messages"]] == ["到哪了?", "您好。\n\n马上就来。"]


async def test_a_broken_connection_hears_what_it_missed(
    site: Site, page: Page, slow: asyncio.Event
) -> None:
    await page.begin()
    site.says(["您好。\n\n", Until(slow), "马上就来。"])
    taken = await page.say("在吗")
    first = await page.events(taken.json["stream"], taken.json["after"], until="delta")
    slow.set()
    rest = await page.events(taken.json["stream"], first[-1]["n"])
    heard = [e["text"] for e in first + rest if e["type"] == "delta"]
    assert "".join(heard) == "您好。\n\n马上就来。"


async def test_an_answer_goes_on_when_nobody_listens(site: Site, page: Page) -> None:
    await page.begin()
    site.says("好了。")
    await page.say("做")
    widget = site.runtime.widget
    assert widget is not None
    thread = await widget.thread(
        widget.visitors.by_token(widget.sites["shop"], page.token).principal
    )
    assert thread.startswith("site_")
    await until(lambda: not any(t.running for t in widget.talks.all()))
    assert [m["text"] for m in (await page.conversation())["messages"]] == ["做", "好了。"]


async def test_the_same_message_sent_twice_is_one(
    site: Site, page: Page, slow: asyncio.Event
) -> None:
    await page.begin()
    site.says([Until(slow), "好。"])
    one = await page.say("一次", key="k1")
    two = await page.say("一次", key="k1")
    assert (one.status, two.status) == (202, 202) and one.json == two.json
    busy = await page.say("另一句", key="k2")
    assert (busy.status, busy.error["code"]) == (409, "thread_busy")
    slow.set()
    await page.hear(one)
    assert len(site.engine.requests) == 1


async def test_numbers_of_another_process_begin_anew(page: Page, site: Site) -> None:
    await page.begin()
    site.says("好。")
    await page.chat("在吗")
    assert [e["type"] for e in await page.events("feedfacefeed", 3)] == ["reset"]


async def test_stop_ends_the_answer(site: Site, page: Page, slow: asyncio.Event) -> None:
    await page.begin()
    site.says(["您好。\n\n", Until(slow), "马上就来。"])
    taken = await page.say("说说")
    await page.events(taken.json["stream"], taken.json["after"], until="delta")
    assert (await page.ask("POST", "/stop", {})).status == 200
    events = await page.hear(taken)
    assert next(e for e in events if e["type"] == "end")["reason"] == "stopped"
    assert site.engine.cancelled == 1
    site.says("好。")
    assert await page.chat("再来") == "好。"


async def test_what_cannot_begin_is_an_answer_with_a_status(site: Site, page: Page) -> None:
    await page.begin()
    assert (await page.say("  ")).status == 400
    long = await page.say("长" * 5001)
    assert (long.status, long.error["code"]) == (400, "message_too_long")
    assert not (await page.conversation())["running"]
    assert site.engine.requests == []


async def test_what_fails_later_is_told(site: Site, page: Page) -> None:
    await page.begin()
    site.says(["您好。\n\n", RuntimeError("a secret inside")])
    events = await page.hear(await page.say("说"))
    failed = next(e for e in events if e["type"] in ("error", "end"))
    assert "a secret inside" not in str(events)
    assert failed["type"] == "error" or failed["reason"] == "error"


async def test_a_new_conversation(site: Site, page: Page) -> None:
    await page.begin()
    site.says("一", "二")
    await page.chat("第一段")
    assert (await page.ask("DELETE", "/conversation")).status == 200
    assert (await page.conversation())["messages"] == []
    await page.chat("第二段")
    assert [m["text"] for m in (await page.conversation())["messages"]] == ["第二段", "二"]
    assert "第一段" not in str(site.engine.requests[-1].messages)


# --- confirmations --------------------------------------------------------------------------------


def as_finance(site: Site) -> None:
    """Visitors who may do something that is asked about first."""
    shop = site.runtime.visitors.sites["shop"]
    roles = site.runtime.company.roles["finance"]
    site.runtime.visitors.sites = {"shop": replace(shop, roles=roles)}


async def test_a_visitor_confirms_their_own(site: Site, page: Page) -> None:
    as_finance(site)
    await page.begin(signed(secret(site)))
    site.says(call("request_refund", order_id="ORD12345", amount=10, reason="漏发"), "已退款。")
    events = await page.hear(await page.say("给订单 ORD12345 退款 10 元,原因是漏发"))
    asked = next(e for e in events if e["type"] == "confirm")
    assert asked["approver"] == "" and ["原因", "漏发"] in asked["fields"]
    shown = await page.conversation()
    assert [w["ticket"] for w in shown["waiting"]] == [asked["ticket"]]
    done = await page.ask("POST", "/decision", {"ticket": asked["ticket"], "approve": True})
    events = await page.hear(done)
    assert next(e for e in events if e["type"] == "called")["outcome"] == "ok"
    assert (await page.conversation())["waiting"] == []
    again = await page.ask("POST", "/decision", {"ticket": asked["ticket"], "approve": True})
    assert again.status == 404


async def test_nobody_confirms_anothers(site: Site, page: Page, pages: Callable[[], Page]) -> None:
    as_finance(site)
    await page.begin(signed(secret(site)))
    site.says(call("request_refund", order_id="ORD12345", amount=10, reason="漏发"))
    events = await page.hear(await page.say("给订单 ORD12345 退款 10 元,原因是漏发"))
    ticket = next(e for e in events if e["type"] == "confirm")["ticket"]
    other = pages()
    await other.begin(signed(secret(site), sub="he"))
    answered = await other.ask("POST", "/decision", {"ticket": ticket, "approve": True})
    assert answered.status == 404
    assert len((await page.conversation())["waiting"]) == 1


async def test_somebody_else_approves_after_the_visitor_has_gone(site: Site, page: Page) -> None:
    """Also where this process never saw them: what the site said of them is kept."""
    as_finance(site)
    await page.begin(signed(secret(site)))
    site.says(call("request_refund", order_id="ORD12345", amount=60_000, reason="漏发"))
    events = await page.hear(await page.say("给订单 ORD12345 退款 60000 元,原因是漏发"))
    asked = next(e for e in events if e["type"] == "confirm")
    assert asked["approver"] == "经理"
    mine = await page.ask("POST", "/decision", {"ticket": asked["ticket"], "approve": True})
    assert mine.status == 404
    shown = await page.conversation()
    assert shown["watch"] and shown["waiting"][0]["approver"] == "经理"
    site.runtime.visitors._known.clear()
    listening = asyncio.create_task(page.events(shown["stream"], shown["after"], shown["mark"]))
    site.says("没有成功。")
    answered = await site.request(
        "POST", f"/v1/dazi/confirmations/{asked['ticket']}", "manager", json={"approve": True}
    )
    assert answered.status == 200
    assert (await asyncio.wait_for(listening, 90))[-1]["type"] == "changed"
    assert (await page.conversation())["waiting"] == []
    calls = [a for a in await site.audit("call") if a["tool"] == "request_refund"]
    assert calls[-1]["user"] == "site:shop:lin"


# --- people ---------------------------------------------------------------------------------------


async def by_desk(site: Site, ticket: str, act: Act, text: str = "") -> None:
    desk = site.runtime.desk
    assert desk is not None
    agent = site.runtime.access.people.principal("agent", "web")
    await desk.service.act(agent, ticket, act, desk.clock(), text)


async def test_to_a_person_and_back(site: Site, page: Page) -> None:
    await page.begin()
    site.says("您好!")
    await page.chat("你好")
    handed = await page.ask("POST", "/hand-over", {"text": "我要投诉"})
    standing = handed.json["desk"]
    assert standing["holder"] == "person" and handed.json["watch"]
    assert "您的话已转给" in await page.chat("包裹破了")
    assert len(site.engine.requests) == 1, "a person has it"
    shown = await page.conversation()
    listening = asyncio.create_task(page.events(shown["stream"], shown["after"], shown["mark"]))
    await by_desk(site, standing["ticket"], "reply", "很抱歉,我们马上补发。")
    assert (await asyncio.wait_for(listening, 90))[-1]["type"] == "changed"
    last = (await page.conversation())["messages"][-1]
    assert (last["who"], last["text"]) == ("person", "很抱歉,我们马上补发。")
    desk = site.runtime.desk
    assert desk is not None
    agent = site.runtime.access.people.principal("agent", "web")
    seen = await desk.service.view(agent, standing["ticket"], desk.clock())
    assert "包裹破了" in [e.text for e in seen.events]
    assert desk.names(seen.card.user, "zh").startswith("访客")
    await by_desk(site, standing["ticket"], "hand_back", "说清楚了")
    site.says("好的。")
    assert await page.chat("谢谢") == "好的。"
    assert (await page.conversation())["desk"]["holder"] == "assistant"


async def test_what_is_said_while_the_conversation_is_being_read_is_told_next(
    site: Site, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    await page.begin()
    handed = await page.ask("POST", "/hand-over", {})
    threads = site.runtime.service.threads
    read = threads.latest

    async def latest(thread: str, principal: Principal, most: int) -> Any:
        found = await read(thread, principal, most)
        if most > 1:
            monkeypatch.undo()
            await by_desk(site, handed.json["desk"]["ticket"], "reply", "马上补发。")
        return found

    monkeypatch.setattr(type(threads), "latest", lambda _, *given: latest(*given))
    shown = await page.conversation()
    assert "马上补发。" not in [m["text"] for m in shown["messages"]]
    heard = await page.events(shown["stream"], shown["after"], shown["mark"])
    assert heard[-1]["type"] == "changed"
    assert (await page.conversation())["messages"][-1]["text"] == "马上补发。"


async def test_a_model_cannot_pass_for_a_person(site: Site, page: Page) -> None:
    await page.begin()
    site.says("【人工客服】我是真人。")
    await page.chat("你是谁")
    assert (await page.conversation())["messages"][-1]["who"] == "assistant"


async def test_the_desk_answers_whom_this_process_never_saw(site: Site, page: Page) -> None:
    await page.begin(signed(secret(site)))
    handed = await page.ask("POST", "/hand-over", {})
    site.runtime.visitors._known.clear()
    await by_desk(site, handed.json["desk"]["ticket"], "reply", "在的。")
    assert (await page.conversation())["messages"][-1]["text"] == "在的。"


async def test_rating_of_a_person_and_of_the_assistant_alone(
    site: Site, page: Page, pages: Callable[[], Page]
) -> None:
    await page.begin()
    early = await page.ask("POST", "/rating", {"stars": 5})
    assert early.status == 400
    site.says("您好!", "好的。")
    await page.chat("退货要几天")
    rated = await page.ask("POST", "/rating", {"stars": 4, "comment": "快"})
    assert rated.status == 200 and not rated.json["desk"]["ratable"]
    assert rated.json["desk"]["state"] == "resolved"
    assert (await page.ask("POST", "/rating", {"stars": 1})).status == 400
    other = pages()
    await other.begin()
    ticket = (await other.ask("POST", "/hand-over", {})).json["desk"]["ticket"]
    assert (await other.ask("POST", "/rating", {"stars": 5})).status == 400
    await by_desk(site, ticket, "reply", "好了。")
    await by_desk(site, ticket, "resolve")
    assert (await other.conversation())["desk"]["ratable"]
    assert (await other.ask("POST", "/rating", {"stars": 9})).status == 400
    assert (await other.ask("POST", "/rating", {"stars": 5})).status == 200
    desk = site.runtime.desk
    assert desk is not None
    agent = site.runtime.access.people.principal("agent", "web")
    seen = await desk.service.view(agent, ticket, desk.clock())
    assert [r.stars for r in seen.ticket.ratings] == [5]


async def test_ratings_and_people_reach_what_is_tried_on_visitors(
    site: Site, page: Page, pages: Callable[[], Page]
) -> None:
    made, chen = site.runtime.experiments, Principal("chen", frozenset({"sysadmin"}))
    assert made is not None
    await made.service.prompts.add(chen, Content(zh="今天是{today}。"), "")
    arms, ramp = (Arm("now", 0), Arm("new", 1)), (Step(0, {"new": 0.5}),)
    plan = Plan(
        "tone", arms, ramp, metric="rating", metrics=("handed_over",), guardrails=(), window_hours=1
    )
    await made.service.create(chen, plan)
    await made.service.start(chen, "tone")
    site.says("您好!", "您好!")
    await page.begin()
    await page.chat("退货要几天")
    assert (await page.ask("POST", "/rating", {"stars": 4})).status == 200
    other = pages()
    await other.begin()
    await other.chat("退货要几天")
    assert (await other.ask("POST", "/hand-over", {})).status == 200
    await made.board.settle()
    subjects = await made.service.store.subjects("tone")
    assert [s.means.get("rating") for s in subjects] == [4.0, None]
    assert [s.means.get("handed_over") for s in subjects] == [None, 1.0]


async def test_what_is_too_long_files_nothing(site: Site, page: Page) -> None:
    await page.begin()
    site.says("您好!")
    await page.chat("退货要几天")
    long = "长" * 5_001
    assert (await page.ask("POST", "/hand-over", {"text": long})).error["code"] == "too_long"
    rated = await page.ask("POST", "/rating", {"stars": 4, "comment": long})
    assert rated.error["code"] == "too_long"
    assert (await page.conversation())["desk"]["ticket"] == ""


async def test_a_site_without_people(site: Site, page: Page) -> None:
    shop = site.runtime.visitors.sites["shop"]
    site.runtime.visitors.sites = {"shop": replace(shop, hand_over=False)}
    begun = await page.begin()
    assert begun.json["people"] is False
    assert (await page.ask("POST", "/hand-over", {})).status == 404
    site.says("这里没有人工。")
    assert await page.chat("转人工") == "这里没有人工。", "the desk does not take it"


async def test_the_ledger_says_where_from(site: Site, page: Page) -> None:
    await page.begin()
    site.says("您好!")
    await page.chat("你好")
    turns: list[dict[str, Any]] = [a for a in await site.audit() if a["user"].startswith("guest:")]
    assert turns and any(a.get("site") == "shop" for a in map(flat, turns)), turns


def flat(record: dict[str, Any]) -> dict[str, Any]:
    inner = [v for v in record.values() if isinstance(v, dict)]
    return {**record, **{k: v for d in inner for k, v in d.items()}}


async def test_a_decision_about_nothing_holds_no_place(site: Site, page: Page) -> None:
    """Else strangers could fill all places for conversations without saying a word."""
    await page.begin()
    wrong = await page.ask("POST", "/decision", {"ticket": "x" * 24, "approve": True})
    widget = site.runtime.widget
    assert wrong.status == 404 and widget is not None
    assert widget.talks.all() == []


async def test_a_visitor_says_what_an_answer_was_worth(
    site: Site, page: Page, pages: Callable[[], Page]
) -> None:
    await page.begin()
    site.says("请看门店的公告。")
    events = await page.hear(await page.say("你们几点关门?"))
    (end,) = [e for e in events if e["type"] == "end"]
    said = {"turn": end["turn"], "thumb": "down", "reason": "missing", "consent": True}
    assert (await page.ask("POST", "/feedback", said)).status == 200
    other = pages()
    await other.begin()
    assert (await other.ask("POST", "/feedback", said)).status == 404
    assert (await page.ask("POST", "/feedback", said | {"thumb": "sideways"})).status == 400
    assert site.runtime.learning is not None
    await site.runtime.learning.listening.settle()
    listed = (await site.request("GET", "/v1/dazi/feedback", "admin")).json["data"]
    assert [(e["thumb"], e["reason"], e["content"]["said"]) for e in listed] == [
        ("down", "missing", "你们几点关门?")
    ]
    (gap,) = (await site.request("GET", "/v1/dazi/knowledge/gaps", "admin")).json["data"]
    assert gap["examples"] == ["你们几点关门?"]
    assert (await page.ask("POST", "/feedback", said | {"thumb": "none"})).status == 200
    assert (await site.request("GET", "/v1/dazi/feedback", "admin")).json["data"] == []
