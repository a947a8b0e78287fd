"""The bundled model in the real path: what must hold whatever the weights are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from dazi.agent.asking import Ask
from dazi.core.errors import CallerError
from dazi.core.turn import TurnFinished
from dazi.inference.catalog import BUNDLED
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings

pytestmark = pytest.mark.skipif(
    not (BUNDLED / "openvino_model.xml").is_file(),
    reason="the bundled model is not there: whole turns with it are not tried",
)


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    opened = await open_runtime(Settings(data=tmp_path, today=date(2025, 4, 3)))
    yield opened
    await opened.close()


async def _ask(runtime: Runtime, user: str, text: str) -> TurnFinished:
    ask = Ask(runtime.directory.principal(user, "test"), f"t-{user}-{text[:20]}", text)
    return [e async for e in runtime.service.ask(ask) if isinstance(e, TurnFinished)][-1]


async def test_the_flagship_question(runtime: Runtime) -> None:
    end = await _ask(runtime, "customer", "我三天前下的订单 ORD12345 还没发货,怎么回事?")
    assert [(c.name, dict(c.arguments), c.outcome) for c in end.calls] == [
        ("get_order_status", {"order_id": "ORD12345"}, "ok")
    ]
    assert "打包" in end.answer and ("明天" in end.answer or "2025-04-04" in end.answer)
    theirs = await _ask(runtime, "customer2", "我的订单 ORD12345 到哪了?")
    assert [c.outcome for c in theirs.calls] == ["not_found"]
    assert "299" not in theirs.answer


@pytest.mark.parametrize(
    ("user", "said", "calls"),
    [
        (
            "staff",
            "帮我找一间明天上海带投影的会议室",
            [
                (
                    "query_meeting_room",
                    {"location": "上海", "date": "2025-04-04", "features": ["projector"]},
                )
            ],
        ),
        (
            "staff",
            "订B204,明天下午两点到三点",
            [
                (
                    "book_room",
                    {"room": "B204", "date": "2025-04-04", "start": "14:00", "end": "15:00"},
                )
            ],
        ),
        (
            "customer",
            "iPhone 15 和三星 Galaxy S24 哪个好?",
            [
                ("search_product", {"name": "iPhone 15"}),
                ("search_product", {"name": "三星 Galaxy S24"}),
            ],
        ),
        (
            "finance",
            "对比一下市场部和研发部Q1的预算,标出异常,画个柱状图",
            [
                ("fetch_department_budget", {"dept": "marketing", "quarter": "2025-Q1"}),
                ("fetch_department_budget", {"dept": "rd", "quarter": "2025-Q1"}),
                ("generate_comparison_chart", {"kind": "bar", "results": ["1", "2"]}),
            ],
        ),
        (
            "manager",
            "上个月销售额前十的地区",
            [("query_sales_data", {"month": "2025-03", "group_by": "region", "top": 10})],
        ),
        (
            "customer",
            "where is my order ORD12345?",
            [("get_order_status", {"order_id": "ORD12345"})],
        ),
    ],
)
async def test_the_demos_questions(
    runtime: Runtime, user: str, said: str, calls: list[tuple[str, dict[str, object]]]
) -> None:
    """The first things that people try."""
    end = await _ask(runtime, user, said)
    assert [(c.name, dict(c.arguments)) for c in end.calls] == calls
    assert {c.outcome for c in end.calls} == {"ok"}
    assert end.answer


async def test_a_refund_waits_for_a_person_and_is_no_customers_business(runtime: Runtime) -> None:
    said = "给订单ORD12345退款,原因是漏发"
    waiting = await _ask(runtime, "finance", said)
    assert [(c.name, c.outcome) for c in waiting.calls] == [
        ("request_refund", "needs_confirmation")
    ]
    assert waiting.calls[0].arguments["reason"] == "漏发"
    refused = await _ask(runtime, "customer", said)
    assert {c.outcome for c in refused.calls} <= {"forbidden"}


async def test_a_message_of_a_hundred_thousand_tokens_is_refused_with_both_numbers(
    runtime: Runtime,
) -> None:
    with pytest.raises(CallerError) as caught:
        await _ask(runtime, "customer", "好" * 100_000)
    assert caught.value.code == "context_overflow"
    assert str(runtime.engine.profile.context_tokens) in caught.value.message("zh")
    assert "100" in caught.value.message("zh")
    end = await _ask(runtime, "customer", "ORD12345 到哪了?")
    assert end.calls[0].outcome == "ok"
