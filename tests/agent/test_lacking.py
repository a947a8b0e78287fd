"""A tool that the model means and that lacks something: the person is asked, nothing is proposed."""

from __future__ import annotations

from dazi.core.engine import TaughtReply
from dazi.core.turn import CallProposed
from tests.agent.conftest import Start

TAUGHT = (TaughtReply("get_leave_balance", "", "查到了。"),)
SMALL = {"concise": True, "copies_text": True, "taught": TAUGHT}


async def test_the_person_is_asked_for_what_nothing_said_can_fill(house: Start) -> None:
    h = await house([[("update_order_note", {})]], **SMALL)
    said = await h.ask("agent", "给 ORD12345 加条备注")
    (offered,) = [t for t in h.engine.requests[0].tools if t.name == "update_order_note"]
    assert offered.lacking == ("note",)
    assert said.calls == [] and not any(isinstance(e, CallProposed) for e in said.events)
    assert said.end.answer == said.streamed == "请告诉我备注内容。"
    assert [kind for kind, _ in await h.audit()] == ["turn", "answer"]


async def test_everything_that_lacks_is_asked_for_at_once(house: Start) -> None:
    h = await house([[("get_order_status", {})]], **SMALL)
    assert (await h.ask("customer", "我的订单怎么还没到")).end.answer == "请告诉我订单号。"
    h = await house([[("book_room", {})]], **SMALL)
    said = await h.ask("staff", "book a room for me tomorrow")
    assert said.end.answer == "Please tell me the room and the start and the end."


async def test_what_does_not_lack_anything_is_done_first(house: Start) -> None:
    both = [("get_leave_balance", {"kind": "annual"}), ("send_email", {})]
    h = await house([both, "查到了。"], **SMALL)
    said = await h.ask("staff", "年假还剩几天,再给财务发封邮件")
    assert said.calls == [("get_leave_balance", {"kind": "annual"}, "ok")]
    assert said.end.answer.startswith("查到了。\n\n请告诉我收件")


async def test_a_model_that_words_things_itself_is_left_to_ask(house: Start) -> None:
    h = await house([[("get_order_status", {})], "请问订单号是多少?"])
    said = await h.ask("customer", "我的订单怎么还没到")
    assert [o for _, _, o in said.calls] == ["invalid"]
    assert said.end.answer == "请问订单号是多少?"


async def test_a_small_model_calls_each_tool_in_one_round_only(house: Start) -> None:
    h = await house([[("get_leave_balance", {"kind": "annual"})], "查到了。"], **SMALL)
    await h.ask("staff", "年假还剩几天")
    first, second = h.engine.requests
    assert not any(t.closed for t in first.tools)
    assert [t.name for t in second.tools] == [t.name for t in first.tools]
    assert all(t.closed for t in second.tools)
