"""Whole turns over the demo company's real systems: what happens, what is said, what is recorded."""

from __future__ import annotations

from dazi.core.turn import (
    Attachment,
    CallFinished,
    CallProposed,
    ConfirmationNeeded,
    TurnFinished,
    TurnStarted,
)
from tests.agent.conftest import Start


async def test_flagship(house: Start) -> None:
    h = await house(
        [[("get_order_status", {"order_id": "ORD12345"})], "您的订单已打包,预计明天发出。"]
    )
    said = await h.ask("customer", "我三天前下的订单 ORD12345 还没发货,怎么回事?")
    assert said.calls == [("get_order_status", {"order_id": "ORD12345"}, "ok")]
    assert said.end.answer == "您的订单已打包,预计明天发出。" == said.streamed
    assert said.record.result["expected_ship_date"] == "2025-04-04"
    assert said.record.result["ordered"] == "3天前"
    kinds = [type(e) for e in said.events]
    assert kinds[0] is TurnStarted and kinds[-1] is TurnFinished
    assert kinds.index(CallProposed) < kinds.index(CallFinished)
    rows = await h.audit()
    assert [kind for kind, _ in rows] == ["turn", "call", "outcome", "answer"]
    assert rows[1][1]["arguments"] == {"order_id": "ORD12345"}
    assert rows[1][1]["policy"] == "roles:get_order_status:customer"
    assert "sources" not in rows[1][1]  # all of it is the person's own
    assert rows[2][1]["outcome"] == "ok"
    assert rows[3][1]["answer"] == said.end.answer


async def test_an_order_that_is_not_yours_looks_like_none(house: Start) -> None:
    script = [[("get_order_status", {"order_id": "ORD12345"})], "没有查到这个订单。"]
    h = await house(script * 2)
    theirs = await h.ask("customer2", "ORD12345 到哪了")
    none = await h.ask("customer2", "ORD12345 到哪了")
    assert theirs.record.outcome == none.record.outcome == "not_found"
    assert theirs.record.result is None
    assert "299" not in theirs.end.answer


async def test_a_customer_without_an_identity_sees_nothing(house: Start) -> None:
    from types import MappingProxyType

    from dazi.agent.asking import Ask
    from dazi.core.principal import Principal

    h = await house([[("list_orders", {})], "没有权限。"])
    nobody = Principal("nobody", frozenset({"customer"}), MappingProxyType({}))
    events = [e async for e in h.runtime.service.ask(Ask(nobody, "t", "我的订单"))]
    (record,) = [e.record for e in events if isinstance(e, CallFinished)]
    assert record.outcome == "forbidden"


async def test_two_products_compared(house: Start) -> None:
    h = await house(
        [
            [
                ("search_product", {"name": "iPhone 15"}),
                ("search_product", {"name": "三星 Galaxy S24"}),
            ],
            "iPhone 15 评分4.8,Samsung Galaxy S24 评分4.7,推荐 iPhone 15。",
        ]
    )
    said = await h.ask("customer", "iPhone 15 和三星 Galaxy S24 哪个好?")
    assert [c[2] for c in said.calls] == ["ok", "ok"]
    assert "推荐 iPhone 15" in said.end.answer
    (table,) = [e for e in said.events if isinstance(e, Attachment)]
    assert table.data["columns"][1:] == ["iPhone 15", "Samsung Galaxy S24"]
    last = h.engine.requests[1].messages[-1].content
    assert '"higher_rating": "iPhone 15"' in last
    assert len(await h.audit("call")) == 2


async def test_budgets_compared_with_the_abnormal_marked_and_a_chart(house: Start) -> None:
    h = await house(
        [
            [
                ("fetch_department_budget", {"dept": "marketing", "quarter": "Q1"}),
                ("fetch_department_budget", {"dept": "rd", "quarter": "一季度"}),
            ],
            [("generate_comparison_chart", {"kind": "bar"})],
            "市场部花了920000元,超支120000元;研发部花了1140000元。",
        ]
    )
    said = await h.ask("finance", "对比市场部和研发部 Q1 一季度的预算,标出异常,画柱状图")
    names = [c[0] for c in said.calls]
    assert names == ["fetch_department_budget"] * 2 + ["generate_comparison_chart"]
    assert {c[1]["quarter"] for c in said.calls[:2]} == {"2025-Q1"}
    assert said.calls[2][1]["results"] == ["1", "2"]
    table, chart = (e for e in said.events if isinstance(e, Attachment))
    assert [row for row in table.data["rows"] if row[0] == "异常"] == [["异常", "是", ""]]
    assert chart.kind == "chart" and chart.data["series"][1]["data"] == [920000, 1140000]
    assert said.end.replaced == 0


async def test_room_booked_once(house: Start) -> None:
    booking = {"room": "B204", "date": "明天", "start": "下午两点", "end": "三点"}
    h = await house(
        [
            [
                (
                    "query_meeting_room",
                    {"location": "上海", "date": "明天", "features": ["projector"]},
                )
            ],
            "明天上海有 B204 可用。",
            [("book_room", booking)],
            "已订 B204,2025-04-04 14:00到15:00。",
            [("book_room", booking)],
            "这个时段已经有人了。",
        ]
    )
    asked = "明天上海有带投影的会议室吗?"
    found = await h.ask("staff", asked, "rooms")
    assert found.record.result["count"] >= 1
    booked = await h.ask("staff", "就订 B204,下午两点到三点", "rooms")
    assert booked.calls[0][1] == {
        "room": "B204",
        "date": "2025-04-04",
        "start": "14:00",
        "end": "15:00",
    }
    assert booked.record.outcome == "ok"
    assert booked.end.answer == "已订 B204,2025-04-04 14:00到15:00。"
    again = await h.ask("staff", "明天下午两点到三点再订一次 B204", "rooms")
    assert again.record.outcome == "rejected"


async def test_refund_waits_for_confirmation_and_runs_once(house: Start) -> None:
    h = await house(
        [[("request_refund", {"order_id": "ORD12345", "reason": "屏幕碎了"})], "退款299元已提交。"]
    )
    asked = await h.ask("finance", "ORD12345 退款,屏幕碎了")
    assert asked.record.outcome == "needs_confirmation"
    assert asked.end.reason == "confirmation"
    assert [e.arguments for e in asked.events if isinstance(e, ConfirmationNeeded)] == [
        {"order_id": "ORD12345", "reason": "屏幕碎了"}
    ]
    assert await h.audit("outcome") == []
    done = await h.decide("finance", asked.ticket)
    assert done.calls == [("request_refund", {"order_id": "ORD12345", "reason": "屏幕碎了"}, "ok")]
    assert done.end.answer == "退款299元已提交。"
    assert [b["outcome"] for _, b in await h.audit("outcome")] == ["ok"]


async def test_typed_confirmation_decides_what_waits_in_the_thread(house: Start) -> None:
    refund = [("request_refund", {"order_id": "ORD12345", "reason": "坏了"})]
    h = await house([refund, "已退款299元。", "你好。"])
    await h.ask("finance", "ORD12345 坏了,退款", "t")
    done = await h.ask("finance", "确认", "t")
    assert done.record.outcome == "ok"
    # With nothing waiting, the same word is just a message.
    assert (await h.ask("finance", "确认", "t")).end.answer == "你好。"


async def test_rejected_refund_never_runs(house: Start) -> None:
    h = await house([[("request_refund", {"order_id": "ORD12345", "reason": "坏了"})]])
    asked = await h.ask("finance", "ORD12345 坏了,退款")
    done = await h.decide("finance", asked.ticket, approve=False)
    assert done.record.outcome == "rejected"
    assert await h.audit("outcome") == [] and await h.audit("call") == []


async def test_a_customer_cannot_trigger_a_refund(house: Start) -> None:
    h = await house(
        [[("request_refund", {"order_id": "ORD12345", "reason": "坏了"})], "您没有权限退款。"]
    )
    said = await h.ask("customer", "ORD12345 坏了,给我退款")
    assert said.record.outcome == "forbidden"
    decisions = await h.audit("decision")
    assert decisions[0][1]["outcome"] == "forbidden"
    assert decisions[0][1]["policy"] == "roles:request_refund"


async def test_several_rounds_in_one_turn(house: Start) -> None:
    h = await house(
        [
            [("list_orders", {})],
            [("get_order_status", {"order_id": "ORD12345"})],
            "ORD12345 已打包,预计明天发出。",
        ]
    )
    said = await h.ask("customer", "我最近的订单怎么样了")
    assert [c[0] for c in said.calls] == ["list_orders", "get_order_status"]
    # The id came from a result, not from the person: it is recorded as such.
    assert (await h.audit("call"))[1][1]["sources"] == {"order_id": ["tool:list_orders"]}
