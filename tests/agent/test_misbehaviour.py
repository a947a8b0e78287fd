"""A model, a system or a caller that misbehaves: a clear message, and nothing lost."""

from __future__ import annotations

import asyncio

import pytest

from dazi.agent.asking import Ask
from dazi.core.errors import AccessError, CallerError, NotFound, OperatorError
from dazi.core.turn import TurnFinished
from tests.agent.conftest import Part, Start
from tests.fakes.engine import CutOff, Pause

STATUS = ("get_order_status", {"order_id": "ORD12345"})


async def test_an_invented_order_number_is_sent_back(house: Start) -> None:
    h = await house([[("get_order_status", {"order_id": "ORD99999"})], "请问您的订单号是多少?"])
    said = await h.ask("customer", "我的订单到哪了?")
    assert said.record.outcome == "ungrounded"
    assert said.end.answer == "请问您的订单号是多少?"
    assert "ORD99999" in h.engine.requests[1].messages[-1].content
    assert await h.audit("call") == []


async def test_the_assistants_own_words_are_no_evidence(house: Start) -> None:
    h = await house(
        [
            "您是想查订单吗?",
            [("get_order_status", {"order_id": "ORD12346"})],
            "请告诉我订单号。",
        ]
    )
    await h.ask("customer", "你好", "t")
    said = await h.ask("customer", "是的,就查你刚才说的那个", "t")
    assert said.record.outcome == "ungrounded"


INVENTED = ("get_order_status", {"order_id": "ORD12346"})


@pytest.mark.parametrize(
    "proposal",
    [INVENTED, ("get_order_status", {"order_id": "ORD12346", "more": 1}), ("see_ORD12346", {})],
    ids=["no source", "wrong shape", "no such tool"],
)
async def test_what_was_refused_is_no_source_later(house: Start, proposal: Part) -> None:
    """The refusal repeats the number that the model made up, and the thread keeps it."""
    h = await house([[proposal], "请告诉我订单号。", [INVENTED], "请告诉我订单号。"])
    await h.ask("customer", "我的订单到哪了?", "t")
    said = await h.ask("customer", "再看看", "t")
    assert said.record.outcome == "ungrounded"


async def test_nor_once_its_turn_has_been_condensed(house: Start) -> None:
    h = await house([[INVENTED], "请告诉我订单号。", *(["好的。"] * 30)])
    await h.ask("customer", "我的订单到哪了?", "t")
    for n in range(9):
        await h.ask("customer", f"先聊点别的,第{n}件", "t")
    await h.runtime.service.remembering.settle()
    h.script([INVENTED], "请告诉我订单号。")
    said = await h.ask("customer", "再看看我的订单", "t")
    assert said.record.outcome == "ungrounded"


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (("drop_tables", {}), "unknown_tool"),
        (("Get_Order_Status", {"order_id": "ORD12345"}), "unknown_tool"),
        (("get_order_status", {}), "invalid"),
        (("get_order_status", {"order_id": 12345}), "invalid"),
        (("get_order_status", {"order_id": "ORD12345", "customer_id": "C10002"}), "invalid"),
        (("get_order_status", "{not json"), "invalid"),
        (("get_order_status", "[1]"), "invalid"),
        (("get_order_status", '{"order_id": "' + "9" * 70_000 + '"}'), "invalid"),
    ],
)
async def test_bad_calls_are_refused_and_recorded(
    house: Start, call: tuple[str, object], outcome: str
) -> None:
    h = await house([[call], "请告诉我订单号。"])  # type: ignore[list-item]
    said = await h.ask("customer", "查一下 ORD12345")
    assert said.record.outcome == outcome
    assert [b["outcome"] for _, b in await h.audit("decision")] == [outcome]
    assert await h.audit("call") == []
    assert said.end.answer


async def test_a_tool_outside_the_offered_ones_is_unknown(house: Start) -> None:
    h = await house([[("get_weather", {"city": "上海"})], "好的。"])
    said = await h.ask("customer", "查一下", tool_choice="none")
    assert said.record.outcome == "unknown_tool"


async def test_an_invented_amount_is_made_again_then_replaced(house: Start) -> None:
    h = await house([[STATUS], "订单金额是5000元。", "金额5000元。"])
    said = await h.ask("customer", "ORD12345 多少钱")
    assert "5000" not in said.streamed and "5000" not in said.end.answer
    assert "299" in said.end.answer and "ORD12345" in said.end.answer
    assert said.end.replaced >= 1


async def test_a_second_try_may_mend_the_sentence(house: Start) -> None:
    h = await house([[STATUS], "您好。金额是5000元。", "金额是299元。"])
    said = await h.ask("customer", "ORD12345 多少钱")
    assert said.end.answer == "您好。金额是299元。"
    assert h.engine.requests[2].prefix == "您好。"
    ((_, end),) = await h.audit("answer")
    assert end["requests"] == len(h.engine.requests) == 3


async def test_a_model_that_never_stops_calling_meets_its_budget(house: Start) -> None:
    h = await house([[STATUS]] * 20, turn_rounds=3)
    said = await h.ask("customer", "ORD12345 到哪了")
    assert len(said.calls) == 3
    assert said.end.reason == "budget"
    assert "ORD12345" in said.end.answer


async def test_a_cut_off_answer_does_not_end_in_half_a_number(house: Start) -> None:
    h = await house([[STATUS], ["已打包。金额2", CutOff()]])
    said = await h.ask("customer", "ORD12345 到哪了")
    assert said.end.answer == "已打包。"


async def test_two_answers_at_once_in_one_thread(house: Start) -> None:
    h = await house([["一", Pause(0.2), "二"], "三"])
    principal = h.runtime.directory.principal("customer", "test")
    first = asyncio.create_task(_all(h.runtime.service.ask(Ask(principal, "t", "你好"))))
    await asyncio.sleep(0.05)
    with pytest.raises(CallerError) as caught:
        await _all(h.runtime.service.ask(Ask(principal, "t", "还在吗")))
    assert caught.value.code == "thread_busy"
    assert isinstance((await first)[-1], TurnFinished)
    # The thread is free again, and lost nothing of the first answer.
    await h.ask("customer", "继续", "t")
    assert [m.content for m in h.engine.requests[-1].messages[1:]] == ["你好", "一二", "继续"]


async def test_a_caller_that_leaves_stops_the_model_and_frees_the_thread(house: Start) -> None:
    h = await house([["一。", Pause(), "二。"], "好。"])
    principal = h.runtime.directory.principal("customer", "test")
    events = h.runtime.service.ask(Ask(principal, "t", "你好"))
    async for event in events:
        if type(event).__name__ == "AnswerDelta":
            break
    await events.aclose()  # type: ignore[attr-defined]
    assert h.engine.cancelled == 1
    assert (await h.ask("customer", "在吗", "t")).end.answer == "好。"


async def test_another_users_thread_looks_like_none(house: Start) -> None:
    h = await house(["你好。"])
    await h.ask("customer", "你好", "mine")
    with pytest.raises(NotFound):
        await h.ask("customer2", "你好", "mine")


async def test_empty_and_too_long_messages(house: Start) -> None:
    h = await house([], max_message_chars=50)
    with pytest.raises(CallerError, match="empty"):
        await h.ask("customer", "   ")
    with pytest.raises(CallerError) as caught:
        await h.ask("customer", "好" * 51)
    assert "51" in caught.value.message("zh") and "50" in caught.value.message("zh")


async def test_tickets_belong_to_one_person_and_one_use(house: Start) -> None:
    refund = ("request_refund", {"order_id": "ORD12345", "reason": "坏了"})
    h = await house([[refund], "已退款299元。"])
    asked = await h.ask("finance", "ORD12345 坏了,退款")
    with pytest.raises(NotFound):
        await h.decide("manager", asked.ticket)
    with pytest.raises(NotFound):
        await h.decide("finance", "no-such-ticket")
    await h.decide("finance", asked.ticket)
    with pytest.raises(CallerError) as caught:
        await h.decide("finance", asked.ticket)
    assert caught.value.code == "already_decided"
    assert len(await h.audit("outcome")) == 1


async def test_an_expired_ticket_is_refused(house: Start) -> None:
    refund = ("request_refund", {"order_id": "ORD12345", "reason": "坏了"})
    h = await house([[refund]], confirmation_seconds=0.01)
    principal = h.runtime.directory.principal("finance", "test")
    service = h.runtime.service
    h.runtime.router.tickets.lifetime_s = 30
    asked = await h.ask("finance", "ORD12345 坏了,退款")
    from sqlalchemy import update

    from dazi.router.tickets import tickets

    async with h.runtime.database.write() as connection:
        await connection.execute(update(tickets).values(expires=1.0))
    with pytest.raises(CallerError) as caught:
        await _all(service.decide(principal, asked.ticket, True))
    assert caught.value.code == "expired"


async def test_a_changed_ticket_does_not_run(house: Start) -> None:
    refund = ("request_refund", {"order_id": "ORD12345", "reason": "坏了"})
    h = await house([[refund]])
    asked = await h.ask("finance", "ORD12345 坏了,退款")
    from sqlalchemy import update

    from dazi.router.tickets import tickets

    async with h.runtime.database.write() as connection:
        changed = '{"order_id": "ORD12346", "reason": "坏了"}'
        await connection.execute(update(tickets).values(arguments=changed))
    done = await h.decide("finance", asked.ticket)
    assert done.record.outcome == "forbidden"
    assert await h.audit("call") == []


async def test_when_the_audit_is_down_writes_refuse_and_reads_go_on(house: Start) -> None:
    ticket = ("create_ticket", {"title": "打印机坏了"})
    h = await house([[ticket], "没有成功。", [STATUS], "已打包。"])
    sink = h.runtime.ledger._sink
    whole = sink.append

    async def broken(batch: object) -> None:
        raise OSError("disk full")

    sink.append = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(OperatorError):
        await h.ask("staff", "打印机坏了,报修")
    sink.append = whole  # type: ignore[method-assign]
    said = await h.ask("staff", "ORD12345 到哪了")
    assert said.record.outcome == "ok"
    assert [b["tool"] for _, b in await h.audit("call")] == ["get_order_status"]


async def test_an_unknown_user(house: Start) -> None:
    h = await house([])
    with pytest.raises(AccessError):
        await h.ask("mallory", "你好")


async def _all(events: object) -> list[object]:
    return [e async for e in events]  # type: ignore[attr-defined]


async def test_a_write_to_a_resting_system_is_not_begun_and_is_on_record(house: Start) -> None:
    h = await house([[("create_ticket", {"title": "打印机坏了"})], "没有成功。"])
    h.runtime.router._executor._care.resting = lambda _: True  # type: ignore[method-assign]
    said = await h.ask("staff", "打印机坏了,报修")
    assert said.record.outcome == "unavailable"
    assert await h.audit("call") == [] and await h.runtime.router._intents.unsettled() == []
    ((_, body),) = await h.audit("decision")
    assert (body["outcome"], body["reason"]) == ("unavailable", "the system rests")


async def test_a_turn_ends_in_time_whatever_the_model_does(house: Start) -> None:
    h = await house([["好的。请稍候。", Pause()]], turn_seconds=0.5)
    said = await asyncio.wait_for(h.ask("customer", "你好"), 10)
    assert said.end.reason == "budget"
    assert said.streamed.startswith("好的。") and said.end.answer != "好的。"
    assert h.engine.running == 0
    assert said.end.usage.prompt > 0
