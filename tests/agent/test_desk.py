"""The assistant and the service desk: tickets it files, and conversations that a person has."""

from __future__ import annotations

from dazi.apps.desk.desk import Desk
from dazi.apps.desk.records import Wanted
from dazi.main.chores import tidy_at
from tests.agent.conftest import House, Start

SAID = "我的订单 ORD12345 屏幕碎了,提个工单"


def desk_of(h: House) -> Desk:
    assert h.runtime.desk is not None
    return h.runtime.desk


async def test_a_ticket_of_the_assistants_has_thread_customer_and_verified_order(
    house: Start,
) -> None:
    h = await house([[("create_ticket", {"title": SAID})], "已提交。"])
    said = await h.ask("customer", SAID + ",还有 ORD99999", "th")
    (record,) = said.end.calls
    desk = desk_of(h)
    view = await desk.service.view(
        h.runtime.directory.principal("agent", "web"), record.result["ticket_id"], desk.clock()
    )
    assert (view.card.user, view.card.thread) == ("customer", "th")
    assert view.ticket.orders == ("ORD12345",), "ORD99999 is nobody's"
    assert view.ticket.category == "damaged" and view.ticket.assignee == "agent"


async def test_another_customers_order_is_not_attached(house: Start) -> None:
    h = await house([[("create_ticket", {"title": SAID})], "已提交。"])
    said = await h.ask("customer2", SAID)
    (record,) = said.end.calls
    desk = desk_of(h)
    agent = h.runtime.directory.principal("agent", "web")
    view = await desk.service.view(agent, record.result["ticket_id"], desk.clock())
    assert view.ticket.orders == ()


async def test_while_a_person_has_the_conversation_the_model_says_nothing(house: Start) -> None:
    h = await house(["你好。", "我在。"])
    await h.ask("customer", "你好", "th")
    said = await h.ask("customer", "转人工", "th")
    assert "T00001" in said.end.answer
    asked = len(h.engine.requests)
    waits = await h.ask("customer", "屏幕碎了怎么办", "th")
    assert "T00001" in waits.end.answer and len(h.engine.requests) == asked
    desk = desk_of(h)
    agent = h.runtime.directory.principal("agent", "web")
    view = await desk.service.view(agent, "T00001", desk.clock())
    assert view.events[-1].text == "屏幕碎了怎么办"
    await desk.service.act(agent, "T00001", "reply", desk.clock(), "请发照片")
    customer = h.runtime.directory.principal("customer", "web")
    kept = await h.runtime.service.threads.load("th", customer)
    assert kept[-1].message.content.endswith("请发照片")
    await desk.service.act(agent, "T00001", "hand_back", desk.clock(), "已登记")
    again = await h.ask("customer", "好", "th")
    assert again.end.answer == "我在。"


async def test_only_the_customer_of_the_thread_is_held(house: Start) -> None:
    h = await house(["在。", "在。"])
    await h.ask("customer", "转人工", "th")
    assert (await h.ask("customer", "在吗", "other")).end.answer == "在。"
    assert (await h.ask("staff", "转人工", "staff")).end.answer == "在。", (
        "the desk is for customers"
    )


async def test_conversations_that_are_over_are_filed_as_the_assistants(house: Start) -> None:
    h = await house([[("get_order_status", {"order_id": "ORD12345"})], "已打包。", "好。"])
    await h.ask("customer", "订单 ORD12345 到哪了?", "th")
    await h.ask("staff", "你好", "staff")
    desk = desk_of(h)
    assert (await tidy_at(h.runtime, desk.clock())).collected == 0
    later = desk.clock() + 7_200
    assert (await tidy_at(h.runtime, later)).collected == 1
    assert (await tidy_at(h.runtime, later)).collected == 0
    supervisor = h.runtime.directory.principal("supervisor", "web")
    (card,) = await desk.service.find(supervisor, Wanted())
    view = await desk.service.view(supervisor, card.id, later)
    assert (view.ticket.category, view.ticket.state) == ("order_status", "resolved")
    assert view.ticket.orders == ("ORD12345",) and not view.ticket.handed_over


async def test_a_suggestion_says_of_each_sentence_where_it_is_from(house: Start) -> None:
    h = await house([[("create_ticket", {"title": SAID})], "已提交。"])
    await h.ask("customer", SAID, "th")
    desk = desk_of(h)
    agent = h.runtime.directory.principal("agent", "web")
    suggestion = await desk.suggest(agent, "T00001")
    kinds = {s.kind: s for s in suggestion.sentences}
    assert "ORD12345" in kinds["order"].source and kinds["order"].text
    assert kinds["canned"].source == "photos"
    view = await desk.service.view(agent, "T00001", desk.clock())
    assert not any(e.act == "reply" for e in view.events), "nothing is sent by itself"
